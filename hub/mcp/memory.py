"""Project memory for the MCP tools: documents read, searched, added to and replaced, each version kept."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from ...missions.board import Hit
from ...missions.entities import MemoryDocument
from ...missions.errors import NotFound
from ...missions.wire import from_wire
from ..records import memory
from .reads import HubReads


class HubMemory(HubReads):
    """The reading half of the memory."""

    def memory_documents(self, project: str) -> Sequence[MemoryDocument]:
        """Every document of the project memory."""
        docs = memory.texts(self._at, self._readable_memory(project))
        return [from_wire(MemoryDocument, orjson.loads(doc)) for doc in docs]

    def memory(self, project: str, name: str) -> MemoryDocument:
        """One document; NotFound."""
        found = memory.find(self._at, self._readable_memory(project), name)
        if found is None:
            raise NotFound(f"The project memory has no document {name[:64]!r}", todo="memory_list shows them")
        return found

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
