"""What a hub said last: a row for each mission, part of a project, document, note and file that it is known to have.

With the outbox it makes what is shown of a connected project: view = fold(base, outbox).
"""

from __future__ import annotations

import sqlite3
from typing import Literal, cast

from ...missions.entities import JsonObject
from ...system import strict_json
from ..rows import dump

Kind = Literal["mission", "project", "flow", "actor", "repository", "memory", "note", "file"]
"""Of notes and files only that they are known: version 0, an empty document."""


def find(connection: sqlite3.Connection, kind: str, about: str) -> tuple[int, JsonObject] | None:
    """(version, document) of what the hub has; None when it is not there."""
    row = connection.execute(
        "SELECT version, doc FROM base WHERE kind = ? AND id = ? AND deleted = 0", (kind, about)
    ).fetchone()
    return None if row is None else (int(row[0]), cast("JsonObject", strict_json.loads(row[1])))


def document(connection: sqlite3.Connection, kind: str, about: str) -> JsonObject | None:
    """What the hub says of it; None when it is not there."""
    known = find(connection, kind, about)
    return None if known is None else known[1]


def last_words(connection: sqlite3.Connection, kind: str, about: str) -> JsonObject:
    """What the hub said of it, also when it is gone there."""
    row = connection.execute("SELECT doc FROM base WHERE kind = ? AND id = ?", (kind, about)).fetchone()
    return {} if row is None else cast("JsonObject", strict_json.loads(row[0]))


def put(
    connection: sqlite3.Connection,
    kind: str,
    about: str,
    project_id: str,
    version: int,
    document: JsonObject,
    *,
    generation: int = 0,
) -> None:
    """Keep what the hub says of something that it has."""
    connection.execute(
        "INSERT INTO base (kind, id, project_id, version, deleted, generation, doc) VALUES (?, ?, ?, ?, 0, ?, ?) "
        "ON CONFLICT (kind, id) DO UPDATE SET project_id = excluded.project_id, version = excluded.version, "
        "deleted = 0, generation = excluded.generation, doc = excluded.doc",
        (kind, about, project_id, version, generation, dump(document)),
    )


def know(connection: sqlite3.Connection, kind: str, about: str, project_id: str) -> bool:
    """Note that the hub has something; False when that was known."""
    return bool(
        connection.execute(
            "INSERT OR IGNORE INTO base (kind, id, project_id, version, deleted, generation, doc) "
            "VALUES (?, ?, ?, 0, 0, 0, '{}')",
            (kind, about, project_id),
        ).rowcount
    )


def mark_deleted(connection: sqlite3.Connection, kind: str, about: str) -> None:
    """The hub has it no more; its last words are kept."""
    connection.execute("UPDATE base SET deleted = 1 WHERE kind = ? AND id = ?", (kind, about))


def drop(connection: sqlite3.Connection, kind: str, about: str) -> bool:
    """Forget it; False when it was not known."""
    return bool(connection.execute("DELETE FROM base WHERE kind = ? AND id = ?", (kind, about)).rowcount)
