"""Documents of the project memory, as the workspace keeps them: the newest version, and differences to those before."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

from ..missions.entities import Author, MemoryDocument
from ..missions.ids import short_id
from ..missions.limits import DOCUMENT_VERSIONS
from ..missions.texts import fencing
from ..missions.texts.differences import Difference, difference
from . import passages, rows


def find(connection: sqlite3.Connection, project_id: str, name: str) -> MemoryDocument | None:
    """One document, with an empty text when it was deleted; None when there never was one."""
    row = connection.execute(
        f"SELECT {rows.MEMORY_COLUMNS} FROM memory WHERE project_id = ? AND name = ?", (project_id, name)
    ).fetchone()
    return rows.memory_of(row) if row else None


def put(connection: sqlite3.Connection, document: MemoryDocument) -> None:
    """Write the next version of a document; the one before becomes a difference, the oldest go."""
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
    _shorten_newest(connection, document)
    connection.execute(
        "INSERT INTO memory_version (project_id, name, version, at, author_kind, author_name, session_id, text) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        values,
    )
    one = (document.project_id, document.name)
    connection.execute(
        "DELETE FROM memory_version WHERE project_id = ?1 AND name = ?2 AND version <= (SELECT version "
        "FROM memory_version WHERE project_id = ?1 AND name = ?2 ORDER BY version DESC LIMIT 1 OFFSET ?3)",
        (*one, DOCUMENT_VERSIONS),
    )
    passages.put_document(connection, *one, document.text, _source(connection, by), at or "")


def versions(connection: sqlite3.Connection, project_id: str, name: str) -> list[MemoryDocument]:
    """The versions that are kept, oldest first."""
    found = list[MemoryDocument]()
    for *row, start, end in connection.execute(
        "SELECT project_id, name, text, version, at, author_kind, author_name, session_id, kept_start, kept_end "
        "FROM memory_version WHERE project_id = ? AND name = ? ORDER BY version DESC",
        (project_id, name),
    ):
        version = rows.memory_of(row)
        if start is not None:
            if not found:  # the version that it is told from is lost, and so is its text
                continue
            version = replace(version, text=Difference(start, end, version.text).applied(found[-1].text))
        found.append(version)
    return found[::-1]


def _source(connection: sqlite3.Connection, by: Author) -> str:
    """Who wrote it, and for which mission."""
    wanted = "SELECT m.number FROM session s JOIN mission m ON m.id = s.mission_id WHERE s.id = ?"
    row = connection.execute(wanted, (by.session_id,)).fetchone() if by.session_id else None
    return fencing.who(by) + (f" for {short_id(row[0])}" if row else "")


def _shorten_newest(connection: sqlite3.Connection, after: MemoryDocument) -> None:
    row = connection.execute(
        "SELECT version, text FROM memory_version WHERE project_id = ? AND name = ? ORDER BY version DESC LIMIT 1",
        (after.project_id, after.name),
    ).fetchone()
    if row is not None:
        version, text = row
        change = difference(after.text, text)
        connection.execute(
            "UPDATE memory_version SET text = ?, kept_start = ?, kept_end = ? "
            "WHERE project_id = ? AND name = ? AND version = ?",
            (change.middle, change.start, change.end, after.project_id, after.name, version),
        )
