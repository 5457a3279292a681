"""Streamable HTTP on loopback, inside the service's event loop.

Bearer token to identity on every request, Host and Origin checked (mcp's own defence against DNS rebinding), both
protocol eras. Two things are ours: a close that ends listening streams at once, and handshake-era clients that outlive
a restart of the service: a request with a session id of an earlier start is served without a session instead of 404.
"""

from __future__ import annotations

import asyncio
import logging
import re
import socket
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import uvicorn
from mcp.server.auth.settings import AuthSettings
from pydantic import AnyHttpUrl
from starlette.applications import Starlette
from starlette.types import Message, Receive, Scope, Send

from ..missions.access import AccessCall
from ..system.serving import Server
from .caller import identify
from .changes import Changes
from .repairing import repaired
from .server import Calls, RunToken, build_server

LOOPBACK = "127.0.0.1"
PATH = "/mcp"
BODY_MAX = 16 * 1024 * 1024
"""Larger requests get 413; what is smaller and still too large for a tool gets its coded error."""
FINISH_SECONDS = 1.0
SESSION_ID = re.compile(rb"[0-9a-f]{32}")


def bind(port: int, *, fixed: bool = False) -> socket.socket:
    """A listening socket on loopback; another port when `port` is taken, unless it is `fixed` (then OSError)."""
    for wanted in [port] if fixed or port == 0 else [port, 0]:
        listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((LOOPBACK, wanted))
            return listening
        except OSError:
            listening.close()
            if wanted == 0 or fixed:
                raise
    raise AssertionError("port 0 is always free")


class Verifier:
    """Bearer tokens of running sessions, looked up afresh with every request."""

    def __init__(self, call: AccessCall) -> None:
        self._call = call

    async def verify_token(self, token: str) -> RunToken | None:
        """The run behind it; None answers 401."""
        caller = await identify(self._call, token)
        if caller is None:
            return None
        return RunToken(token=token, client_id=caller.session_id or caller.name, scopes=[], caller=caller)


class HttpServer:
    """uvicorn with the MCP application, from `start` to `close`."""

    def __init__(self, call: AccessCall, changes: Changes, *, version: str, calls: Calls | None = None) -> None:
        self._calls = calls or Calls()
        self._door = Door(*(_application(call, changes, version, self._calls, kept) for kept in (True, False)))
        self._server: _Uvicorn | None = None
        self._task: asyncio.Task[None] | None = None
        self.port = 0

    @property
    def url(self) -> str:
        """Where agents connect."""
        return f"http://{LOOPBACK}:{self.port}{PATH}"

    async def start(self, listening: socket.socket) -> None:
        """Serve on a bound socket; returns when it answers."""
        _keep_off_stderr()
        self.port = listening.getsockname()[1]
        config = uvicorn.Config(
            self._door,
            log_config=None,
            access_log=False,
            date_header=False,
            lifespan="off",
            ws="none",
            timeout_graceful_shutdown=2,
            timeout_keep_alive=60,
        )
        self._server = _Uvicorn(config)
        self._task = asyncio.create_task(self._serve(self._server, listening), name="mcp-http")
        ready = asyncio.create_task(self._server.ready.wait())
        await asyncio.wait({self._task, ready}, return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        if self._task.done():
            self._task.result()

    async def close(self) -> None:
        """Finish short calls, end streams, stop. Safe to call twice."""
        if self._task is None or self._server is None:
            return
        self._door.end_streams()
        await self._calls.finish(FINISH_SECONDS)
        self._door.end_all()
        self._server.should_exit = True
        await self._task
        self._task = None

    async def _serve(self, server: uvicorn.Server, listening: socket.socket) -> None:
        async with self._door.running():
            await server.serve([listening])


def _application(call: AccessCall, changes: Changes, version: str, calls: Calls, kept: bool) -> Starlette:
    """The same server with sessions of the handshake era kept, or served one request at a time."""
    server = build_server(call, version=version, changes=changes, calls=calls)
    return server.streamable_http_app(
        streamable_http_path=PATH,
        host=LOOPBACK,
        stateless_http=not kept,
        max_request_body_size=BODY_MAX,
        auth=AuthSettings(issuer_url=AnyHttpUrl(f"http://{LOOPBACK}"), resource_server_url=None),
        token_verifier=Verifier(call),
    )


class _Uvicorn(Server):
    """uvicorn inside a program that handles its own signals and wants to know when it answers."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn's, then ready."""
        await super().startup(sockets)
        self.ready.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """The service decides what a signal means."""
        yield


class Door:
    """In front of both applications: which one serves a request, and how it ends when the server closes."""

    def __init__(self, kept: Starlette, fresh: Starlette) -> None:
        self._kept = kept
        self._fresh = fresh
        self._deleted: deque[bytes] = deque(maxlen=1024)
        self._streams_end = asyncio.Event()
        self._all_end = asyncio.Event()

    def running(self) -> _Lifespans:
        """Both applications' lifespans, as one asynchronous context."""
        return _Lifespans(self._kept, self._fresh)

    def end_streams(self) -> None:
        """Standing streams see their client leave."""
        self._streams_end.set()

    def end_all(self) -> None:
        """So does everything else."""
        self._all_end.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One HTTP request; one that our closing cut short still gets an end."""
        if scope["type"] != "http":
            return
        sent: Message = {}

        async def watch(message: Message) -> None:
            nonlocal sent
            sent = message
            await send(message)

        await self._serve(scope, receive, watch)
        if not sent:
            await send({"type": "http.response.start", "status": 503, "headers": [(b"retry-after", b"1")]})
        if sent.get("type") != "http.response.body" or sent.get("more_body"):
            await send({"type": "http.response.body", "body": b""})

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        session = dict(scope["headers"]).get(b"mcp-session-id")
        if scope["method"] == "GET":
            await self._kept(scope, _until(self._streams_end, receive), send)
            return
        receive = _until(self._all_end, receive)
        if scope["method"] == "POST":
            receive = await _mended(receive)
        if scope["method"] != "POST" or session is None or not SESSION_ID.fullmatch(session):
            if scope["method"] == "DELETE" and session is not None:
                self._deleted.append(session)
            await self._kept(scope, receive, send)
        else:
            await self._post(scope, receive, send, session)

    async def _post(self, scope: Scope, receive: Receive, send: Send, session: bytes) -> None:
        """A request of a handshake-era session: if nobody knows it, an earlier start of the service did."""
        taken: list[Message] = []
        lost = False

        async def take() -> Message:
            message = await receive()
            if not lost:
                taken.append(message)
            return message

        async def watch(message: Message) -> None:
            nonlocal lost
            if message["type"] == "http.response.start":
                lost = message["status"] == 404 and session not in self._deleted
            if not lost:
                await send(message)

        await self._kept(scope, take, watch)
        if lost:
            headers = [(name, value) for name, value in scope["headers"] if name != b"mcp-session-id"]
            await self._fresh({**scope, "headers": headers}, _again(taken, receive), send)


class _Lifespans:
    """Enter the lifespans of the applications and leave them in the same task."""

    def __init__(self, *applications: Starlette) -> None:
        self._contexts = [one.router.lifespan_context(one) for one in applications]

    async def __aenter__(self) -> None:
        for context in self._contexts:
            await context.__aenter__()

    async def __aexit__(self, *error: object) -> None:
        for context in reversed(self._contexts):
            await context.__aexit__(None, None, None)


async def _mended(receive: Receive) -> Receive:
    """The body as one message, with halves of characters replaced; one that is too long is left to be refused."""
    taken: deque[Message] = deque()
    size, more = 0, True
    while more and size <= BODY_MAX:
        message = await receive()
        taken.append(message)
        size += len(message.get("body", b""))
        more = message["type"] == "http.request" and bool(message.get("more_body"))
    if more or taken[-1]["type"] != "http.request":
        return _again(list(taken), receive)
    body = repaired(b"".join(message.get("body", b"") for message in taken))
    return _again([{"type": "http.request", "body": body, "more_body": False}], receive)


def _again(taken: list[Message], receive: Receive) -> Receive:
    """What was read already, then the rest."""
    waiting = deque(message for message in taken if message["type"] == "http.request")

    async def take() -> Message:
        return waiting.popleft() if waiting else await receive()

    return take


def _until(end: asyncio.Event, receive: Receive) -> Receive:
    """`receive` that reports the client gone once `end` is set."""

    async def take() -> Message:
        if end.is_set():
            return {"type": "http.disconnect"}
        ended, message = asyncio.ensure_future(end.wait()), asyncio.ensure_future(receive())
        try:
            await asyncio.wait({ended, message}, return_when=asyncio.FIRST_COMPLETED)
            return message.result() if message.done() else {"type": "http.disconnect"}
        finally:
            for task in (ended, message):
                if not task.done():
                    task.cancel()
                    with suppress(asyncio.CancelledError):
                        await task

    return take


def _keep_off_stderr() -> None:
    """Without any handler, logging prints warnings on stderr: over the screen of whoever started us."""
    for name in ("uvicorn", "mcp", "sse_starlette"):
        if not logging.getLogger(name).handlers:
            logging.getLogger(name).addHandler(logging.NullHandler())
