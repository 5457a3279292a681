"""Our own hosting with the fixtures laid over it: `python hosted.py` serves until its standard input closes.

The suite cannot send a header, so a shim in front of the door adds the bearer token of a running session.
"""

from __future__ import annotations

import asyncio
import sys
import warnings
from typing import Any

from mcp.shared.exceptions import MCPDeprecationWarning

from solo_unicorn.config import log
from solo_unicorn.mcp_server import http, server
from solo_unicorn.mcp_server.changes import Changes
from solo_unicorn.mcp_server.host import McpHost
from solo_unicorn.mcp_server.server import UnicornServer
from solo_unicorn.mcp_server.workspace_access import on
from solo_unicorn.missions.entities import SYSTEM, CodeAgent
from solo_unicorn.missions.rules.creating import MissionDraft
from solo_unicorn.tests.conformance.fixtures import overlay
from solo_unicorn.tests.mcp_server.running_session import token_of_a_session
from solo_unicorn.workspace import operations
from solo_unicorn.workspace.thread import WorkspaceThread
from solo_unicorn.workspace.workspace import Workspace

AGENT = CodeAgent("rehearsal", "conformance", slots=1, binary="/bin/true", state="ready")


def running(workspace: Workspace) -> str:
    """A project with one running mission; returns its session's token."""
    workspace.write_as(SYSTEM, operations.workstation.set_agents, [AGENT])
    project = workspace.write(operations.projects.create, "Shop").id
    workspace.write(operations.projects.add_repository, project, "shop", local_path="/src/shop")
    workspace.write(operations.memory.append, project, "index", "# Shop\n\nIt sells.\n")
    mission = workspace.write(operations.missions.create, project, MissionDraft("Retry payments", ready=True))
    return token_of_a_session(workspace, mission.id, AGENT, workstation_id="here")


def lay_fixtures() -> None:
    """Over every server that the hosting code builds."""
    build = server.build_server

    def built(*arguments: Any, changes: Changes, **named: Any) -> UnicornServer:
        made = build(*arguments, changes=changes, **named)
        overlay(made, changes)
        return made

    http.build_server = built  # type: ignore[attr-defined]  # where it was imported


def add_authorization(token: str) -> None:
    """To every request that comes to the door."""
    serve = http.Door.__call__
    header = (b"authorization", f"Bearer {token}".encode())

    async def authorized(self: http.Door, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            scope = {**scope, "headers": [*scope["headers"], header]}
        await serve(self, scope, receive, send)

    http.Door.__call__ = authorized  # type: ignore[method-assign]


async def main() -> None:
    """Serve; the URL is the first line on standard output."""
    log.setup("service")
    warnings.simplefilter("ignore", MCPDeprecationWarning)  # the handshake era has what the next one left behind
    async with WorkspaceThread() as thread:
        lay_fixtures()
        add_authorization(await thread.run(running))
        host = McpHost(on(thread), version="1.2.3")
        await host.start()
        print(host.url.replace("127.0.0.1", "localhost"), flush=True)
        await asyncio.to_thread(sys.stdin.read)
        await host.close()


if __name__ == "__main__":
    asyncio.run(main())
