"""Signing in with a browser and with keys; tokens kept, renewed once by whoever comes first, and forgotten."""

from __future__ import annotations

import errno
import stat
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from solo_unicorn.cli.main import main
from solo_unicorn.config import credentials, network
from solo_unicorn.missions.errors import SignedOut, SoloUnicornError, UsageError
from solo_unicorn.missions.records import replace
from solo_unicorn.sync import replica
from solo_unicorn.sync.client import signin, tokens
from solo_unicorn.sync.client.tokens import AccountBearer, Tokens
from solo_unicorn.sync.client.transport import HttpTransport
from solo_unicorn.sync.replica.connecting import Account
from solo_unicorn.sync.replica.messages import NoAnswer, get
from solo_unicorn.workspace.workspace import Workspace

from .simulation.hub import SimulatedHub
from .simulation.served import PAT, ServedHub


@pytest.fixture
def served(home: Path) -> Iterator[ServedHub]:
    with ServedHub(SimulatedHub("01J00000000000000000000000")) as hub:
        yield hub


def browser(address: str) -> None:
    """Sees the page, agrees, and is sent back."""
    threading.Thread(target=lambda: httpx.get(address, follow_redirects=True)).start()


def test_the_browser_brings_a_code_that_only_we_can_use(served: ServedHub) -> None:
    done = signin.with_browser(signin.discovered(served.url), "hub", show=browser)
    assert (done.account.user_id, done.account.email, done.account.kind) == ("ann", "ann@example.org", "session")
    assert served.users[done.tokens.access] == "ann" and done.tokens.refresh


def test_a_page_with_another_state_is_not_taken(served: ServedHub) -> None:
    pages: list[int] = []

    def attacked(address: str) -> None:
        redirect = parse_qs(urlsplit(address).query)["redirect_uri"][0]
        told = threading.Event()

        def visit() -> None:
            pages.append(httpx.get(f"{redirect}?code=evil&state=guessed").status_code)
            told.set()
            httpx.get(address, follow_redirects=True)

        threading.Thread(target=visit).start()

    assert signin.with_browser(signin.discovered(served.url), "hub", show=attacked).account.user_id == "ann"
    assert pages == [400]


def test_a_refusal_is_told_in_the_hubs_words(served: ServedHub) -> None:
    def refuse(address: str) -> None:
        query = parse_qs(urlsplit(address).query)
        back = f"{query['redirect_uri'][0]}?error=access_denied&error_description=not+today&state={query['state'][0]}"
        threading.Thread(target=lambda: httpx.get(back)).start()

    with pytest.raises(SignedOut, match="Not today"):
        signin.with_browser(signin.discovered(served.url), "hub", show=refuse)


def test_nobody_comes(served: ServedHub) -> None:
    with pytest.raises(SignedOut, match="Nobody signed in"):
        signin.with_browser(signin.discovered(served.url), "hub", show=lambda address: None, patience=0.1)


def test_a_key_is_checked_before_it_is_kept(served: ServedHub) -> None:
    assert signin.with_key(served.url, "hub", f"{PAT}\n").account.id.startswith("ann@127.0.0.1")
    with pytest.raises(SignedOut):
        signin.with_key(served.url, "hub", "pat_wrong")
    with pytest.raises(UsageError):
        signin.with_key(served.url, "hub", "")


NO_ADDRESSES = ["", "ftp://x", "http://example.org", "https://u:p@example.org", "https://x?y=1"]
NO_ADDRESSES += [
    "http://",
    "htp:/x",
    "http://[::1",
    "https://hub:99999",
    "https://hub:abc",
    "https://hub:0",
    "https://a b",
]


@pytest.mark.parametrize("text", NO_ADDRESSES)
def test_an_address_that_is_none_or_not_encrypted_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        signin.hub_url(text)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("hub.example.org/", "https://hub.example.org"),
        ("127.0.0.1:8420", "http://127.0.0.1:8420"),
        ("localhost:8420/", "http://localhost:8420"),
        ("[::1]:8420", "http://[::1]:8420"),
        ("http://127.0.0.1:8420/api/v1", "http://127.0.0.1:8420"),
        ("http://127.0.0.1:8420/docs/", "http://127.0.0.1:8420"),
    ],
)
def test_an_address_as_people_type_it(typed: str, meant: str) -> None:
    assert signin.hub_url(typed) == meant


def test_tokens_are_in_a_file_only_when_asked_for_and_then_for_their_owner_alone(home: Path) -> None:
    tokens.write("ann@hub", Tokens(access="at_secret", refresh="rt_secret"), in_file=True)
    kept = credentials.file_path()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert tokens.read("ann@hub") == Tokens(access="at_secret", refresh="rt_secret")
    tokens.forget("ann@hub")
    assert not kept.exists()


def test_a_broken_file_is_told_of_and_kept(home: Path) -> None:
    home.mkdir(parents=True, exist_ok=True)
    credentials.file_path().write_text("{half")
    with pytest.raises(SoloUnicornError, match="cannot be read"):
        tokens.read("ann@hub")
    assert credentials.file_path().read_text() == "{half"


def test_many_processes_renew_once(served: ServedHub) -> None:
    grant = served.grant("ann")
    first = Tokens(grant["access_token"], grant["refresh_token"], 0.0, f"{served.url}/token", "", signin.CLIENT_ID)
    tokens.write("ann@hub", first, in_file=True)
    with ThreadPoolExecutor(
        8
    ) as pool:  # the lock is of the file: threads with descriptors of their own are as processes
        renewed = list(pool.map(lambda _: tokens.renew("ann@hub", first.access), range(8)))
    assert served.refreshes == 1
    assert {one.access for one in renewed if one} == {tokens.read("ann@hub").access}  # type: ignore[union-attr]


async def test_a_token_that_ends_soon_is_renewed_before_it_is_used(served: ServedHub) -> None:
    grant = served.grant("ann")
    tokens.write(
        "ann@hub",
        Tokens(grant["access_token"], grant["refresh_token"], 1000.0, f"{served.url}/token", "", signin.CLIENT_ID),
        in_file=True,
    )
    assert await AccountBearer("ann@hub", clock=lambda: 900.0).token() == grant["access_token"]
    fresh = await AccountBearer("ann@hub", clock=lambda: 950.0).token()
    assert fresh != grant["access_token"] and served.users[str(fresh)] == "ann"


async def test_a_sign_in_that_was_revoked_is_over(served: ServedHub) -> None:
    grant = served.grant("ann")
    kept = Tokens(
        grant["access_token"], grant["refresh_token"], None, f"{served.url}/token", f"{served.url}/revoke", "x"
    )
    tokens.write("ann@hub", kept, in_file=True)
    assert signin.revoke(kept, served.url)
    assert await AccountBearer("ann@hub").renewed(kept.access) is None


async def test_a_sign_in_that_ends_when_it_is_due_to_be_renewed_is_said_to_have_ended(served: ServedHub) -> None:
    grant = served.grant("ann")
    endpoints = f"{served.url}/token", f"{served.url}/revoke"
    kept = Tokens(grant["access_token"], grant["refresh_token"], 1000.0, *endpoints, signin.CLIENT_ID)
    tokens.write("ann@hub", kept, in_file=True)
    assert signin.revoke(kept, served.url)
    link = HttpTransport(served.url, AccountBearer("ann@hub", clock=lambda: 950.0))
    answer = await link.send(get("/projects"))
    await link.close()
    assert isinstance(answer, NoAnswer) and answer.kind == "signed_out"


def test_tokens_of_another_version_are_read_and_those_without_a_token_are_none(home: Path) -> None:
    credentials.put("account ann@hub", '{"access": "at_secret", "later": 1}', in_file=True)
    assert tokens.read("ann@hub") == Tokens(access="at_secret")
    credentials.put("account ann@hub", '{"later": 1}', in_file=True)
    assert tokens.read("ann@hub") is None


def test_a_hub_of_this_machine_is_reached_without_the_proxy_of_the_way_out(
    served: ServedHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
        monkeypatch.delenv(name.upper(), raising=False)
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    assert network.proxy(served.url) == "" and network.proxy("https://hub.example.org") == "127.0.0.1:9"
    assert signin.discovered(served.url).hub == served.url


def test_a_renewal_on_its_way_does_not_undo_a_sign_out(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its new tokens were kept after the person had signed out."""
    account = Account("ann@hub", "hub", "https://hub", "ann", "", "token", True, {})
    kept = Tokens("old", "refresh", None, "https://hub/token")
    tokens.write(account.id, kept, in_file=True)
    with Workspace.open() as opened:
        replica.connecting.put_account(opened, account)
    signing_out = threading.Thread(target=lambda: main(["auth", "logout", "-q"]))

    def answered(before: Tokens, *_: object, **more: object) -> Tokens:
        signing_out.start()
        signing_out.join(0.5)  # it waits for this renewal; without that it is over by now
        return replace(before, access="new")

    monkeypatch.setattr(tokens, "refreshed", answered)
    tokens.renew(account.id, "old")
    signing_out.join()
    assert tokens.read(account.id) is None


async def test_tokens_that_cannot_be_kept_are_told_of(home: Path) -> None:
    """A full disk at that moment ended the synchronisation."""

    class Full:
        async def token(self) -> str | None:
            raise OSError(errno.ENOSPC, "No space left on device")

        async def renewed(self, refused: str) -> str | None:
            return None

    answer = await HttpTransport("https://hub", Full()).send(get("/projects"))
    assert isinstance(answer, NoAnswer)
    assert (answer.kind, answer.reason) == ("renewal", "its tokens cannot be kept: No space left on device")
