"""`/projects/{id}/memory`: the project memory and its versions."""

from __future__ import annotations

import orjson

from ...missions.errors import InvalidValue
from ...missions.operations import memory as operations
from ...missions.wire import to_wire
from ..change import Change
from ..permissions import missing
from ..records import memory
from ..records.missions import joined
from . import preconditions, schemas
from .endpoint import Answer, Call, endpoint

ALL = "/projects/{id}/memory"
ONE = ALL + "/{name}"


@endpoint(
    "GET", ALL, "memory.list", "List the project memory", needs="read memory", answers={200: schemas.DOCUMENT_PAGE}
)
def list_memory(call: Call) -> Answer:
    return _page(memory.texts(call.at, _readable(call)))


@endpoint("GET", ONE, "memory.get", "Read a document", needs="read memory", answers={200: schemas.DOCUMENT})
def get_memory(call: Call) -> Answer:
    """The ETag is its version."""
    found = memory.find(call.at, _readable(call), call.path["name"])
    if found is None:
        raise missing("document", call.path["name"])
    return Answer(orjson.dumps(to_wire(found)), version=found.version)


@endpoint(
    "PUT",
    ONE,
    "memory.put",
    "Write a document",
    needs="write memory",
    answers={200: schemas.DOCUMENT, 201: schemas.DOCUMENT},
    body=schemas.DOCUMENT_WRITE,
    if_match="optional",
    refuses=(428,),
)
def put_memory(call: Call) -> Answer:
    """Replaces the whole text; an empty one deletes the document and keeps its versions."""
    change, name, text = Change(call, call.path["id"], "write memory"), call.path["name"], call.body.get("text")
    if not isinstance(text, str):
        raise InvalidValue("text", "The text is a string", todo="send the whole document")
    before = memory.find(call.at, change.project_id, name)
    shown = None if before is None else orjson.dumps(to_wire(before)).decode()
    preconditions.check(call, before.version if before else 0, shown, required=before is not None)
    if text or before is None:
        made = operations.replace(change, change.project_id, name, text)
    else:  # a mirror tells that the document was deleted
        made = operations.delete(change, change.project_id, name) if before.text else before
    return Answer(orjson.dumps(to_wire(made)), 200 if before else 201, version=made.version)


@endpoint(
    "GET",
    ONE + "/versions",
    "memory.versions",
    "Read every version of a document",
    needs="read memory",
    answers={200: schemas.DOCUMENT_PAGE},
)
def memory_versions(call: Call) -> Answer:
    """Oldest first."""
    found = memory.versions(call.at, _readable(call), call.path["name"])
    if not found:
        raise missing("document", call.path["name"])
    return _page(found)


def _readable(call: Call) -> str:
    project_id = call.path["id"]
    call.require(project_id, "read memory")
    return project_id


def _page(docs: list[str]) -> Answer:
    return Answer(b'{"items":' + joined(docs) + b',"nextAfter":null}')
