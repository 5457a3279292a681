"""A connected project, and how far this machine has come with its hub."""

from __future__ import annotations

import sqlite3

from ...missions.connected import TroubleKind
from ...missions.entities import JsonObject
from ...missions.errors import NotFound
from ...missions.records import record
from ...system import strict_json


@record
class Mirror:
    """One connected project and how far it has come."""

    project_id: str
    account: str
    hub: str
    cursor: str | None
    epoch: int
    seq: int
    generation: int
    resync: JsonObject | None
    lists: tuple[str, ...] | None
    days: int | None
    parts: int | None
    read_only: str | None
    synced_at: str | None
    failing_since: str | None
    error: str | None
    skipped: int
    history: int | None
    """Up to where the notes in the hub's history were read; None before the first time."""
    trouble: TroubleKind | None
    """What stands between here and the hub; since when and why are `failing_since` and `error`."""


COLUMNS = (
    "project_id, account, hub, cursor, epoch, seq, generation, resync, lists, days, parts, read_only, synced_at, "
    "failing_since, error, skipped, history, trouble"
)


def mirror_of(row: tuple[object, ...]) -> Mirror:
    """The mirror in a row of COLUMNS."""
    values: list[object] = list(row)
    values[7] = None if values[7] is None else strict_json.loads(str(values[7]))
    values[8] = None if values[8] is None else tuple(strict_json.loads(str(values[8])))
    return Mirror(*values)  # type: ignore[arg-type]


def mirror(connection: sqlite3.Connection, project_id: str) -> Mirror:
    """The mirror of a connected project; NotFound for a local one."""
    row = connection.execute(f"SELECT {COLUMNS} FROM mirror WHERE project_id = ?", (project_id,)).fetchone()
    if row is None:
        raise NotFound("That project is not connected to a hub", todo="`solo-unicorn project connect` connects one")
    return mirror_of(row)
