"""Claiming, running and the eight outcomes (domain.md, Running)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solo_unicorn.missions.entities import OUTCOMES, Outcome, Session
from solo_unicorn.missions.errors import AlreadyClaimed, Conflict, InvalidValue
from solo_unicorn.missions.rules.sessions import RetryPolicy, claim, conversation, ended, released, stale_push, started

POLICY = RetryPolicy()


def end(make: Any, mission: Any, outcome: Outcome, reason: str = "", at: datetime | None = None, **how: Any) -> Any:
    return ended(mission, outcome, reason, now=at or make.later, policy=POLICY, **how)


# ---- claiming ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("list_name", ["todo", "doing", "loop"])
def test_a_claim_moves_the_mission_to_doing(make: Any, list_name: str) -> None:
    mission = claim(make.mission(list=list_name, ready=True), "s1", make.later)
    assert (mission.list, mission.agent_session_status, mission.session_id) == ("doing", "PUSHING", "s1")
    assert mission.agent_session_status_changed_at == make.later


def test_the_second_claimant_is_told_who_has_it(make: Any) -> None:
    mission = claim(make.mission(ready=True), "s1", make.now)
    with pytest.raises(AlreadyClaimed) as caught:
        claim(mission, "s2", make.later)
    assert caught.value.holder == "s1"


def test_claiming_again_is_a_success_that_changes_nothing(make: Any) -> None:
    mission = claim(make.mission(ready=True), "s1", make.now)
    assert claim(mission, "s1", make.later) is mission
    running = started(mission, make.later)
    assert claim(running, "s1", make.later) is running


@pytest.mark.parametrize("list_name", ["review", "done"])
def test_nobody_claims_what_waits_for_a_person_or_is_done(make: Any, list_name: str) -> None:
    with pytest.raises(Conflict):
        claim(make.mission(list=list_name), "s1", make.later)


@pytest.mark.parametrize("status", ["queued", "landing"])
def test_nobody_claims_what_is_about_to_be_landed(make: Any, status: str) -> None:
    with pytest.raises(Conflict, match="about to be landed"):
        claim(make.mission(list="doing", landing_status=status), "s1", make.later)


def test_a_claim_takes_the_feedback_along_and_what_asked_for_attention_away(make: Any) -> None:
    mission = make.mission(
        attention="claude is signed out", retry_at=make.now, review_status="rejected", review_feedback="no"
    )
    claimed = claim(mission, "s1", make.later)
    assert (claimed.attention, claimed.retry_at, claimed.review_feedback) == (None, None, "no")


# ---- running -----------------------------------------------------------------------------------------------------


def test_started_is_active_and_starting_twice_is_the_same(make: Any) -> None:
    running = started(claim(make.mission(), "s1", make.now), make.later)
    assert (running.agent_session_status, running.agent_session_status_changed_at) == ("ACTIVE", make.later)
    assert started(running, make.later + timedelta(hours=1)) is running


def test_an_agent_whose_claim_was_given_back_does_not_start(make: Any) -> None:
    with pytest.raises(Conflict, match="no longer claimed"):
        started(released(claim(make.mission(), "s1", make.now), make.later), make.later)


def test_a_claim_without_a_session_for_more_than_two_minutes_is_stale(make: Any) -> None:
    mission = claim(make.mission(ready=True), "s1", make.now)
    assert not stale_push(mission, make.now + timedelta(seconds=119))
    assert stale_push(mission, make.now + timedelta(seconds=121))
    assert not stale_push(started(mission, make.now), make.now + timedelta(hours=1))
    assert stale_push(mission, make.now - timedelta(days=1)), "the clock was set back, and says nothing of its age"
    free = released(mission, make.later)
    assert (free.agent_session_status, free.ready, free.attempts) == ("INACTIVE", True, 0)


def test_a_conversation_is_kept_with_its_agent_for_its_own_stage_only(make: Any) -> None:
    session = Session("s1", "m42", "p", "w", "claude", "claude-2", "clarify", make.now)
    known = conversation(make.running(), session, "c1", make.later)
    assert (known.last_code_agent_session_id, known.last_code_agent_name) == ("c1", "claude-2")
    assert conversation(known, session, "c1", make.later) is known
    for elsewhere in (make.running(session_id="s2"), make.running(stage="plan")):
        assert conversation(elsewhere, session, "c1", make.later) is elsewhere


# ---- outcomes ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_every_outcome_ends_the_session_once(make: Any, outcome: Outcome) -> None:
    after = end(make, make.running(), outcome)
    assert (after.agent_session_status, after.agent_session_status_changed_at) == ("INACTIVE", make.later)
    assert after.session_id == "s1"
    with pytest.raises(Conflict, match="no running session"):
        end(make, after, outcome)


def test_there_is_no_ninth_outcome(make: Any) -> None:
    with pytest.raises(InvalidValue):
        end(make, make.running(), "fine")  # type: ignore[arg-type]


@pytest.mark.parametrize("outcome", [one for one in OUTCOMES if one != "cancelled"])
def test_a_finished_stage_is_success_whatever_came_after_it(make: Any, outcome: Outcome) -> None:
    mission = make.running()
    after = end(make, mission, outcome, "killed after its result", stage_finished=True)
    assert after == released(mission, make.later)


def test_completed_without_finishing_the_stage_is_a_failed_attempt(make: Any) -> None:
    after = end(make, make.running(), "completed")
    assert (after.attempts, after.retry_at) == (1, make.later + timedelta(seconds=10))
    last = end(make, make.running(attempts=2), "completed")
    assert last.attention == "Failed 3 times: ended without finishing its stage"


@pytest.mark.parametrize("outcome", ["failed", "timeout"])
def test_three_attempts_with_growing_pauses_then_a_person(make: Any, outcome: Outcome) -> None:
    mission, pauses = make.running(last_code_agent_session_id="c"), []
    for _ in range(2):
        after = end(make, mission, outcome, "tests broke")
        assert (after.ready, after.attention, after.list) == (True, None, "doing")
        pauses.append(after.retry_at - make.later)
        mission = started(claim(after, "s1", make.later), make.later)
    assert pauses == [timedelta(seconds=10), timedelta(seconds=20)]
    last = end(make, mission, outcome, "tests broke")
    assert (last.ready, last.retry_at, last.attention) == (False, None, "Failed 3 times: tests broke")
    assert last.last_code_agent_session_id == "c"


@given(st.integers(1, 10_000))
def test_pauses_double_up_to_five_minutes(attempts: int) -> None:
    pause = POLICY.after_failure(attempts)
    assert pause == min(timedelta(minutes=5), timedelta(seconds=10 * 2 ** min(attempts - 1, 20)))
    assert POLICY.after_failure(attempts + 1) >= pause


def test_a_limit_parks_until_its_reset_counts_no_attempt_and_keeps_the_place(make: Any) -> None:
    mission = make.running(attempts=1, last_code_agent_session_id="c", list_order=5.0)
    reset = make.later + timedelta(hours=9)
    after = end(make, mission, "rate_limited", reset_at=reset)
    assert (after.retry_at, after.attempts, after.ready, after.attention) == (reset, 1, True, None)
    assert (after.list, after.list_order, after.last_code_agent_session_id) == ("doing", 5.0, "c")


@pytest.mark.parametrize("reset", [None, timedelta(0), timedelta(hours=-1)])
def test_a_limit_without_a_reset_time_backs_off_longer_each_time(make: Any, reset: timedelta | None) -> None:
    mission, pauses = make.running(), []
    for _ in range(9):
        after = end(make, mission, "rate_limited", reset_at=None if reset is None else make.later + reset)
        pauses.append((after.retry_at - make.later) / timedelta(minutes=1))
        assert (after.ready, after.attempts) == (True, 0)
        mission = started(claim(after, "s1", make.later), make.later)
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_signed_out_says_so_and_stays_ready_for_when_the_agent_is_back(make: Any) -> None:
    after = end(make, make.running(), "auth_failed", "claude is signed out")
    assert (after.ready, after.retry_at, after.attempts) == (True, None, 0)
    assert after.attention == "claude is signed out"
    assert "signed out" in end(make, make.running(), "auth_failed").attention


def test_a_question_waits_for_its_answer(make: Any) -> None:
    after = end(make, make.running(answer="old"), "needs_input", question="Which database?")
    assert (after.question, after.attention, after.answer) == ("Which database?", "Asks: Which database?", None)
    assert (after.retry_at, after.attempts) == (None, 0)
    assert end(make, make.running(), "needs_input", "stopped to ask").question == "stopped to ask"


@pytest.mark.parametrize("outcome", ["completed", "needs_input", "failed", "timeout"])
def test_a_question_asked_through_the_tool_is_no_failure(make: Any, outcome: Outcome) -> None:
    after = end(make, make.running(question="Which database?"), outcome)
    assert (after.question, after.attempts) == ("Which database?", 0)


def test_an_answer_that_came_before_the_session_ended_goes_to_the_next_one(make: Any) -> None:
    after = end(make, make.running(answer="sqlite", asked="Which database?"), "needs_input")
    assert (after.question, after.answer, after.attention, after.ready) == (None, "sqlite", None, True)


def test_an_agent_without_a_chance_is_no_attempt_and_a_person_is_asked(make: Any) -> None:
    after = end(make, make.running(attempts=1), "failed", "it could not reach the tools", counts=False)
    assert (after.attempts, after.ready, after.retry_at) == (1, False, None)
    assert after.attention == "It could not reach the tools"
    later = make.now + timedelta(seconds=10)
    again = end(make, make.running(attempts=1), "failed", "could not be started", counts=False, reset_at=later)
    assert (again.attempts, again.ready, again.retry_at, again.attention) == (1, True, later, None)


def test_a_conversation_that_is_gone_is_begun_anew_at_once_and_is_no_attempt(make: Any) -> None:
    after = end(make, make.running(attempts=1), "failed", "it does not know the conversation any more", resume=True)
    assert (after.attempts, after.ready, after.retry_at, after.attention) == (1, True, None, None)


def test_cancelled_waits_until_a_person_makes_it_ready_again(make: Any) -> None:
    after = end(make, make.running(attempts=1), "cancelled")
    assert (after.ready, after.attention, after.attempts, after.retry_at) == (False, None, 1, None)
    finished = end(make, make.pending(agent_session_status="ACTIVE"), "cancelled", stage_finished=True)
    assert finished.ready
    next_stage = end(make, make.running(), "cancelled", stage_finished=True)
    assert not next_stage.ready


def test_unknown_is_shown_and_never_rounded_up(make: Any) -> None:
    after = end(make, make.running(), "unknown", "the machine restarted")
    assert (after.ready, after.attention) == (False, "Outcome unknown: the machine restarted")
    assert after.list == "doing"
    resumed = end(make, make.running(), "unknown", "the machine restarted", resume=True)
    assert (resumed.ready, resumed.attention) == (True, "Outcome unknown: the machine restarted")


def test_a_session_that_ends_during_its_review_changes_nothing_there(make: Any) -> None:
    mission = make.pending(agent_session_status="ACTIVE")
    after = end(make, mission, "failed", "killed")
    assert after == replace(
        mission, agent_session_status="INACTIVE", agent_session_status_changed_at=make.later, updated_at=make.later
    )
