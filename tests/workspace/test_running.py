"""Claims and sessions in the workspace, from ready to done."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest

from solo_unicorn.config.settings import Settings
from solo_unicorn.missions.entities import SYSTEM, Author, Mission, Project, Session, service_of
from solo_unicorn.missions.errors import AlreadyClaimed, Conflict, InvalidValue, NotAllowed
from solo_unicorn.missions.rules.creating import MissionDraft
from solo_unicorn.workspace import operations, queries
from solo_unicorn.workspace.workspace import Workspace
from solo_unicorn.workstation.dispatch import claim_next

from .conftest import AGENT, Clock, start


def agent_of(session: Session) -> Author:
    return Author("agent", session.agent_name, session.id)


def test_why_not_names_the_first_rule_that_fails(workspace: Workspace, mission: Mission) -> None:
    assert "ready" in (workspace.read(queries.sessions.why_not, mission.id, now=workspace.now()) or "")
    workspace.write(operations.missions.set_ready, mission.id, True)
    assert "agent" in (workspace.read(queries.sessions.why_not, mission.id, now=workspace.now()) or "")
    workspace.write_as(SYSTEM, operations.workstation.set_agents, [AGENT])
    assert workspace.read(queries.sessions.why_not, mission.id, now=workspace.now()) is None
    operations.workstation.set_paused(workspace, True)
    assert "paused" in (workspace.read(queries.sessions.why_not, mission.id, now=workspace.now()) or "")


def test_a_mission_is_claimed_by_one(workspace: Workspace, ready: Mission) -> None:
    first = workspace.write_as(
        SYSTEM, operations.dispatch.claim, ready.id, session_id="S1", agent=AGENT, workstation_id="W1"
    )
    assert workspace.read(queries.missions.get, ready.id).agent_session_status == "PUSHING"
    assert workspace.read(queries.missions.get, ready.id).list == "doing"
    assert (
        workspace.write_as(
            SYSTEM, operations.dispatch.claim, ready.id, session_id="S2", agent=AGENT, workstation_id="W1"
        )
        == first
    )
    with pytest.raises(AlreadyClaimed) as refused:
        workspace.write_as(
            SYSTEM, operations.dispatch.claim, ready.id, session_id="S3", agent=AGENT, workstation_id="W2"
        )
    assert refused.value.holder == "W1"
    assert len(workspace.read(queries.sessions.find, ready.id)) == 1


def test_two_missions_of_one_agent_run_in_one_repository_by_default(workspace: Workspace) -> None:
    """Nothing is set: neither what the agent may run at once, nor the repository, nor the machine."""
    settings = Settings()
    agent = replace(AGENT, slots=settings.agent("claude").slots)
    workspace.write_as(SYSTEM, operations.workstation.set_agents, [agent])
    project = workspace.write(operations.projects.create, "Acme shop")
    workspace.write(operations.projects.add_repository, project.id, "web", local_path="/somewhere/private")
    for title in ("Retry payments", "Refund payments", "Cancel payments"):
        draft = MissionDraft(title=title, ready=True)
        workspace.write(operations.missions.create, project.id, draft)
    claim = partial(claim_next, workspace, slots=settings.workstation.slots, workstation_id="W1")
    first, second = claim(), claim()
    assert first and second and first.agent_name == second.agent_name == "claude"
    assert claim() is None
    why = workspace.read(queries.sessions.why_not, "M-3", now=workspace.now())
    assert why == "waits for a free claude slot"


def test_what_is_not_eligible_cannot_be_claimed(workspace: Workspace, mission: Mission) -> None:
    workspace.write_as(SYSTEM, operations.workstation.set_agents, [AGENT])
    with pytest.raises(Conflict):
        workspace.write_as(
            SYSTEM, operations.dispatch.claim, mission.id, session_id="S1", agent=AGENT, workstation_id="W1"
        )
    assert workspace.read(queries.sessions.find) == []


def test_slots_are_respected(workspace: Workspace, project: Project) -> None:
    workspace.write_as(SYSTEM, operations.workstation.set_agents, [replace(AGENT, slots=1)])
    for title in ("a", "b"):
        workspace.write(
            operations.missions.set_ready,
            workspace.write(operations.missions.create, project.id, MissionDraft(title=title)).id,
            True,
        )
    start(workspace, "M-1")
    (waiting,) = workspace.read(queries.sessions.queue, now=workspace.now())
    assert "slot" in (waiting.why_not or "")
    workspace.write_as(service_of("S1"), operations.sessions.end, "S1", "cancelled")
    assert [entry.why_not for entry in workspace.read(queries.sessions.queue, now=workspace.now())] == [None]


def test_the_whole_way_from_ready_to_done(workspace: Workspace, ready: Mission, clock: Clock) -> None:
    for number, stage in enumerate(("clarify", "plan", "code")):
        session = start(workspace, ready.id, f"S{number}")
        assert session.stage == stage
        workspace.write_as(agent_of(session), operations.review.complete_stage, ready.id, f"{stage} done", "look at it")
        mission = workspace.write_as(service_of(session.id), operations.sessions.end, session.id, "completed")
        assert (mission.list, mission.review_status, mission.agent_session_status) == ("review", "pending", "INACTIVE")
        assert workspace.read(queries.sessions.why_not, ready.id, now=workspace.now())
        assert [entry.kind for entry in workspace.read(queries.missions.waiting)] == ["review"]
        workspace.write(operations.review.approve, ready.id)
        clock.forward(minutes=1)
    assert [mission.id for mission in workspace.read(queries.sessions.landing_queue)] == [ready.id]
    workspace.write_as(SYSTEM, operations.landing.started, ready.id)
    done = workspace.write_as(SYSTEM, operations.landing.landed, ready.id, "abc123")
    assert (done.list, done.landed_commit, done.landing_status) == ("done", "abc123", None)
    assert workspace.read(queries.sessions.landing_queue) == [] and workspace.read(queries.missions.waiting) == []


def test_a_rejection_goes_back_with_the_feedback(workspace: Workspace, ready: Mission) -> None:
    session = start(workspace, ready.id)
    workspace.write_as(SYSTEM, operations.sessions.progress, session.id, conversation_id="conv-1")
    workspace.write_as(agent_of(session), operations.review.complete_stage, ready.id, "done", None)
    workspace.write_as(service_of(session.id), operations.sessions.end, session.id, "completed")
    with pytest.raises(InvalidValue):
        workspace.write(operations.review.reject, ready.id, "  ")
    mission = workspace.write(operations.review.reject, ready.id, "Name the trade-offs")
    assert (mission.list, mission.stage, mission.ready, mission.review_status) == ("doing", "clarify", True, "rejected")
    assert mission.last_code_agent_session_id == "conv-1"
    assert workspace.read(queries.sessions.why_not, ready.id, now=workspace.now()) is None


def test_an_agent_cannot_pass_a_persons_gate(workspace: Workspace, ready: Mission) -> None:
    session = start(workspace, ready.id)
    workspace.write_as(agent_of(session), operations.review.complete_stage, ready.id, "done", None)
    for forbidden in (
        lambda: workspace.write_as(agent_of(session), operations.review.approve, ready.id),
        lambda: workspace.write_as(agent_of(session), operations.review.reject, ready.id, "no"),
        lambda: workspace.write_as(agent_of(session), operations.review.complete_stage, ready.id, "again", None),
    ):
        with pytest.raises(NotAllowed):
            forbidden()
    assert workspace.read(queries.missions.get, ready.id).review_status == "pending"


def test_an_agent_cannot_finish_another_mission(workspace: Workspace, project: Project, ready: Mission) -> None:
    session = start(workspace, ready.id)
    other = workspace.write(operations.missions.create, project.id, MissionDraft(title="Other"))
    with pytest.raises(NotAllowed):
        workspace.write_as(agent_of(session), operations.review.complete_stage, other.id, "done", None)
    assert workspace.read(queries.missions.get, other.id) == other


def test_a_failure_backs_off_and_after_three_a_person_is_asked(
    workspace: Workspace, ready: Mission, clock: Clock
) -> None:
    for attempt in range(3):
        start(workspace, ready.id, f"S{attempt}")
        mission = workspace.write_as(
            service_of(f"S{attempt}"), operations.sessions.end, f"S{attempt}", "failed", "it crashed"
        )
        if attempt < 2:
            assert workspace.read(queries.sessions.why_not, ready.id, now=workspace.now()) and mission.attention is None
            clock.forward(minutes=10)
            assert workspace.read(queries.sessions.why_not, ready.id, now=workspace.now()) is None
    assert mission.attention and not mission.ready
    assert [entry.kind for entry in workspace.read(queries.missions.waiting)] == ["attention"]
    assert workspace.write(operations.missions.set_ready, ready.id, True).attention is None
    assert workspace.read(queries.sessions.why_not, ready.id, now=workspace.now()) is None


def test_a_limit_parks_the_mission_in_place(workspace: Workspace, ready: Mission, clock: Clock) -> None:
    start(workspace, ready.id)
    reset = clock.now.replace(hour=15)
    workspace.write_as(SYSTEM, operations.workstation.set_agent_limit, "claude", reset)
    mission = workspace.write_as(
        service_of("S1"), operations.sessions.end, "S1", "rate_limited", "usage limit", reset_at=reset
    )
    assert (mission.list, mission.ready, mission.attempts) == ("doing", True, 0)
    assert workspace.read(queries.sessions.why_not, ready.id, now=workspace.now())
    clock.forward(hours=3)
    assert workspace.read(queries.sessions.why_not, ready.id, now=workspace.now()) is None


def test_a_question_waits_for_its_answer(workspace: Workspace, ready: Mission) -> None:
    session = start(workspace, ready.id)
    workspace.write_as(agent_of(session), operations.review.ask_question, ready.id, "Which currency?")
    workspace.write_as(
        service_of(session.id), operations.sessions.end, session.id, "needs_input", question="Which currency?"
    )
    assert [(entry.kind, entry.text) for entry in workspace.read(queries.missions.waiting)] == [
        ("question", "Which currency?")
    ]
    assert workspace.read(queries.sessions.why_not, ready.id, now=workspace.now())
    mission = workspace.write(operations.review.answer, ready.id, "Euro")
    assert mission.question is None and mission.answer == "Euro"
    assert workspace.read(queries.sessions.why_not, ready.id, now=workspace.now()) is None


def test_ending_a_session_twice_changes_nothing(workspace: Workspace, ready: Mission) -> None:
    start(workspace, ready.id)
    first = workspace.write_as(service_of("S1"), operations.sessions.end, "S1", "cancelled", "stopped")
    assert workspace.write_as(service_of("S1"), operations.sessions.end, "S1", "failed", "late news") == first
    assert workspace.read(queries.sessions.get, "S1").outcome == "cancelled"


def test_a_claim_that_never_started_is_released(workspace: Workspace, ready: Mission, clock: Clock) -> None:
    workspace.write_as(SYSTEM, operations.dispatch.claim, ready.id, session_id="S1", agent=AGENT, workstation_id="W1")
    clock.forward(seconds=60)
    assert operations.dispatch.release_stale_claims(workspace) == []
    clock.forward(seconds=70)
    assert [mission.id for mission in operations.dispatch.release_stale_claims(workspace)] == [ready.id]
    assert workspace.read(queries.sessions.get, "S1").phase == "ended"
    assert workspace.read(queries.sessions.why_not, ready.id, now=workspace.now()) is None


def test_a_token_belongs_to_its_live_session(workspace: Workspace, ready: Mission) -> None:
    start(workspace, ready.id)
    workspace.write_as(SYSTEM, operations.dispatch.set_token, "S1", "ab" * 32)
    found = workspace.read(queries.sessions.of_token, "ab" * 32)
    assert found is not None and found.id == "S1"
    workspace.write_as(SYSTEM, operations.sessions.progress, "S1", activity="thinking")
    assert workspace.read(queries.sessions.of_token, "ab" * 32) is not None, "progress keeps the token"
    workspace.write_as(service_of("S1"), operations.sessions.end, "S1", "cancelled")
    assert workspace.read(queries.sessions.of_token, "ab" * 32) is None


def test_a_blocked_mission_becomes_eligible_when_its_blocker_is_done(
    workspace: Workspace, project: Project, ready: Mission
) -> None:
    blocked = workspace.write(operations.missions.create, project.id, MissionDraft(title="Blocked"))
    workspace.write(operations.missions.set_ready, blocked.id, True)
    workspace.write(operations.missions.link, ready.id, blocked.id)
    assert "M-1" in (workspace.read(queries.sessions.why_not, blocked.id, now=workspace.now()) or "")
    workspace.write(operations.missions.move, ready.id, "done")
    assert workspace.read(queries.sessions.why_not, blocked.id, now=workspace.now()) is None


def test_a_conflicted_landing_goes_back_with_its_files(workspace: Workspace, ready: Mission) -> None:
    workspace.write(operations.missions.edit, ready.id, {"flow_id": "Direct"})
    session = start(workspace, ready.id)
    workspace.write_as(agent_of(session), operations.review.complete_stage, ready.id, "done", None)
    workspace.write_as(service_of(session.id), operations.sessions.end, session.id, "completed")
    assert [mission.id for mission in workspace.read(queries.sessions.landing_queue)] == [ready.id]
    mission = workspace.write_as(SYSTEM, operations.landing.conflicted, ready.id, ["src/pay.py"])
    assert mission.list == "doing" and mission.ready and "src/pay.py" in (mission.landing_error or "")
    assert workspace.read(queries.sessions.landing_queue) == []


def test_conflict_after_conflict_without_a_persons_look_waits_for_one(workspace: Workspace, ready: Mission) -> None:
    workspace.write(operations.missions.edit, ready.id, {"flow_id": "Direct"})
    for number in (1, 2, 3):
        session = start(workspace, ready.id, f"S{number}")
        workspace.write_as(agent_of(session), operations.review.complete_stage, ready.id, "done", None)
        workspace.write_as(service_of(session.id), operations.sessions.end, session.id, "completed")
        mission = workspace.write_as(SYSTEM, operations.landing.conflicted, ready.id, ["src/pay.py"])
        assert mission.ready is (number < 3)
    assert "3 times in a row" in (mission.attention or "")
    workspace.write(operations.missions.set_ready, ready.id, True)
    session = start(workspace, ready.id, "S4")
    workspace.write_as(agent_of(session), operations.review.complete_stage, ready.id, "done", None)
    workspace.write_as(service_of(session.id), operations.sessions.end, session.id, "completed")
    assert workspace.write_as(SYSTEM, operations.landing.conflicted, ready.id, ["src/pay.py"]).ready, (
        "a person had a look"
    )


def test_a_loop_mission_runs_as_often_as_its_schedule_allows(
    workspace: Workspace, project: Project, clock: Clock
) -> None:
    from solo_unicorn.missions.entities import LoopSchedule

    workspace.write_as(SYSTEM, operations.workstation.set_agents, [AGENT])
    mission = workspace.write(
        operations.missions.create,
        project.id,
        MissionDraft(title="Update", is_loop=True, flow_id="Direct", loop_schedule=LoopSchedule(max_per_day=1)),
    )
    workspace.write(operations.missions.set_ready, mission.id, True)
    session = start(workspace, mission.id)
    workspace.write_as(agent_of(session), operations.review.complete_stage, mission.id, "done", None)
    workspace.write_as(service_of(session.id), operations.sessions.end, session.id, "completed")
    again = workspace.write_as(SYSTEM, operations.landing.landed, mission.id, None)
    assert (again.list, again.stage, again.ready) == ("loop", "code", True)
    assert workspace.read(queries.sessions.why_not, mission.id, now=workspace.now())
    clock.forward(days=1, minutes=1)
    assert workspace.read(queries.sessions.why_not, mission.id, now=workspace.now()) is None
    assert workspace.read(queries.sessions.next_dispatch_at, now=workspace.now()) is None


def test_the_next_time_to_look_again_is_known(workspace: Workspace, ready: Mission, clock: Clock) -> None:
    assert workspace.read(queries.sessions.next_dispatch_at, now=workspace.now()) is None
    start(workspace, ready.id)
    workspace.write_as(service_of("S1"), operations.sessions.end, "S1", "failed", "it crashed")
    at = workspace.read(queries.sessions.next_dispatch_at, now=workspace.now())
    assert at is not None and at > clock.now
    assert workspace.read(queries.sessions.why_not, ready.id, now=workspace.now())
    clock.now = at
    assert workspace.read(queries.sessions.why_not, ready.id, now=workspace.now()) is None


def test_a_claim_that_is_given_back_costs_no_attempt(workspace: Workspace, ready: Mission) -> None:
    workspace.write_as(SYSTEM, operations.dispatch.claim, ready.id, session_id="S1", agent=AGENT, workstation_id="W1")
    assert workspace.read(queries.sessions.holds_claim, "S1")
    mission = workspace.write_as(service_of("S1"), operations.sessions.release, "S1", "the worktree is busy")
    assert (mission.agent_session_status, mission.attempts, mission.ready) == ("INACTIVE", 0, True)
    assert not workspace.read(queries.sessions.holds_claim, "S1")


def test_requests_stay_until_they_are_finished(workspace: Workspace, ready: Mission) -> None:
    workspace.write(
        operations.workstation.request, "stop_session", mission=ready.id, session="S1", payload={"why": "enough"}
    )
    (request,) = workspace.read(queries.workstation.requests)
    assert (request.kind, request.mission_id, request.payload) == ("stop_session", ready.id, {"why": "enough"})
    assert (
        workspace.read(queries.workstation.requests) == [request]
        and workspace.read(queries.workstation.requests, after=request.id) == []
    )
    workspace.write_as(SYSTEM, operations.workstation.finish_request, request.id)
    assert workspace.read(queries.workstation.requests) == []


def test_what_the_machine_notes_down_makes_no_version_old(workspace: Workspace, ready: Mission) -> None:
    session = start(workspace, ready.id)
    seen = workspace.read(queries.missions.get, ready.id).version
    workspace.write_as(SYSTEM, operations.sessions.progress, session.id, conversation_id="conv-1")
    workspace.write_as(SYSTEM, operations.workstation.set_mission_worktree, ready.id, "/w", "solo-unicorn/mission-1-x")
    after = workspace.write_as(
        agent_of(session), operations.missions.edit, ready.id, {"spec": "As agreed"}, expected_version=seen
    )
    assert (after.spec, after.version, after.last_code_agent_session_id) == ("As agreed", seen + 1, "conv-1")


@pytest.mark.parametrize("unasked", [True, False])
def test_a_card_says_that_its_agent_asks_nobody_while_it_runs(
    workspace: Workspace, ready: Mission, unasked: bool
) -> None:
    session = start(workspace, ready.id, unasked=unasked)
    assert workspace.read(queries.sessions.get, session.id).unasked is unasked
    assert [card.unasked for card in workspace.read(queries.board.cards_by_id, [ready.id])] == [unasked]
    workspace.write_as(service_of(session.id), operations.sessions.end, session.id, "completed", "")
    assert [card.unasked for card in workspace.read(queries.board.cards_by_id, [ready.id])] == [False]
