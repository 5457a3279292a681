"""Finishing a stage, the person's review, and landing (domain.md, Finishing a stage and Landing)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..missions import landing, review
from ..missions.entities import SYSTEM, USER, Author, Mission
from ..missions.errors import InvalidValue, NotAllowed
from ..missions.ids import short_id
from . import rows
from .base import WorkspaceBase
from .change import Change

TEXT_MAX = 100_000


class FinishingOperations(WorkspaceBase):
    """Operations that bring a mission from a finished stage to done."""

    def complete_stage(self, ref: str, summary: str, to_check: str | None = None, *, by: Author = USER) -> Mission:
        """The agent finished its stage: on to review, to the next stage or to landing.

        NotAllowed when the same session already finished its stage: one session is one stage.
        """
        with self._change(by) as change:
            mission = change.mission(ref)
            self._mark_finished(change, mission)
            after = review.complete_stage(
                mission, change.flow_of(mission), summary=_text("summary", summary), to_check=to_check, now=change.now
            )
            return change.save(mission, after, "stage_completed", note=summary.strip())

    def request_review(self, ref: str, summary: str, to_check: str | None = None, *, by: Author = USER) -> Mission:
        """Finish the current stage and ask for a person's review even where the flow asks for none."""
        with self._change(by) as change:
            mission = change.mission(ref)
            self._mark_finished(change, mission)
            after = review.request_review(
                mission, change.flow_of(mission), summary=_text("summary", summary), to_check=to_check, now=change.now
            )
            return change.save(mission, after, "review_requested", note=summary.strip())

    def approve(self, ref: str, *, reviewer: str = "you", by: Author = USER) -> Mission:
        """A person approves the stage under review; an agent may not (NotAllowed)."""
        _refuse_agents(by, "approve a review")
        with self._change(by) as change:
            mission = change.mission(ref)
            after = review.approve(mission, change.flow_of(mission), reviewer=reviewer, now=change.now)
            return change.save(mission, after, "approved", note=mission.stage)

    def reject(self, ref: str, feedback: str, *, reviewer: str = "you", by: Author = USER) -> Mission:
        """A person sends the stage back with feedback, which must not be blank."""
        _refuse_agents(by, "reject a review")
        with self._change(by) as change:
            mission = change.mission(ref)
            after = review.reject(mission, feedback=feedback, reviewer=reviewer, now=change.now)
            return change.save(mission, after, "rejected", note=feedback.strip())

    def ask_question(self, ref: str, text: str, *, by: Author = USER) -> Mission:
        """An agent asks a person; the mission waits for the answer once its session ends (`needs_input`)."""
        with self._change(by) as change:
            mission = change.mission(ref)
            asked = review.ask(mission, _text("question", text), now=change.now)
            return change.save(mission, asked, "asked", note=text.strip())

    def answer(self, ref: str, text: str, *, by: Author = USER) -> Mission:
        """A person answers the open question; the same conversation goes on with it."""
        _refuse_agents(by, "answer in a person's place")
        with self._change(by) as change:
            mission = change.mission(ref)
            return change.save(mission, review.answer(mission, text, now=change.now), "answered", note=text.strip())

    def landing_queue(self) -> list[Mission]:
        """Missions whose work is to be brought onto their target branch, oldest decision first."""
        with self._reading() as connection:
            docs = connection.execute(
                "SELECT doc FROM mission m WHERE landing_status IN ('queued', 'landing') AND deleted = 0 "
                "AND session_status = 'INACTIVE' AND (session_id IS NULL "  # a connected one: where it was done
                "OR NOT EXISTS (SELECT 1 FROM mirror r WHERE r.project_id = m.project_id) "
                "OR EXISTS (SELECT 1 FROM session s WHERE s.id = m.session_id)) ORDER BY updated_at, id"
            ).fetchall()
        return [rows.load(Mission, doc) for (doc,) in docs]

    def landing_started(self, ref: str) -> Mission:
        """The landing began; shown on the card."""
        with self._change(SYSTEM) as change:
            mission = change.mission(ref)
            return change.save(mission, landing.landing_started(mission, now=change.now), "landing_started")

    def landed(self, ref: str, commit: str | None) -> Mission:
        """The work is on the target branch (commit None: there was nothing to land): done, or back to loop."""
        with self._change(SYSTEM) as change:
            mission = change.mission(ref)
            after = landing.landed(mission, change.flow_of(mission), commit=commit, now=change.now)
            return change.save(mission, after, "landed", note=commit or "nothing to land")

    def landing_conflicted(self, ref: str, files: Sequence[str]) -> Mission:
        """The landing met conflicts and changed nothing: back to doing with the files named."""
        with self._change(SYSTEM) as change:
            mission = change.mission(ref)
            after = landing.landing_conflicted(mission, tuple(files), now=change.now)
            after = landing.conflicted_too_often(after, change.conflicts_in_a_row(mission.id) + 1)
            return change.save(mission, after, "landing_conflicted", note="\n".join(files))

    def landing_failed(self, ref: str, reason: str) -> Mission:
        """The landing failed otherwise and changed nothing: a person is asked."""
        with self._change(SYSTEM) as change:
            mission = change.mission(ref)
            return change.save(
                mission, landing.landing_failed(mission, reason, now=change.now), "landing_failed", note=reason
            )

    def retry_landing(self, ref: str, *, by: Author = USER) -> Mission:
        """Try a failed landing again."""
        with self._change(by) as change:
            mission = change.mission(ref)
            return change.save(mission, landing.retry(mission, now=change.now), "landing_retried")

    def _mark_finished(self, change: Change, mission: Mission) -> None:
        if change.by.session_id is None:
            return
        session = change.session(change.by.session_id)
        if session.mission_id != mission.id:
            raise NotAllowed(
                f"This run does not work on {short_id(mission.number)}", todo="finish your own mission only"
            )
        if session.stage_finished or session.phase == "ended":
            raise NotAllowed(
                f"The stage {session.stage!r} is finished already",
                todo="end your turn; the next stage gets its own run",
            )
        change.save_session(replace(session, stage_finished=True))


def _refuse_agents(by: Author, what: str) -> None:
    if by.kind != "user":
        raise NotAllowed(
            f"An agent cannot {what}", why="this is a person's gate", todo="wait for the person's decision"
        )


def _text(field: str, text: str) -> str:
    if not text.strip() or len(text) > TEXT_MAX:
        raise InvalidValue(field, f"The {field} has 1 to {TEXT_MAX} characters", todo="say it in a few sentences")
    return text.strip()
