"""Flows, actors and repositories: the same five endpoints each."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

from ...missions.operations import parts as operations
from ..change import Change
from ..identity import Scope
from ..records.missions import joined
from ..services import parts
from ..services.parts import ACTOR, FLOW, REPOSITORY, PartKind
from . import preconditions, schemas
from .endpoint import Answer, Call, Schema, endpoint
from .schema import component, page


def _rows(kind: PartKind, plural: str, verbs: tuple[str, str], shown: Schema, made: Schema, changed: Schema) -> None:
    of_project, one = f"/projects/{{id}}/{plural}", f"/{plural}/{{id}}"
    word, (create, remove) = kind.word, verbs
    admin: Scope = "admin" if kind is not REPOSITORY else "write"

    @endpoint(
        "GET",
        of_project,
        f"{word}.list",
        f"List a project's {plural}",
        needs=kind.reads,
        answers={200: component(f"{kind.cls.__name__}Page", page(shown))},
    )
    def listed(call: Call) -> Answer:
        return Answer(b'{"items":' + joined(parts.texts(call, kind, call.path["id"])) + b',"nextAfter":null}')

    @endpoint(
        "POST",
        of_project,
        f"{word}.{create}",
        f"{create.capitalize()} a {word}".replace("a actor", "an actor"),
        needs=kind.writes,
        answers={201: shown},
        body=made,
        scope=admin,
    )
    def created(call: Call) -> Answer:
        made = parts.create(Change(call, call.path["id"], kind.writes), kind, call.body)
        return _shown(parts.row(call, kind, made.id), status=201)

    @endpoint("GET", one, f"{word}.get", f"Read one of the {plural}", needs=kind.reads, answers={200: shown})
    def read(call: Call) -> Answer:
        return _shown(parts.row(call, kind, call.path["id"]))

    @endpoint(
        "PATCH",
        one,
        f"{word}.update",
        f"Change one of the {plural}",
        needs=kind.writes,
        answers={200: shown},
        body=changed,
        if_match="optional",
        scope=admin,
    )
    def edited(call: Call) -> Answer:
        parts.edit(_opened(call, kind), kind, call.path["id"], call.body)
        return _shown(parts.row(call, kind, call.path["id"]))

    @endpoint(
        "DELETE",
        one,
        f"{word}.{remove}",
        f"Delete one of the {plural}",
        needs=kind.writes,
        answers={204: None},
        if_match="optional",
        scope=admin,
    )
    def removed(call: Call) -> Answer:
        change = _opened(call, kind)
        operations.remove(change, kind.cls, call.path["id"])
        return Answer(status=204, version=change.journal.newest)


def _opened(call: Call, kind: PartKind) -> Change:
    """A change of the part's project, once the request's precondition holds."""
    change = Change(call, parts.row(call, kind, call.path["id"]).project_id, kind.writes)
    found = parts.row(call, kind, call.path["id"])  # as it is under the project's lock
    preconditions.check(call, found.version, found.doc)
    return change


def _shown(row: Row[Any], *, status: int = 200) -> Answer:
    return Answer(row.doc.encode(), status, version=row.version)


_rows(FLOW, "flows", ("create", "delete"), schemas.FLOW, schemas.FLOW_CREATE, schemas.FLOW_PATCH)
_rows(ACTOR, "actors", ("create", "delete"), schemas.ACTOR, schemas.ACTOR_CREATE, schemas.ACTOR_PATCH)
_rows(
    REPOSITORY,
    "repositories",
    ("link", "unlink"),
    schemas.REPOSITORY,
    schemas.REPOSITORY_CREATE,
    schemas.REPOSITORY_PATCH,
)
