"""Notes of missions and comments on lines: they stand beside each other, so that nothing contradicts them."""

from __future__ import annotations

from ....workspace.mission_view import MissionView
from .. import restored
from ..messages import API, Request, Response
from .kind import Kind, Outcome


class Notes(Kind):
    tells_rights = True

    def show(self) -> None:
        MissionView(self.change, self.entry.project_id).refold(self.entry.entity_id)

    def request(self) -> Request | None:
        if not self.can.history:
            return None  # a server without them: it stays on this machine
        path, body = f"{API}/missions/{self.entry.entity_id}/notes", {**self.entry.patch, "id": self.entry.mutation_id}
        return Request("POST", path, {}, self.headers(), body)

    def done(self, answer: Response) -> Outcome:
        self.drop()
        restored.remember(self.change.connection, self.entry, is_there=True)
        return "done"

    def gone(self, answer: Response) -> Outcome:
        """Its mission is gone: set aside, unless it was deleted here, or a restored hub lost it.

        It is sent again when the mission is back, as after a restore.
        """
        lost = self.change.connection.execute(
            "SELECT 1 FROM conflict WHERE mission_id = ? AND kind = 'lost_remotely' AND state = 'open'",
            (self.entry.entity_id,),
        ).fetchone()
        if lost is None and not self.mission_deleted_here():
            return self.park("gone", f"its mission was deleted meanwhile: {answer.said}")
        self.drop()
        restored.remember(self.change.connection, self.entry, is_there=False)
        return "done"

    def outdated(self, answer: Response, server_now: float | None) -> Outcome:
        self.queue_again()
        return "later"
