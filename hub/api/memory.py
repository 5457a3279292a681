"""`/projects/{id}/memory`: the project memory and its versions."""

from __future__ import annotations

from ..services import memory
from . import schemas
from .endpoint import Answer, Call, endpoint

ALL = "/projects/{id}/memory"
ONE = ALL + "/{name}"


@endpoint(
    "GET", ALL, "memory.list", "List the project memory", needs="read memory", answers={200: schemas.DOCUMENT_PAGE}
)
def list_memory(call: Call) -> Answer:
    """Every document."""
    return memory.listed(call, call.path["id"])


@endpoint("GET", ONE, "memory.get", "Read a document", needs="read memory", answers={200: schemas.DOCUMENT})
def get_memory(call: Call) -> Answer:
    """With its version as ETag."""
    return memory.get(call, call.path["id"], call.path["name"])


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
    """The whole of it."""
    return memory.put(call, call.path["id"], call.path["name"])


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
    return memory.versions(call, call.path["id"], call.path["name"])
