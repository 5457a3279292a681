"""Attached files: what is written down when one was sent or taken off; `replica.files.talk` moves the bytes."""

from __future__ import annotations

from typing import cast

from ....missions.entities import JsonObject
from ....workspace.sync_state import base
from .. import restored
from ..messages import API, Request, Response
from .kind import Kind, Outcome


class Files(Kind):
    def request(self) -> Request:
        if self.entry.kind == "file_delete":
            return Request("DELETE", f"{API}/attachments/{self.entry.entity_id}", {}, {})
        wanted = {**self.entry.patch, "id": self.entry.entity_id}
        return Request("POST", f"{API}/projects/{self.entry.project_id}/attachments", {}, {}, wanted)

    def done(self, answer: Response) -> Outcome:
        """The hub has it all, or says that it is not the file that was announced."""
        told = cast("JsonObject", answer.object.get("attachment") or {})
        if told.get("state") == "refused":
            return self.park("refused", str(told.get("reason") or "it is not the file that was announced"))
        self.drop()
        if self.entry.kind == "file":
            base.know(self.change.connection, "file", self.entry.entity_id, self.entry.project_id)
            note = str(self.entry.patch["name"])
            self.change.event(self.entry.project_id, "file_sent", mission_id=self.entry.mission_id, note=note)
        restored.remember(self.change.connection, self.entry, is_there=True)
        return "done"

    def gone(self, answer: Response) -> Outcome:
        """It is gone already, or its mission is; of a plain server: it keeps no files."""
        if self.entry.kind == "file_delete":
            return self.done(answer)
        if self.can.history and not self.mission_deleted_here():
            return self.park("gone", f"its mission was deleted meanwhile: {answer.said}")
        if self.can.history:  # sent again when the mission is back, as after a restore
            restored.remember(self.change.connection, self.entry, is_there=False)
        return self.unsupported()

    def unsupported(self) -> Outcome:
        """The file stays on this machine."""
        self.drop()
        return "done"

    def exists(self, answer: Response) -> Outcome | None:
        """Not all has arrived: the next try sends the rest. Another file of this id is a refusal."""
        return None if answer.error.get("code") == "already_exists" else "later"
