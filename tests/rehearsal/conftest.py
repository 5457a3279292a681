"""A real workspace behind the real MCP server, a real git worktree, and the rehearsal agent as a process."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest

from solo_unicorn.mcp_server.caller import digest, new_token
from solo_unicorn.mcp_server.host import McpHost
from solo_unicorn.mcp_server.workspace_access import on
from solo_unicorn.missions.entities import SYSTEM, CodeAgent, Mission, Outcome, Session, service_of
from solo_unicorn.missions.ids import new_ulid
from solo_unicorn.missions.rules.creating import MissionDraft
from solo_unicorn.workspace import operations, queries
from solo_unicorn.workspace.thread import WorkspaceThread
from solo_unicorn.workspace.workspace import Workspace

T = TypeVar("T")
DEADLINE = 60
AGENT = CodeAgent(type="rehearsal", name="rehearsal", title="rehearsal (no model)", slots=9, state="ready")


class Clock:
    """The time, which a test may put forward past a back-off."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


class McpService:
    """The part of the workstation service that agents meet; stopped and started again on the same port."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="mcp service")
        self._thread.start()
        self._face: WorkspaceThread | None = None
        self._host: McpHost | None = None

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run in the service's event loop."""
        future: Future[T] = asyncio.run_coroutine_threadsafe(work, self._loop)
        return future.result(DEADLINE)

    @property
    def url(self) -> str:
        """Where agents connect."""
        assert self._host
        return self._host.url

    def start(self) -> None:
        """Listen."""

        async def start() -> None:
            self._face = await WorkspaceThread().open()
            self._host = McpHost(on(self._face), version="0")
            await self._host.start()

        self.run(start())

    def stop(self) -> None:
        """Stop listening."""

        async def stop() -> None:
            if self._host and self._face:
                await self._host.close()
                await self._face.close()
            self._face = self._host = None

        self.run(stop())

    def close(self) -> None:
        """Stop for good."""
        self.stop()

        async def cancel_what_libraries_left() -> None:
            left = asyncio.all_tasks() - {asyncio.current_task()}
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)

        self.run(cancel_what_libraries_left())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@dataclass
class Ran:
    """What one run of the agent said."""

    code: int
    lines: list[str]
    stderr: str
    events: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        for line in self.lines:
            try:
                self.events.append(json.loads(line))
            except ValueError:
                assert line is self.lines[-1], f"a torn line before the last: {line}"

    @property
    def conversation(self) -> str:
        """Its id."""
        return str(self.events[0]["session_id"])

    @property
    def result(self) -> dict[str, Any]:
        """The result event, which must be the last."""
        assert self.events[-1]["type"] == "result", self.events[-1]
        return self.events[-1]

    def of_type(self, kind: str, subtype: str | None = None) -> list[dict[str, Any]]:
        """Events of a type."""
        return [one for one in self.events if one["type"] == kind and subtype in (None, one.get("subtype"))]

    @property
    def tools(self) -> list[str]:
        """The tools it used, in order."""
        blocks = [block for event in self.of_type("assistant") for block in event["message"]["content"]]
        return [block["name"].removeprefix("mcp__solo__") for block in blocks if block["type"] == "tool_use"]

    @property
    def text(self) -> str:
        """Everything it said in words."""
        blocks = [block for event in self.of_type("assistant") for block in event["message"]["content"]]
        return "\n".join(block["text"] for block in blocks if block["type"] == "text")


class Stage:
    """A project with a repository, its missions, and the agent that is sent to work on them."""

    def __init__(self, tmp: Path, service: McpService, workspace: Workspace, clock: Clock) -> None:
        self.service = service
        self.clock = clock
        self.workspace = workspace
        self.tmp = tmp
        self.repository = tmp / "repository"
        self.repository.mkdir()
        self.git("init", "-q", "-b", "main")
        (self.repository / "README.md").write_text("A small project\n=======\n")
        self.git("add", ".")
        self.git("commit", "-q", "-m", "Begin")
        self.project = workspace.write(operations.projects.create, "Demo")
        repository = workspace.write(
            operations.projects.add_repository,
            self.project.id,
            "repository",
            local_path=str(self.repository),
            max_concurrent_missions=0,
        )
        workspace.write_as(SYSTEM, operations.workstation.set_agents, [AGENT])
        self.repository_id = repository.id
        self.pace = "0"
        self._running: list[subprocess.Popen[bytes]] = []

    def git(self, *arguments: str, cwd: Path | None = None) -> str:
        """Run git in the repository, or elsewhere."""
        done = subprocess.run(
            ["git", *arguments], cwd=cwd or self.repository, capture_output=True, text=True, check=True
        )
        return done.stdout

    def mission(self, title: str, flow: str = "Direct", **values: Any) -> Mission:
        """A ready mission."""
        chosen = next(one for one in self.workspace.read(queries.projects.flows, self.project.id) if one.name == flow)
        draft = MissionDraft(title=title, flow_id=chosen.id, project_repository_id=self.repository_id, **values)
        return self.workspace.write(
            operations.missions.set_ready,
            self.workspace.write(operations.missions.create, self.project.id, draft).id,
            True,
        )

    def worktree(self, mission: Mission) -> Path:
        """The mission's worktree, made when there is none."""
        path = self.tmp / f"worktree-{mission.number}"
        if not path.exists():
            self.git("worktree", "add", "-q", "-b", f"solo-unicorn/mission-{mission.number}", str(path))
        return path

    def claim(self, mission: Mission) -> tuple[Session, Path]:
        """A session for it, and the --mcp-config of that session."""
        return self.claim_at(mission, self.service.url)

    def claim_at(self, mission: Mission, url: str) -> tuple[Session, Path]:
        """The same, with the MCP server at some URL."""
        session = self.workspace.write_as(
            SYSTEM, operations.dispatch.claim, mission.id, session_id=new_ulid(), agent=AGENT, workstation_id="here"
        )
        self.workspace.write_as(
            service_of(session.id),
            operations.sessions.begin,
            session.id,
            host_pid=os.getpid(),
            worktree_path=str(self.worktree(mission)),
            branch=f"solo-unicorn/mission-{mission.number}",
            base_commit=None,
        )
        token = new_token()
        self.workspace.write_as(SYSTEM, operations.dispatch.set_token, session.id, digest(token))
        config = self.tmp / f"mcp-{session.id}.json"
        server = {"type": "http", "url": url, "headers": {"Authorization": f"Bearer {token}"}}
        config.write_text(json.dumps({"mcpServers": {"solo": server}}))
        return session, config

    def start(self, mission: Mission, *arguments: str) -> tuple[Session, subprocess.Popen[bytes]]:
        """Start the agent on the mission; it waits for its prompt."""
        session, config = self.claim(mission)
        return session, self.start_with(config, self.worktree(mission), *arguments)

    def start_with(self, config: Path, cwd: Path, *arguments: str) -> subprocess.Popen[bytes]:
        """Start the agent with an --mcp-config."""
        command = [sys.executable, "-P", "-m", "solo_unicorn.agents.rehearsal", "-p", "--output-format", "stream-json"]
        agent = subprocess.Popen(
            [*command, "--mcp-config", str(config), *arguments],
            cwd=cwd,
            env=os.environ | {"SOLO_UNICORN_REHEARSAL_PACE": self.pace},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        self._running.append(agent)
        return agent

    def play(self, mission: Mission, *arguments: str, prompt: str = "Work on it.") -> Ran:
        """One session from claim to end; a mission that failed is taken up where a service would."""
        session, agent = self.start(mission, *arguments)
        ran = finish(agent, prompt)
        if self.workspace.read(queries.sessions.get, session.id).phase != "ended":
            asked = (
                self.workspace.read(queries.missions.get, mission.id).question
                and not self.workspace.read(queries.missions.get, mission.id).answer
            )
            outcome: Outcome = "failed" if ran.code else "needs_input" if asked else "completed"
            self.workspace.write_as(
                service_of(session.id), operations.sessions.end, session.id, outcome, "as the agent ended"
            )
        return ran

    def later(self) -> None:
        """Put the clock forward past any back-off and limit."""
        self.clock.ahead += timedelta(hours=1)

    def read(self, mission: Mission) -> Mission:
        """The mission as it is now."""
        return self.workspace.read(queries.missions.get, mission.id)

    def notes(self, mission: Mission) -> list[str]:
        """Its notes, oldest first."""
        history = self.workspace.read(queries.missions.history, mission.id)
        notes = [one for one in history if one.kind.startswith("noted")]
        return [str(one.note) for one in sorted(notes, key=lambda one: one.seq)]

    def commits(self, mission: Mission) -> list[str]:
        """Subjects of the commits on the mission's branch, oldest first."""
        return self.git("log", "--reverse", "--format=%s", "main..HEAD", cwd=self.worktree(mission)).splitlines()

    def close(self) -> None:
        """End what still runs, by its own group."""
        for agent in self._running:
            if agent.poll() is None:
                os.killpg(agent.pid, signal.SIGKILL)
            agent.wait(DEADLINE)
            for pipe in (agent.stdin, agent.stdout, agent.stderr):
                if pipe:
                    pipe.close()


def finish(agent: subprocess.Popen[bytes], prompt: str | None = None) -> Ran:
    """Give it the prompt, close its input and wait for its end."""
    out, err = agent.communicate(prompt.encode() if prompt is not None else None, timeout=DEADLINE)
    return Ran(agent.returncode, out.decode().splitlines(), err.decode())


def next_event(agent: subprocess.Popen[bytes], wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Read what it says until an event is wanted."""
    assert agent.stdout
    for line in agent.stdout:
        event: dict[str, Any] = json.loads(line)
        if wanted(event):
            return event
    raise AssertionError("it ended without saying that")


@pytest.fixture
def service(home: Path) -> Iterator[McpService]:
    """The MCP server over an empty workspace."""
    service = McpService()
    service.start()
    yield service
    service.close()


@pytest.fixture
def stage(service: McpService, tmp_path: Path) -> Iterator[Stage]:
    """A project with a repository."""
    clock = Clock()
    with Workspace.open(clock=clock) as workspace:
        stage = Stage(tmp_path, service, workspace, clock)
        yield stage
        stage.close()
