"""What people and agents write into a mission's history: notes, and comments on lines of its diff.

A note is an event with an id of its own (`noteId`), made by its writer: the same id again is a success and writes
nothing, however late it comes. A line comment has its last state in `data`, as the machine that wrote it sent it;
mirrors read it from the project's history (`?kinds=`).
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

import orjson
from sqlalchemy import Connection, and_, select

from ...missions.comments import LineComment
from ...missions.entities import Author, JsonObject
from ...missions.errors import InvalidValue
from ...missions.limits import NOTE_MAX
from ...missions.wire import from_wire, to_wire
from ..api.endpoint import Answer, Call
from ..tables import events
from .change import Change, author_of, new_id
from .mission_writes import project_of

NOTES: Final = ("progress", "decision", "blocker", "question", "clarification")
COMMENTS: Final = ("commented", "comment_resolved", "comment_reopened", "comment_deleted")
KINDS: Final = (*(f"noted_{kind}" for kind in NOTES), *COMMENTS)
DATA_MAX: Final = 50_000


def add(call: Call, mission_id: str) -> Answer:
    """A note appended; a line comment written, resolved, opened again or deleted."""
    change = Change(call, project_of(call, mission_id), "write missions")
    change.mission(mission_id)  # it has to be there
    note_id, kind, text = new_id(call.body.get("id")), call.body.get("kind"), call.body.get("text", "")
    if kind not in KINDS:
        raise InvalidValue("kind", f"{str(kind)[:40]!r} is no kind of note", todo=f"Use one of {', '.join(KINDS)}")
    if not isinstance(text, str) or len(text) > NOTE_MAX or "\0" in text or (kind not in COMMENTS and not text.strip()):
        raise InvalidValue("text", f"A note has 1 to {NOTE_MAX} characters, and no NUL")
    data = _comment(call.body.get("data"), mission_id) if kind in COMMENTS else None
    known = call.at.execute(
        select(events.c.doc).where(
            and_(events.c.mission_id == mission_id, events.c.kind == kind, events.c.doc.contains(note_id))
        )
    ).scalars()
    for doc in known:
        if orjson.loads(doc).get("noteId") == note_id:
            return Answer(doc.encode())
    more: JsonObject = {"noteId": note_id, "author": to_wire(_author(call)), "at": _moment(call, change)}
    if data is not None:
        more["data"] = data
    return Answer(change.event_document(str(kind), mission_id=mission_id, note=text, more=more).encode(), 201)


def comments_of(at: Connection, mission_id: str) -> list[LineComment]:
    """The line comments of a mission as they were last said, oldest first."""
    told = at.execute(
        select(events.c.kind, events.c.doc)
        .where(events.c.mission_id == mission_id, events.c.kind.in_(COMMENTS))
        .order_by(events.c.seq)
    )
    found: dict[str, LineComment] = {}
    for kind, doc in told:
        comment = from_wire(LineComment, orjson.loads(doc)["data"])
        if kind == "comment_deleted":
            found.pop(comment.id, None)
        elif kind == "commented" or comment.id in found:
            found[comment.id] = comment
    return list(found.values())


def _comment(data: object, mission_id: str) -> JsonObject:
    if not isinstance(data, dict) or len(orjson.dumps(data)) > DATA_MAX:
        raise InvalidValue("data", f"data is the line comment, of at most {DATA_MAX} bytes")
    comment = from_wire(LineComment, data)
    if comment.mission_id != mission_id:
        raise InvalidValue("data", "the line comment is of another mission")
    return to_wire(comment)


def _author(call: Call) -> Author:
    """The caller; an agent that works for the caller is named as the caller's workstation names it."""
    said = call.body.get("author")
    own = author_of(call)
    if isinstance(said, dict) and said.get("kind") == "agent" and isinstance(said.get("name"), str):
        session = said.get("sessionId")
        return Author("agent", str(said["name"])[:100], str(session)[:64] if isinstance(session, str) else None)
    return own


def _moment(call: Call, change: Change) -> str:
    """When it was written: never later than now."""
    said, now = call.body.get("at"), change.now
    if isinstance(said, str):
        try:
            at = datetime.fromisoformat(said)
        except ValueError as error:
            raise InvalidValue("at", "at is a time of ISO 8601") from error
        if at.tzinfo is not None and at < now:
            now = at
    return now.astimezone(change.now.tzinfo).isoformat()[:-6] + "Z"
