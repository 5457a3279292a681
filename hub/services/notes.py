"""What people and agents write into a mission's history: notes, and comments on lines of its diff.

A note is an event with an id of its own (`noteId`), made by its writer: the same id again is a success and writes
nothing, however late it comes. A line comment has its last state in `data`, as the machine that wrote it sent it;
mirrors read it from the project's history (`?kinds=`).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final, cast

import orjson
from sqlalchemy import Connection, select

from ...missions.comments import LineComment
from ...missions.entities import Author, Json, JsonObject, NoteKind
from ...missions.errors import InvalidValue
from ...missions.event_kinds import COMMENTED, NOTED
from ...missions.limits import NOTE_MAX
from ...missions.operations.missions import add_note
from ...missions.wire import from_wire
from ..change import Change, new_id
from ..storage.tables import events

KINDS: Final = NOTED + COMMENTED
DATA_MAX: Final = 50_000


def add(change: Change, mission_id: str, body: JsonObject) -> tuple[str, bool]:
    """A note appended; a line comment written, resolved, opened again or deleted. The event's JSON, whether it is new.

    `author` and `at` are an agent that works for the caller, and when it wrote.
    """
    change.mission(mission_id)  # it has to be there
    note_id, kind, text = new_id(body.get("id")), str(body.get("kind")), body.get("text", "")
    if kind not in KINDS:
        raise InvalidValue("kind", f"{kind[:40]!r} is not a kind of note", todo=f"use one of {', '.join(KINDS)}")
    if not isinstance(text, str) or len(text) > NOTE_MAX or "\0" in text:
        raise InvalidValue("text", f"A note has 1 to {NOTE_MAX} characters, and no NUL")
    comment = _comment(body.get("data"), mission_id) if kind in COMMENTED else None
    known = find(change.at, mission_id, note_id, kind)
    if known is not None:
        return known, False
    change.by, change.now = _author(change.by, body.get("author")), _moment(change.now, body.get("at"))
    if comment is None:
        add_note(change, mission_id, cast("NoteKind", kind.removeprefix("noted_")), text, note_id=note_id)
    else:
        change.save_comment(comment, kind, text, note_id=note_id)
    written = find(change.at, mission_id, note_id, kind)
    assert written is not None
    return written, True


def find(at: Connection, mission_id: str, note_id: str, kind: str) -> str | None:
    """The JSON of a note that was written already."""
    wanted = (events.c.mission_id == mission_id, events.c.kind == kind, events.c.doc.contains(note_id))
    docs = at.execute(select(events.c.doc).where(*wanted)).scalars()
    return next((doc for doc in docs if orjson.loads(doc).get("noteId") == note_id), None)


def _comment(data: Json, mission_id: str) -> LineComment:
    if not isinstance(data, dict) or len(orjson.dumps(data)) > DATA_MAX:
        raise InvalidValue("data", f"data is the line comment, of at most {DATA_MAX} bytes")
    comment = from_wire(LineComment, data)
    if comment.mission_id != mission_id:
        raise InvalidValue("data", "The line comment belongs to another mission")
    return comment


def _author(own: Author, said: Json) -> Author:
    """The caller; an agent that works for the caller is named as the caller's workstation names it."""
    match said:
        case {"kind": "agent", "name": str(name), **rest}:
            session = rest.get("sessionId")
            return Author("agent", name[:100], session[:64] if isinstance(session, str) else None)
    return own


def _moment(now: datetime, said: Json) -> datetime:
    """When it was written: never later than now."""
    if not isinstance(said, str):
        return now
    try:
        at = datetime.fromisoformat(said)
    except ValueError as error:
        raise InvalidValue("at", "at is not a time of ISO 8601") from error
    return at.astimezone(UTC) if at.tzinfo is not None and at < now else now
