"""Streamable HTTP: who gets in, what survives a restart, and how it closes."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from solo_unicorn.mcp_server.host import PORT_KEY, McpHost
from solo_unicorn.mcp_server.workspace_access import on
from solo_unicorn.workspace import operations, queries

from .conftest import Board, data, error, head
from .tools.test_tools import ERAS

LATEST = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "tools/list",
    "params": {
        "_meta": {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
            "io.modelcontextprotocol/clientCapabilities": {},
        }
    },
}
HEADERS = {
    "Accept": "application/json, text/event-stream",
    "MCP-Protocol-Version": "2026-07-28",
    "Mcp-Method": "tools/list",
}
OLD_ERA = pytest.mark.filterwarnings("ignore:resources/subscribe is removed")
"""The client library warns of what an older client still does."""


@asynccontextmanager
async def serving(board: Board, port: int = 0) -> AsyncIterator[McpHost]:
    """A host on loopback, as the service has it."""
    host = McpHost(on(board.thread), version="1.2.3", port=port)
    await host.start()
    try:
        yield host
    finally:
        await host.close()


@asynccontextmanager
async def connected(url: str, token: str, mode: str, heard: Any = None) -> AsyncIterator[Client]:
    """A real client with a bearer token."""
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=30) as http,
        Client(streamable_http_client(url, http_client=http), mode=mode, message_handler=heard) as client,
    ):
        yield client


async def status(url: str, **headers: str) -> int:
    """What one request of a current client gets."""
    async with httpx2.AsyncClient() as http:
        return (await http.post(url, json=LATEST, headers=HEADERS | headers)).status_code


@ERAS
async def test_a_run_works_over_http(board: Board, era: str) -> None:
    await board.add("Retry payments")
    token = await board.start("M-1")
    async with serving(board) as host, connected(host.url, token, era) as client:
        assert head(await client.call_tool("get_context", {}))["id"] == "M-1"
        data(await client.call_tool("update_tasks", {"titles": ["one"], "finished": 1}))
        assert (await client.list_tools()).tools[0].name == "get_context"
    assert (await board.mission("M-1")).tasks_current == 1


async def test_only_the_token_of_a_running_session_gets_in(board: Board) -> None:
    await board.add("Retry payments")
    token = await board.start("M-1")
    async with serving(board) as host:
        assert await status(host.url) == 401
        assert await status(host.url, Authorization="Bearer nonsense") == 401
        assert await status(host.url, Authorization=f"Bearer {token}") == 200
        session = (await board.mission("M-1")).session_id
        await board.end(session, "cancelled", "stopped")
        assert await status(host.url, Authorization=f"Bearer {token}") == 401


async def test_a_foreign_host_or_origin_is_refused(board: Board) -> None:
    """A web page that rebinds its name to 127.0.0.1 must not reach the board."""
    await board.add("Retry payments")
    bearer = f"Bearer {await board.start('M-1')}"
    async with serving(board) as host:
        assert await status(host.url, Authorization=bearer, Host="evil.example:80") == 421
        assert await status(host.url, Authorization=bearer, Origin="https://evil.example") == 403
        assert await status(host.url, Authorization=bearer, Origin="http://localhost:8080") == 200


async def test_it_listens_on_loopback_only(board: Board) -> None:
    async with serving(board) as host:
        assert host.url == f"http://127.0.0.1:{host.port}/mcp"


async def test_the_port_is_the_same_after_a_restart(board: Board) -> None:
    async with serving(board) as host:
        first = host.port
    assert await board.do(lambda ws: ws.meta(PORT_KEY)) == str(first)
    async with serving(board) as host:
        assert host.port == first


async def test_a_taken_port_is_replaced_and_remembered(board: Board) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        await board.do(lambda ws: ws.set_meta(PORT_KEY, str(taken)))
        async with serving(board) as host:
            assert host.port != taken
            assert await board.do(lambda ws: ws.meta(PORT_KEY)) == str(host.port)
        with pytest.raises(OSError, match="in use"):
            await McpHost(on(board.thread), version="1", port=taken).start()


@ERAS
async def test_a_client_outlives_a_restart_of_the_service(board: Board, era: str) -> None:
    """Agents go on when the service is killed: on the same port with the same token their next call works."""
    await board.add("Retry payments")
    token = await board.start("M-1")
    host = McpHost(on(board.thread), version="1")
    await host.start()
    async with connected(host.url, token, era) as client:
        head(await client.call_tool("get_context", {}))
        await host.close()
        async with serving(board, host_port := int(await board.do(lambda ws: ws.meta(PORT_KEY)))):
            data(await client.call_tool("add_note", {"text": f"still here on {host_port}"}))
    notes = [
        one
        for one in await board.do(lambda ws: ws.read(queries.missions.history, "M-1"))
        if one.kind == "noted_progress"
    ]
    assert len(notes) == 1


@OLD_ERA
async def test_closing_with_listening_clients_of_both_eras_is_quick_and_quiet(
    board: Board, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    await board.add("Retry payments")
    token = await board.start("M-1")
    host = McpHost(on(board.thread), version="1")
    await host.start()
    listening = asyncio.Event()

    async def listen() -> None:
        async with (
            connected(host.url, token, "auto") as client,
            client.listen(resource_subscriptions=["mission://M-1"]) as events,
        ):
            listening.set()
            async for _ in events:
                pass

    async with connected(host.url, token, "legacy") as legacy:
        await legacy.subscribe_resource("mission://M-1")
        listener = asyncio.create_task(listen())
        await asyncio.wait_for(listening.wait(), 10)
        async with asyncio.timeout(1.5):  # uvicorn's own patience with open streams is 2 s
            await host.close()
        await asyncio.gather(listener, return_exceptions=True)
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []
    assert capfd.readouterr().err == ""


@OLD_ERA
async def test_both_eras_hear_of_changes(board: Board) -> None:
    await board.add("Retry payments")
    token = await board.start("M-1")
    heard: asyncio.Queue[str] = asyncio.Queue()

    async def note(message: object) -> None:
        uri = getattr(getattr(message, "params", None), "uri", None)
        if uri is not None:
            heard.put_nowait(f"legacy {uri}")

    async with (
        serving(board) as host,
        connected(host.url, token, "legacy", note) as legacy,
        connected(host.url, token, "auto") as modern,
        modern.listen(resource_subscriptions=["mission://M-1"]) as events,
    ):
        await legacy.subscribe_resource("mission://M-1")
        before = await board.do(lambda ws: ws.read(queries.board.last_seq))
        await board.do(lambda ws: ws.write(operations.missions.edit, "M-1", {"title": "Retry all"}))
        await host.changed(await board.do(lambda ws: ws.read(queries.missions.events_since, before)))
        event = await asyncio.wait_for(anext(aiter(events)), 10)
        assert "mission://M-1" in str(event)
        assert await asyncio.wait_for(heard.get(), 10) == "legacy mission://M-1"


async def test_five_megabytes_are_refused_with_a_code(board: Board) -> None:
    await board.add("Retry payments")
    token = await board.start("M-1")
    async with serving(board) as host, connected(host.url, token, "auto") as client:
        refused = error(await client.call_tool("add_note", {"text": "x" * 5_000_000}))
    assert refused["code"] == "limit"
    assert not [
        one
        for one in await board.do(lambda ws: ws.read(queries.missions.history, "M-1"))
        if one.kind.startswith("noted")
    ]


async def test_a_token_stays_bound_to_its_session_of_the_handshake_era(board: Board) -> None:
    """Another run's token must not ride on a session id it has seen."""
    await board.add("One")
    await board.add("Two")
    one, two = await board.start("M-1"), await board.start("M-2")
    opening = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}},
    }
    note = {
        "jsonrpc": "2.0",
        "id": 2,
        "method": "tools/call",
        "params": {"name": "add_note", "arguments": {"text": "whose?"}},
    }
    accept = {"Accept": "application/json, text/event-stream"}
    async with serving(board) as host, httpx2.AsyncClient() as http:
        opened = await http.post(host.url, json=opening, headers=accept | {"Authorization": f"Bearer {one}"})
        session = opened.headers["mcp-session-id"]
        foreign = accept | {"Authorization": f"Bearer {two}", "Mcp-Session-Id": session}
        await http.post(host.url, json=note, headers=foreign)
    notes = [
        n for n in await board.do(lambda ws: ws.read(queries.missions.history, "M-1")) if n.kind.startswith("noted")
    ]
    assert notes == []


def test_importing_the_host_loads_nothing_heavy(tmp_path: Path) -> None:
    """The service imports it at once; mcp follows in a thread."""
    import subprocess
    import sys

    program = (
        "import sys, solo_unicorn.mcp_server.host, solo_unicorn.mcp_server.caller, solo_unicorn.mcp_server.standalone;"
        "print([m for m in ('mcp', 'pydantic', 'uvicorn', 'starlette', 'httpx2') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert out.stdout.strip() == "[]"


def test_the_start_spends_no_time_on_garbage(tmp_path: Path) -> None:
    """A client waits for it; what is imported is no garbage."""
    import subprocess
    import sys

    program = """
import asyncio, gc
from solo_unicorn.mcp_server.host import load

async def start():
    await asyncio.to_thread(int)
    before = gc.get_stats()
    await load()
    counts = [now["collections"] - then["collections"] for now, then in zip(gc.get_stats(), before)]
    print(gc.isenabled(), counts[1:])

asyncio.run(start())
"""
    out = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert out.stdout.strip() == "True [0, 0]"
