"""Whatever the clock on the wall did, no wait is longer than its own rule says."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

import solo_unicorn
from solo_unicorn.missions import waits
from solo_unicorn.missions.entities import SYSTEM, LoopSchedule, Mission, Project, Session, Usage, service_of
from solo_unicorn.missions.errors import InvalidValue
from solo_unicorn.missions.rules.creating import MissionDraft
from solo_unicorn.missions.rules.eligibility import WorkstationLimits
from solo_unicorn.missions.rules.sessions import RetryPolicy
from solo_unicorn.workspace import operations, queries, rows
from solo_unicorn.workspace.change import Change
from solo_unicorn.workspace.integrity import backup
from solo_unicorn.workspace.workspace import Workspace

from .conftest import AGENT, Clock, start

YEAR = timedelta(days=365)


def why_not(workspace: Workspace, ref: str) -> str | None:
    return workspace.read(queries.sessions.why_not, ref, now=workspace.now())


def fail(workspace: Workspace, session: Session) -> None:
    workspace.write_as(
        service_of(session.id), operations.sessions.end, session.id, "failed", "broke", policy=RetryPolicy()
    )


def limit(workspace: Workspace, session: Session) -> None:
    reset = workspace.now() + timedelta(hours=5)
    workspace.write_as(
        service_of(session.id), operations.sessions.end, session.id, "rate_limited", "limit", reset_at=reset
    )


def hold(workspace: Workspace, session: Session) -> None:
    workspace.write_as(service_of(session.id), operations.sessions.end, session.id, "unavailable", "busy")
    workspace.write_as(SYSTEM, operations.workstation.hold_agent, AGENT.name, "credit", "no credit")


RULES: dict[str, tuple[Callable[[Workspace, Session], None], timedelta]] = {
    "a pause after a failure": (fail, timedelta(seconds=10)),
    "a limit that resets": (limit, timedelta(hours=5)),
    "an agent that is held": (hold, timedelta(hours=1)),
}


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("jump", [-YEAR, -timedelta(hours=8), YEAR], ids=["a year back", "hours back", "a year ahead"])
def test_a_wait_ends_after_its_own_length(
    workspace: Workspace, session: Session, clock: Clock, rule: str, jump: timedelta
) -> None:
    begin, length = RULES[rule]
    begin(workspace, session)
    assert why_not(workspace, "M-1") is not None, "it waits at all"
    assert workspace.read(queries.sessions.next_dispatch_at, now=clock()) == clock() + length
    clock.now += jump
    assert why_not(workspace, "M-1") is None
    assert workspace.read(queries.sessions.next_dispatch_at, now=clock()) is None


@pytest.mark.parametrize("rule", RULES)
def test_a_clock_that_is_mended_by_a_second_ends_no_wait(
    workspace: Workspace, session: Session, clock: Clock, rule: str
) -> None:
    RULES[rule][0](workspace, session)
    clock.now -= timedelta(seconds=1)
    assert why_not(workspace, "M-1") is not None


def test_what_was_written_a_year_ahead_holds_nothing_up_when_the_clock_is_back(
    workspace: Workspace, project: Project, ready: Mission, clock: Clock
) -> None:
    schedule = LoopSchedule(max_per_hour=1, max_per_day=1)
    loop = workspace.write(
        operations.missions.create, project.id, MissionDraft(title="Look", list="loop", loop_schedule=schedule)
    )
    clock.now += YEAR
    workspace.write(_ran, loop.id)
    for number in range(7):
        session = start(workspace, ready.id, f"S{number}")
        fail(workspace, session)
        workspace.write(operations.missions.set_ready, ready.id, True)
    operations.workstation.set_limits(workspace, WorkstationLimits(day_budget=1.0))
    workspace.write(_cost, "S0", 5.0)
    assert "budget" in (why_not(workspace, ready.id) or "")
    clock.now -= YEAR
    assert why_not(workspace, ready.id) is None
    facts_of_loop = why_not(workspace, loop.id) or ""
    assert "again" not in facts_of_loop and "wait" not in facts_of_loop


def _ran(change: Change, mission_id: str) -> None:
    mission = change.mission(mission_id)
    change.event(mission.project_id, "loop_run", mission_id=mission.id)


def _cost(change: Change, session_id: str, dollars: float) -> None:
    session = change.session(session_id)
    rows.put_session(change.connection, replace(session, usage=Usage(cost_usd=dollars)))


def test_a_claim_without_an_agent_is_given_back_although_the_clock_went_back(
    workspace: Workspace, ready: Mission, clock: Clock
) -> None:
    workspace.write_as(SYSTEM, operations.dispatch.claim, ready.id, session_id="S1", agent=AGENT, workstation_id="W1")
    assert operations.dispatch.release_stale_claims(workspace) == []
    clock.now -= YEAR
    assert [one.id for one in operations.dispatch.release_stale_claims(workspace)] == [ready.id]


def test_a_limit_of_a_year_is_not_believed(workspace: Workspace, session: Session, clock: Clock) -> None:
    far = clock() + YEAR
    workspace.write_as(
        service_of(session.id), operations.sessions.end, session.id, "rate_limited", "limit", reset_at=far
    )
    retry = workspace.read(queries.missions.get, "M-1").retry_at
    assert retry is not None and retry <= clock() + RetryPolicy().limit_cap
    held = workspace.write_as(SYSTEM, operations.workstation.hold_agent, AGENT.name, "limit", "", reset_at=far)
    assert held.until is not None and held.until <= clock() + timedelta(hours=1)
    with pytest.raises(InvalidValue, match="later than any usage limit"):
        workspace.write_as(SYSTEM, operations.workstation.set_agent_limit, AGENT.name, far)


def test_a_daily_backup_that_was_made_a_year_ahead_is_due(workspace: Workspace, project: Project, home: Path) -> None:
    now = workspace.path.stat().st_mtime
    begun = now - 2 * backup.DAY
    assert backup.daily_due_in(home, now, begun) == 0.0
    assert 0 < backup.daily_due_in(home, now, now - 60) < backup.DAY
    assert backup.daily_due_in(home, now - YEAR.total_seconds(), begun) == 0.0


def test_what_is_left_is_never_more_than_the_wait() -> None:
    begun, length = datetime.fromisoformat("2026-03-01T12:00:00+00:00"), timedelta(days=1)
    for seconds in range(-400 * 86400, 400 * 86400, 7200):
        assert timedelta() <= waits.left(begun, length, begun + timedelta(seconds=seconds)) <= length + waits.SLACK


READERS = {
    "agents/acp/opening.py": "seconds until a conversation may be loaded, at most a minute",
    "agents/detection.py": "when an agent was looked at",
    "agents/session_host/session.py": "when lines came and a session ended",
    "agents/rehearsal/speech.py": "what it prints",
    "agents/rehearsal/trouble.py": "what it prints",
    "agents/verdict.py": "a reset that was told, believed() or not by the rules",
    "config/log.py": "the time of a line",
    "sync/client/tokens.py": "the end of a token; the hub refuses one that ended earlier",
    "sync/client/engine.py": "how far the clock of a hub is from ours",
    "workspace/integrity/backup.py": "waits.left",
    "workspace/workspace.py": "the clock of the workspace",
    "workstation/context.py": "the clock of the worktree pool",
    "workstation/dispatch.py": "the pressure of this moment",
    "workstation/upkeep/gc.py": "waits.left, and the age of what is removed",
    "workstation/landing/pull_requests.py": "seconds until what GitHub told, at most an hour",
    "workstation/checkout_files/mirroring.py": "the name of a file",
    "workstation/checkout_files/memory_files.py": "the name of a file",
    "workstation/scheduler.py": "seconds until next_dispatch_at, at most LONGEST_WAIT",
    "workstation/service.py": "when it began",
    "workstation/session/outcome_policy.py": "holds.is_on",
    "workstation/session/runner.py": "Life.busy_with, by the distance to now",
    "workstation/session/transcript_fold.py": "when lines came",
    "workstation/supervisor.py": "what is shown; it waits by the loop's clock",
    "worktrees/github/answers.py": "seconds until what GitHub told",
    "worktrees/github/client.py": "seconds until what GitHub told",
    "worktrees/landing/landing.py": "when a landing began",
    "worktrees/pool/occupants.py": "the age of a lock, by the distance to now",
}
"""Who reads the wall clock in what runs unattended, and for what: whatever waits does so by missions/waits.py.

What parsers read of a reset is believed there or not.
"""


def test_every_reader_of_the_wall_clock_is_known() -> None:
    root = Path(solo_unicorn.__file__).parent
    found = set()
    for folder in ("agents", "config", "missions", "sync", "system", "workspace", "workstation", "worktrees"):
        for file in (root / folder).rglob("*.py"):
            if file.parent.name != "parsers" and any(
                map(_reads, ast.walk(ast.parse(file.read_text(encoding="utf-8"))))
            ):
                found.add(str(file.relative_to(root)))
    assert found == set(READERS)


def _reads(node: ast.AST) -> bool:
    """Whether a name is that of the wall clock: `time.time`, `datetime.now`, `datetime.fromtimestamp`."""
    match node:
        case ast.Attribute(value=ast.Name(id="time"), attr="time"):
            return True
        case ast.Attribute(value=ast.Name(id="datetime"), attr="now" | "fromtimestamp"):
            return True
    return False
