"""Claims and sessions in the workspace, from ready to done."""

from __future__ import annotations

from dataclasses import replace

import pytest

from solo_unicorn.missions.creating import MissionDraft
from solo_unicorn.missions.entities import Author, CodeAgent, Mission, Project, Session
from solo_unicorn.missions.errors import AlreadyClaimed, Conflict, InvalidValue, NotAllowed
from solo_unicorn.workspace.workspace import Workspace

from .conftest import AGENT, Clock


def agent_of(session: Session) -> Author:
    return Author("agent", session.agent_name, session.id)


def start(workspace: Workspace, ref: str, session_id: str = "S1", agent: CodeAgent = AGENT) -> Session:
    session = workspace.claim(ref, session_id=session_id, agent=agent, workstation_id="W1")
    return workspace.session_started(session.id, host_pid=1, worktree_path="/w", branch="b", base_commit="c")


@pytest.fixture
def ready(workspace: Workspace, mission: Mission) -> Mission:
    workspace.set_agents([AGENT])
    return workspace.set_ready(mission.id, True)


def test_why_not_names_the_first_rule_that_fails(workspace: Workspace, mission: Mission) -> None:
    assert "ready" in (workspace.why_not(mission.id) or "")
    workspace.set_ready(mission.id, True)
    assert "agent" in (workspace.why_not(mission.id) or "")
    workspace.set_agents([AGENT])
    assert workspace.why_not(mission.id) is None
    workspace.set_workstation_paused(True)
    assert "paused" in (workspace.why_not(mission.id) or "")


def test_a_mission_is_claimed_by_one(workspace: Workspace, ready: Mission) -> None:
    first = workspace.claim(ready.id, session_id="S1", agent=AGENT, workstation_id="W1")
    assert workspace.mission(ready.id).agent_session_status == "PUSHING"
    assert workspace.mission(ready.id).list == "doing"
    assert workspace.claim(ready.id, session_id="S2", agent=AGENT, workstation_id="W1") == first
    with pytest.raises(AlreadyClaimed) as refused:
        workspace.claim(ready.id, session_id="S3", agent=AGENT, workstation_id="W2")
    assert refused.value.holder == "W1"
    assert len(workspace.sessions(ready.id)) == 1


def test_what_is_not_eligible_cannot_be_claimed(workspace: Workspace, mission: Mission) -> None:
    workspace.set_agents([AGENT])
    with pytest.raises(Conflict):
        workspace.claim(mission.id, session_id="S1", agent=AGENT, workstation_id="W1")
    assert workspace.sessions() == []


def test_slots_are_respected(workspace: Workspace, project: Project) -> None:
    workspace.set_agents([replace(AGENT, slots=1)])
    for title in ("a", "b"):
        workspace.set_ready(workspace.create_mission(project.id, MissionDraft(title=title)).id, True)
    start(workspace, "M-1")
    (waiting,) = workspace.queue()
    assert "slot" in (waiting.why_not or "")
    workspace.end_session("S1", "cancelled")
    assert [entry.why_not for entry in workspace.queue()] == [None]


def test_the_whole_way_from_ready_to_done(workspace: Workspace, ready: Mission, clock: Clock) -> None:
    for number, stage in enumerate(("clarify", "plan", "code")):
        session = start(workspace, ready.id, f"S{number}")
        assert session.stage == stage
        workspace.complete_stage(ready.id, f"{stage} done", "look at it", by=agent_of(session))
        mission = workspace.end_session(session.id, "completed")
        assert (mission.list, mission.review_status, mission.agent_session_status) == ("review", "pending", "INACTIVE")
        assert workspace.why_not(ready.id)
        assert [entry.kind for entry in workspace.waiting()] == ["review"]
        workspace.approve(ready.id)
        clock.forward(minutes=1)
    assert [mission.id for mission in workspace.landing_queue()] == [ready.id]
    workspace.landing_started(ready.id)
    done = workspace.landed(ready.id, "abc123")
    assert (done.list, done.landed_commit, done.landing_status) == ("done", "abc123", None)
    assert workspace.landing_queue() == [] and workspace.waiting() == []


def test_a_rejection_goes_back_with_the_feedback(workspace: Workspace, ready: Mission) -> None:
    session = start(workspace, ready.id)
    workspace.session_progress(session.id, conversation_id="conv-1")
    workspace.complete_stage(ready.id, "done", None, by=agent_of(session))
    workspace.end_session(session.id, "completed")
    with pytest.raises(InvalidValue):
        workspace.reject(ready.id, "  ")
    mission = workspace.reject(ready.id, "Name the trade-offs")
    assert (mission.list, mission.stage, mission.ready, mission.review_status) == ("doing", "clarify", True, "rejected")
    assert mission.last_code_agent_session_id == "conv-1"
    assert workspace.why_not(ready.id) is None


def test_an_agent_cannot_pass_a_persons_gate(workspace: Workspace, ready: Mission) -> None:
    session = start(workspace, ready.id)
    workspace.complete_stage(ready.id, "done", None, by=agent_of(session))
    for forbidden in (
        lambda: workspace.approve(ready.id, by=agent_of(session)),
        lambda: workspace.reject(ready.id, "no", by=agent_of(session)),
        lambda: workspace.complete_stage(ready.id, "again", None, by=agent_of(session)),
    ):
        with pytest.raises(NotAllowed):
            forbidden()
    assert workspace.mission(ready.id).review_status == "pending"


def test_an_agent_cannot_finish_another_mission(workspace: Workspace, project: Project, ready: Mission) -> None:
    session = start(workspace, ready.id)
    other = workspace.create_mission(project.id, MissionDraft(title="Other"))
    with pytest.raises(NotAllowed):
        workspace.complete_stage(other.id, "done", None, by=agent_of(session))
    assert workspace.mission(other.id) == other


def test_a_failure_backs_off_and_after_three_a_person_is_asked(
    workspace: Workspace, ready: Mission, clock: Clock
) -> None:
    for attempt in range(3):
        start(workspace, ready.id, f"S{attempt}")
        mission = workspace.end_session(f"S{attempt}", "failed", "it crashed")
        if attempt < 2:
            assert workspace.why_not(ready.id) and mission.attention is None
            clock.forward(minutes=10)
            assert workspace.why_not(ready.id) is None
    assert mission.attention and not mission.ready
    assert [entry.kind for entry in workspace.waiting()] == ["attention"]
    assert workspace.set_ready(ready.id, True).attention is None
    assert workspace.why_not(ready.id) is None


def test_a_limit_parks_the_mission_in_place(workspace: Workspace, ready: Mission, clock: Clock) -> None:
    start(workspace, ready.id)
    reset = clock.now.replace(hour=15)
    workspace.set_agent_limit("claude", reset)
    mission = workspace.end_session("S1", "rate_limited", "usage limit", reset_at=reset)
    assert (mission.list, mission.ready, mission.attempts) == ("doing", True, 0)
    assert workspace.why_not(ready.id)
    clock.forward(hours=3)
    assert workspace.why_not(ready.id) is None


def test_a_question_waits_for_its_answer(workspace: Workspace, ready: Mission) -> None:
    session = start(workspace, ready.id)
    workspace.ask_question(ready.id, "Which currency?", by=agent_of(session))
    workspace.end_session(session.id, "needs_input", question="Which currency?")
    assert [(entry.kind, entry.text) for entry in workspace.waiting()] == [("question", "Which currency?")]
    assert workspace.why_not(ready.id)
    mission = workspace.answer(ready.id, "Euro")
    assert mission.question is None and mission.answer == "Euro"
    assert workspace.why_not(ready.id) is None


def test_ending_a_session_twice_changes_nothing(workspace: Workspace, ready: Mission) -> None:
    start(workspace, ready.id)
    first = workspace.end_session("S1", "cancelled", "stopped")
    assert workspace.end_session("S1", "failed", "late news") == first
    assert workspace.session("S1").outcome == "cancelled"


def test_a_claim_that_never_started_is_released(workspace: Workspace, ready: Mission, clock: Clock) -> None:
    workspace.claim(ready.id, session_id="S1", agent=AGENT, workstation_id="W1")
    clock.forward(seconds=60)
    assert workspace.release_stale_claims() == []
    clock.forward(seconds=70)
    assert [mission.id for mission in workspace.release_stale_claims()] == [ready.id]
    assert workspace.session("S1").phase == "ended"
    assert workspace.why_not(ready.id) is None


def test_a_token_belongs_to_its_live_session(workspace: Workspace, ready: Mission) -> None:
    start(workspace, ready.id)
    workspace.set_session_token("S1", "ab" * 32)
    found = workspace.session_for_token("ab" * 32)
    assert found is not None and found.id == "S1"
    workspace.session_progress("S1", activity="thinking")
    assert workspace.session_for_token("ab" * 32) is not None, "progress keeps the token"
    workspace.end_session("S1", "cancelled")
    assert workspace.session_for_token("ab" * 32) is None


def test_a_blocked_mission_becomes_eligible_when_its_blocker_is_done(
    workspace: Workspace, project: Project, ready: Mission
) -> None:
    blocked = workspace.create_mission(project.id, MissionDraft(title="Blocked"))
    workspace.set_ready(blocked.id, True)
    workspace.link(ready.id, blocked.id)
    assert "M-1" in (workspace.why_not(blocked.id) or "")
    workspace.move_mission(ready.id, "done")
    assert workspace.why_not(blocked.id) is None


def test_a_conflicted_landing_goes_back_with_its_files(workspace: Workspace, ready: Mission) -> None:
    workspace.edit_mission(ready.id, {"flow_id": "Direct"})
    session = start(workspace, ready.id)
    workspace.complete_stage(ready.id, "done", None, by=agent_of(session))
    workspace.end_session(session.id, "completed")
    assert [mission.id for mission in workspace.landing_queue()] == [ready.id]
    mission = workspace.landing_conflicted(ready.id, ["src/pay.py"])
    assert mission.list == "doing" and mission.ready and "src/pay.py" in (mission.landing_error or "")
    assert workspace.landing_queue() == []


def test_conflict_after_conflict_without_a_persons_look_waits_for_one(workspace: Workspace, ready: Mission) -> None:
    workspace.edit_mission(ready.id, {"flow_id": "Direct"})
    for number in (1, 2, 3):
        session = start(workspace, ready.id, f"S{number}")
        workspace.complete_stage(ready.id, "done", None, by=agent_of(session))
        workspace.end_session(session.id, "completed")
        mission = workspace.landing_conflicted(ready.id, ["src/pay.py"])
        assert mission.ready is (number < 3)
    assert "3 times in a row" in (mission.attention or "")
    workspace.set_ready(ready.id, True)
    session = start(workspace, ready.id, "S4")
    workspace.complete_stage(ready.id, "done", None, by=agent_of(session))
    workspace.end_session(session.id, "completed")
    assert workspace.landing_conflicted(ready.id, ["src/pay.py"]).ready, "a person had a look"


def test_a_loop_mission_runs_as_often_as_its_schedule_allows(
    workspace: Workspace, project: Project, clock: Clock
) -> None:
    from solo_unicorn.missions.entities import LoopSchedule

    workspace.set_agents([AGENT])
    mission = workspace.create_mission(
        project.id,
        MissionDraft(title="Update", is_loop=True, flow_id="Direct", loop_schedule=LoopSchedule(max_per_day=1)),
    )
    workspace.set_ready(mission.id, True)
    session = start(workspace, mission.id)
    workspace.complete_stage(mission.id, "done", None, by=agent_of(session))
    workspace.end_session(session.id, "completed")
    again = workspace.landed(mission.id, None)
    assert (again.list, again.stage, again.ready) == ("loop", "code", True)
    assert workspace.why_not(mission.id)
    clock.forward(days=1, minutes=1)
    assert workspace.why_not(mission.id) is None
    assert workspace.next_dispatch_at() is None


def test_the_next_time_to_look_again_is_known(workspace: Workspace, ready: Mission, clock: Clock) -> None:
    assert workspace.next_dispatch_at() is None
    start(workspace, ready.id)
    workspace.end_session("S1", "failed", "it crashed")
    at = workspace.next_dispatch_at()
    assert at is not None and at > clock.now
    assert workspace.why_not(ready.id)
    clock.now = at
    assert workspace.why_not(ready.id) is None


def test_a_claim_that_is_given_back_costs_no_attempt(workspace: Workspace, ready: Mission) -> None:
    workspace.claim(ready.id, session_id="S1", agent=AGENT, workstation_id="W1")
    assert workspace.renew_claim("S1")
    mission = workspace.release_claim("S1", "the worktree is busy")
    assert (mission.agent_session_status, mission.attempts, mission.ready) == ("INACTIVE", 0, True)
    assert not workspace.renew_claim("S1")


def test_requests_stay_until_they_are_finished(workspace: Workspace, ready: Mission) -> None:
    workspace.request("stop_session", mission=ready.id, session="S1", payload={"why": "enough"})
    (request,) = workspace.requests()
    assert (request.kind, request.mission_id, request.payload) == ("stop_session", ready.id, {"why": "enough"})
    assert workspace.requests() == [request] and workspace.requests(after=request.id) == []
    workspace.finish_request(request.id)
    assert workspace.requests() == []


def test_what_the_machine_notes_down_makes_no_version_old(workspace: Workspace, ready: Mission) -> None:
    session = start(workspace, ready.id)
    seen = workspace.mission(ready.id).version
    workspace.session_progress(session.id, conversation_id="conv-1")
    workspace.set_mission_worktree(ready.id, "/w", "solo-unicorn/mission-1-x")
    after = workspace.edit_mission(ready.id, {"spec": "As agreed"}, expected_version=seen, by=agent_of(session))
    assert (after.spec, after.version, after.last_code_agent_session_id) == ("As agreed", seen + 1, "conv-1")


@pytest.mark.parametrize("unasked", [True, False])
def test_a_card_says_that_its_agent_asks_nobody_while_it_runs(
    workspace: Workspace, mission: Mission, unasked: bool
) -> None:
    workspace.set_agents([AGENT])
    workspace.set_ready(mission.id, True)
    session = workspace.claim(mission.id, session_id="S1", agent=AGENT, workstation_id="here")
    workspace.session_started(session.id, host_pid=1, worktree_path="/w", branch="b", base_commit="c", unasked=unasked)
    assert workspace.session(session.id).unasked is unasked
    assert [card.unasked for card in workspace.cards_by_id([mission.id])] == [unasked]
    workspace.end_session(session.id, "completed", "")
    assert [card.unasked for card in workspace.cards_by_id([mission.id])] == [False]
