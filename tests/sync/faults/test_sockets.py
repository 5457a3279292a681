"""Servers that take a WebSocket and are no good hub: told for what they are, and asked ever more rarely."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any
from unittest.mock import patch

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from solo_unicorn.missions.entities import JsonObject
from solo_unicorn.missions.errors import TryAgain
from solo_unicorn.sync.client import realtime
from solo_unicorn.sync.client.realtime import Realtime
from solo_unicorn.sync.client.transport import FixedBearer
from solo_unicorn.system.backoff import Backoff

Handler = Callable[[ServerConnection], Awaitable[None]]
TRIES = 4


class NoPauses(Backoff):
    """Pauses are noted and not made."""

    def __init__(self) -> None:
        super().__init__(realtime.FIRST_SECONDS, realtime.LONGEST_SECONDS)
        self.windows: list[float] = []

    def next(self) -> float:
        self.windows.append(super().next())
        return 0.0


class Client:
    """One that makes `TRIES` pauses against a server, and what it said meanwhile."""

    def __init__(self) -> None:
        self.states: list[tuple[str, str]] = []
        self.pauses = NoPauses()
        self.nudges = 0

    async def tries(self, port: int, channels: int = 1) -> None:
        """Connect, and connect again."""

        async def joins() -> list[str]:
            return [f"project:{number}" for number in range(channels)]

        async def stands(state: str, why: str) -> None:
            self.states.append((state, why))

        def nudge() -> None:
            self.nudges += 1

        with patch.object(realtime, "Backoff", lambda *_args, **_more: self.pauses):
            client = Realtime(
                f"http://127.0.0.1:{port}", FixedBearer("pat_secret"), channels=joins, nudge=nudge, on_state=stands
            )
        running = asyncio.create_task(client.keep_connected())
        try:
            async with asyncio.timeout(20):
                while len(self.pauses.windows) < TRIES and not running.done():  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
            assert not running.done(), running.exception()
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


@asynccontextmanager
async def serving(handler: Handler, **more: Any) -> AsyncIterator[int]:
    async with serve(handler, "127.0.0.1", 0, **more) as server:
        yield next(iter(server.sockets)).getsockname()[1]


async def silent(connection: ServerConnection) -> None:
    await connection.wait_closed()


@pytest.mark.parametrize("place", ["https://elsewhere.example.org/", "/other", "ws://127.0.0.1:{port}/", "::"])
async def test_a_redirect_is_not_followed_and_ends_nothing(place: str) -> None:
    """`location: https://…` ended the synchronisation of the service, and `sync --watch`, with a fault of ours."""
    asked: list[Request] = []

    def elsewhere(connection: ServerConnection, request: Request) -> None:
        asked.append(request)

    def redirect(connection: ServerConnection, request: Request) -> Response:
        return Response(HTTPStatus.FOUND, "Found", Headers({"location": place.format(port=other)}))

    client = Client()
    async with serving(silent, process_request=elsewhere) as other, serving(silent, process_request=redirect) as port:
        await client.tries(port)
    assert asked == [] and set(client.states) == {("refused", "HTTP 302 instead of a WebSocket")}


async def test_a_server_that_takes_a_socket_and_never_answers_is_not_called_open(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(realtime, "OPEN_SECONDS", 0.1)
    client = Client()
    async with serving(silent) as port:
        await client.tries(port)
    assert {state for state, _ in client.states} == {"refused"} and client.nudges == 0


@pytest.mark.parametrize("farewell", ['{"type": "bye", "payload": {"retryAfterMs": -5}}', ""])
async def test_a_socket_that_is_closed_as_soon_as_it_is_open_is_made_again_ever_more_rarely(farewell: str) -> None:
    async def closing(connection: ServerConnection) -> None:
        await connection.recv()
        await connection.send('{"type": "joined", "channel": "project:0", "payload": {"seq": 1}}')
        if farewell:
            await connection.send(farewell)

    client = Client()
    async with serving(closing) as port:
        await client.tries(port)
    assert client.nudges >= TRIES - 1
    assert client.pauses.windows[:TRIES] == [1.0, 2.0, 4.0, 8.0]


async def test_proxy_settings_that_no_socket_can_use_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(realtime, "of_this_machine", lambda url: False)
    monkeypatch.setenv("no_proxy", "")
    for name in ("http_proxy", "all_proxy"):
        monkeypatch.setenv(name, "socks9://127.0.0.1:9")
    client = Client()
    await client.tries(9)
    assert {state for state, _ in client.states} == {"refused"}


async def test_when_presence_cannot_be_told_the_connection_is_made_again() -> None:
    """It stayed open and was told of nothing: a project that was connected later was never joined."""
    connections, told = 0, asyncio.Event()

    async def answering(connection: ServerConnection) -> None:
        nonlocal connections
        connections += 1
        async for frame in connection:
            if json.loads(frame)["type"] == "presence.update":
                told.set()

    async def channels() -> list[str]:
        return ["project:1:workstations"]

    async def presence() -> tuple[str, JsonObject]:
        if connections < 2:
            raise TryAgain("The workspace is locked")
        return "this one", {"status": "online"}

    async with serving(answering) as port:
        with patch.object(realtime, "Backoff", lambda *_args, **_more: NoPauses()):
            client = Realtime(
                f"http://127.0.0.1:{port}",
                FixedBearer("pat_secret"),
                channels=channels,
                nudge=lambda: None,
                presence=presence,
            )
        running = asyncio.create_task(client.keep_connected())
        try:
            async with asyncio.timeout(4):  # less than the time after which a silent server is given up
                await told.wait()
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
    assert connections == 2
