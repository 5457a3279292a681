"""Records that cannot be read: what is shown of them, and how they are repaired.

An older version may have written one, or a disk may have flipped a bit. One such mission is a card that says so; every
other mission goes on. Nothing writes over it before a repair has put the original aside.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final, TypeVar

from ...missions.entities import Json, JsonObject, Mission, Session
from ...missions.errors import InvalidValue
from ...missions.ids import short_id
from ...missions.records import record, replace
from ...missions.wire import from_wire
from ...system import files, strict_json
from .. import rows

E = TypeVar("E", Mission, Session)
UNREADABLE: Final = "This mission's record cannot be read: `solo-unicorn doctor --repair` shows what can be done"
REPAIRED: Final = "Its unreadable record was repaired: check that it still says what it should"
_MISSION: Final = {
    "id": "id",
    "projectId": "project_id",
    "title": "title",
    "description": "nullif(description, '')",
    "number": "number",
    "version": "version",
    "list": "list",
    "listOrder": "list_order",
    "priority": "priority",
    "stage": "stage",
    "createdAt": "created_at",
    "updatedAt": "updated_at",
    "agentSessionStatusChangedAt": "coalesce(session_status_at, updated_at)",
}
_SESSION: Final = {
    "id": "id",
    "missionId": "mission_id",
    "projectId": "project_id",
    "agentName": "agent_name",
    "startedAt": "started_at",
    "phase": "phase",
}
_FALLBACK: Final[JsonObject] = {
    "workstationId": "",
    "agentType": "",
    "stage": "",
    "title": "?",
    **dict.fromkeys(("createdAt", "updatedAt", "agentSessionStatusChangedAt", "startedAt"), "1970-01-01T00:00:00Z"),
}
COLUMNS: Final[Mapping[type, Mapping[str, str]]] = {Mission: _MISSION, Session: _SESSION}
SOUND_SESSIONS: Final = """(SELECT id, mission_id, project_id, agent_name, started_at,
    iif(json_valid(doc), doc, NULL) AS doc FROM session)"""
"""The sessions for sums by SQL; the record of one that is damaged is NULL instead of an error."""
_ID: Final = '"id":"([0-9A-Z]{26})"'
TABLES: Final = {Mission: "mission", Session: "session"}


@record
class Damaged:
    """A record that cannot be read."""

    table: str
    id: str
    name: str
    """What a person calls it: `M-3 Retry payments`, or the session's id."""
    why: str


def missions(connection: sqlite3.Connection, docs: Iterable[tuple[str]]) -> list[Mission]:
    """The missions in `doc` columns; for one that cannot be read, what its columns say, not ready and marked."""
    return [_read(connection, doc) for (doc,) in docs]


def _read(connection: sqlite3.Connection, doc: str) -> Mission:
    try:
        return rows.load(Mission, doc)
    except rows.RecordUnreadable:
        row = connection.execute("SELECT id FROM mission WHERE doc = ? LIMIT 1", (doc,)).fetchone()
        if row is None:  # it was read with replacements
            said = re.search(_ID, doc)
            row = connection.execute("SELECT id FROM mission WHERE id = ?", (said and said[1],)).fetchone()
        if row is None:
            raise
        return replace(rebuilt(connection, Mission, str(row[0]), doc=""), ready=False, attention=UNREADABLE)


def sessions(docs: Iterable[tuple[str]]) -> list[Session]:
    """The sessions in `doc` columns that can be read; the others are left alone until they are repaired."""
    found = []
    for (doc,) in docs:
        try:
            found.append(rows.load(Session, doc))
        except rows.RecordUnreadable:
            continue
    return found


def damaged(connection: sqlite3.Connection) -> list[Damaged]:
    """Every mission and session whose record cannot be read (`solo-unicorn doctor`)."""
    found = []
    named = "SELECT id, number, title, doc, updated_at FROM mission"
    for mission_id, number, title, doc, updated_at in connection.execute(named):
        why = _wrong(Mission, doc) or _wrong_time(updated_at)
        if why:
            found.append(Damaged("mission", mission_id, f"{short_id(number)} {title}", why))
    for session_id, doc in connection.execute("SELECT id, doc FROM session"):
        if why := _wrong(Session, doc):
            found.append(Damaged("session", session_id, session_id, why))
    return found


def put_aside(folder: Path, connection: sqlite3.Connection, one: Damaged) -> Path:
    """Write the row of a damaged record into a file of its own, durably; returns it."""
    cursor = connection.execute(f"SELECT * FROM {one.table} WHERE id = ?", (one.id,))
    names = [column[0] for column in cursor.description]
    row = {name: str(value) for name, value in zip(names, cursor.fetchone(), strict=True)}
    place = folder / f"{one.table}-{re.sub('[^0-9A-Za-z]', '_', one.id)}.json"
    files.replace(place, strict_json.dumps(row, indent=1).encode())
    return place


def rebuilt(connection: sqlite3.Connection, cls: type[E], record_id: str, doc: str | None = None) -> E:
    """A record from the fields that can be read and from its columns; the rest gets its defaults."""
    wanted = COLUMNS[cls]
    query = f"SELECT doc, {', '.join(wanted.values())} FROM {TABLES[cls]} WHERE id = ?"
    kept, *values = connection.execute(query, (record_id,)).fetchone()
    told: JsonObject = {name: value for name, value in zip(wanted, values, strict=True) if value is not None}
    try:
        read: Json = strict_json.heard(kept if doc is None else doc)
    except strict_json.Unfit:
        read = None
    made = {**(read if isinstance(read, dict) else {}), **told}
    while True:
        try:
            return from_wire(cls, made)
        except InvalidValue as error:
            name = re.split(r"[.\[]", error.field)[0]
            had = made.pop(name, None)
            if had == _FALLBACK.get(name):  # neither there nor to be made up: the columns of the row are damaged too
                raise rows.RecordUnreadable.of(TABLES[cls], str(error)) from error
            if name in _FALLBACK:
                made[name] = _FALLBACK[name]


def _wrong(cls: type[Mission] | type[Session], doc: str) -> str:
    try:
        rows.load(cls, doc)
    except rows.RecordUnreadable as error:
        return error.why
    return ""


def _wrong_time(text: str) -> str:
    return "" if rows.sane_moment(text) is not None else f"its time {text!r} is not one"
