"""Project memory for the MCP tools: documents read, searched, added to and replaced, each version kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import Connection, delete, insert, select

from ...missions.board import Hit
from ...missions.entities import USER, Author, MemoryDocument, Project
from ...missions.errors import InvalidValue, NotFound, VersionConflict
from ...missions.wire import from_wire, to_wire
from ...sync.memory import append_under
from ..services.change import Change
from ..tables import memory_documents, memory_versions

if TYPE_CHECKING:
    from ..api.endpoint import Call

TEXT_MAX = 500_000
NAME_MAX = 64


class HubMemory:
    """The part of `HubAccess` that is about memory."""

    call: Call
    _at: Connection

    def project(self, ref: str) -> Project:
        """Of `HubAccess`."""
        raise NotImplementedError

    def _need(self, project_id: str, right: Any) -> None:
        raise NotImplementedError

    def memory_documents(self, project: str) -> Sequence[MemoryDocument]:
        """Every document of the project memory."""
        here = self._readable_memory(project)
        docs = self._at.execute(
            select(memory_documents.c.doc)
            .where(memory_documents.c.project_id == here)
            .order_by(memory_documents.c.name)
        ).scalars()
        return [from_wire(MemoryDocument, orjson.loads(doc)) for doc in docs]

    def memory(self, project: str, name: str) -> MemoryDocument:
        """One document; NotFound."""
        found = self._document(self._readable_memory(project), name)
        if found is None:
            raise NotFound(f"The project memory has no document {name[:NAME_MAX]!r}", todo="memory_list shows them")
        return found

    def append_memory(
        self, project: str, name: str, text: str, heading: str | None = None, *, by: Author = USER
    ) -> MemoryDocument:
        """At the end of the document, or of the section under `heading`; makes what is missing."""
        here = self.project(project).id
        change = self._changing(here, by)
        before = self._document(here, name)
        return self._keep(change, name, append_under(before.text if before else "", text, heading), before)

    def replace_memory(
        self, project: str, name: str, text: str, expected_version: int, *, by: Author = USER
    ) -> MemoryDocument:
        """The whole document; version 0 makes a new one; VersionConflict."""
        here = self.project(project).id
        change = self._changing(here, by)
        before = self._document(here, name)
        current = before.version if before else 0
        if expected_version != current:
            raise VersionConflict(f"The document {name!r} has changed", current=current, todo="read it anew")
        return self._keep(change, name, text, before)

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

    def _document(self, project_id: str, name: str) -> MemoryDocument | None:
        doc = self._at.execute(
            select(memory_documents.c.doc).where(
                memory_documents.c.project_id == project_id, memory_documents.c.name == name
            )
        ).scalar_one_or_none()
        return None if doc is None else from_wire(MemoryDocument, orjson.loads(doc))

    def _keep(self, change: Change, name: str, text: str, before: MemoryDocument | None) -> MemoryDocument:
        if not name or len(name) > NAME_MAX or not name.isprintable() or "/" in name or "\0" in text:
            raise InvalidValue("name", f"A document's name has 1 to {NAME_MAX} printable characters without /")
        if len(text) > TEXT_MAX:
            raise InvalidValue("text", f"A document has at most {TEXT_MAX} characters", todo="split it")
        version = (before.version if before else 0) + 1
        made = MemoryDocument(change.project_id, name, text, version, change.now, change.by)
        doc = orjson.dumps(to_wire(made)).decode()
        place = (memory_documents.c.project_id == change.project_id, memory_documents.c.name == name)
        self._at.execute(delete(memory_documents).where(*place))
        values = {"project_id": change.project_id, "name": name, "version": version, "doc": doc}
        self._at.execute(insert(memory_documents).values(values))
        self._at.execute(insert(memory_versions).values(values))
        change.event("memory_changed", note=name)
        return made
