"""Answers of what stands between this machine and the hub: each is told for what it is, and advises what helps."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from solo_unicorn.agents import registry
from solo_unicorn.config import credentials
from solo_unicorn.missions.entities import Json
from solo_unicorn.missions.errors import Offline, SignedOut, SoloUnicornError
from solo_unicorn.sync import replica
from solo_unicorn.sync.client import signin, single_requests, tokens
from solo_unicorn.sync.client.answers import answer_of
from solo_unicorn.sync.client.tokens import AccountBearer, Tokens
from solo_unicorn.sync.client.transport import HttpTransport
from solo_unicorn.sync.replica import files
from solo_unicorn.sync.replica.capabilities import FULL
from solo_unicorn.sync.replica.connecting import Account
from solo_unicorn.sync.replica.exchange import pull
from solo_unicorn.sync.replica.messages import NoAnswer, Request, Response
from solo_unicorn.sync.replica.trouble import Trouble, trouble
from solo_unicorn.workspace.sync_state.outbox import OutboxEntry
from solo_unicorn.workspace.workspace import Workspace

PAGE, OURS = b"<html>Sign in to this network</html>", b'{"error": {"code": "x", "message": "said by the hub"}}'
BEARER, BASIC = {"WWW-Authenticate": "Bearer"}, {"WWW-Authenticate": "Basic realm=proxy"}
PROJECT = "01J00000000000000000000000"
WHOAMI = Request("GET", "/api/v1/auth/whoami", {}, {})


@pytest.mark.parametrize(
    ("status", "headers", "body", "kind"),
    [
        (401, BASIC, PAGE, "unreadable"),
        (401, {}, b"", "unreadable"),
        (401, {}, b'{"message": "Unauthorized"}', "unreadable"),
        (401, BEARER, b"", "signed_out"),
        (401, BEARER, PAGE, "signed_out"),
        (401, {}, OURS, "signed_out"),
        (403, {}, b"", "unreadable"),
        (403, {}, PAGE, "unreadable"),
        (403, {}, OURS, "forbidden"),
        (404, {}, b"", "unreadable"),
        (404, {}, PAGE, "unreadable"),
        (404, {}, OURS, "gone"),
        (410, {}, b" ", "unreadable"),
        (407, {"Proxy-Authenticate": "Basic"}, b"", "proxy"),
        (407, {}, PAGE, "proxy"),
        (426, {}, b"", "unreadable"),
        (429, {"Retry-After": "7"}, PAGE, "busy"),
        (429, {}, b"", "busy"),
        (500, {}, PAGE, "failing"),
        (502, {}, PAGE, "unreachable"),
        (504, {}, b"", "unreachable"),
        (503, {}, OURS, "not_ready"),
        (200, {}, PAGE, "unreadable"),
        (301, {"Location": "https://new.example.org/?key=1"}, b"", "unreadable"),
    ],
)
def test_who_said_it_is_told_apart(status: int, headers: dict[str, str], body: bytes, kind: str) -> None:
    assert trouble(answer_of(status, headers, body)).kind == kind


@pytest.mark.parametrize("body", [b"", PAGE, OURS])
def test_a_redirect_is_not_followed_and_names_where_it_leads(body: bytes) -> None:
    found = trouble(answer_of(308, {"Location": "https://new.example.org/hub?key=1"}, body))
    assert found.reason == "HTTP 308 that leads to https://new.example.org/hub"


@pytest.mark.parametrize(
    ("name", "value"),
    [("ALL_PROXY", "socks5://127.0.0.1:9"), ("HTTPS_PROXY", "ftp://127.0.0.1:9"), ("SSL_CERT_FILE", "/nowhere.pem")],
)
async def test_settings_of_the_machine_that_cannot_be_used_are_named(
    name: str, value: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They ended the service's synchronisation and every command with a fault of ours."""
    monkeypatch.setenv(name, value)
    with pytest.raises(Offline) as raised:
        signin.with_key("https://hub.example.org", "hub", "pat_x")
    assert name in raised.value.todo and raised.value.why
    with pytest.raises(Offline):
        registry.read("https://registry.example.org/agent.json", "any")
    wire = HttpTransport("https://hub.example.org")
    found = trouble(await wire.send(WHOAMI))
    assert found.kind == "settings" and found.of_hub and found.reason == raised.value.why


def test_a_proxy_that_is_away_is_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    monkeypatch.setenv("HTTPS_PROXY", f"http://ann:secret@127.0.0.1:{port}")
    with pytest.raises(Offline) as raised:
        signin.with_key("https://hub.example.org", "hub", "pat_x")
    assert raised.value.why.endswith(f"through the proxy 127.0.0.1:{port}") and "secret" not in str(raised.value)


@contextmanager
def saying(
    status: int, body: bytes, headers: dict[str, str] | None = None
) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """A server that says one thing to everybody: its address, and the headers that it was sent (in lower case)."""
    heard: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def _say(self) -> None:
            self.rfile.read(int(self.headers.get("content-length") or 0))
            heard.append({name.lower(): value for name, value in self.headers.items()})
            self.send_response(status)
            for name, value in {**(headers or {}), "content-length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = _say

        def log_message(self, *_: object) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}", heard
        server.shutdown()


@pytest.mark.parametrize(
    ("status", "body", "error", "told"),
    [
        (502, PAGE, Offline, "that the hub is running"),
        (429, b"", Offline, "wait a moment; then try again"),
        (426, b"", Offline, "check the address, the proxy"),
        (403, PAGE, Offline, "check the address, the proxy"),
        (407, b"", Offline, "HTTPS_PROXY"),
        (500, OURS, Offline, "see the hub's log"),
        (401, OURS, SignedOut, "create a new key"),
    ],
)
def test_a_sign_in_with_a_key_advises_what_helps(
    home: Path, status: int, body: bytes, error: type[SoloUnicornError], told: str
) -> None:
    with saying(status, body) as (url, _), pytest.raises(error) as raised:
        signin.with_key(url, "hub", "pat_x")
    assert type(raised.value) is error and told in raised.value.todo
    assert "automatically" not in str(raised.value)


@pytest.mark.parametrize("status", [502, 503, 429, 403])
def test_a_sign_in_with_a_browser_says_that_the_hub_is_away(home: Path, status: int) -> None:
    with saying(status, PAGE) as (url, _), pytest.raises(Offline) as raised:
        signin.discovered(url)
    assert "--api-key" not in str(raised.value)


def kept(url: str) -> Tokens:
    old = Tokens("at_old", "rt_old", expires_at=0.0, token_endpoint=f"{url}/token", client_id="x")
    tokens.write("ann@hub", old, in_file=True)
    return old


@pytest.mark.parametrize(("status", "body"), [(500, OURS), (500, PAGE), (502, b""), (200, PAGE), (403, PAGE)])
async def test_a_sign_in_that_cannot_be_renewed_now_has_not_ended(home: Path, status: int, body: bytes) -> None:
    with saying(401, OURS) as (hub, _), saying(status, body) as (issuer, _):
        old, wire = kept(issuer), HttpTransport(hub, AccountBearer("ann@hub"))
        answer = await wire.send(WHOAMI)
        await wire.close()
    assert isinstance(answer, NoAnswer) and answer.kind == "renewal"
    assert (tokens.read("ann@hub") or old).refresh == "rt_old"


async def test_a_renewal_whose_answer_was_lost_is_asked_for_with_the_same_key(home: Path) -> None:
    fresh = json.dumps({"access_token": "at_new", "refresh_token": "rt_new", "expires_in": 900}).encode()
    with saying(500, PAGE) as (url, first):
        kept(url)
        for _ in range(2):
            with pytest.raises(Offline):
                tokens.renew("ann@hub", "at_old")
    keys = {one["idempotency-key"] for one in first}
    assert len(first) == 2 and len(keys) == 1
    with saying(200, fresh) as (url, then):
        known = tokens.read("ann@hub")
        assert known is not None and known.renewal in keys
        tokens.write("ann@hub", replace(known, token_endpoint=f"{url}/token"), in_file=True)
        got = tokens.renew("ann@hub", "at_old")
    assert then[0]["idempotency-key"] in keys
    assert got is not None and got.access == "at_new" and got.renewal and got.renewal not in keys


@pytest.mark.parametrize("text", ["{", "[]", '{"account ann@hub": 5}', '{"account ann@hub": "no json"}'])
async def test_a_damaged_file_of_tokens_is_not_called_a_keychain(home: Path, text: str) -> None:
    kept("http://127.0.0.1:1")
    credentials.file_path().write_text(text)
    wire = HttpTransport("http://127.0.0.1:1", AccountBearer("ann@hub"))
    answer = await wire.send(WHOAMI)
    await wire.close()
    assert isinstance(answer, NoAnswer) and answer.kind == "credentials" and "cannot be read" in answer.reason


def test_a_success_without_a_word_is_a_success() -> None:
    assert answer_of(204, {}, b"") == Response(204, {})


@pytest.mark.parametrize("head", [b"", b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n"], ids=["head", "body"])
def test_an_answer_that_drips_is_given_up_at_a_sign_in_too(
    home: Path, monkeypatch: pytest.MonkeyPatch, head: bytes
) -> None:
    monkeypatch.setattr(single_requests, "SECONDS", 0.4)
    given_up = threading.Event()

    def drip(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection, suppress(OSError):
            connection.recv(65536)
            connection.sendall(head)
            while not given_up.wait(0.02):
                connection.sendall(b"x")

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=drip, args=(server,), daemon=True).start()
        with pytest.raises(Offline, match="does not answer"):
            signin.with_key(f"http://127.0.0.1:{server.getsockname()[1]}", "hub", "pat_x")
        given_up.set()


CURSOR: dict[str, object] = {"snapshotCursor": "c1", "epoch": 1, "seq": 1}


@pytest.mark.parametrize(
    "answers",
    [
        {"missions": {"items": [], "nextAfter": "m1", **CURSOR}},
        {"missions": {"items": [], **CURSOR}, "changes": {"changes": [], "cursor": "c1", "seq": 1, "hasMore": True}},
        {"missions": {"items": [], **CURSOR}, "changes": {"error": {"code": "epoch_changed"}}},
        {
            "missions": {"items": [], **CURSOR},
            "changes": {"changes": [], "cursor": "c2", "seq": 1},
            "events": {"items": [], "nextAfter": "7"},
        },
        {
            "missions": {"items": [], **CURSOR},
            "changes": {"changes": [], "cursor": "c2", "seq": 1},
            "events": {"items": [], "nextAfter": "the next"},
        },
    ],
)
def test_pages_without_an_end_are_no_reason_to_ask_without_one(
    workspace: Workspace, answers: dict[str, object]
) -> None:
    """Each was asked for again and again, without a pause; a number that is none ended the synchronisation."""
    account = Account("ann@hub", "hub", "https://hub", "ann", "", "token", True, {})
    replica.connecting.put_account(workspace, account)
    workspace.write(replica.connecting.connect, account, {"id": PROJECT, "name": "Shared"}, {})
    talk = pull(workspace, PROJECT, FULL)
    request = next(talk)
    with pytest.raises(StopIteration) as over:
        for _ in range(20):
            body = answers[request.path.rpartition("/")[2]]
            status = 410 if isinstance(body, dict) and "error" in body else 200
            request = talk.send(Response(status, {}, body))  # type: ignore[arg-type]
    assert isinstance(over.value.value, Trouble) and over.value.value.kind == "unreadable"


def test_an_upload_that_gets_nowhere_is_given_up_for_now() -> None:
    """A store that took no byte was sent the same piece again and again, without a pause."""
    patch: dict[str, Json] = {"missionId": "m", "size": 9}
    rest: tuple[Any, ...] = ("person", "now", "inflight", None, 0, 1, 0, None, None, None)
    entry = OutboxEntry(1, "x", PROJECT, "f", "ann@hub", "file", patch, {}, *rest)
    talk = files.talk(Request("POST", "/", {}, {}), entry, "/nowhere")
    next(talk)
    talk.send(Response(201, {}, {"attachment": {"state": "waiting"}, "uploadUrl": "/upload"}))
    with pytest.raises(StopIteration) as over:
        for _ in range(20):
            talk.send(Response(409, {"upload-offset": "0"}, None))
    assert isinstance(over.value.value, Trouble) and over.value.value.kind == "failing"
