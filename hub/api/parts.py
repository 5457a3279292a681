"""Flows, actors and repositories: the same five endpoints each."""

from __future__ import annotations

from ..identity import Scope
from ..services import parts
from ..services.parts import ACTOR, FLOW, REPOSITORY, Kind
from . import schemas
from .endpoint import Answer, Call, Schema, endpoint
from .schema import component, page


def _rows(kind: Kind, plural: str, verbs: tuple[str, str], shown: Schema, made: Schema, changed: Schema) -> None:
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
        return parts.listed(call, kind, call.path["id"])

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
        return parts.create(call, kind, call.path["id"])

    @endpoint("GET", one, f"{word}.get", f"Read one of the {plural}", needs=kind.reads, answers={200: shown})
    def read(call: Call) -> Answer:
        return parts.get(call, kind, call.path["id"])

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
        return parts.edit(call, kind, call.path["id"])

    @endpoint(
        "DELETE",
        one,
        f"{word}.{remove}",
        f"Take one of the {plural} away",
        needs=kind.writes,
        answers={204: None},
        if_match="optional",
        scope=admin,
    )
    def removed(call: Call) -> Answer:
        return parts.remove(call, kind, call.path["id"])


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
