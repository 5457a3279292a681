"""Undo and redo of what a person did on the board, read from the events themselves."""

from __future__ import annotations

from ..missions.entities import USER, Author, Mission, MissionEvent
from ..missions.errors import Conflict
from ..missions.ids import short_id
from ..missions.wire import from_wire, to_wire
from . import lookup, rows
from .base import WorkspaceBase
from .change import Change

UNDOABLE = {"created", "edited", "moved", "readied", "unreadied", "deleted", "restored"}
STEPS_BACK = 400
SAID = {
    "created": "creating",
    "edited": "editing",
    "moved": "moving",
    "readied": "making ready",
    "unreadied": "making not ready",
    "deleted": "deleting",
    "restored": "restoring",
}


class UndoOperations(WorkspaceBase):
    """Undo and redo, per project."""

    def undo(self, project: str, *, by: Author = USER) -> str:
        """Take back the person's last undoable step; returns a sentence that says which.

        Conflict when there is none, or when somebody changed the same fields since.
        """
        with self._change(by) as change:
            done, _ = self._stacks(change, change.project(project).id)
            if not done:
                raise Conflict("There is nothing to undo")
            return self._invert(change, done[-1], "undone", "Undid")

    def redo(self, project: str, *, by: Author = USER) -> str:
        """Do again what was undone last, as long as nothing new was done since."""
        with self._change(by) as change:
            _, undone = self._stacks(change, change.project(project).id)
            if not undone:
                raise Conflict("There is nothing to redo")
            return self._invert(change, undone[-1], "redone", "Redid")

    @staticmethod
    def _stacks(change: Change, project_id: str) -> tuple[list[MissionEvent], list[MissionEvent]]:
        """The steps that can be undone and those that can be redone, newest last."""
        found = change.connection.execute(
            f"SELECT {rows.EVENT_COLUMNS} FROM event WHERE project_id = ? AND author_kind = 'user' "
            "ORDER BY seq DESC LIMIT ?",
            (project_id, STEPS_BACK),
        ).fetchall()
        done: list[MissionEvent] = []
        undone: list[MissionEvent] = []
        for event in (rows.event_of(row) for row in reversed(found)):
            if event.kind in UNDOABLE:
                done.append(event)
                undone.clear()
            elif event.kind == "undone" and done:
                done.pop()
                undone.append(event)
            elif event.kind == "redone" and undone:
                undone.pop()
                done.append(event)
        return done, undone

    @staticmethod
    def _invert(change: Change, event: MissionEvent, kind: str, verb: str) -> str:
        mission = lookup.mission(change.connection, event.mission_id or "", deleted=True)
        name = short_id(mission.number)
        document = to_wire(mission)
        changes = event.changes
        if event.kind == "created":
            if mission.agent_session_status != "INACTIVE":
                raise Conflict(f"{name} is running", todo="stop its session first")
            changes = {"deletedAt": (rows.stamp(change.now), None)}
            document["deletedAt"] = None
        for field, (before, after) in changes.items():
            if event.kind != "created" and document.get(field) != after:
                raise Conflict(
                    f"{name} cannot be undone", why=f"its {field} changed since", todo="edit the mission instead"
                )
            document[field] = before
        cleaned = {field: value for field, value in document.items() if value is not None}
        step = event.note if event.kind in ("undone", "redone") else SAID[event.kind]
        change.save(mission, from_wire(Mission, cleaned), kind, note=step, placed=True)
        return f"{verb} {step} {name} {mission.title!r}"
