"""A person moves a mission on the board (domain.md, Board)."""

from __future__ import annotations

from datetime import datetime

from ..entities import LISTS, Flow, ListName, Mission
from ..errors import Conflict, InvalidValue
from ..ids import short_id
from ..records import replace


def move(mission: Mission, to: ListName, list_order: float, *, flow: Flow, now: datetime) -> Mission:
    """The mission at another place; raises Conflict while an agent works on it or it is being landed.

    To `review` asks for a person's review of the current stage, away from it withdraws the request. To `loop` makes
    it a loop mission, away from there to `todo` or `done` an ordinary one again. To `done` closes it, away from
    there reopens it at the stage where it was.
    """
    if to not in LISTS:
        raise InvalidValue("list", f"{to!r} is not a valid list", todo=f"use one of {', '.join(LISTS)}")
    if to == mission.list:
        return replace(mission, list_order=list_order, updated_at=now)
    _check_free(mission)
    moved = _left(mission, to, now)
    match to:
        case "review":
            moved = to_review(moved, now)
        case "done":
            moved = closed(moved)
        case "loop":
            moved = replace(moved, is_loop=True)
    return replace(moved, list=to, list_order=list_order, updated_at=now)


def _check_free(mission: Mission) -> None:
    name = short_id(mission.number)
    if mission.agent_session_status != "INACTIVE":
        raise Conflict(f"{name} is running", why="its agent is still running", todo="stop it first, then move it")
    if mission.landing_status == "landing":
        raise Conflict(f"{name} is being landed", todo="wait until that is done, then move it")


def _left(mission: Mission, to: ListName, now: datetime) -> Mission:
    """The mission without what only holds in the list it leaves."""
    moved = replace(mission, landing_status=None, landing_error=None)
    match mission.list:
        case "review" if mission.review_status == "pending":
            return replace(moved, review_status=None, review_requested_at=None)
        case "loop" if to in ("todo", "done"):
            return replace(moved, is_loop=False)
        case "done":
            return _reopened(moved)
        case _:
            return moved


def _reopened(mission: Mission) -> Mission:
    """Out of done: what was landed stays, so a pull request that brought it is over."""
    if mission.landed_commit is None:
        return replace(mission, review_status=None, review_requested_at=None)
    return replace(
        mission,
        landed_commit=None,
        pr_created=False,
        github_pr_number=None,
        github_pr_url=None,
        pull_request=None,
        review_status=None,
        review_requested_at=None,
    )


def to_review(mission: Mission, now: datetime) -> Mission:
    """The mission waiting for a person's review and nothing else; the last feedback stays to be compared with."""
    return replace(
        mission,
        list="review",
        review_status="pending",
        review_requested_at=now,
        review_completed_at=None,
        reviewed_by_user_id=None,
        attention=None,
        question=None,
        attempts=0,
        limit_hits=0,
        retry_at=None,
    )


def closed(mission: Mission) -> Mission:
    """The mission with nothing left to wait for, as it is in done."""
    return replace(
        mission,
        ready=False,
        attention=None,
        question=None,
        answer=None,
        attempts=0,
        limit_hits=0,
        retry_at=None,
        review_status=None if mission.review_status == "pending" else mission.review_status,
        review_requested_at=None if mission.review_status == "pending" else mission.review_requested_at,
        landing_status=None,
        landing_error=None,
    )
