"""The stdio bridge as a process of its own, with real clients and a real service that dies."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import watchfiles
from mcp import Client, MCPError, StdioServerParameters
from mcp.types import Implementation

from solo_unicorn.mcp_server.opening import FILE
from solo_unicorn.workspace import queries

from .conftest import Board, data, head
from .golden import opening
from .tools.test_tools import ERAS

BRIDGED = str(Path(__file__).with_name("bridged.py"))


@pytest.fixture(autouse=True)
def service_ends(home: Path) -> Iterator[None]:
    """Whatever service a bridge started ends with its test."""
    yield
    kill_service(home)


def kill_service(home: Path) -> None:
    """SIGKILL, as a crash would."""
    with suppress(FileNotFoundError, ProcessLookupError):
        os.kill(int((home / "service.pid").read_text()), signal.SIGKILL)


def parameters(token: str | None = None) -> StdioServerParameters:
    """How a client starts the bridge."""
    env = {name: value for name, value in os.environ.items() if name != "SOLO_UNICORN_TOKEN"}
    if token:
        env["SOLO_UNICORN_TOKEN"] = token
    return StdioServerParameters(command=sys.executable, args=[BRIDGED], env=env)


@ERAS
async def test_a_client_starts_the_service_and_works(board: Board, era: str) -> None:
    await board.add("Retry payments")
    async with Client(parameters(), mode=era) as client:
        tools = {tool.name for tool in (await client.list_tools()).tools}
        made = data(await client.call_tool("create_mission", {"title": "From my own agent", "project": "shop"}))
    assert "get_context" in tools
    assert "report_limit" not in tools  # only a run has a limit to report
    assert (await board.mission(made["id"])).title == "From my own agent"


async def test_a_token_in_the_environment_binds_the_client_to_its_mission(board: Board) -> None:
    await board.add("Retry payments")
    async with Client(parameters(await board.start("M-1"))) as client:
        assert head(await client.call_tool("get_context", {}))["id"] == "M-1"


async def test_a_token_in_a_file_binds_the_client_and_starts_no_service(
    board: Board, home: Path, tmp_path: Path
) -> None:
    """A run's own bridge, by the real command: its token is in no argument and in no variable."""
    await board.add("Retry payments")
    file = tmp_path / "mcp.json"
    file.write_text(json.dumps({"url": "http://127.0.0.1:1/mcp", "token": await board.start("M-1")}))
    command = ["-P", "-m", "solo_unicorn", "mcp", "--token-file", str(file)]
    ours = StdioServerParameters(command=sys.executable, args=command, env=dict(os.environ))
    async with Client(parameters()) as first:  # its bridge starts the service
        data(await first.call_tool("list_missions", {}))
        async with Client(ours) as client:
            assert head(await client.call_tool("get_context", {}))["id"] == "M-1"


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [(None, 3, "cannot be read"), ("", 2, "no token"), ('{"url": "u"}', 2, "no token"), ("two words", 2, "no token")],
)
def test_a_token_file_without_a_token_is_told(
    home: Path, tmp_path: Path, content: str | None, code: int, words: str
) -> None:
    file = tmp_path / "token"
    if content is not None:
        file.write_text(content)
    out = subprocess.run(
        [sys.executable, "-P", "-m", "solo_unicorn", "mcp", "--token-file", str(file)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (out.returncode, out.stdout) == (code, "") and words in out.stderr and str(file) in out.stderr


@ERAS
async def test_a_service_killed_in_the_middle_of_a_call(board: Board, era: str, home: Path) -> None:
    """The call gets a retryable error at once; the next one starts the service anew and works."""
    await board.add("Retry payments")
    async with Client(parameters(), mode=era) as client:
        data(await client.call_tool("list_missions", {}))
        (home / "hang").touch()

        killing = asyncio.create_task(kill_when(home / "reached", home))
        with pytest.raises(MCPError) as refused:
            await asyncio.wait_for(client.call_tool("add_note", {"mission": "M-1", "text": "lost?"}), 20)
        await killing
        assert "offline" in str(refused.value) and "may have taken effect: read before" in str(refused.value)
        assert refused.value.error.data == {"code": "offline", "retryable": True}
        (home / "hang").unlink()
        data(await client.call_tool("add_note", {"mission": "M-1", "text": "again"}))
    notes = [
        one.note
        for one in await board.do(lambda ws: ws.read(queries.missions.history, "M-1"))
        if one.kind == "noted_progress"
    ]
    assert notes == ["again"]


async def kill_when(reached: Path, home: Path) -> None:
    """Kill the service once it says that the call has come (a file: the two share no more than their home)."""
    async for changes in watchfiles.awatch(home):
        if any(path == str(reached) for _, path in changes):
            break
    kill_service(home)


def test_a_refused_token_says_so_and_exits_5(home: Path) -> None:
    out = subprocess.run(
        [sys.executable, BRIDGED],
        input=b'{"jsonrpc":"2.0","id":1,"method":"ping"}\n',
        env=os.environ | {"SOLO_UNICORN_TOKEN": "wrong"},
        capture_output=True,
        timeout=60,
    )
    assert out.returncode == 5
    assert b"no running session" in out.stderr


def test_a_service_that_cannot_start_exits_6(home: Path) -> None:
    program = (
        "from pathlib import Path; from solo_unicorn.mcp_server.bridge import run\n"
        "def no(): raise RuntimeError('the disk is full')\n"
        "raise SystemExit(run(no, Path('/nowhere/mcp.sock')))"
    )
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as bridge:
        assert bridge.wait(60) == 6  # its client has not left
        assert bridge.stderr is not None and b"the disk is full" in bridge.stderr.read()


async def test_what_the_bridge_says_by_itself_is_what_the_server_says(home: Path, tmp_path: Path) -> None:
    """Write it anew with `python -m solo_unicorn.tests.mcp_server.golden`."""
    assert json.loads(FILE.read_text()) == await opening(tmp_path / "mcp.sock")


@ERAS
async def test_a_client_is_answered_before_the_service_is_there(era: str, tmp_path: Path) -> None:
    """The service never comes: what a client asks first is answered all the same, and its tools are listed."""
    program = (
        "import sys, threading; from pathlib import Path; from solo_unicorn.mcp_server.bridge import run; "
        "from solo_unicorn.mcp_server.opening import Opening; "
        "sys.exit(run(threading.Event().wait, Path(sys.argv[1]), opening=Opening('9.8.7')))"
    )
    command = ["-c", program, str(tmp_path / "no.sock")]
    alone = StdioServerParameters(command=sys.executable, args=command, env=dict(os.environ))
    async with Client(alone, mode=era) as client:
        assert client.server_info is not None and client.server_info.version == "9.8.7"
        assert {tool.name for tool in (await client.list_tools()).tools} >= {"create_mission", "memory_search"}
        assert (await client.list_prompts()).prompts


@ERAS
async def test_the_handshake_reaches_the_service_though_the_bridge_answered_it(board: Board, era: str) -> None:
    """Its name stands in the history, so the service knows who calls."""
    env = {name: value for name, value in os.environ.items() if name != "SOLO_UNICORN_TOKEN"}
    opened = StdioServerParameters(command=sys.executable, args=[BRIDGED, "opening"], env=env)
    info = Implementation(name="claude-code", version="2")
    async with Client(opened, mode=era, client_info=info) as client:
        made = data(await client.call_tool("create_mission", {"title": "By hand", "project": "shop"}))
        kill_service(Path(os.environ["SOLO_UNICORN_HOME"]))
        with suppress(MCPError):
            await client.call_tool("list_missions", {"project": "shop"})
        again = data(await client.call_tool("create_mission", {"title": "And again", "project": "shop"}))
    for one in (made, again):
        history = await board.thread.read(queries.missions.history, one["id"])
        assert history[0].author.name == "claude-code"


def test_a_cancelled_request_never_reaches_a_service_that_comes_later(home: Path, tmp_path: Path) -> None:
    """It waits for the service, is cancelled and answered, and is not sent any more."""
    path = tmp_path / "mcp.sock"
    program = (
        "import sys, time; from pathlib import Path; from solo_unicorn.mcp_server.bridge import run; "
        "come = Path(sys.argv[1] + '.come')\n"
        "def wait():\n"
        "    while not come.exists(): time.sleep(0.01)\n"
        "sys.exit(run(wait, Path(sys.argv[1])))"
    )
    bridge = subprocess.Popen([sys.executable, "-c", program, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert bridge.stdin is not None and bridge.stdout is not None
    call = b'{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{}}\n'
    cancel = b'{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}\n'
    bridge.stdin.write(call % 1 + cancel + call % 2)
    bridge.stdin.flush()
    assert json.loads(bridge.stdout.readline())["error"]["code"] == -32800
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()
        Path(f"{path}.come").touch()
        connected, _ = listening.accept()
        with connected, connected.makefile("rwb") as lines:
            assert json.loads(lines.readline())["hello"] == "solo-unicorn"
            lines.write(b'{"ready": "solo-unicorn"}\n')
            lines.flush()
            assert json.loads(lines.readline())["method"] == "notifications/cancelled"
            assert json.loads(lines.readline())["id"] == 2
            bridge.stdin.close()
            lines.write(b'{"jsonrpc":"2.0","id":2,"result":{}}\n')
            lines.flush()
            assert json.loads(bridge.stdout.readline()) == {"jsonrpc": "2.0", "id": 2, "result": {}}
            assert bridge.wait(30) == 0
    bridge.stdout.close()


def test_piped_requests_are_answered_before_it_ends(home: Path) -> None:
    """`printf … | solo-unicorn mcp`: stdin ends before the answer is there."""
    opening: dict[str, Any] = {
        "jsonrpc": "2.0",
        "id": 0,
        "method": "initialize",
        "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}},
    }
    lines = [opening, {"jsonrpc": "2.0", "method": "notifications/initialized"}]
    lines.append({"jsonrpc": "2.0", "id": 1, "method": "tools/list"})
    given = "".join(json.dumps(line) + "\n" for line in lines).encode()
    out = subprocess.run([sys.executable, BRIDGED], input=given, capture_output=True, timeout=60)
    answers = [json.loads(line) for line in out.stdout.splitlines()]
    assert out.returncode == 0
    assert [answer["id"] for answer in answers] == [0, 1]


def test_the_bridge_is_standard_library_only(tmp_path: Path) -> None:
    program = (
        "import sys; before = set(sys.modules); import solo_unicorn.mcp_server.bridge;"
        "new = {m.split('.')[0] for m in set(sys.modules) - before};"
        "print(sorted(m for m in new if m not in sys.stdlib_module_names and m != 'solo_unicorn'),"
        " 'asyncio' in sys.modules)"
    )
    out = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert out.stdout.strip() == "[] False"


def test_the_command_goes_to_the_bridge_without_its_table_or_the_service_client(tmp_path: Path) -> None:
    """What a client pays for each start: no argument parser, no dataclasses, nothing of the service."""
    program = (
        "import sys; from solo_unicorn.cli import main; from solo_unicorn.mcp_server import bridge\n"
        "bridge.run = lambda *_, **__: 7\n"
        "assert main.main(['mcp']) == 7\n"
        "print([name for name in ('argparse', 'dataclasses', 'subprocess', 'sqlite3', 'solo_unicorn.cli.table',"
        " 'solo_unicorn.workstation.client', 'solo_unicorn.missions.entities') if name in sys.modules])"
    )
    env = os.environ | {"SOLO_UNICORN_HOME": str(tmp_path), "SOLO_UNICORN_RUNTIME_DIR": str(tmp_path)}
    command = [sys.executable, "-c", program]
    out = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path, env=env)
    assert out.stdout.strip() == "[]"
