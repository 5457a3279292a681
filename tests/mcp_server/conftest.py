"""A real workspace with a project, missions and running sessions; real clients of both protocol eras."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp.types import CallToolResult, TextContent

from solo_unicorn.mcp_server.caller import McpCaller, digest, identify, new_token, personal
from solo_unicorn.mcp_server.changes import Changes
from solo_unicorn.mcp_server.server import build_server
from solo_unicorn.mcp_server.workspace_access import on
from solo_unicorn.missions.entities import SYSTEM, CodeAgent, Mission, Outcome, service_of
from solo_unicorn.missions.rules.creating import MissionDraft
from solo_unicorn.workspace import operations, queries
from solo_unicorn.workspace.thread import WorkspaceThread
from solo_unicorn.workspace.workspace import Workspace

AGENT = CodeAgent("rehearsal", "rehearsal", slots=9, binary="/bin/true", state="ready")


@dataclass
class Board:
    """The workspace and what tests do with it in a person's or the service's place."""

    thread: WorkspaceThread
    project: str
    changes: Changes = field(default_factory=Changes)

    async def do(self, operation: Callable[[Workspace], Any]) -> Any:
        """Any operation, on the workspace's own thread."""
        return await self.thread.run(operation)

    async def add(self, title: str, **values: Any) -> Mission:
        """A mission as a person creates it."""
        return await self.do(
            lambda ws: ws.write(operations.missions.create, self.project, MissionDraft(title, **values))
        )

    async def mission(self, ref: str) -> Mission:
        """As it is now."""
        return await self.do(lambda ws: ws.read(queries.missions.get, ref))

    async def start(self, ref: str) -> str:
        """Claim and start it as the service does; the token of its session."""
        token = new_token()

        def work(ws: Workspace) -> None:
            ws.write(operations.missions.set_ready, ref, True)
            session = ws.write_as(
                SYSTEM, operations.dispatch.claim, ref, session_id=ws.new_id(), agent=AGENT, workstation_id="here"
            )
            ws.write_as(
                service_of(session.id),
                operations.sessions.begin,
                session.id,
                host_pid=1,
                worktree_path="/trees/shop-42",
                branch="solo-unicorn/m",
                base_commit="abc",
            )
            ws.write_as(SYSTEM, operations.dispatch.set_token, session.id, digest(token))

        await self.do(work)
        return token

    async def end(self, session_id: str | None, outcome: Outcome, reason: str = "") -> None:
        """End a session as the service does."""
        assert session_id is not None
        await self.thread.write_as(service_of(session_id), operations.sessions.end, session_id, outcome, reason)

    async def run_of(self, ref: str) -> McpCaller:
        """A running session on that mission, as the server knows it."""
        caller = await identify(on(self.thread), await self.start(ref))
        assert caller is not None
        return caller

    async def person(self) -> McpCaller:
        """The person's own agent."""
        return personal("/src/shop")

    def client(self, caller: McpCaller, mode: str = "auto") -> Client:
        """A real MCP client in memory."""
        server = build_server(on(self.thread), version="1.2.3", changes=self.changes, caller=caller)
        return Client(server, mode=mode)


@pytest.fixture
async def board(home: Path) -> AsyncIterator[Board]:
    """A project Shop with one code agent and no missions."""
    async with WorkspaceThread() as thread:

        def prepare(ws: Workspace) -> str:
            ws.write_as(SYSTEM, operations.workstation.set_agents, [AGENT])
            project = ws.write(operations.projects.create, "Shop")
            ws.write(
                operations.projects.add_repository,
                project.id,
                "shop",
                local_path="/src/shop",
                max_concurrent_missions=0,
            )
            return project.id

        yield Board(thread, await thread.run(prepare))


def data(result: CallToolResult) -> dict[str, Any]:
    """What a successful call answered; text and structured content must say the same."""
    assert not result.is_error, said(result)
    assert json.loads(said(result)) == result.structured_content
    return result.structured_content or {}


def head(result: CallToolResult) -> dict[str, Any]:
    """The first line of a Markdown answer, which has no structured content."""
    assert not result.is_error, said(result)
    assert result.structured_content is None
    found: dict[str, Any] = json.loads(said(result).split("\n", 1)[0])
    return found


def said(result: CallToolResult) -> str:
    """The text of an answer."""
    assert len(result.content) == 1
    assert isinstance(result.content[0], TextContent)
    return result.content[0].text


def error(result: CallToolResult) -> dict[str, Any]:
    """The error of a refused call; text and structured content must both carry it."""
    assert result.is_error, said(result)
    assert result.structured_content is not None
    found: dict[str, Any] = result.structured_content["error"]
    assert said(result).startswith(f"{found['code']}: {found['message']}")
    assert said(result).endswith(found["hint"])
    return found
