"""Project memory: Markdown documents with headings, each version kept."""

from __future__ import annotations

import sqlite3

from ..missions.board import Hit
from ..missions.entities import USER, Author, MemoryDocument
from ..missions.errors import NotFound, VersionConflict
from ..missions.memory import append_under, check_document
from ..sync.replica.outbox import account_of
from . import lookup, rows
from .base import WorkspaceBase
from .board import _query
from .change import Change


class MemoryOperations(WorkspaceBase):
    """Operations on the memory of a project."""

    def memory_documents(self, project: str) -> list[MemoryDocument]:
        """All documents of a project by name."""
        with self._reading() as connection:
            owner = lookup.project(connection, project)
            found = connection.execute(
                f"SELECT {rows.MEMORY_COLUMNS} FROM memory WHERE project_id = ? ORDER BY name", (owner.id,)
            ).fetchall()
        return [rows.memory_of(row) for row in found]

    def memory(self, project: str, name: str) -> MemoryDocument:
        """One document; NotFound."""
        with self._reading() as connection:
            owner = lookup.project(connection, project)
            document = _find(connection, owner.id, name)
        if document is None:
            raise NotFound(f"The project memory has no document {name!r}", todo="`memory list` names what there is")
        return document

    def memory_versions(self, project: str, name: str) -> list[MemoryDocument]:
        """Every version a document had, oldest first."""
        with self._reading() as connection:
            owner = lookup.project(connection, project)
            found = connection.execute(
                "SELECT project_id, name, text, version, at, author_kind, author_name, session_id FROM memory_version "
                "WHERE project_id = ? AND name = ? ORDER BY version",
                (owner.id, name),
            ).fetchall()
        return [rows.memory_of(row) for row in found]

    def append_memory(
        self, project: str, name: str, text: str, heading: str | None = None, *, by: Author = USER
    ) -> MemoryDocument:
        """Add text at the end of a document, or at the end of the section under `heading` (made when absent)."""
        with self._change(by) as change:
            owner = change.project(project)
            check_document(name, text)
            document = _find(change.connection, owner.id, name)
            whole = append_under(document.text if document else "", text, heading)
            check_document(name, whole)
            return _put(change, owner.id, name, whole, document)

    def replace_memory(
        self, project: str, name: str, text: str, expected_version: int, *, by: Author = USER
    ) -> MemoryDocument:
        """Replace a document (expected version 0: it must not exist); VersionConflict when it changed meanwhile."""
        with self._change(by) as change:
            owner = change.project(project)
            check_document(name, text)
            document = _find(change.connection, owner.id, name)
            current = document.version if document else 0
            if current != expected_version:
                raise VersionConflict(
                    f"The document {name!r} changed since it was read",
                    current=current,
                    why=f"it is at version {current}, not {expected_version}",
                    todo="read it again and repeat the change on what it is now",
                )
            return _put(change, owner.id, name, text, document)

    def search_memory(self, project: str, text: str, limit: int = 20) -> list[Hit]:
        """Documents that hold all the words, best first."""
        query = _query(text)
        if not query:
            return []
        with self._reading() as connection:
            owner = lookup.project(connection, project)
            found = connection.execute(
                "SELECT m.name, snippet(memory_text, 1, '[', ']', ' … ', 24) FROM memory_text "
                "JOIN memory m ON m.rid = memory_text.rowid "
                "WHERE memory_text MATCH ? AND m.project_id = ? ORDER BY rank LIMIT ?",
                (query, owner.id, limit),
            ).fetchall()
        return [Hit("memory", name, name, excerpt or "") for name, excerpt in found]


def _find(connection: sqlite3.Connection, project_id: str, name: str) -> MemoryDocument | None:
    row = connection.execute(
        f"SELECT {rows.MEMORY_COLUMNS} FROM memory WHERE project_id = ? AND name = ?", (project_id, name)
    ).fetchone()
    return rows.memory_of(row) if row else None


def written(change: Change, project_id: str, name: str, text: str) -> None:
    """Write what the hub says of a document; nothing is queued, and nothing happens when it says the same."""
    before = _find(change.connection, project_id, name)
    if before is None or before.text != text:
        _kept(change, project_id, name, text, before)


def _put(change: Change, project_id: str, name: str, text: str, before: MemoryDocument | None) -> MemoryDocument:
    made = _kept(change, project_id, name, text, before)
    was = None if before is None else before.text
    if was != text and account_of(change.connection, project_id) is not None:
        from ..sync.replica.part_view import memory_id, record_fields

        record_fields(change, "memory", project_id, memory_id(project_id, name), {"text": text}, {"text": was})
    return made


def _kept(change: Change, project_id: str, name: str, text: str, before: MemoryDocument | None) -> MemoryDocument:
    version = before.version + 1 if before else 1
    author, at = change.by, rows.stamp(change.now)
    who = (author.kind, author.name, author.session_id)
    change.connection.execute(
        "INSERT INTO memory (project_id, name, version, updated_at, author_kind, author_name, session_id, text) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (project_id, name) DO UPDATE SET version = excluded.version, "
        "updated_at = excluded.updated_at, author_kind = excluded.author_kind, author_name = excluded.author_name, "
        "session_id = excluded.session_id, text = excluded.text",
        (project_id, name, version, at, *who, text),
    )
    change.connection.execute(
        "INSERT INTO memory_version (project_id, name, version, at, author_kind, author_name, session_id, text) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (project_id, name, version, at, *who, text),
    )
    change.event(project_id, "memory_changed", note=name)
    return MemoryDocument(project_id, name, text, version, change.now, author)
