"""Documents of the project memory: the newest version, and every version."""

from __future__ import annotations

import orjson
from sqlalchemy import ColumnElement, Connection, and_, delete, insert, select, update

from ...missions.entities import MemoryDocument
from ...missions.limits import DOCUMENT_VERSIONS
from ...missions.search.passages import of_document
from ...missions.texts.differences import Difference, difference
from ...missions.wire import from_wire, to_wire
from ..storage.tables import memory_documents, memory_versions
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
    """The JSON of the versions of a document that are kept, oldest first."""
    found, newer = list[str](), ""
    wanted = (memory_versions.c.doc, memory_versions.c.kept_start, memory_versions.c.kept_end)
    for row in at.execute(select(*wanted).where(_versions(project_id, name)).order_by(_NEWEST_FIRST)):
        doc = orjson.loads(row.doc)
        if row.kept_start is not None:
            doc["text"] = Difference(row.kept_start, row.kept_end, doc["text"]).applied(newer)
        newer = doc["text"]
        found.append(orjson.dumps(doc).decode())
    return found[::-1]


def put(at: Connection, document: MemoryDocument, *, new: bool) -> None:
    """Write the next version of a document; the one before becomes a difference, the oldest go."""
    values = {"version": document.version, "doc": orjson.dumps(to_wire(document)).decode()}
    named = {"project_id": document.project_id, "name": document.name, **values}
    if new:
        at.execute(insert(memory_documents).values(**named))
    else:
        at.execute(update(memory_documents).where(_one(document.project_id, document.name)).values(**values))
    _shorten_newest(at, document)
    at.execute(insert(memory_versions).values(**named))
    here = _versions(document.project_id, document.name)
    kept = select(memory_versions.c.version).where(here).order_by(_NEWEST_FIRST).offset(DOCUMENT_VERSIONS)
    for version in at.execute(kept).scalars().all():
        at.execute(delete(memory_versions).where(here, memory_versions.c.version == version))
    passages.put(at, "memory", document.project_id, document.name, of_document(document.name, document.text))


def _one(project_id: str, name: str) -> ColumnElement[bool]:
    return and_(memory_documents.c.project_id == project_id, memory_documents.c.name == name)


def _shorten_newest(at: Connection, after: MemoryDocument) -> None:
    here = _versions(after.project_id, after.name)
    newest = select(memory_versions.c.version, memory_versions.c.doc).where(here).order_by(_NEWEST_FIRST).limit(1)
    row = at.execute(newest).one_or_none()
    if row is not None:
        doc = orjson.loads(row.doc)
        change = difference(after.text, doc["text"])
        shortened = orjson.dumps(doc | {"text": change.middle}).decode()
        one = and_(here, memory_versions.c.version == row.version)
        places = {"kept_start": change.start, "kept_end": change.end}
        at.execute(update(memory_versions).where(one).values(doc=shortened, **places))


def _versions(project_id: str, name: str) -> ColumnElement[bool]:
    return and_(memory_versions.c.project_id == project_id, memory_versions.c.name == name)


_NEWEST_FIRST = memory_versions.c.version.desc()
