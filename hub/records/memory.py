"""Documents of the project memory: the newest version, and every version."""

from __future__ import annotations

import orjson
from sqlalchemy import ColumnElement, Connection, and_, insert, select, update

from ...missions.entities import MemoryDocument
from ...missions.search.passages import of_document
from ...missions.wire import from_wire, to_wire
from ..tables import memory_documents, memory_versions
from . import passages


def find(at: Connection, project_id: str, name: str) -> MemoryDocument | None:
    """One document; None when there is none."""
    doc = at.execute(select(memory_documents.c.doc).where(_one(project_id, name))).scalar_one_or_none()
    return None if doc is None else from_wire(MemoryDocument, orjson.loads(doc))


def texts(at: Connection, project_id: str) -> list[str]:
    """The JSON of every document, by name."""
    mine = select(memory_documents.c.doc).where(memory_documents.c.project_id == project_id)
    return list(at.execute(mine.order_by(memory_documents.c.name)).scalars())


def versions(at: Connection, project_id: str, name: str) -> list[str]:
    """The JSON of every version of a document, oldest first."""
    mine = and_(memory_versions.c.project_id == project_id, memory_versions.c.name == name)
    return list(at.execute(select(memory_versions.c.doc).where(mine).order_by(memory_versions.c.version)).scalars())


def put(at: Connection, document: MemoryDocument, *, new: bool) -> None:
    """Write the next version of a document."""
    values = {"version": document.version, "doc": orjson.dumps(to_wire(document)).decode()}
    named = {"project_id": document.project_id, "name": document.name, **values}
    if new:
        at.execute(insert(memory_documents).values(**named))
    else:
        at.execute(update(memory_documents).where(_one(document.project_id, document.name)).values(**values))
    at.execute(insert(memory_versions).values(**named))
    passages.put(at, "memory", document.project_id, document.name, of_document(document.name, document.text))


def _one(project_id: str, name: str) -> ColumnElement[bool]:
    return and_(memory_documents.c.project_id == project_id, memory_documents.c.name == name)
