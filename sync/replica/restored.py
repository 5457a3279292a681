"""What a hub lost when it was restored: nothing that was acknowledged here goes without a word.

Two people may have edited the same mission, setting or persona, so a value that the hub has no more is a conflict for
a person. Notes, comments and files stand beside each other: whoever sent them sends them again, and whoever removed
a file that is back removes it again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from typing import cast

from ...missions.entities import Json, JsonObject
from ...missions.field_kinds import ENDS, PROGRESS, WATCHED, same
from ...system import strict_json
from ...workspace.change import Change
from ...workspace.rows import dump
from ...workspace.sync_state import base, outbox
from . import conflicts

FORMER = -1
"""Version of a part that was read before the hub was restored."""


def doubt(connection: sqlite3.Connection, project_id: str) -> None:
    """The hub is of another history: what it said of parts, notes and files before proves nothing."""
    connection.execute(
        "UPDATE base SET version = ? WHERE project_id = ? AND kind NOT IN ('mission', 'note', 'file')",
        (FORMER, project_id),
    )
    connection.execute("UPDATE sent SET is_there = 0 WHERE project_id = ? AND kind <> 'file_delete'", (project_id,))
    connection.execute("DELETE FROM base WHERE project_id = ? AND kind = 'file'", (project_id,))


# -- missions


def known_before(connection: sqlite3.Connection, project_id: str, items: Sequence[JsonObject]) -> list[tuple[str, int]]:
    """(id, version) of what was known of missions before a resync, where the hub has a newer version now."""
    known = dict(
        connection.execute(
            "SELECT id, version FROM base WHERE project_id = ? AND kind = 'mission' AND version > 0", (project_id,)
        ).fetchall()
    )
    found = [(str(item.get("id")), item.get("version")) for item in items]
    newer = [one for one, version in found if isinstance(version, int) and known.get(one, version) < version]
    return [(one, known[one]) for one in newer]


def mission_lost(change: Change, project_id: str, mission_id: str) -> None:
    """Nobody deleted it, the hub of another history never had it: a person decides whether to publish it again."""
    row = change.connection.execute("SELECT doc FROM mission WHERE id = ? AND NOT deleted", (mission_id,)).fetchone()
    edits = [one for one in outbox.entries(change.connection, mission_id) if one.kind != "note"]
    if row is None or edits:
        return  # not shown here; or changed here, which is told when the change is sent
    shown = strict_json.loads(row[0])
    conflicts.add(change, project_id, mission_id, change.new_id(), "lost_remotely", "", shown, shown, None)


def mission_taken_back(
    change: Change, project_id: str, mission_id: str, known: JsonObject | None, now: JsonObject
) -> None:
    """The hub has lost what it said of a mission before: `known`, or None when it was deleted. A person decides.

    A field with an edit that still waits here is left to the check that is made when it is sent.
    """
    pending = outbox.entries(change.connection, mission_id)

    def add(kind: conflicts.ConflictKind, field: str, mine: Json, theirs: Json) -> None:
        conflicts.add(change, project_id, mission_id, change.new_id(), kind, field, theirs, mine, theirs)

    if known is None:
        if not pending:
            add("deleted_locally", "", None, now)
        return
    waits = {name for entry in pending for name in entry.patch}
    gone = [name for name in WATCHED | PROGRESS if not same(known.get(name), now.get(name))]
    step = [name for name in gone if name in PROGRESS]
    if not waits.intersection(PROGRESS) and {*step} & ENDS:
        add("progress", "progress", {name: known.get(name) for name in step}, {name: now.get(name) for name in step})
    for name in sorted({*gone} - PROGRESS - waits):
        add("field", name, known.get(name), now.get(name))


# -- notes, comments and files


def remember(connection: sqlite3.Connection, entry: outbox.OutboxEntry, *, is_there: bool) -> None:
    """A note, a file or the removal of one went to the hub, which has it or, as its mission, has lost it."""
    about = entry.mutation_id if entry.kind == "note" else entry.entity_id
    mission_id = entry.entity_id if entry.kind == "note" else str(entry.patch["missionId"])
    connection.execute(
        "INSERT OR REPLACE INTO sent (id, project_id, mission_id, kind, patch, is_there) VALUES (?, ?, ?, ?, ?, ?)",
        (about, entry.project_id, mission_id, entry.kind, dump(entry.patch), is_there),
    )


def met(connection: sqlite3.Connection, ids: Iterable[str]) -> None:
    """The hub has these."""
    connection.executemany(
        "UPDATE sent SET is_there = 1 WHERE id = ? AND NOT is_there AND kind <> 'file_delete'", [(one,) for one in ids]
    )


def removed_before(connection: sqlite3.Connection, file_id: str) -> bool:
    """Whether a file that the hub has was removed there from here: then its removal is sent again."""
    return (
        connection.execute("UPDATE sent SET is_there = 0 WHERE id = ? AND kind = 'file_delete'", (file_id,)).rowcount
        > 0
    )


def missing(connection: sqlite3.Connection, project_id: str) -> list[tuple[str, str, str, JsonObject]]:
    """(id, mission, kind, patch) of what the hub has no more of the missions that it has, oldest first."""
    found = connection.execute(
        "SELECT s.id, s.mission_id, s.kind, s.patch FROM sent s "
        "JOIN base b ON b.kind = 'mission' AND b.id = s.mission_id AND NOT b.deleted "
        "WHERE s.project_id = ? AND NOT s.is_there ORDER BY s.id",
        (project_id,),
    ).fetchall()
    return [(about, mission_id, kind, strict_json.loads(patch)) for about, mission_id, kind, patch in found]


def send_again(change: Change, project_id: str) -> None:
    """Queue what the hub has lost of what went there from here; its whole history was read before."""
    for about, mission_id, kind, patch in missing(change.connection, project_id):
        change.connection.execute("DELETE FROM sent WHERE id = ?", (about,))
        mutation, entity = (about, mission_id) if kind == "note" else (None, about)
        if (adding := outbox.adding(change, project_id, entity, mutation)) is not None:
            adding.row(cast("outbox.Kind", kind), patch, {})


# -- settings, flows, actors, repositories and memory


def part_taken_back(
    change: Change, project_id: str, part: str, part_id: str, known: JsonObject, now: JsonObject
) -> None:
    """The hub says something else of a part than before it was restored: a person decides on each field.

    A field with an edit that still waits here is left to the check that is made when it is sent. Memory that only
    grew is put back without a question.
    """
    pending = outbox.entries(change.connection, part_id)
    if any(one.kind != "part_patch" for one in pending):
        return
    waits = {name for one in pending for name in cast("JsonObject", one.patch["fields"])}
    names = {"text"} if part == "memory" else known.keys() | now.keys()
    for name in sorted(names - waits):
        mine, theirs = known.get(name), now.get(name)
        if same(mine, theirs):
            continue
        if part == "memory" and str(mine).startswith(str(theirs or "")):
            put_back(change, project_id, part_id, {name: mine}, {name: theirs})
            continue
        about = (project_id, part_id, change.new_id(), "field", name)
        conflicts.add(change, *about, theirs, mine, theirs, part=part)  # type: ignore[arg-type]


def put_back(change: Change, project_id: str, part_id: str, fields: JsonObject, seen: JsonObject) -> None:
    """Queue words of the memory that the hub has lost."""
    if (adding := outbox.adding(change, project_id, part_id)) is not None:
        adding.row("part_patch", {"table": "memory", "fields": fields}, seen)


def part_lost(change: Change, project_id: str, part: str, part_id: str, known: JsonObject) -> None:
    """Nobody deleted a part, the restored hub never had it: a person decides whether to publish it again."""
    if outbox.entries(change.connection, part_id):
        return  # changed here, which is told when the change is sent
    mine = {**known, "id": part_id}
    about = (project_id, part_id, change.new_id(), "lost_remotely", "")
    conflicts.add(change, *about, mine, mine, None, part=part)  # type: ignore[arg-type]


def documents_lost(change: Change, project_id: str) -> None:
    """Documents of the memory that a restored hub did not name go there again: the memory is only ever added to."""
    found = change.connection.execute(
        "SELECT id, doc FROM base WHERE project_id = ? AND kind = 'memory' AND version = ? AND NOT deleted",
        (project_id, FORMER),
    ).fetchall()
    for part_id, doc in found:
        base.drop(change.connection, "memory", part_id)
        if not outbox.entries(change.connection, part_id):
            put_back(change, project_id, part_id, {"text": strict_json.loads(doc).get("text")}, {"text": None})
