"""Project memory: documents, their versions, search."""

from __future__ import annotations

import sqlite3

from ...missions.board import Hit
from ...missions.entities import MemoryDocument
from ...missions.errors import NotFound
from .. import documents, lookup, rows
from .missions import words_query


def list_all(connection: sqlite3.Connection, project: str) -> list[MemoryDocument]:
    """All documents of a project by name."""
    owner = lookup.project(connection, project)
    found = connection.execute(
        f"SELECT {rows.MEMORY_COLUMNS} FROM memory WHERE project_id = ? ORDER BY name", (owner.id,)
    ).fetchall()
    return [rows.memory_of(row) for row in found]


def get(connection: sqlite3.Connection, project: str, name: str) -> MemoryDocument:
    """One document; NotFound."""
    owner = lookup.project(connection, project)
    document = documents.find(connection, owner.id, name)
    if document is None:
        raise NotFound(f"The project memory has no document {name!r}", todo="`memory list` names what there is")
    return document


def versions(connection: sqlite3.Connection, project: str, name: str) -> list[MemoryDocument]:
    """Every version a document had, oldest first."""
    owner = lookup.project(connection, project)
    found = connection.execute(
        "SELECT project_id, name, text, version, at, author_kind, author_name, session_id FROM memory_version "
        "WHERE project_id = ? AND name = ? ORDER BY version",
        (owner.id, name),
    ).fetchall()
    return [rows.memory_of(row) for row in found]


def search(connection: sqlite3.Connection, project: str, text: str, limit: int = 20) -> list[Hit]:
    """Documents that hold all the words, best first."""
    query = words_query(text)
    if not query:
        return []
    owner = lookup.project(connection, project)
    found = connection.execute(
        "SELECT m.name, snippet(memory_text, 1, '[', ']', ' … ', 24) FROM memory_text "
        "JOIN memory m ON m.rid = memory_text.rowid "
        "WHERE memory_text MATCH ? AND m.project_id = ? ORDER BY rank LIMIT ?",
        (query, owner.id, limit),
    ).fetchall()
    return [Hit("memory", name, name, excerpt or "") for name, excerpt in found]
