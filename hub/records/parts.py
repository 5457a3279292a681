"""Flows, actors and repositories of projects."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final, TypeVar, cast

import orjson
from sqlalchemy import Connection, Table, and_, bindparam, delete, insert, select, update

from ...missions.entities import Actor, Flow, Project, ProjectRepository
from ...missions.errors import NotFound
from ...missions.operations.parts import WORDS
from ...missions.operations.port import AnyPart
from ...missions.wire import from_wire, to_wire
from ..storage.statements import Statement
from ..storage.tables import actors, flows, missions, repositories
from . import missions as mission_records

Part = TypeVar("Part", Flow, Actor, ProjectRepository)
TABLES: Final[dict[type, Table]] = {Flow: flows, Actor: actors, ProjectRepository: repositories}
LOCAL: Final = frozenset({"localPath", "isManagedClone"})
"""Wire fields of a repository that belong to one machine."""
_ONE = {
    cls: Statement(
        select(table.c.doc).where(and_(table.c.id == bindparam("wanted"), table.c.project_id == bindparam("here")))
    )
    for cls, table in TABLES.items()
}
_ALL = {
    cls: Statement(select(table.c.doc).where(table.c.project_id == bindparam("here")).order_by(table.c.id))
    for cls, table in TABLES.items()
}


def find(at: Connection, cls: type[Part], project_id: str, part_id: str) -> Part | None:
    """A part of the project by its id; None when it has none of that id."""
    row = None if "\0" in part_id else _ONE[cls].first(at, wanted=part_id, here=project_id)
    return None if row is None else _decoded(cls, row.doc)


def one(at: Connection, cls: type[Part], project_id: str, ref: str) -> Part:
    """A part of the project by its id or by its name (letter case does not matter); NotFound."""
    found = find(at, cls, project_id, ref)
    if found is not None:
        return found
    named = [part for part in of_project(at, cls, project_id) if part.name.lower() == ref.lower()]
    if len(named) != 1:
        raise NotFound(f"The project has no {WORDS[cls]} {ref[:64]!r}", todo="name one of its own")
    return named[0]


def of_project(at: Connection, cls: type[Part], project_id: str) -> list[Part]:
    """Every part of a project, oldest first."""
    return [_decoded(cls, row.doc) for row in _ALL[cls].all(at, here=project_id)]


def default_flow(at: Connection, project: Project) -> Flow:
    """The flow of missions that name none; NotFound where the project has no flow."""
    known = of_project(at, Flow, project.id)
    if not known:
        raise NotFound("The project has no flow", todo="add one first")
    chosen = next((one for one in known if one.id == project.default_flow_id), None)
    return chosen or next((one for one in known if one.is_default), known[0])


def missions_using(at: Connection, part: AnyPart) -> list[Any]:
    """The missions that follow a flow, speak through an actor or work in a repository; deleted ones do not count."""
    match part:
        case Flow():
            uses = missions.c.flow_id == part.id
        case ProjectRepository():
            uses = missions.c.repository_id == part.id
        case Actor():
            uses = missions.c.doc.contains(f'"actorId":"{part.id}"', autoescape=True)
    here = and_(missions.c.project_id == part.project_id, missions.c.deleted.is_(False), uses)
    rows = at.execute(select(missions.c.doc, missions.c.number).where(here).order_by(missions.c.number)).all()
    return [mission_records.mission_of(row.doc, row.number)[0] for row in rows]


def is_of_another_project(at: Connection, cls: type[Part], project_id: str, part_id: str) -> bool:
    """Whether an id names a part that is another project's; an id that nothing has is nobody's."""
    table = TABLES[cls]
    owner = at.execute(select(table.c.project_id).where(table.c.id == part_id)).scalar()
    return owner not in (None, project_id)


def put(at: Connection, part: AnyPart, version: int, *, new: bool) -> None:
    """Write a part; what belongs to one machine is left out."""
    table = TABLES[type(part)]
    doc = {name: value for name, value in to_wire(part).items() if name not in LOCAL}
    values = {"name": part.name, "version": version, "doc": orjson.dumps({**doc, "version": version}).decode()}
    if new:
        at.execute(insert(table).values(id=part.id, project_id=part.project_id, **values))
    else:
        at.execute(update(table).where(table.c.id == part.id).values(**values))


def drop(at: Connection, part: AnyPart) -> None:
    """Remove a part."""
    table = TABLES[type(part)]
    at.execute(delete(table).where(table.c.id == part.id))


def _decoded(cls: type[Part], doc: str) -> Part:
    return cast("Part", _decode(cast("Any", cls), doc))


@lru_cache(2_000)
def _decode(cls: Any, doc: str) -> object:
    """A part from its text: it is frozen, and most changes of a project need the same flow."""
    found: object = from_wire(cls, orjson.loads(doc))
    return found
