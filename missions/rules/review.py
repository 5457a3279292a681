"""Finishing a stage, and what a person says to it: approve, reject, answer (domain.md, Finishing a stage)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from ..entities import Flow, Mission
from ..errors import Conflict, InvalidValue
from ..ids import short_id
from ..limits import TEXT_MAX
from .flows import at_stage, next_stage, stage_of
from .moving import to_review


def complete_stage(mission: Mission, flow: Flow, *, summary: str, to_check: str | None, now: datetime) -> Mission:
    """The mission after its stage was finished: in review where the stage requires it, else at the next stage,
    after the last one waiting to be landed. Raises Conflict when it was finished already, InvalidValue without summary.
    """
    finished = _finished(mission, summary, to_check, now)
    if stage_of(flow, mission.flow_config, mission.stage).require_review:
        return to_review(finished, now)
    return _advanced(finished, flow)


def request_review(mission: Mission, flow: Flow, *, summary: str, to_check: str | None, now: datetime) -> Mission:
    """The mission in review after its stage was finished, also where the flow requires no review."""
    stage_of(flow, mission.flow_config, mission.stage)
    return to_review(_finished(mission, summary, to_check, now), now)


def approve(mission: Mission, flow: Flow, *, reviewer: str, now: datetime) -> Mission:
    """The mission approved: at the next stage, or after the last waiting to be landed. Conflict without a review."""
    _check_pending(mission)
    approved = replace(
        mission,
        review_status="approved",
        review_feedback=None,
        review_completed_at=now,
        reviewed_by_user_id=reviewer,
        to_check=None,
        attention=None,
        updated_at=now,
    )
    return _advanced(approved, flow)


def reject(mission: Mission, *, feedback: str, reviewer: str, now: datetime) -> Mission:
    """The mission back in doing at the same stage, ready, with the feedback for its conversation.

    Raises InvalidValue when the feedback is blank, Conflict without a review.
    """
    _check_pending(mission)
    return replace(
        mission,
        list="doing",
        ready=True,
        review_status="rejected",
        review_feedback=_said("reviewFeedback", feedback, "Say what to change"),
        review_completed_at=now,
        reviewed_by_user_id=reviewer,
        attention=None,
        updated_at=now,
    )


def ask(mission: Mission, question: str, *, now: datetime, client: str = "") -> Mission:
    """The mission with an agent's question to a person; it waits for the answer.

    `client`: the person's own client that asks, which may not take the place of a question that is open (Conflict).
    """
    asked = _said("question", question, "Write the question")
    if client and mission.question is not None and (mission.question, mission.asked_by) != (asked, client):
        raise Conflict(
            f"{short_id(mission.number)} is already asking: {mission.question}",
            todo="wait for that answer, or ask in your reply",
        )
    if mission.list in ("review", "done"):
        raise Conflict(f"{short_id(mission.number)} is in {mission.list}", why="its stage is finished")
    if mission.landing_status in ("queued", "landing", "pull_request"):
        raise Conflict(f"{short_id(mission.number)} is about to be landed", why="its last stage is finished")
    return replace(
        mission, question=asked, asked_by=client, attention=f"Asks: {asked}", asked=None, answer=None, updated_at=now
    )


def answer(mission: Mission, text: str, now: datetime) -> Mission:
    """The mission with a person's answer. Conflict without a question.

    A run's conversation goes on with it: the mission is ready. What a client asked starts no run.
    """
    if mission.question is None:
        raise Conflict(f"{short_id(mission.number)} has no open question", why="it has asked none, or was answered")
    return replace(
        mission,
        answer=_said("answer", text, "Write an answer"),
        asked=mission.question,
        question=None,
        attention=None,
        retry_at=mission.retry_at if mission.asked_by else None,
        ready=mission.ready if mission.asked_by else True,
        updated_at=now,
    )


def _finished(mission: Mission, summary: str, to_check: str | None, now: datetime) -> Mission:
    """The mission with its stage done: what it struggled with there is over."""
    name = short_id(mission.number)
    if mission.list in ("review", "done"):
        why = "it waits for a person's review" if mission.review_status == "pending" else f"it is in {mission.list}"
        raise Conflict(f"The stage {mission.stage} of {name} is already finished", why=why, todo="end your turn")
    if mission.landing_status in ("queued", "landing", "pull_request"):
        raise Conflict(f"The last stage of {name} is already finished", why="it is about to be landed")
    said = _said("summary", summary, "Say in a few sentences what was done")
    return replace(
        mission,
        list="doing",
        stage_summary=said,
        to_check=(to_check or "").strip() or None,
        attempts=0,
        limit_hits=0,
        retry_at=None,
        attention=None,
        question=None,
        asked=None,
        answer=None,
        landing_status=None,
        landing_error=None,
        updated_at=now,
    )


def _advanced(mission: Mission, flow: Flow) -> Mission:
    following = next_stage(flow, mission.flow_config, mission.stage)
    if following is None:
        return replace(mission, list="doing", landing_status="queued", landing_error=None)
    return replace(at_stage(mission, flow, following.stage), list="doing")


def _check_pending(mission: Mission) -> None:
    if mission.list != "review" or mission.review_status != "pending":
        raise Conflict(
            f"{short_id(mission.number)} does not wait for a review",
            why=f"it is in {mission.list}" + (f", {mission.review_status}" if mission.review_status else ""),
        )


def _said(field: str, text: str, todo: str) -> str:
    """Text that says something."""
    said = text.strip()
    if not said:
        raise InvalidValue(field, f"The {field} is blank", todo=todo)
    if "\0" in said:
        raise InvalidValue(field, f"The {field} has a NUL character", todo="remove it")
    if len(said) > TEXT_MAX:
        raise InvalidValue(field, f"The {field} has {len(said)} characters", why=f"the limit is {TEXT_MAX}")
    return said
