"""Finishing a stage, and a person's review of it (domain.md, Finishing a stage)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ..entities import Mission
from ..errors import NotAllowed
from ..ids import short_id
from ..limits import SUMMARY_MAX
from ..rules import review
from .checks import refuse_agents, text
from .port import Change

SHORTER = "shorten it to a few sentences"


def complete_stage(change: Change, ref: str, summary: str, to_check: str | None = None) -> Mission:
    """The agent finished its stage: on to review, to the next stage or to landing.

    NotAllowed when the same session already finished its stage: one session is one stage.
    """
    return _finish(change, ref, summary, to_check, review.complete_stage, "stage_completed")


def request_review(change: Change, ref: str, summary: str, to_check: str | None = None) -> Mission:
    """Finish the current stage and ask for a person's review even where the flow asks for none."""
    return _finish(change, ref, summary, to_check, review.request_review, "review_requested")


def approve(change: Change, ref: str, *, reviewer: str = "you") -> Mission:
    """A person approves the stage under review; an agent may not (NotAllowed)."""
    refuse_agents(change.by, "approve a review")
    mission = change.mission(ref)
    after = review.approve(mission, change.flow_of(mission), reviewer=reviewer, now=change.now)
    return change.save(mission, after, "approved", note=mission.stage)


def reject(change: Change, ref: str, feedback: str, *, reviewer: str = "you") -> Mission:
    """A person sends the stage back with feedback, which must not be blank."""
    refuse_agents(change.by, "reject a review")
    mission = change.mission(ref)
    after = review.reject(mission, feedback=feedback, reviewer=reviewer, now=change.now)
    return change.save(mission, after, "rejected", note=feedback.strip())


def ask_question(change: Change, ref: str, question: str, *, client: str = "") -> Mission:
    """An agent asks a person; the mission waits for the answer once its session ends (`needs_input`).

    `client`: the name of the person's own client that asks. The same question of the same client is asked once.
    """
    mission = change.mission(ref)
    question = text("question", question, SUMMARY_MAX, SHORTER)
    if client and (mission.question, mission.asked_by) == (question, client):
        return mission
    after = review.ask(mission, question, now=change.now, client=client)
    return change.save(mission, after, "asked", note=question)


def answer(change: Change, ref: str, said: str) -> Mission:
    """A person answers the open question; the same conversation goes on with it."""
    refuse_agents(change.by, "answer the question")
    mission = change.mission(ref)
    return change.save(mission, review.answer(mission, said, now=change.now), "answered", note=said.strip())


def _finish(
    change: Change, ref: str, summary: str, to_check: str | None, rule: Callable[..., Mission], kind: str
) -> Mission:
    mission = change.mission(ref)
    _mark_finished(change, mission)
    summary = text("summary", summary, SUMMARY_MAX, SHORTER)
    after = rule(mission, change.flow_of(mission), summary=summary, to_check=to_check, now=change.now)
    return change.save(mission, after, kind, note=summary)


def _mark_finished(change: Change, mission: Mission) -> None:
    if change.by.session_id is None:
        return
    session = change.session(change.by.session_id)
    if session.mission_id != mission.id:
        raise NotAllowed(f"This run does not work on {short_id(mission.number)}", todo="finish your own mission only")
    if session.stage_finished or session.phase == "ended":
        raise NotAllowed(
            f"The stage {session.stage!r} is already finished", todo="end your turn; the next stage gets its own run"
        )
    change.save_session(replace(session, stage_finished=True))
