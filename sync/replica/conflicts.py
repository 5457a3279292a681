"""Conflicts: where two people changed the same thing, both values kept until a person decides."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from typing import Final, Literal, cast

from ...missions.entities import Json, JsonObject
from ...missions.errors import NotFound
from ...missions.field_kinds import same
from ...missions.records import record
from ...system import strict_json
from ...workspace.change import Change
from ...workspace.rows import dump, known_moment, stamp

ConflictKind = Literal[
    "field", "progress", "deleted_remotely", "deleted_locally", "outcome_unknown", "id_taken", "lost_remotely"
]
SAYS: Final[dict[ConflictKind, str]] = {
    "field": "{field} changed here and there",
    "progress": "different steps here and there",
    "deleted_remotely": "changed here, deleted there",
    "deleted_locally": "deleted here, changed there",
    "outcome_unknown": "the hub never confirmed this change",
    "id_taken": "the hub has another mission with this id",
    "lost_remotely": "the hub lost it when it was restored",
}
"""What a person is told of each kind; `{field}` is filled in."""
Choice = Literal["kept_mine", "kept_theirs", "merged"]


@record
class SyncConflict:
    """One open or settled conflict."""

    id: str
    project_id: str
    mission_id: str
    mutation_id: str
    kind: ConflictKind
    field: str
    """Wire name; empty when it is about the whole mission, `progress` for a step through the flow."""
    base: Json
    """What was there when the edit was made here."""
    mine: Json
    theirs: Json
    state: str
    at: datetime
    part: str = ""
    """What of the project it is about (project, flow, actor, repository, memory); empty for a mission."""
    number: int = 0
    title: str = ""


SINGLE = frozenset({"flowConfig", "loopSchedule"})
"""Fields whose value is an object; other objects are several fields, and a later one keeps what it does not name."""
COLUMNS = (
    "c.id, c.project_id, c.mission_id, c.mutation_id, c.kind, c.field, c.base, c.mine, c.theirs, c.state, c.at, c.part"
)


def conflict_of(row: tuple[object, ...]) -> SyncConflict:
    """The conflict in a row of COLUMNS, the mission's number and title."""
    values: list[object] = list(row)
    for place in (6, 7, 8):
        values[place] = strict_json.loads(str(values[place]))
    values[10] = known_moment(values[10])
    values[12], values[13] = values[12] or 0, values[13] or ""
    found = SyncConflict(*values)  # type: ignore[arg-type]
    if not found.title and isinstance(found.mine, dict):
        return SyncConflict(*[*values[:13], str(found.mine.get("title") or found.mine.get("name") or "")])  # type: ignore[arg-type]
    return found


def add(
    change: Change,
    project_id: str,
    mission_id: str,
    mutation_id: str,
    kind: ConflictKind,
    field: str,
    base: Json,
    mine: Json,
    theirs: Json,
    *,
    part: str = "",
) -> None:
    """Record a conflict; an open one of the same field goes on when its value of this side was in view.

    It was when the newer value was made on it, or is the same; else both values wait for a person.
    """
    several = isinstance(mine, dict) and field not in SINGLE
    found = change.connection.execute(
        "SELECT id, mine, mutation_id FROM conflict WHERE mission_id = ? AND field = ? AND kind = ? "
        "AND state = 'open' ORDER BY at DESC, id DESC",
        (mission_id, field, kind),
    ).fetchall()
    opened = [(about, strict_json.loads(value), mutation) for about, value, mutation in found]
    earlier = next(
        (one for one in opened if several or one[2] == mutation_id or same(one[1], mine) or same(one[1], base)), None
    )
    if earlier is not None:
        if several:
            mine = {**cast("JsonObject", earlier[1]), **cast("JsonObject", mine)}
        change.connection.execute(
            "UPDATE conflict SET mine = ?, theirs = ?, mutation_id = ?, at = ? WHERE id = ?",
            (dump(mine), dump(theirs), mutation_id, stamp(change.now), earlier[0]),
        )
    else:
        change.connection.execute(
            "INSERT INTO conflict (id, project_id, mission_id, mutation_id, kind, field, base, mine, theirs, state, "
            "at, part) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'open', ?, ?)",
            (
                change.new_id(),
                project_id,
                mission_id,
                mutation_id,
                kind,
                field,
                dump(base),
                dump(mine),
                dump(theirs),
                stamp(change.now),
                part,
            ),
        )
    change.event(project_id, "conflicted", mission_id=None if part else mission_id, note=field or kind)


def find(connection: sqlite3.Connection, ref: str) -> SyncConflict:
    """An open conflict by its id or a unique beginning or end of it; NotFound."""
    found = connection.execute(
        f"SELECT {COLUMNS}, m.number, m.title FROM conflict c LEFT JOIN mission m ON m.id = c.mission_id "
        "WHERE c.state = 'open' AND (c.id = ?1 OR length(?1) >= 4 AND (substr(c.id, 1, length(?1)) = ?1 "
        "OR substr(c.id, -length(?1)) = ?1)) LIMIT 2",
        (ref.upper(),),
    ).fetchall()
    if len(found) != 1:
        raise NotFound(f"No open conflict {ref!r}", todo="`solo-unicorn conflicts list` lists the open ones")
    return conflict_of(found[0])


def reappeared(change: Change, mission_id: str) -> None:
    """A mission that the hub had lost is there again: somebody published it."""
    change.connection.execute(
        "UPDATE conflict SET state = 'kept_theirs', settled_at = ? "
        "WHERE mission_id = ? AND field = '' AND kind = 'lost_remotely' AND state = 'open'",
        (stamp(change.now), mission_id),
    )


def settle(change: Change, conflict_id: str, choice: Choice) -> None:
    change.connection.execute(
        "UPDATE conflict SET state = ?, settled_at = ? WHERE id = ?", (choice, stamp(change.now), conflict_id)
    )
