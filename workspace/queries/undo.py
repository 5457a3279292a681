"""What undo and redo would do, read from the events themselves."""

from __future__ import annotations

import sqlite3

from ...missions.entities import MissionEvent
from .. import lookup, rows

UNDOABLE = {*("created", "edited", "moved", "readied", "unreadied", "deleted", "restored"), *("approved", "rejected")}
EVENTS_BACK = 4000
"""How far back undo looks; what is done to many missions at once is at most a quarter of it."""
TOGETHER = "together"
"""The kind of an event that makes the ones before it, as many as its note says, one step."""
Step = tuple[MissionEvent, int]
"""An event and the number of the step that it belongs to."""


def stacks(connection: sqlite3.Connection, project_id: str) -> tuple[list[Step], list[Step]]:
    """The events that can be undone and those that can be redone, newest last, each with the step it is of."""
    found = connection.execute(
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
        elif event.kind == "landing_undone":  # with its landing the approval is taken back
            at = next((at for at in reversed(range(len(done))) if _approves(done[at][0], event)), None)
            if at is not None:
                del done[at]
    return done, undone


def _approves(one: MissionEvent, undone: MissionEvent) -> bool:
    return (one.kind, one.mission_id) == ("approved", undone.mission_id)


def landing_on_top(connection: sqlite3.Connection, project: str) -> str | None:
    """The id of a mission that the last step let an agent work on, or approved, where its work has landed since."""
    done, _ = stacks(connection, lookup.project(connection, project).id)
    if not done or done[-1][0].kind not in ("approved", "readied") or not done[-1][0].mission_id:
        return None
    mission = lookup.mission(connection, done[-1][0].mission_id, deleted=True)
    return mission.id if mission.list == "done" and mission.landed_commit and mission.deleted_at is None else None
