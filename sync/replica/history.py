"""Notes, comments on lines and the memory of connected projects, as the hub's history tells of them.

A note has an id of its own, so that one that was sent from here and comes back is known. Line comments come whole, and
the last word on one counts. Both are written into the history here too, in the order in which they came here.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from datetime import datetime

from ...missions.comments import LineComment
from ...missions.entities import SYSTEM, Author, Json, JsonObject, MissionEvent
from ...missions.errors import InvalidValue
from ...missions.wire import from_wire, to_wire
from ...workspace import line_comments, rows
from ...workspace.change import Change
from ...workspace.workspace import Workspace
from .part_view import memory_id, take_one

NOTED = ("noted_progress", "noted_decision", "noted_blocker", "noted_question", "noted_clarification")


COMMENTS = ("commented", "comment_resolved", "comment_reopened", "comment_deleted")


NOTES = NOTED + COMMENTS


def take_notes(change: Change, project_id: str, events: Sequence[JsonObject]) -> int:
    """Write notes and line comments that are not known here; returns how many were news."""
    return sum(_take(change, project_id, event) for event in events if event.get("kind") in NOTES)


def take_memory(workspace: Workspace, project_id: str, name: str, document: JsonObject) -> None:
    """Take in a memory document as the hub has it; what was written here since stays on top of it."""
    version, text = document.get("version"), document.get("text")
    if isinstance(version, int) and isinstance(text, str):
        author = _author(document.get("updatedBy"))
        part = memory_id(project_id, name)
        workspace.write_as(author, take_one, project_id, "memory", part, version, {"text": text})


def mark_history(change: Change, project_id: str, seq: int) -> None:
    """The history was read up to a number of the project."""
    change.connection.execute("UPDATE mirror SET history = ? WHERE project_id = ?", (seq, project_id))


def _take(change: Change, project_id: str, event: JsonObject) -> bool:
    mission_id, kind = str(event.get("missionId") or ""), str(event["kind"])
    note_id = str(event.get("noteId") or f"{project_id}.{event.get('seq')}")
    here = change.connection.execute("SELECT 1 FROM mission WHERE id = ?", (mission_id,)).fetchone()
    if here is None or not _known(change.connection, project_id, note_id):
        return False
    data = event.get("data")
    if kind in COMMENTS and isinstance(data, dict):
        _take_comment(change, kind, data)
    try:
        at = datetime.fromisoformat(str(event.get("at")))
    except ValueError:
        at = change.now
    rows.put_event(
        change.connection,
        MissionEvent(0, project_id, mission_id, kind, _author(event.get("author")), at, {}, str(event.get("note", ""))),
    )
    return True


def _take_comment(change: Change, kind: str, data: JsonObject) -> None:
    """The last word on a comment; where it stands in the diff is each machine's own."""
    try:
        comment = from_wire(LineComment, {name: value for name, value in data.items() if value is not None})
    except InvalidValue:
        return  # of a newer version
    if kind == "comment_deleted":
        line_comments.drop(change.connection, comment.id)
        return
    row = change.connection.execute("SELECT doc FROM line_comment WHERE id = ?", (comment.id,)).fetchone()
    if row is not None:
        here = json.loads(row[0])
        placed = {name: here[name] for name in ("file", "line", "anchor", "outdated") if name in here}
        comment = from_wire(LineComment, {**to_wire(comment), **placed})
    if row is not None or kind == "commented":
        line_comments.put(change.connection, comment)


def _known(connection: sqlite3.Connection, project_id: str, note_id: str) -> bool:
    """Whether a note is news; it is not from now on."""
    return bool(
        connection.execute(
            "INSERT OR IGNORE INTO shared_note (id, project_id) VALUES (?, ?)", (note_id, project_id)
        ).rowcount
    )


def _author(said: Json) -> Author:
    """Who wrote it, as the hub names them."""
    if isinstance(said, dict):
        try:
            return from_wire(Author, {name: value for name, value in said.items() if value is not None})
        except InvalidValue:
            pass
    return SYSTEM
