"""Project memory: Markdown documents, each with its version; every version is kept."""

from __future__ import annotations

import orjson
from sqlalchemy import Connection, and_, insert, select, update

from ...missions.entities import MemoryDocument
from ...missions.errors import InvalidValue
from ...missions.memory import check_document
from ...missions.wire import from_wire, to_wire
from ..api.endpoint import Answer, Call
from ..errors import HubError
from ..permissions import missing
from ..tables import memory_documents, memory_versions
from .change import Change
from .documents import joined


def listed(call: Call, project_id: str) -> Answer:
    """Every document, by name."""
    call.hub.permissions.require(call.at, call.caller, project_id, "read memory")
    return Answer(b'{"items":' + joined(_docs(call.at, project_id)) + b',"nextAfter":null}')


def get(call: Call, project_id: str, name: str) -> Answer:
    """One document."""
    call.hub.permissions.require(call.at, call.caller, project_id, "read memory")
    row = call.at.execute(select(memory_documents).where(_one(project_id, name))).one_or_none()
    if row is None:
        raise missing("document", name)
    return Answer(row.doc.encode(), version=row.version)


def versions(call: Call, project_id: str, name: str) -> Answer:
    """Every version a document had, oldest first."""
    call.hub.permissions.require(call.at, call.caller, project_id, "read memory")
    docs = list(
        call.at.execute(
            select(memory_versions.c.doc)
            .where(and_(memory_versions.c.project_id == project_id, memory_versions.c.name == name))
            .order_by(memory_versions.c.version)
        ).scalars()
    )
    if not docs:
        raise missing("document", name)
    return Answer(b'{"items":' + joined(docs) + b',"nextAfter":null}')


def put(call: Call, project_id: str, name: str) -> Answer:
    """The whole document. A new one needs no If-Match (or `"0"`), a present one its version."""
    change = Change(call, project_id, "write memory")
    text = call.body.get("text")
    if not isinstance(text, str):
        raise InvalidValue("text", "The text is a string")
    check_document(name, text)
    row = call.at.execute(select(memory_documents).where(_one(project_id, name))).one_or_none()
    current = row.version if row is not None else 0
    if row is not None and call.if_match is None:
        raise HubError("precondition_required", "This needs an If-Match header", todo="send the ETag that was read")
    if call.if_match not in (None, -1, current):
        raise HubError(
            "precondition_failed",
            "The document changed since it was read",
            why=f"it is at version {current}, not {call.if_match}",
            details={"version": current, "current": orjson.loads(row.doc) if row is not None else None},
        )
    made = keep(change, name, text, current)
    return Answer(orjson.dumps(to_wire(made)), 200 if current else 201, version=made.version)


def keep(change: Change, name: str, text: str, current: int) -> MemoryDocument:
    """A further version of a document that stands at `current`, 0 when it is new."""
    check_document(name, text)
    number = change.event("memory_changed", note=name)  # its number is the version: no history gives it out twice
    made = MemoryDocument(change.project_id, name, text, number, change.now, change.by)
    values = {"version": made.version, "doc": orjson.dumps(to_wire(made)).decode()}
    named = {"project_id": change.project_id, "name": name, **values}
    if current:
        change.call.at.execute(update(memory_documents).where(_one(change.project_id, name)).values(**values))
    else:
        change.call.at.execute(insert(memory_documents).values(**named))
    change.call.at.execute(insert(memory_versions).values(**named))
    return made


def document(at: Connection, project_id: str, name: str) -> MemoryDocument | None:
    """One document, whoever asks; None when there is none."""
    doc = at.execute(select(memory_documents.c.doc).where(_one(project_id, name))).scalar_one_or_none()
    return None if doc is None else from_wire(MemoryDocument, orjson.loads(doc))


def documents(at: Connection, project_id: str) -> list[MemoryDocument]:
    """Every document by name, whoever asks."""
    return [from_wire(MemoryDocument, orjson.loads(doc)) for doc in _docs(at, project_id)]


def _docs(at: Connection, project_id: str) -> list[str]:
    mine = select(memory_documents.c.doc).where(memory_documents.c.project_id == project_id)
    return list(at.execute(mine.order_by(memory_documents.c.name)).scalars())


def _one(project_id: str, name: str):  # type: ignore[no-untyped-def]
    return and_(memory_documents.c.project_id == project_id, memory_documents.c.name == name)
