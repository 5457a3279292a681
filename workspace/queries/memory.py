"""Project memory: documents, their versions, search."""

from __future__ import annotations

import sqlite3

from ...missions.board import Hit
from ...missions.entities import MemoryDocument
from ...missions.errors import NotFound
from ...missions.search import hits, ranking
from .. import documents, lookup, rows
from ..passages import Passages


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
    """Sections that answer the question, best first."""
    owner = lookup.project(connection, project)
    matches = ranking.search(Passages(connection, "memory", owner.id), text, limit)
    read = {match.ref: documents.find(connection, owner.id, match.ref) for match in matches}
    return hits.of_documents(matches, {name: one for name, one in read.items() if one})


def nearest_headings(connection: sqlite3.Connection, project: str, text: str) -> list[str]:
    """Sections whose names look most like a question that found nothing, as `DOCUMENT › HEADING`."""
    owner = lookup.project(connection, project)
    wanted = "SELECT ref, heading FROM passage WHERE project_id = ? AND kind = 'memory' GROUP BY ref, heading"
    found = connection.execute(f"{wanted} ORDER BY ref, min(place)", (owner.id,)).fetchall()
    return ranking.nearest(text, [" › ".join(filter(None, row)) for row in found])
