"""Which mission blocks which, and which belong together, as the workspace keeps it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from ..missions.entities import Mission, Relation
from .sync_state import outgoing
from .transaction import Transaction


def edges(connection: sqlite3.Connection) -> list[tuple[str, str]]:
    """(blocker, blocked) ids."""
    found = connection.execute("SELECT mission_id, other_id FROM dependency WHERE relation = 'blocks'")
    return [(str(blocker), str(blocked)) for blocker, blocked in found]


def of_mission(connection: sqlite3.Connection, mission_id: str) -> tuple[list[str], list[str]]:
    """(ids that block a mission, ids it relates to), sorted."""
    found = connection.execute(
        "SELECT mission_id, other_id, relation FROM dependency WHERE mission_id = ?1 OR other_id = ?1", (mission_id,)
    ).fetchall()
    blockers = {str(first) for first, other, relation in found if relation == "blocks" and other == mission_id}
    related = {
        str(other if first == mission_id else first) for first, other, relation in found if relation == "relates_to"
    }
    return sorted(blockers), sorted(related)


def told_to_hub(connection: sqlite3.Connection, mission_id: str, name: str) -> list[str]:
    """Ids that a hub keeps with a mission, sorted: `blockedBy`, or `relatesTo` (those it was linked with itself)."""
    query = (
        "SELECT mission_id FROM dependency WHERE other_id = ? AND relation = 'blocks' ORDER BY 1"
        if name == "blockedBy"
        else "SELECT other_id FROM dependency WHERE mission_id = ? AND relation = 'relates_to' ORDER BY 1"
    )
    return [str(other) for (other,) in connection.execute(query, (mission_id,))]


def put(connection: sqlite3.Connection, mission_id: str, other_id: str, relation: Relation) -> bool:
    """Add a link; False when it is there (either way round for `relates_to`)."""
    return bool(
        connection.execute(
            "INSERT OR IGNORE INTO dependency (mission_id, other_id, relation) SELECT ?1, ?2, ?3 WHERE NOT EXISTS "
            "(SELECT 1 FROM dependency WHERE ?3 = 'relates_to' AND relation = ?3 AND mission_id = ?2 AND other_id = ?1"
            ")",
            (mission_id, other_id, relation),
        ).rowcount
    )


def drop(connection: sqlite3.Connection, mission_id: str, other_id: str, relation: Relation) -> bool:
    """Remove a link; False when there is none."""
    return bool(
        connection.execute(
            "DELETE FROM dependency WHERE relation = ?3 AND (mission_id = ?1 AND other_id = ?2 "
            "OR relation = 'relates_to' AND mission_id = ?2 AND other_id = ?1)",
            (mission_id, other_id, relation),
        ).rowcount
    )


def change(
    transaction: Transaction,
    mission: Mission,
    other: Mission,
    relation: Relation,
    write: Callable[[sqlite3.Connection, str, str, Relation], bool],
) -> bool:
    """Put or drop a link, and queue what that means for a hub, which keeps it with the blocked mission or with both."""
    name = "blockedBy" if relation == "blocks" else "relatesTo"
    ends = (other,) if relation == "blocks" else (mission, other)
    before = [told_to_hub(transaction.connection, end.id, name) for end in ends]
    if not write(transaction.connection, mission.id, other.id, relation):
        return False
    for end, was in zip(ends, before, strict=True):
        now = told_to_hub(transaction.connection, end.id, name)
        outgoing.queue_links(transaction, end.id, end.project_id, name, was, now)
    return True
