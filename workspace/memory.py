"""Project memory: doors to the operations on it, and what is read of it."""

from __future__ import annotations

from ..missions.board import Hit
from ..missions.entities import USER, Author, MemoryDocument
from ..missions.errors import NotFound
from ..missions.operations import memory
from . import documents, lookup, rows
from .base import WorkspaceBase
from .board import _query


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
            document = documents.find(connection, owner.id, name)
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
        return self.write_as(by, memory.append, project, name, text, heading)

    def replace_memory(
        self, project: str, name: str, text: str, expected_version: int, *, by: Author = USER
    ) -> MemoryDocument:
        """Replace a document (expected version 0: it must not exist); VersionConflict when it changed meanwhile."""
        return self.write_as(by, memory.replace, project, name, text, expected_version)

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
