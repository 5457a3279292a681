"""A hub with a certificate authority of its own: `--ca FILE`, which is its pin; words for refused certificates."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from solo_unicorn.config import trust
from solo_unicorn.sync import replica
from solo_unicorn.sync.client.realtime import Realtime, SocketState
from solo_unicorn.sync.client.tokens import AccountBearer
from solo_unicorn.workspace.workspace import Workspace

from ..hub.joined.processes import command, program
from .certificates import Proxy, made, tls
from .conftest import Typed

pytestmark = pytest.mark.slow


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[tuple[Proxy, str]]:
    """A hub behind TLS with an authority that nobody knows, and a token of Ann's."""
    async with program(tmp_path / "hub") as served:
        command(tmp_path / "hub", "user", "add", "ann@example.org", "--organization", "Acme")
        token = command(tmp_path / "hub", "token", "create", "ann@example.org")
        async with tls(urlsplit(served.url).port or 0, made(tmp_path / "one")) as proxy:
            yield proxy, token


async def test_the_authority_is_given_once_and_pins_the_hub(
    hub: tuple[Proxy, str], typed: Typed, tmp_path: Path
) -> None:
    proxy, token = hub
    login = ("auth", "login", "--hub", proxy.url, "--api-key", "-", "--store-in-file")
    refused = await typed(*login, stdin=token)
    assert refused.code == 6 and "cannot be trusted" in refused.err and "--ca FILE" in refused.err
    done = await typed(*login, "--ca", str(proxy.files.authority), stdin=token)
    assert done.code == 0, done.err
    proxy.files.authority.unlink()
    for words in (("auth", "whoami"), ("project", "create", "Tower"), ("project", "publish", "tower"), ("sync",)):
        said = await typed(*words)
        assert said.code == 0, (words, said.err)
    assert await socket_opens(proxy) and proxy.sockets == 1

    proxy.files = made(tmp_path / "two")
    other = await typed("sync")
    assert other.code == 6 and "is not believed" in other.err + other.out and "--ca" in other.err + other.out
    who = await typed("auth", "whoami")
    assert who.code == 6 and "only the authority that was given with --ca" in who.err
    assert not await socket_opens(proxy)
    again = await typed(*login, "--ca", str(proxy.files.authority), stdin=token)
    assert again.code == 0, again.err
    back = await typed(*login, "--ca", "system", stdin=token)
    assert back.code == 6 and "cannot be trusted" in back.err
    assert (await typed("sync")).code == 0, "a sign-in that failed changes nothing"


async def socket_opens(proxy: Proxy) -> bool:
    """Whether the socket of the signed-in account opens."""
    with Workspace.open() as opened:
        (account,) = opened.read(replica.connecting.accounts)
    states: asyncio.Queue[bool] = asyncio.Queue()

    async def told(state: SocketState, why: str) -> None:
        states.put_nowait(state == "open")

    async def channels() -> list[str]:
        return []

    client = Realtime(proxy.url, AccountBearer(account.id), channels=channels, nudge=lambda: None, on_state=told)
    running = asyncio.create_task(client.keep_connected())
    async with asyncio.timeout(30):
        found = await states.get()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    return found


async def test_what_a_certificate_lacks_is_said(hub: tuple[Proxy, str], typed: Typed, tmp_path: Path) -> None:
    proxy, token = hub
    login = ("auth", "login", "--hub", proxy.url, "--api-key", "-", "--store-in-file")
    proxy.files = made(tmp_path / "ended", days=0)
    said = await typed(*login, "--ca", str(proxy.files.authority), stdin=token)
    assert said.code == 6 and "has ended" in said.err
    proxy.files = made(tmp_path / "other", names=("hub.example.org",))
    said = await typed(*login, "--ca", str(proxy.files.authority), stdin=token)
    assert said.code == 6 and "is for another name" in said.err
    (tmp_path / "none.pem").write_text("not a certificate")
    said = await typed(*login, "--ca", str(tmp_path / "none.pem"), stdin=token)
    assert said.code == 2 and "does not hold the certificate of an authority" in said.err
    said = await typed(*login, "--ca", str(tmp_path / "nowhere.pem"), stdin=token)
    assert said.code == 2
    assert not trust.pin_of(proxy.url).exists() and not list(trust.pin_of(proxy.url).parent.glob(".*"))
