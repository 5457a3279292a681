"""Notes, comments on lines and the memory of connected projects, as the hub's history tells of them.

A note has an id of its own, so that one that was sent from here and comes back is known. Line comments come whole, and
the last word on one counts. Both are written into the history here too, in the order in which they came here.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ...missions.comments import LineComment
from ...missions.entities import SYSTEM, Author, Json, JsonObject, MissionEvent
from ...missions.errors import InvalidValue
from ...missions.event_kinds import COMMENTED, NOTED
from ...missions.field_kinds import memory_id
from ...missions.wire import from_wire, to_wire
from ...system import strict_json
from ...workspace import line_comments, rows
from ...workspace.change import Change
from ...workspace.sync_state import base, outgoing
from ...workspace.workspace import Workspace
from . import restored
from .project_parts import take_one

NOTES = NOTED + COMMENTED


def queue_history(change: Change, project_id: str) -> None:
    """Queue the notes and line comments of a project that is published.

    What was written before it was disconnected from a hub is known there.
    """
    connection = change.connection
    (since,) = connection.execute(
        "SELECT coalesce(max(seq), 0) FROM event WHERE project_id = ? AND kind = 'project_disconnected'", (project_id,)
    ).fetchone()
    told = connection.execute(
        "SELECT e.mission_id, e.kind, e.note, e.at, e.author_kind, e.author_name, e.session_id FROM event e "
        "JOIN mission m ON m.id = e.mission_id AND NOT m.deleted WHERE e.project_id = ? AND e.seq > ? "
        f"AND e.kind IN ({', '.join('?' * len(NOTED))}) ORDER BY e.seq",
        (project_id, since, *NOTED),
    ).fetchall()
    comments = connection.execute(
        "SELECT c.mission_id, c.doc FROM line_comment c JOIN mission m ON m.id = c.mission_id AND NOT m.deleted "
        "WHERE m.project_id = ? ORDER BY c.id",
        (project_id,),
    ).fetchall()
    patches: list[tuple[str, JsonObject]] = [
        (mission_id, {"kind": kind, "text": text, "at": at, "author": to_wire(rows.author_of(*author))})
        for mission_id, kind, text, at, *author in told
    ]
    for mission_id, doc in comments:
        data = strict_json.loads(doc)
        said = {"kind": "commented", "text": data["text"], "at": data["createdAt"], "author": data["author"]}
        patches.append((mission_id, {**said, "data": data}))
    for mission_id, patch in patches:
        outgoing.send_note(change, project_id, mission_id, change.new_id(), patch)


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
    """The history was read up to a number of the project; what a restored hub has lost of it goes there again."""
    restored.documents_lost(change, project_id)
    restored.send_again(change, project_id)
    change.connection.execute("UPDATE mirror SET history = ? WHERE project_id = ?", (seq, project_id))


def _take(change: Change, project_id: str, event: JsonObject) -> bool:
    mission_id, kind = str(event.get("missionId") or ""), str(event["kind"])
    note_id = str(event.get("noteId") or f"{project_id}.{event.get('seq')}")
    restored.met(change.connection, (note_id,))
    here = change.connection.execute("SELECT 1 FROM mission WHERE id = ?", (mission_id,)).fetchone()
    if here is None or not base.know(change.connection, "note", note_id, project_id):
        return False
    data = event.get("data")
    if kind in COMMENTED and isinstance(data, dict):
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
        here = strict_json.loads(row[0])
        placed = {name: here[name] for name in ("file", "line", "until", "anchor", "outdated") if name in here}
        comment = from_wire(LineComment, {**to_wire(comment), **placed})
    if row is not None or kind in ("commented", "toured"):
        line_comments.put(change.connection, comment)


def _author(said: Json) -> Author:
    """Who wrote it, as the hub names them."""
    if isinstance(said, dict):
        try:
            return from_wire(Author, {name: value for name, value in said.items() if value is not None})
        except InvalidValue:
            pass
    return SYSTEM
