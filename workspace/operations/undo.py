"""Undo and redo of what a person did on the board, read from the events themselves."""

from __future__ import annotations

from ...missions.entities import Mission, MissionEvent
from ...missions.errors import Conflict
from ...missions.ids import short_id
from ...missions.wire import from_wire, to_wire
from .. import lookup, rows
from ..change import Change
from ..queries.undo import Step, stacks

SAID = {
    "created": "creating",
    "edited": "editing",
    "moved": "moving",
    "readied": "making ready",
    "unreadied": "making not ready",
    "deleted": "deleting",
    "restored": "restoring",
    "approved": "approving",
    "rejected": "sending back",
}
SINCE = {
    "list": "it is in {now} now",
    "stage": "it is at {now} now",
    "ready": "an agent has worked on it since, or it was marked ready or not ready",
    "listOrder": "it has been moved since",
    "reviewStatus": "its review has been decided again since",
    "landingStatus": "its work is being landed",
}
"""Why a step cannot be undone, by the field that is another now; `{now}` is its value."""


def undo(change: Change, project: str) -> str:
    """Take back the person's last undoable step; returns a sentence that says which.

    What was done to several missions at once is one step. Conflict when there is none, or when somebody changed
    the same fields since.
    """
    done, _ = stacks(change.connection, change.project(project).id)
    if not done:
        raise Conflict("There is nothing to undo")
    return _take(change, done, "undone", "Undid")


def redo(change: Change, project: str) -> str:
    """Redo what was undone last, as long as nothing new was done since."""
    _, undone = stacks(change.connection, change.project(project).id)
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
    if event.kind in ("approved", "rejected") and mission.agent_session_status != "INACTIVE":
        raise Conflict(
            f"{SAID[event.kind].capitalize()} {name} cannot be undone",
            why="its agent has started again",
            todo="stop its session, then move it",
        )
    if mission.deleted_at is not None and "deletedAt" not in changes:
        raise Conflict(
            f"The last step of {name} cannot be undone", why="it has been deleted since", todo="restore it first"
        )
    for field, (before, after) in changes.items():
        if event.kind != "created" and document.get(field) != after:
            why = SINCE.get(field, f"its {_in_words(field)} has changed since").format(now=document.get(field))
            what = event.note if event.kind in ("undone", "redone") else SAID[event.kind]
            raise Conflict(f"{what.capitalize()} {name} cannot be undone", why=why, todo="edit or move it instead")
        document[field] = before
    cleaned = {field: value for field, value in document.items() if value is not None}
    step = event.note if event.kind in ("undone", "redone") else SAID[event.kind]
    change.save(mission, from_wire(Mission, cleaned), kind, note=step, placed=True)
    return f"{verb} {step} {name} {mission.title!r}"


def _in_words(field: str) -> str:
    """`targetBranch` → `target branch`."""
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in field)
