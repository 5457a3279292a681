"""Flows, actors and repositories of a project; ids may be the caller's own, so that a published project keeps its."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, Final

import orjson
from sqlalchemy import Table, and_, delete, func, insert, select, update

from ...missions.editing import refit
from ...missions.entities import Actor, Flow, JsonObject, ProjectRepository
from ...missions.errors import Conflict, InvalidValue
from ...missions.flows import check_flow
from ...missions.wire import from_wire, to_wire, wire_name
from ..api.endpoint import Answer, Call
from ..errors import HubError
from ..permissions import Right, missing
from ..tables import actors, flows, missions, repositories
from . import documents, preconditions
from .change import Change, new_id
from .values import merged, name_of

FIXED: Final = frozenset({"id", "projectId", "createdAt", "updatedAt", "version", "missionsUsingCount"})
LOCAL: Final = frozenset({"localPath", "isManagedClone"})
"""Wire fields of a repository that belong to one machine."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of part."""

    word: str
    table: Table
    cls: type[Any]
    reads: Right
    writes: Right

    @property
    def settable(self) -> frozenset[str]:
        """Wire fields that a request may set."""
        return frozenset(wire_name(field.name) for field in fields(self.cls)) - FIXED - LOCAL


FLOW: Final = Kind("flow", flows, Flow, "read missions", "manage project")
ACTOR: Final = Kind("actor", actors, Actor, "read missions", "manage project")
REPOSITORY: Final = Kind("repository", repositories, ProjectRepository, "read repositories", "manage repositories")


def listed(call: Call, kind: Kind, project_id: str) -> Answer:
    """Every part of a kind, by id."""
    call.hub.permissions.require(call.at, call.caller, project_id, kind.reads)
    docs = call.at.execute(
        select(kind.table.c.doc).where(kind.table.c.project_id == project_id).order_by(kind.table.c.id)
    ).scalars()
    return Answer(b'{"items":' + documents.joined(list(docs)) + b',"nextAfter":null}')


def get(call: Call, kind: Kind, part_id: str) -> Answer:
    """One part."""
    row = call.at.execute(select(kind.table).where(kind.table.c.id == part_id)).one_or_none()
    if row is None or not call.hub.permissions.access(call.at, call.caller, row.project_id).may(kind.reads):
        raise missing(kind.word, part_id)
    return Answer(row.doc.encode(), version=row.version)


def create(call: Call, kind: Kind, project_id: str) -> Answer:
    """A new part; its name is unique in the project."""
    change = Change(call, project_id, kind.writes)
    part_id = new_id(call.body.get("id"))
    if call.at.execute(select(kind.table.c.id).where(kind.table.c.id == part_id)).scalar() is not None:
        raise HubError("already_exists", f"The id {part_id} is taken", details={"id": part_id})
    name = name_of(call.body.get("name"))
    start = kind.cls(id=part_id, project_id=project_id, name=name, created_at=change.now, updated_at=change.now)
    wished = {key: value for key, value in call.body.items() if key not in FIXED | LOCAL | {"name"}}
    made = _checked(kind, merged(start, wished, allowed=kind.settable))
    _refuse_taken(change, kind, made)
    version = change.bump_project()
    call.at.execute(insert(kind.table).values(id=part_id, project_id=project_id, **_columns(made, version)))
    change.event(f"{kind.word}_created", note=name, seq=version)
    return _answer(made, version, status=201)


def edit(call: Call, kind: Kind, part_id: str) -> Answer:
    """Fields of a part changed (JSON merge); missions of a changed flow are fitted to it."""
    project_id = _project_of(call, kind, part_id)
    change = Change(call, project_id, kind.writes)
    row = call.at.execute(select(kind.table).where(kind.table.c.id == part_id).with_for_update()).one()
    preconditions.check(call, row.version, row.doc)
    before = from_wire(kind.cls, orjson.loads(row.doc))
    wished = {key: value for key, value in call.body.items() if key not in FIXED | LOCAL}
    after = _checked(kind, merged(before, wished, allowed=kind.settable))
    if after == before:
        return Answer(row.doc.encode(), version=row.version)
    _refuse_taken(change, kind, after)
    version = change.bump_project()
    after = replace(after, updated_at=change.now)
    call.at.execute(update(kind.table).where(kind.table.c.id == part_id).values(**_columns(after, version)))
    change.event(f"{kind.word}_changed", note=after.name, seq=version)
    if isinstance(after, Flow) and isinstance(before, Flow) and after.stage_sequence != before.stage_sequence:
        _refit(change, after)
    return _answer(after, version)


def remove(call: Call, kind: Kind, part_id: str) -> Answer:
    """Take a part away that no mission needs."""
    project_id = _project_of(call, kind, part_id)
    change = Change(call, project_id, kind.writes)
    row = call.at.execute(select(kind.table).where(kind.table.c.id == part_id)).one()
    preconditions.check(call, row.version, row.doc)
    _check_unused(change, kind, part_id, orjson.loads(row.doc))
    call.at.execute(delete(kind.table).where(kind.table.c.id == part_id))
    change.event(f"{kind.word}_removed", note=row.name, seq=change.bump_project())
    return Answer(status=204)


def _project_of(call: Call, kind: Kind, part_id: str) -> str:
    project_id = call.at.execute(select(kind.table.c.project_id).where(kind.table.c.id == part_id)).scalar()
    if project_id is None or not call.hub.permissions.access(call.at, call.caller, project_id).may(kind.reads):
        raise missing(kind.word, part_id)
    return str(project_id)


def _checked(kind: Kind, part: Any) -> Any:
    part = replace(part, name=name_of(part.name))
    match part:
        case Flow():
            check_flow(part)
        case ProjectRepository() if part.max_concurrent_missions < 0:
            raise InvalidValue("maxConcurrentMissions", "maxConcurrentMissions is a count; 0 means no limit")
    return part


def _refuse_taken(change: Change, kind: Kind, part: Any) -> None:
    taken = change.at.execute(
        select(kind.table.c.id).where(
            and_(
                kind.table.c.project_id == change.project_id, kind.table.c.name == part.name, kind.table.c.id != part.id
            )
        )
    ).scalar()
    if taken is not None:
        raise HubError("already_exists", f"The project has a {kind.word} {part.name!r} already", details={"id": taken})


def _check_unused(change: Change, kind: Kind, part_id: str, doc: JsonObject) -> None:
    if kind is FLOW and doc.get("isSystem"):
        raise Conflict("A system flow stays")
    column = {"flow": missions.c.flow_id, "repository": missions.c.repository_id}.get(kind.word)
    if column is None:
        return
    open_ones = and_(missions.c.project_id == change.project_id, missions.c.deleted.is_(False), column == part_id)
    if kind is REPOSITORY:
        open_ones = and_(open_ones, missions.c.list.in_(("doing", "review")))
    used = change.at.execute(select(func.count()).select_from(missions).where(open_ones)).scalar_one()
    if used:
        raise Conflict(f"The {kind.word} is used by {used} mission(s)", todo="finish, move or delete them first")


def _refit(change: Change, flow: Flow) -> None:
    rows = change.at.execute(
        select(missions).where(
            and_(
                missions.c.project_id == change.project_id, missions.c.flow_id == flow.id, missions.c.deleted.is_(False)
            )
        )
    ).all()
    for row in rows:
        mission = documents.mission_of(row.doc, row.number)[0]
        fitted = refit(mission, flow, now=change.now)
        if fitted != mission:
            change.save(mission, fitted, "refitted", note=flow.name)


def _columns(part: Any, version: int) -> dict[str, object]:
    return {"name": part.name, "version": version, "doc": _text(part, version)}


def _text(part: Any, version: int) -> str:
    doc = {name: value for name, value in to_wire(part).items() if name not in LOCAL}
    return orjson.dumps({**doc, "version": version}).decode()


def _answer(part: Any, version: int, *, status: int = 200) -> Answer:
    return Answer(_text(part, version).encode(), status, version=version)
