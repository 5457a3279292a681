"""Flows, actors and repositories of a project in the names of the wire.

Ids may be the caller's own, so that a published project keeps its.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

from sqlalchemy import Row, select

from ...missions.entities import Actor, Flow, Json, JsonObject, ProjectRepository
from ...missions.errors import AlreadyExists
from ...missions.operations import parts as operations
from ...missions.operations.port import AnyPart
from ...missions.wire import wire_name
from ..change import Change, new_id
from ..permissions import Right, missing
from ..records.parts import LOCAL, TABLES
from ..unit_of_work import UnitOfWork
from .checks import merged, name_of

FIXED: Final = frozenset({"id", "projectId", "createdAt", "updatedAt", "version", "missionsUsingCount"})


@dataclass(frozen=True, slots=True)
class PartKind:
    """One kind of part."""

    word: str
    cls: type[Any]
    reads: Right
    writes: Right


FLOW: Final = PartKind("flow", Flow, "read missions", "manage project")
ACTOR: Final = PartKind("actor", Actor, "read missions", "manage project")
REPOSITORY: Final = PartKind("repository", ProjectRepository, "read repositories", "manage repositories")


def settable(cls: type) -> frozenset[str]:
    """Wire fields that a request may set."""
    return frozenset(wire_name(field.name) for field in fields(cls)) - FIXED - LOCAL


def texts(work: UnitOfWork, kind: PartKind, project_id: str) -> list[str]:
    """The JSON of every part of a kind, by id."""
    work.require(project_id, kind.reads)
    table = TABLES[kind.cls]
    wanted = select(table.c.doc).where(table.c.project_id == project_id).order_by(table.c.id)
    return list(work.at.execute(wanted).scalars())


def row(work: UnitOfWork, kind: PartKind, part_id: str) -> Row[Any]:
    """A part's row, with its project, version and JSON; NotFound."""
    table = TABLES[kind.cls]
    found = work.at.execute(select(table).where(table.c.id == part_id)).one_or_none()
    if found is None or not work.access(found.project_id).may(kind.reads):
        raise missing(kind.word, part_id)
    return found


def create(change: Change, kind: PartKind, body: Mapping[str, Json]) -> AnyPart:
    """A new part; AlreadyExists where its id or its name in the project is taken."""
    part_id, name = new_id(body.get("id")), name_of(body.get("name"))
    table = TABLES[kind.cls]
    if change.at.execute(select(table.c.id).where(table.c.id == part_id)).scalar() is not None:
        raise AlreadyExists(f"The id {part_id} is taken", id=part_id, todo="choose another ULID")
    start = kind.cls(part_id, change.project_id, name, change.now, change.now)
    made: AnyPart = operations.create(
        change, change.project_id, kind.cls, name, _given(start, body, kind.cls), part_id=part_id
    )
    return made


def edit(change: Change, kind: PartKind, part_id: str, body: Mapping[str, Json]) -> AnyPart:
    """Fields of a part changed (null: back to the default); missions of a changed flow are fitted to it."""
    before = change.part(kind.cls, part_id)
    edited: AnyPart = operations.edit(change, kind.cls, part_id, _given(before, body, kind.cls))
    return edited


def _given(part: AnyPart, body: Mapping[str, Json], cls: type) -> dict[str, object]:
    """The fields that a request sets, by their names in Python."""
    wished: JsonObject = {name: value for name, value in body.items() if name not in FIXED | LOCAL}
    after = merged(part, wished, allowed=settable(cls))
    return {field.name: getattr(after, field.name) for field in fields(cls) if wire_name(field.name) in wished}
