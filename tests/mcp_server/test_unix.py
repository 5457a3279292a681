"""The private socket: who may speak, and both eras over newline JSON."""

from __future__ import annotations

import asyncio
import json
import socket
import stat
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from solo_unicorn.config import loading, paths
from solo_unicorn.mcp_server import unix
from solo_unicorn.mcp_server.host import McpHost
from solo_unicorn.mcp_server.workspace_access import on
from solo_unicorn.system.ancestry import Gone
from solo_unicorn.workstation.composition import Composition
from solo_unicorn.workstation.service import Service

from ..below_host import started_below_host
from .conftest import Board

OPENING = {
    "jsonrpc": "2.0",
    "id": 0,
    "method": "initialize",
    "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}},
}


class Line:
    """One raw connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def send(self, *messages: object) -> None:
        """Each on a line."""
        for message in messages:
            self.writer.write((message if isinstance(message, bytes) else json.dumps(message).encode()) + b"\n")
        await self.writer.drain()

    async def read(self) -> dict[str, Any]:
        """The next line; {} at the end."""
        line = await asyncio.wait_for(self.reader.readline(), 10)
        return json.loads(line) if line else {}


@asynccontextmanager
async def socketed(board: Board) -> AsyncIterator[McpHost]:
    """A host with its private socket."""
    host = McpHost(on(board.thread), version="1.2.3", socket_path=paths.mcp_socket())
    await host.start()
    try:
        yield host
    finally:
        await host.close()


Dial = Callable[[], Awaitable[Line]]


@pytest.fixture
async def dial() -> AsyncIterator[Dial]:
    """Connections to it, which the end of the test closes."""
    async with AsyncExitStack() as ends:

        async def connected() -> Line:
            line = Line(*await asyncio.open_unix_connection(str(paths.mcp_socket()), limit=1 << 24))
            ends.callback(line.writer.close)
            return line

        yield connected


@pytest.fixture
def greeted(dial: Dial) -> Dial:
    """Connections of the person's own agent."""

    async def connected() -> Line:
        line = await dial()
        await line.send({"hello": "solo-unicorn", "token": None})
        assert await line.read() == {"ready": "solo-unicorn", "version": "1.2.3"}
        return line

    return connected


async def test_the_persons_own_agent_needs_no_token(board: Board, greeted: Dial) -> None:
    async with socketed(board) as host:
        line = await greeted()
        await line.send(OPENING)
        answer = await line.read()
        assert host.connections == 1
        line.writer.close()
    assert answer["result"]["serverInfo"]["name"] == "solo-unicorn"
    assert answer["result"]["capabilities"]["resources"] == {"subscribe": True, "listChanged": True}


async def test_a_service_stays_longer_once_a_client_was_there(home: Path) -> None:
    """Agents come and go with every conversation, and each cold start is theirs to wait for."""
    parts = await Composition.open(loading.load(), lambda: None)
    service = Service(parts, asyncio.Event(), stay=False, started_at="")
    parts.start()
    try:
        await asyncio.wait_for(parts.context.mcp.up.wait(), 60)
        before = service.idle_seconds
        line = await asyncio.open_unix_connection(str(paths.mcp_socket()))
        line[1].write(b'{"hello": "solo-unicorn", "token": null}\n')
        assert b"ready" in await line[0].readline()
        line[1].close()
        assert (before, service.idle_seconds) == (30.0, 600.0)
    finally:
        await parts.close()


async def test_a_wrong_token_or_hello_is_refused(board: Board, dial: Dial) -> None:
    async with socketed(board):
        for hello in ({"hello": "solo-unicorn", "token": "nobody's"}, b"not json", [1]):
            line = await dial()
            await line.send(hello)
            assert "refused" in await line.read()
            assert await line.read() == {}


async def test_only_this_user_may_open_the_socket(board: Board) -> None:
    async with socketed(board):
        path = paths.mcp_socket()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert not path.exists()


def leave_behind(path: Path) -> None:
    """What a killed process leaves: the name, and nobody listening."""
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))


async def test_a_left_over_socket_is_replaced(board: Board, greeted: Dial) -> None:
    """A killed service leaves its socket file behind."""
    leave_behind(paths.mcp_socket())
    async with socketed(board):
        line = await greeted()
        await line.send(OPENING)
        assert (await line.read())["id"] == 0
        line.writer.close()


async def test_broken_lines_do_not_end_the_connection(board: Board, greeted: Dial) -> None:
    async with socketed(board):
        line = await greeted()
        await line.send(b"{broken", OPENING)
        answers = [await line.read()]
        while answers[-1].get("id") != 0:
            answers.append(await line.read())
        line.writer.close()
    assert "result" in answers[-1]


async def test_a_line_without_end_closes_only_its_connection(board: Board, greeted: Dial) -> None:
    async with socketed(board):
        endless, other = await greeted(), await greeted()
        try:
            for _ in range(20):
                endless.writer.write(b"x" * (1 << 20))
                await endless.writer.drain()
        except ConnectionError:
            pass
        await other.send(OPENING)
        assert (await other.read())["id"] == 0
        other.writer.close()


async def test_closing_lets_a_call_finish_that_is_under_way(board: Board, greeted: Dial) -> None:
    await board.add("Retry payments")
    reached, go = asyncio.Event(), asyncio.Event()

    async def call(operation: Any) -> Any:
        if reached_once := not reached.is_set() and armed.is_set():
            reached.set()
            await go.wait()
        del reached_once
        return await on(board.thread)(operation)

    armed = asyncio.Event()
    host = McpHost(call, version="1.2.3", socket_path=paths.mcp_socket())
    await host.start()
    line = await greeted()
    await line.send(OPENING)
    await line.read()
    armed.set()
    note = {"name": "add_note", "arguments": {"text": "kept", "mission": "M-1"}}
    await line.send(
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": note},
    )
    await asyncio.wait_for(reached.wait(), 10)
    closing = asyncio.create_task(host.close())
    go.set()
    answer = await line.read()
    await closing
    assert answer["id"] == 1
    assert not answer["result"].get("isError")


HELLO = """
import json, socket
with socket.socket(socket.AF_UNIX) as service:
    service.connect({path!r})
    service.sendall({hello!r})
    lines = service.makefile()
    lines.readline()
    for message in {messages!r}:
        service.sendall(json.dumps(message).encode() + b"\\n")
    print(lines.readline(), lines.readline())
"""


async def test_a_client_below_a_session_is_its_run_with_or_without_a_token(board: Board, tmp_path: Path) -> None:
    await board.add("Mine")
    caller = await board.run_of("M-1")
    messages = [OPENING, {"jsonrpc": "2.0", "id": 2, "method": "tools/list", "params": {}}]
    for token in (None, "another's"):
        async with socketed(board):
            program = HELLO.format(
                path=str(paths.mcp_socket()),
                hello=json.dumps({"hello": "solo-unicorn", "token": token}).encode() + b"\n",
                messages=messages,
            )
            client = started_below_host(tmp_path, caller.session_id or "", program)
            said, errors = await asyncio.to_thread(client.communicate, timeout=30)
        assert '"complete_stage"' in said, (said, errors)


async def test_a_client_that_nobody_can_place_is_refused(
    board: Board, dial: Dial, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It connected, handed the connection on, and ended: who started it is not to be found out."""

    def gone(pid: int | None) -> str | None:
        raise Gone

    monkeypatch.setattr(unix, "session_of", gone)
    async with socketed(board):
        line = await dial()
        await line.send({"hello": "solo-unicorn", "token": None})
        assert "has ended" in (await line.read())["refused"]
