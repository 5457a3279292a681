"""Documents of the project memory, as the workspace keeps them: the newest version, and every version."""

from __future__ import annotations

import sqlite3

from ..missions.entities import MemoryDocument
from . import passages, rows


def find(connection: sqlite3.Connection, project_id: str, name: str) -> MemoryDocument | None:
    """One document; None when there is none."""
    row = connection.execute(
        f"SELECT {rows.MEMORY_COLUMNS} FROM memory WHERE project_id = ? AND name = ?", (project_id, name)
    ).fetchone()
    return rows.memory_of(row) if row else None


def put(connection: sqlite3.Connection, document: MemoryDocument) -> None:
    """Write the next version of a document."""
    by = document.updated_by
    at = rows.stamp(document.updated_at)
    values = (document.project_id, document.name, document.version, at, by.kind, by.name, by.session_id, document.text)
    connection.execute(
        "INSERT INTO memory (project_id, name, version, updated_at, author_kind, author_name, session_id, text) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (project_id, name) DO UPDATE SET version = excluded.version, "
        "updated_at = excluded.updated_at, author_kind = excluded.author_kind, author_name = excluded.author_name, "
        "session_id = excluded.session_id, text = excluded.text",
        values,
    )
    passages.put_document(connection, document.project_id, document.name, document.text)
    connection.execute(
        "INSERT INTO memory_version (project_id, name, version, at, author_kind, author_name, session_id, text) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        values,
    )
