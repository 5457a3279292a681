"""Project memory for the MCP tools: documents read, searched, added to and replaced, each version kept."""

from __future__ import annotations

from collections.abc import Sequence

from ...missions.board import Hit
from ...missions.entities import USER, Author, MemoryDocument
from ...missions.errors import NotFound, VersionConflict
from ...missions.memory import append_under, check_document
from ..services import memory
from ..services.change import Change
from .reads import HubReads


class HubMemory(HubReads):
    """And what is about memory."""

    def memory_documents(self, project: str) -> Sequence[MemoryDocument]:
        """Every document of the project memory."""
        return memory.documents(self._at, self._readable_memory(project))

    def memory(self, project: str, name: str) -> MemoryDocument:
        """One document; NotFound."""
        found = memory.document(self._at, self._readable_memory(project), name)
        if found is None:
            raise NotFound(f"The project memory has no document {name[:64]!r}", todo="memory_list shows them")
        return found

    def append_memory(
        self, project: str, name: str, text: str, heading: str | None = None, *, by: Author = USER
    ) -> MemoryDocument:
        """At the end of the document, or of the section under `heading`; makes what is missing."""
        here = self.project(project).id
        change = self._changing(here, by)
        check_document(name, text)
        before = memory.document(self._at, here, name)
        whole = append_under(before.text if before else "", text, heading)
        return memory.keep(change, name, whole, before.version if before else 0)

    def replace_memory(
        self, project: str, name: str, text: str, expected_version: int, *, by: Author = USER
    ) -> MemoryDocument:
        """The whole document; version 0 makes a new one; VersionConflict."""
        here = self.project(project).id
        change = self._changing(here, by)
        before = memory.document(self._at, here, name)
        current = before.version if before else 0
        if expected_version != current:
            raise VersionConflict(f"The document {name!r} has changed", current=current, todo="read it anew")
        return memory.keep(change, name, text, current)

    def search_memory(self, project: str, text: str, limit: int = 20) -> Sequence[Hit]:
        """Lines with all the words."""
        words = [word for word in text.lower().split() if word]
        found = []
        for document in self.memory_documents(project) if words else ():
            for line in document.text.splitlines():
                if all(word in line.lower() for word in words):
                    found.append(Hit("memory", document.name, document.name, line.strip()[:300]))
        return found[:limit]

    def _readable_memory(self, project: str) -> str:
        here = self.project(project).id
        self._need(here, "read memory")
        return here

    def _changing(self, project_id: str, by: Author) -> Change:
        change = Change(self.call, project_id, "write memory")
        change.by = Author("agent", f"{by.name} for {self.call.caller.email or self.call.caller.name}")
        return change
