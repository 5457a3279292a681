"""Project memory: Markdown documents, each with its version; every version is kept."""

from __future__ import annotations

import re
from typing import Final

import orjson
from sqlalchemy import and_, insert, select, update

from ...missions.entities import JsonObject
from ...missions.errors import InvalidValue
from ...missions.wire import to_wire
from ..api.endpoint import Answer, Call
from ..errors import HubError
from ..permissions import missing
from ..tables import memory_documents, memory_versions
from .change import Change
from .documents import joined

NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,63}", re.ASCII)
DOCUMENT_MAX: Final = 1_000_000


def listed(call: Call, project_id: str) -> Answer:
    """Every document, by name."""
    call.hub.permissions.require(call.at, call.caller, project_id, "read memory")
    docs = call.at.execute(
        select(memory_documents.c.doc)
        .where(memory_documents.c.project_id == project_id)
        .order_by(memory_documents.c.name)
    ).scalars()
    return Answer(b'{"items":' + joined(list(docs)) + b',"nextAfter":null}')


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
    if not isinstance(text, str) or not text.strip() or len(text) > DOCUMENT_MAX or "\0" in text:
        raise InvalidValue("text", f"The text has 1 to {DOCUMENT_MAX} characters, and no NUL")
    if not NAME.fullmatch(name):
        raise InvalidValue("name", f"{name[:80]!r} is no document name", todo="use a-z, 0-9 and -, at most 64")
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
    version = current + 1
    doc: JsonObject = {
        "projectId": project_id, "name": name, "text": text, "version": version,
        "updatedAt": change.now.isoformat()[:-6] + "Z", "updatedBy": to_wire(change.by),
    }  # fmt: skip
    kept = orjson.dumps(doc).decode()
    if row is None:
        call.at.execute(insert(memory_documents).values(project_id=project_id, name=name, version=version, doc=kept))
    else:
        call.at.execute(update(memory_documents).where(_one(project_id, name)).values(version=version, doc=kept))
    call.at.execute(insert(memory_versions).values(project_id=project_id, name=name, version=version, doc=kept))
    change.event("memory_changed", note=name)
    return Answer(kept.encode(), 200 if current else 201, version=version)


def _one(project_id: str, name: str):  # type: ignore[no-untyped-def]
    return and_(memory_documents.c.project_id == project_id, memory_documents.c.name == name)
