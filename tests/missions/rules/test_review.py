"""Finishing a stage, approving, rejecting, asking and answering (domain.md, Finishing a stage)."""

from __future__ import annotations

from typing import Any

import pytest

from solo_unicorn.missions.entities import FlowConfig, StageConfig
from solo_unicorn.missions.errors import Conflict, InvalidValue
from solo_unicorn.missions.rules.review import answer, approve, ask, complete_stage, reject, request_review


def finish(make: Any, mission: Any, flow: Any = None, summary: str = "did it", to_check: str | None = "x") -> Any:
    return complete_stage(mission, flow or make.standard, summary=summary, to_check=to_check, now=make.later)


def test_a_stage_that_requires_review_waits_in_review(make: Any) -> None:
    after = finish(make, make.running(), summary=" Wrote the spec \n", to_check=" the edge cases ")
    assert (after.list, after.stage, after.review_status) == ("review", "clarify", "pending")
    assert (after.review_requested_at, after.review_completed_at, after.reviewed_by_user_id) == (make.later, None, None)
    assert (after.stage_summary, after.to_check) == ("Wrote the spec", "the edge cases")
    assert after.agent_session_status == "ACTIVE"


def test_a_stage_without_review_goes_on_in_doing(make: Any) -> None:
    after = finish(make, make.running(make.flows["Research"], last_code_agent_session_id="c"), make.flows["Research"])
    assert (after.list, after.stage, after.current_flow_task, after.requires_review) == ("doing", "research", 1, True)
    assert (after.review_status, after.last_code_agent_session_id, after.ready) == (None, None, True)


def test_after_the_last_stage_it_waits_to_be_landed(make: Any) -> None:
    after = finish(make, make.running(make.direct), make.direct)
    assert (after.list, after.stage, after.landing_status) == ("doing", "code", "queued")


def test_the_missions_own_rules_decide(make: Any) -> None:
    config = FlowConfig({"clarify": StageConfig(require_review=False), "plan": StageConfig(enabled=False)})
    after = finish(make, make.running(flow_config=config))
    assert (after.list, after.stage, after.requires_review) == ("doing", "code", True)


def test_a_review_may_be_requested_where_none_is_required(make: Any) -> None:
    after = request_review(make.running(make.direct), make.direct, summary="unsure", to_check=None, now=make.later)
    assert (after.list, after.review_status, after.to_check) == ("review", "pending", None)
    assert approve(after, make.direct, reviewer="u", now=make.later).landing_status == "queued"


def test_finishing_ends_what_the_stage_struggled_with(make: Any) -> None:
    mission = make.running(
        attempts=2,
        retry_at=make.now,
        attention="x",
        question="q",
        answer="a",
        asked="q",
        landing_status="failed",
        landing_error="conflicts",
        limit_hits=3,
    )
    after = finish(make, mission)
    assert (after.attempts, after.retry_at, after.attention, after.limit_hits) == (0, None, None, 0)
    assert (after.question, after.answer, after.asked, after.landing_status, after.landing_error) == (None,) * 5


def test_a_stage_is_finished_once(make: Any) -> None:
    for mission in (
        finish(make, make.running()),
        make.mission(list="done"),
        make.mission(list="doing", landing_status="queued"),
        make.mission(list="doing", landing_status="landing"),
    ):
        with pytest.raises(Conflict, match="already finished"):
            finish(make, mission)
        with pytest.raises(Conflict, match="already finished"):
            request_review(mission, make.standard, summary="again", to_check=None, now=make.later)


@pytest.mark.parametrize("summary", ["", " \n\t"])
def test_a_stage_is_finished_with_a_summary(make: Any, summary: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        finish(make, make.running(), summary=summary)
    assert caught.value.field == "summary"


def test_approving_goes_on_with_reviewer_and_time_kept(make: Any) -> None:
    after = approve(make.pending(last_code_agent_session_id="c"), make.standard, reviewer="ann", now=make.later)
    assert (after.list, after.stage, after.review_status) == ("doing", "plan", "approved")
    assert (after.reviewed_by_user_id, after.review_completed_at) == ("ann", make.later)
    assert (after.ready, after.to_check, after.last_code_agent_session_id) == (True, None, None)


def test_approving_the_last_stage_queues_the_landing(make: Any) -> None:
    quick = make.flows["Quick fix"]
    after = approve(make.pending(quick), quick, reviewer="ann", now=make.later)
    assert (after.list, after.stage, after.landing_status, after.review_status) == (
        "doing",
        "code",
        "queued",
        "approved",
    )


def test_approving_does_not_start_what_was_not_ready(make: Any) -> None:
    assert not approve(make.pending(ready=False), make.standard, reviewer="ann", now=make.later).ready


def test_rejecting_goes_back_to_the_same_stage_and_conversation(make: Any) -> None:
    mission = make.pending(ready=False, last_code_agent_session_id="c", last_code_agent_name="claude")
    after = reject(mission, feedback=" Name it better \n", reviewer="ann", now=make.later)
    assert (after.list, after.stage, after.ready, after.review_status) == ("doing", "clarify", True, "rejected")
    assert (after.review_feedback, after.reviewed_by_user_id) == ("Name it better", "ann")
    assert (after.last_code_agent_session_id, after.review_completed_at) == ("c", make.later)
    again = finish(make, after)
    assert (again.review_status, again.review_feedback, again.review_completed_at) == (
        "pending",
        "Name it better",
        None,
    )


@pytest.mark.parametrize("feedback", ["", "  \n"])
def test_rejecting_needs_feedback(make: Any, feedback: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        reject(make.pending(), feedback=feedback, reviewer="ann", now=make.later)
    assert caught.value.field == "reviewFeedback"


@pytest.mark.parametrize("list_name", ["todo", "doing", "done", "loop"])
def test_only_a_pending_review_is_decided(make: Any, list_name: str) -> None:
    mission = make.mission(list=list_name)
    with pytest.raises(Conflict, match="does not wait for a review"):
        approve(mission, make.standard, reviewer="ann", now=make.later)
    with pytest.raises(Conflict, match="does not wait for a review"):
        reject(mission, feedback="no", reviewer="ann", now=make.later)


def test_a_review_is_decided_once(make: Any) -> None:
    rejected = reject(make.pending(), feedback="no", reviewer="ann", now=make.later)
    with pytest.raises(Conflict, match="is in doing, rejected"):
        approve(rejected, make.standard, reviewer="bob", now=make.later)


def test_a_question_is_asked_and_answered(make: Any) -> None:
    asking = ask(make.running(), " Which database? ", now=make.later)
    assert (asking.question, asking.attention) == ("Which database?", "Asks: Which database?")
    answered = answer(asking, " sqlite ", make.later)
    assert (answered.question, answered.asked, answered.answer) == (None, "Which database?", "sqlite")
    assert (answered.attention, answered.ready, answered.retry_at) == (None, True, None)
    again = ask(answered, "Which version?", now=make.later)
    assert (again.question, again.asked, again.answer) == ("Which version?", None, None)


def test_answering_makes_ready(make: Any) -> None:
    assert answer(make.mission(question="Which?", ready=False), "that", make.later).ready


def test_blank_questions_and_answers_are_refused(make: Any) -> None:
    with pytest.raises(InvalidValue):
        ask(make.running(), " ", now=make.later)
    with pytest.raises(InvalidValue):
        answer(make.running(question="Which?"), " ", make.later)


def test_there_is_nothing_to_ask_once_finished_and_nothing_to_answer_unasked(make: Any) -> None:
    with pytest.raises(Conflict):
        ask(make.pending(), "Which?", now=make.later)
    with pytest.raises(Conflict, match="has no open question"):
        answer(make.running(), "that", make.later)
