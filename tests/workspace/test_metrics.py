"""The figures: a told history whose numbers are known."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from solo_unicorn.missions.entities import SYSTEM, Author, CodeAgent, Usage, service_of
from solo_unicorn.missions.errors import InvalidValue
from solo_unicorn.missions.rules.creating import MissionDraft
from solo_unicorn.workspace import operations, queries
from solo_unicorn.workspace.queries import metrics
from solo_unicorn.workspace.workspace import Workspace

from .conftest import start

MONDAY = datetime(2026, 3, 9, tzinfo=UTC)
AGENT = Author("agent", "claude")


class Clock:
    """Stands still until it is set."""

    now = MONDAY

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def told(home: Path) -> Iterator[tuple[Workspace, Clock, str]]:
    """Two missions done in the week before (after 2 and 4 hours), one review rejected, then approved."""
    clock = Clock()
    clock.now = MONDAY - timedelta(days=5)
    with Workspace.open(clock=clock) as workspace:
        project = workspace.write(operations.projects.create, "Shop").id
        repository = workspace.write(
            operations.projects.add_repository, project, "web", local_path="/srv/web", max_concurrent_missions=0
        ).id
        workspace.write_as(
            SYSTEM,
            operations.workstation.set_agents,
            [CodeAgent("claude", "claude", slots=5, binary="/c", state="ready")],
        )
        agent = workspace.read(queries.workstation.agents)[0]
        for number, hours in enumerate((2, 4)):
            draft = MissionDraft(title="A", flow_id="Quick fix", ready=True, project_repository_id=repository)
            mission = workspace.write(operations.missions.create, project, draft)
            clock.now += timedelta(hours=1)
            session = start(workspace, mission.id, f"S{number}", agent, worktree_path=None)
            clock.now += timedelta(minutes=30 * hours)
            workspace.write_as(
                SYSTEM,
                operations.sessions.progress,
                session.id,
                activity="",
                usage=Usage(800, 200, 0, 0.25, 3),
                at=clock.now,
            )
            workspace.write_as(
                Author("agent", "claude", session.id), operations.review.complete_stage, mission.id, "Done"
            )
            workspace.write_as(service_of(session.id), operations.sessions.end, session.id, "completed", "")
            clock.now += timedelta(minutes=30 * hours)
            workspace.write(operations.review.approve, mission.id)
            if workspace.read(queries.missions.get, mission.id).list != "done":
                workspace.write_as(SYSTEM, operations.landing.started, mission.id)
                workspace.write_as(SYSTEM, operations.landing.landed, mission.id, "c" * 40)
        clock.now = MONDAY + timedelta(hours=10)
        slow = workspace.write(
            operations.missions.create, project, MissionDraft(title="B", flow_id="Quick fix", list="doing")
        )
        workspace.write_as(AGENT, operations.review.request_review, slow.id, "Look")
        clock.now += timedelta(hours=3)
        workspace.write(operations.review.reject, slow.id, "No")
        workspace.write_as(AGENT, operations.review.request_review, slow.id, "Look again")
        clock.now += timedelta(hours=5)
        workspace.write(operations.review.approve, slow.id)
        yield workspace, clock, project


def test_weeks(told: tuple[Workspace, Clock, str]) -> None:
    workspace, clock, project = told
    before, now = workspace.read(metrics.metrics, project, weeks=2, now=clock.now).weeks
    assert (before.start, now.start) == ("2026-03-02", "2026-03-09")
    assert (before.done, before.sessions, before.tokens, before.cost_usd) == (2, 2, 2000, 0.5)
    assert before.cycle_hours == pytest.approx(3.0, abs=1e-3)
    assert before.review_hours == pytest.approx(1.5, abs=1e-3)
    assert (before.reviews, before.rejected, now.reviews, now.rejected) == (2, 0, 2, 1)
    assert now.review_hours == pytest.approx(4.0, abs=1e-3)
    assert now.sessions == 0 and now.cost_usd == 0


def test_agents_and_the_range(told: tuple[Workspace, Clock, str]) -> None:
    workspace, clock, _ = told
    (agent,) = workspace.read(metrics.metrics, weeks=2, now=clock.now).agents
    assert (agent.name, agent.sessions, agent.completed, agent.failed, agent.missions) == ("claude", 2, 2, 0, 2)
    assert agent.minutes == pytest.approx(90, abs=0.1) and agent.cost_usd == 0.5
    assert workspace.read(metrics.metrics, weeks=1, now=clock.now).agents == ()
    other = workspace.write(operations.projects.create, "Other").id
    assert sum(week.done for week in workspace.read(metrics.metrics, other, weeks=4, now=clock.now).weeks) == 0
    for weeks in (0, 521):
        with pytest.raises(InvalidValue):
            workspace.read(metrics.metrics, weeks=weeks, now=clock.now)


def test_what_left_done_again_does_not_count(told: tuple[Workspace, Clock, str]) -> None:
    workspace, clock, project = told
    done = workspace.read(queries.missions.page, project, lists=("done",)).items
    workspace.write(operations.missions.move, done[0].id, "todo")
    assert workspace.read(metrics.metrics, project, weeks=2, now=clock.now).weeks[0].done == len(done) - 1
