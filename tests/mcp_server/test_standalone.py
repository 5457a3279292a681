"""`--standalone`: the server on stdio of its own process, without a service."""

from __future__ import annotations

import os
import sys

from mcp import Client, StdioServerParameters

from .conftest import Board, data, head
from .tools.test_tools import ERAS

PROGRAM = """
import asyncio, os
from solo_unicorn.mcp_server.standalone import serve
from solo_unicorn.mcp_server.workspace_access import on
from solo_unicorn.workspace.thread import WorkspaceThread

async def main():
    async with WorkspaceThread() as thread:
        return await serve(on(thread), version="1", token=os.environ.get("SOLO_UNICORN_TOKEN"), cwd=os.getcwd())

raise SystemExit(asyncio.run(main()))
"""


@ERAS
async def test_it_serves_the_workspace_on_stdio(board: Board, era: str) -> None:
    await board.add("Retry payments")
    parameters = StdioServerParameters(command=sys.executable, args=["-c", PROGRAM], env=dict(os.environ))
    async with Client(parameters, mode=era) as client:
        rows = data(await client.call_tool("list_missions", {}))
    assert [one["id"] for one in rows["missions"]] == ["M-1"]


async def test_a_token_binds_it_to_a_mission(board: Board) -> None:
    await board.add("Retry payments")
    env = os.environ | {"SOLO_UNICORN_TOKEN": await board.start("M-1")}
    async with Client(StdioServerParameters(command=sys.executable, args=["-c", PROGRAM], env=env)) as client:
        assert head(await client.call_tool("get_context", {}))["id"] == "M-1"
