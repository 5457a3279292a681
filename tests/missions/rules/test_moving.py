"""A person moves a mission on the board (domain.md, Board; and what each list means)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from solo_unicorn.missions.entities import LISTS, ListName
from solo_unicorn.missions.errors import Conflict, InvalidValue
from solo_unicorn.missions.rules.moving import move


@pytest.mark.parametrize("to", LISTS)
@pytest.mark.parametrize("start", LISTS)
def test_a_mission_at_rest_moves_anywhere(make: Any, start: ListName, to: ListName) -> None:
    mission = move(make.mission(ready=True), start, 5.0, flow=make.standard, now=make.now)
    moved = move(mission, to, 7.0, flow=make.standard, now=make.later)
    assert (moved.list, moved.list_order, moved.updated_at) == (to, 7.0, make.later)
    assert (moved.review_status == "pending") == (to == "review")
    assert to != "loop" or moved.is_loop
    assert to != "done" or not moved.ready


def test_reordering_within_a_list_changes_nothing_else_even_while_running(make: Any) -> None:
    mission = make.running()
    moved = move(mission, "doing", 9.0, flow=make.standard, now=make.later)
    assert moved == replace(mission, list_order=9.0, updated_at=make.later)


@pytest.mark.parametrize("status", ["PUSHING", "ACTIVE"])
@pytest.mark.parametrize("to", ["todo", "review", "done", "loop"])
def test_a_running_mission_stays_in_doing(make: Any, status: str, to: ListName) -> None:
    with pytest.raises(Conflict, match="M-42 is running.*Stop it first"):
        move(make.running(agent_session_status=status), to, 1.0, flow=make.standard, now=make.later)


def test_a_mission_that_is_being_landed_stays(make: Any) -> None:
    with pytest.raises(Conflict, match="being landed"):
        move(make.mission(list="doing", landing_status="landing"), "todo", 1.0, flow=make.standard, now=make.later)


def test_moving_to_review_asks_for_one_and_moving_away_withdraws_it(make: Any) -> None:
    asked = move(make.mission(), "review", 1.0, flow=make.standard, now=make.later)
    assert (asked.review_status, asked.review_requested_at) == ("pending", make.later)
    withdrawn = move(asked, "todo", 1.0, flow=make.standard, now=make.later)
    assert (withdrawn.review_status, withdrawn.review_requested_at) == (None, None)


def test_a_decided_review_is_remembered_on_the_way(make: Any) -> None:
    mission = make.mission(list="doing", review_status="rejected", review_feedback="no", reviewed_by_user_id="u")
    moved = move(mission, "todo", 1.0, flow=make.standard, now=make.later)
    assert (moved.review_status, moved.review_feedback, moved.reviewed_by_user_id) == ("rejected", "no", "u")


def test_done_by_hand_leaves_nothing_to_wait_for(make: Any) -> None:
    mission = make.mission(
        list="doing",
        ready=True,
        attention="Failed",
        question="Which?",
        retry_at=make.later,
        attempts=3,
        landing_status="failed",
        landing_error="x",
    )
    done = move(mission, "done", 1.0, flow=make.standard, now=make.later)
    assert (done.ready, done.attention, done.question, done.retry_at, done.attempts) == (False, None, None, None, 0)
    assert (done.landing_status, done.landing_error) == (None, None)


def test_out_of_done_it_is_open_again_and_what_landed_is_behind_it(make: Any) -> None:
    mission = make.mission(
        list="done", stage="code", landed_commit="abc", pr_created=True, github_pr_number=7, review_status="approved"
    )
    opened = move(mission, "todo", 1.0, flow=make.standard, now=make.later)
    assert (opened.landed_commit, opened.pr_created, opened.github_pr_number) == (None, False, None)
    assert (opened.stage, opened.review_status, opened.ready) == ("code", None, False)


def test_an_open_pull_request_survives_a_mission_closed_by_mistake(make: Any) -> None:
    mission = make.mission(list="doing", pr_created=True, github_pr_number=7)
    done = move(mission, "done", 1.0, flow=make.standard, now=make.later)
    assert move(done, "doing", 1.0, flow=make.standard, now=make.later).github_pr_number == 7


def test_a_queued_landing_is_withdrawn_by_moving_away(make: Any) -> None:
    mission = make.mission(list="doing", landing_status="queued")
    assert move(mission, "todo", 1.0, flow=make.standard, now=make.later).landing_status is None


@pytest.mark.parametrize(("to", "still"), [("todo", False), ("done", False), ("doing", True), ("review", True)])
def test_a_loop_ends_when_it_is_taken_out_of_loop(make: Any, to: ListName, still: bool) -> None:
    assert move(make.mission(list="loop", is_loop=True), to, 1.0, flow=make.standard, now=make.later).is_loop == still


def test_an_unknown_list_is_refused(make: Any) -> None:
    with pytest.raises(InvalidValue):
        move(make.mission(), "backlog", 1.0, flow=make.standard, now=make.later)  # type: ignore[arg-type]
