"""What sessions used, added up; and budgets and pressure as they hold missions back."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from solo_unicorn.missions.entities import SYSTEM, Project, Usage, service_of
from solo_unicorn.missions.errors import InvalidValue
from solo_unicorn.missions.rules.creating import MissionDraft
from solo_unicorn.missions.rules.eligibility import WorkstationLimits
from solo_unicorn.workspace import operations, queries
from solo_unicorn.workspace.queries import usage
from solo_unicorn.workspace.workspace import Workspace

from .conftest import AGENT, Clock, start


def run(workspace: Workspace, ref: str, id_: str, cost: float | None, agent: str = "claude") -> None:
    """A session of that mission that cost so much and failed."""
    workspace.write_as(SYSTEM, operations.workstation.set_agents, [replace(AGENT, name=agent, slots=9)])
    workspace.write(operations.missions.set_ready, ref, True)
    start(workspace, ref, id_, replace(AGENT, name=agent))
    workspace.write_as(SYSTEM, operations.sessions.progress, id_, usage=Usage(100, 10, 5, cost, 2))
    workspace.write_as(service_of(id_), operations.sessions.end, id_, "cancelled")


@pytest.fixture
def two(workspace: Workspace, project: Project) -> Project:
    """M-1 and M-2."""
    for title in ("First", "Second"):
        workspace.write(operations.missions.create, project.id, MissionDraft(title=title, project_repository_id=None))
    return project


def test_usage_is_added_up_by_day_agent_mission_and_session(workspace: Workspace, two: Project, clock: Clock) -> None:
    run(workspace, "M-1", "S1", 1.5)
    clock.forward(minutes=30)
    run(workspace, "M-2", "S2", None, agent="codex")
    clock.forward(days=1)
    run(workspace, "M-1", "S3", 0.5)
    days = workspace.read(usage.usage, now=clock.now)
    assert [(one.sessions, one.cost_usd) for one in days] == [(1, 0.5), (2, 1.5)], "newest first"
    assert days[0].key == str(clock.now.astimezone().date())
    agents = {one.key: one for one in workspace.read(usage.usage, "agent", now=clock.now)}
    assert (agents["claude"].input_tokens, agents["claude"].turns, agents["claude"].cost_usd) == (200, 4, 2.0)
    assert agents["codex"].cost_usd is None, "no cost is not a cost of nothing"
    (first, second) = workspace.read(usage.usage, "mission", project=two.id, now=clock.now)
    assert (first.key, first.title, first.sessions, second.key) == ("M-1", "First", 2, "M-2")
    assert {one.key for one in workspace.read(usage.usage, "session", now=clock.now)} == {"S1", "S2", "S3"}
    assert [one.sessions for one in workspace.read(usage.usage, days=1, now=clock.now)] == [1], "today alone"
    with pytest.raises(InvalidValue, match="0 days"):
        workspace.read(usage.usage, days=0, now=clock.now)


def test_a_budget_holds_back_and_a_new_day_lets_go(workspace: Workspace, two: Project, clock: Clock) -> None:
    operations.workstation.set_limits(workspace, WorkstationLimits(slots=4, mission_budget=1.0, day_budget=2.0))
    run(workspace, "M-1", "S1", 1.5)
    workspace.write(operations.missions.set_ready, "M-1", True)
    workspace.write(operations.missions.set_ready, "M-2", True)
    assert workspace.read(queries.sessions.why_not, "M-1", now=workspace.now()) == "used up its budget ($1.50 of $1.00)"
    assert workspace.read(queries.sessions.why_not, "M-2", now=workspace.now()) is None
    operations.workstation.set_limits(workspace, WorkstationLimits(slots=4, day_budget=1.5))
    assert (
        workspace.read(queries.sessions.why_not, "M-2", now=workspace.now())
        == "waits for tomorrow: today's budget is used ($1.50 of $1.50)"
    )
    again = workspace.read(queries.sessions.next_dispatch_at, now=workspace.now())
    assert again is not None and clock.now < again <= clock.now + timedelta(days=1)
    assert again.astimezone().time() == datetime.min.time(), "the service looks again at midnight"
    clock.now = again
    assert workspace.read(queries.sessions.why_not, "M-2", now=workspace.now()) is None


def test_pressure_is_looked_at_again_soon(workspace: Workspace, two: Project, clock: Clock) -> None:
    short = WorkstationLimits(slots=4, pressure="has 80 MB of memory left (512 MB are kept free)")
    operations.workstation.set_limits(workspace, short)
    assert workspace.read(queries.sessions.next_dispatch_at, now=workspace.now()) is None, "nobody waits"
    workspace.write(operations.missions.set_ready, "M-1", True)
    workspace.write_as(SYSTEM, operations.workstation.set_agents, [AGENT])
    assert "80 MB" in str(workspace.read(queries.sessions.why_not, "M-1", now=workspace.now()))
    assert workspace.read(queries.sessions.next_dispatch_at, now=workspace.now()) == clock.now + timedelta(seconds=15)
