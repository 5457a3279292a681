"""A workspace in a temporary home, with a clock and ids that the test owns."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from solo_unicorn.missions.entities import SYSTEM, CodeAgent, Mission, Project, Session, service_of
from solo_unicorn.missions.rules.creating import MissionDraft
from solo_unicorn.workspace import operations
from solo_unicorn.workspace.workspace import Workspace

AGENT = CodeAgent(type="claude", name="claude", title="Claude Code", slots=2, state="ready")


class Clock:
    """A clock that moves only when told."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **by: float) -> None:
        self.now += timedelta(**by)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def workspace(home: Path, clock: Clock) -> Iterator[Workspace]:
    with Workspace.open(clock=clock) as opened:
        yield opened


@pytest.fixture
def project(workspace: Workspace) -> Project:
    project = workspace.write(operations.projects.create, "Acme shop")
    workspace.write(
        operations.projects.add_repository,
        project.id,
        "web",
        local_path="/somewhere/private",
        max_concurrent_missions=4,
    )
    return project


@pytest.fixture
def mission(workspace: Workspace, project: Project) -> Mission:
    return workspace.write(operations.missions.create, project.id, MissionDraft(title="Retry payments"))


@pytest.fixture
def ready(workspace: Workspace, mission: Mission) -> Mission:
    """M-1, which an agent of this machine may take."""
    workspace.write_as(SYSTEM, operations.workstation.set_agents, [AGENT])
    return workspace.write(operations.missions.set_ready, mission.id, True)


@pytest.fixture
def session(workspace: Workspace, ready: Mission) -> Session:
    """A running session on M-1."""
    return start(workspace, ready.id)


def start(
    workspace: Workspace,
    ref: str,
    session_id: str = "S1",
    agent: CodeAgent = AGENT,
    *,
    worktree_path: str | None = "/w",
    unasked: bool = False,
) -> Session:
    """Claim a mission that is ready and begin its session, as the service does."""
    claimed = workspace.write_as(
        SYSTEM, operations.dispatch.claim, ref, session_id=session_id, agent=agent, workstation_id="W1"
    )
    return workspace.write_as(
        service_of(claimed.id),
        operations.sessions.begin,
        claimed.id,
        host_pid=1,
        worktree_path=worktree_path,
        branch="b",
        base_commit="c",
        unheld="asks nobody" if unasked else "",
    )
