"""Finishing a stage, the person's review, and landing: doors to the operations, and what waits to be landed."""

from __future__ import annotations

from collections.abc import Sequence

from ..missions.entities import SYSTEM, USER, Author, Mission
from ..missions.operations import landing, review
from . import rows
from .base import WorkspaceBase


class FinishingOperations(WorkspaceBase):
    """Operations that bring a mission from a finished stage to done (missions/operations/review.py, landing.py)."""

    def complete_stage(self, ref: str, summary: str, to_check: str | None = None, *, by: Author = USER) -> Mission:
        """The agent finished its stage: on to review, to the next stage or to landing."""
        return self.write_as(by, review.complete_stage, ref, summary, to_check)

    def request_review(self, ref: str, summary: str, to_check: str | None = None, *, by: Author = USER) -> Mission:
        """Finish the current stage and ask for a person's review even where the flow asks for none."""
        return self.write_as(by, review.request_review, ref, summary, to_check)

    def approve(self, ref: str, *, reviewer: str = "you", by: Author = USER) -> Mission:
        """A person approves the stage under review; an agent may not (NotAllowed)."""
        return self.write_as(by, review.approve, ref, reviewer=reviewer)

    def reject(self, ref: str, feedback: str, *, reviewer: str = "you", by: Author = USER) -> Mission:
        """A person sends the stage back with feedback, which must not be blank."""
        return self.write_as(by, review.reject, ref, feedback, reviewer=reviewer)

    def ask_question(self, ref: str, text: str, *, by: Author = USER) -> Mission:
        """An agent asks a person; the mission waits for the answer once its session ends (`needs_input`)."""
        return self.write_as(by, review.ask_question, ref, text)

    def answer(self, ref: str, text: str, *, by: Author = USER) -> Mission:
        """A person answers the open question; the same conversation goes on with it."""
        return self.write_as(by, review.answer, ref, text)

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
        return self.write_as(SYSTEM, landing.started, ref)

    def landed(self, ref: str, commit: str | None) -> Mission:
        """The work is on the target branch (commit None: there was nothing to land): done, or back to loop."""
        return self.write_as(SYSTEM, landing.landed, ref, commit)

    def landing_conflicted(self, ref: str, files: Sequence[str]) -> Mission:
        """The landing met conflicts and changed nothing: back to doing with the files named."""
        return self.write_as(SYSTEM, landing.conflicted, ref, files)

    def landing_failed(self, ref: str, reason: str) -> Mission:
        """The landing failed otherwise and changed nothing: a person is asked."""
        return self.write_as(SYSTEM, landing.failed, ref, reason)

    def retry_landing(self, ref: str, *, by: Author = USER) -> Mission:
        """Try a failed landing again."""
        return self.write_as(by, landing.retry, ref)
