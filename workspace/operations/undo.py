"""Undo and redo of what a person did on the board, read from the events themselves."""

from __future__ import annotations

from ...missions.entities import Mission, MissionEvent
from ...missions.errors import Conflict
from ...missions.ids import short_id
from ...missions.wire import from_wire, to_wire
from .. import lookup, rows
from ..change import Change
from .bulk import TOGETHER

UNDOABLE = {"created", "edited", "moved", "readied", "unreadied", "deleted", "restored"}
EVENTS_BACK = 4000
"""How far back undo looks; what is done to many missions at once is at most a quarter of it."""
SAID = {
    "created": "creating",
    "edited": "editing",
    "moved": "moving",
    "readied": "making ready",
    "unreadied": "making not ready",
    "deleted": "deleting",
    "restored": "restoring",
}
Step = tuple[MissionEvent, int]
"""An event and the number of the step that it belongs to."""


def undo(change: Change, project: str) -> str:
    """Take back the person's last undoable step; returns a sentence that says which.

    What was done to several missions at once is one step. Conflict when there is none, or when somebody changed
    the same fields since.
    """
    done, _ = _stacks(change, change.project(project).id)
    if not done:
        raise Conflict("There is nothing to undo")
    return _take(change, done, "undone", "Undid")


def redo(change: Change, project: str) -> str:
    """Do again what was undone last, as long as nothing new was done since."""
    _, undone = _stacks(change, change.project(project).id)
    if not undone:
        raise Conflict("There is nothing to redo")
    return _take(change, undone, "redone", "Redid")


def _take(change: Change, stack: list[Step], kind: str, verb: str) -> str:
    """Invert the newest event and those that were one step with it."""
    last = stack[-1][1]
    together = [event for event, step in stack if step == last]
    said = [_invert(change, event, kind, verb) for event in reversed(together)]
    if len(said) == 1:
        return said[0]
    what = together[-1].note if together[-1].kind in ("undone", "redone") else SAID[together[-1].kind]
    return f"{verb} {what} {len(said)} missions"


def _stacks(change: Change, project_id: str) -> tuple[list[Step], list[Step]]:
    """The events that can be undone and those that can be redone, newest last, each with the step it is of."""
    found = change.connection.execute(
        f"SELECT {rows.EVENT_COLUMNS} FROM event WHERE project_id = ? AND author_kind = 'user' "
        "ORDER BY seq DESC LIMIT ?",
        (project_id, EVENTS_BACK),
    ).fetchall()
    done: list[Step] = []
    undone: list[Step] = []
    for event in (rows.event_of(row) for row in reversed(found)):
        if event.kind in UNDOABLE:
            done.append((event, event.seq))
            undone.clear()
        elif event.kind == TOGETHER:
            since = max(0, len(done) - int(event.note))
            done[since:] = [(one, event.seq) for one, _ in done[since:]]
        elif event.kind == "undone" and done:
            undone.append((event, done.pop()[1]))
        elif event.kind == "redone" and undone:
            done.append((event, undone.pop()[1]))
    return done, undone


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
    if mission.deleted_at is not None and "deletedAt" not in changes:
        raise Conflict(f"{name} cannot be undone", why="it was deleted since")
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
