"""Missions created and changed as requests say it, in the names of the wire.

A change comes in two forms. What a person or an agent may edit goes through the operations and has their consequences
(ready clears what asked for attention, a move closes or reopens). What only a mirror sends, which has applied the same
rules to its own copy already (session status, review state, landing), is merged as it is and checked for its types.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any, cast

import orjson
from sqlalchemy import bindparam, select

from ...missions.entities import Author, JsonObject, ListName, Mission, ProjectRepository
from ...missions.errors import AlreadyExists, InvalidValue
from ...missions.fields import CHECKS, checked
from ...missions.operations import missions as operations
from ...missions.rules.creating import MissionDraft
from ...missions.rules.flows import check_config, stage_of
from ...missions.wire import from_wire, to_wire, wire_name
from ..change import Change, new_id
from ..errors import Gone, HubError
from ..permissions import Right, missing
from ..records import missions as records
from ..records import parts
from ..storage.statements import Statement
from ..storage.tables import missions
from ..unit_of_work import UnitOfWork
from . import links

PYTHON_NAMES = {wire_name(field.name): field.name for field in fields(Mission)}
IGNORED = frozenset({*records.LOCAL, "id", "projectId", "version", "updatedAt", "dependencyCount"})
"""What a request may hold and the hub decides itself."""
RULED = frozenset({*map(wire_name, CHECKS), "list", "listOrder", *records.LINKS})
"""Fields that go through the operations when a change has no others."""
RUNNING = frozenset({"agentSessionStatus", "sessionId", "lastCodeAgentSessionId"})
"""Only who may run missions says these."""
DRAFT = {wire_name(field.name): field.name for field in fields(MissionDraft)}
KNOWN = frozenset({*PYTHON_NAMES, *records.LINKS})
_PROJECT = Statement(select(missions.c.project_id, missions.c.deleted).where(missions.c.id == bindparam("wanted")))


def project_of(work: UnitOfWork, mission_id: str) -> str:
    """The project a mission belongs to; Gone for a deleted one whose project the caller sees, else NotFound."""
    row = _PROJECT.first(work.at, wanted=mission_id)
    if row is None or not work.access(row.project_id).may("read missions"):
        raise missing("mission", mission_id)
    if row.deleted:
        raise Gone(mission_id)
    return str(row.project_id)


def opened(work: UnitOfWork, mission_id: str, right: Right = "write missions", *, by: Author | None = None) -> Change:
    """A change of the project that a mission belongs to; as `project_of`."""
    return Change(work, project_of(work, mission_id), right, by=by)


def create(change: Change, body: JsonObject) -> Mission:
    """A new mission (domain.md, Creating), perhaps with an id of the caller's own; AlreadyExists, Gone."""
    _check_known(body)
    mission_id = new_id(body.get("id"))
    _refuse_taken(change, mission_id)
    drafted: dict[str, Any] = {
        DRAFT[name]: value for name, value in body.items() if name in DRAFT and value is not None
    }
    if "title" not in drafted:
        raise InvalidValue("title", "A mission needs a title", todo="write at least one character")
    further = {name: value for name, value in body.items() if name not in {*DRAFT, *records.LINKS}}
    operations.create(
        change,
        change.project_id,
        MissionDraft(**drafted),
        mission_id=mission_id,
        list_order=0.0 if "listOrder" in body else None,
        complete=lambda made: _merged(made, further),
    )
    links.set_all(change, mission_id, body)
    return change.mission(mission_id)


def edit(change: Change, mission_id: str, body: JsonObject, *, as_it_is: bool = False) -> Mission:
    """Fields changed (null clears): by the operations, or (`as_it_is`, or fields that none of them changes) merged."""
    _check_known(body)
    wished = {name: value for name, value in body.items() if name not in IGNORED}
    if RUNNING & wished.keys():
        change.work.require(change.project_id, "run missions")
    if as_it_is or not wished.keys() <= RULED:
        _merge(change, mission_id, wished)
    else:
        _edit_by_rules(change, mission_id, wished)
    links.set_all(change, mission_id, wished)
    return change.mission(mission_id)


def _edit_by_rules(change: Change, mission_id: str, wished: JsonObject) -> None:
    """What a person or an agent wishes, with all its consequences."""
    edits = {PYTHON_NAMES[name]: value for name, value in wished.items() if PYTHON_NAMES.get(name) in CHECKS}
    if edits:
        operations.edit(change, mission_id, edits)
    mission = change.mission(mission_id)
    to, place = wished.get("list", mission.list), wished.get("listOrder")
    if place is not None and (
        not isinstance(place, int | float) or isinstance(place, bool) or not -1e15 < place < 1e15
    ):
        raise InvalidValue("listOrder", "listOrder is not a number of a list")
    if to != mission.list or place is not None:
        order = None if place is None else float(place)
        operations.move(change, mission_id, cast("ListName", to), list_order=order)


def _merge(change: Change, mission_id: str, wished: JsonObject) -> None:
    """What a mirror says, whose rules were applied on its machine."""
    before = change.mission(mission_id)
    after = _merged(before, {name: value for name, value in wished.items() if name not in records.LINKS})
    _check_places(change, before, after)
    kind = "edited"
    if after.list != before.list:
        kind = "moved"
    elif wished.keys() == {"ready"}:
        kind = operations.readied(after.ready)
    change.save(before, after, kind, placed="listOrder" in wished)


def _merged(before: Mission, wished: JsonObject) -> Mission:
    """The mission with wire fields put in place as they are; InvalidValue for a value of the wrong kind."""
    if not wished:
        return before
    document = {**to_wire(before), **{k: v for k, v in wished.items() if k not in IGNORED}}
    after = from_wire(Mission, {name: value for name, value in document.items() if value is not None})
    values: dict[str, Any] = {
        PYTHON_NAMES[name]: checked(PYTHON_NAMES[name], getattr(after, PYTHON_NAMES[name]))
        for name in wished
        if PYTHON_NAMES.get(name) in CHECKS
    }
    for name, value in wished.items():
        if isinstance(value, str) and "\0" in value:
            raise InvalidValue(name, f"{name} has a NUL character", todo="remove it")
    if not -1e15 < after.list_order < 1e15:
        raise InvalidValue("listOrder", "listOrder is not a number of a list")
    for name, number in (("currentFlowTask", after.current_flow_task), ("githubPrNumber", after.github_pr_number)):
        if number is not None and not 0 <= number < 2**53:
            raise InvalidValue(name, f"{name} is not a count")
    return replace(after, **values) if values else after


def _check_places(change: Change, before: Mission, after: Mission) -> None:
    """Flow, stage and repository of a merged mission are its project's."""
    if (after.flow_id, after.stage, after.flow_config) != (before.flow_id, before.stage, before.flow_config):
        flow = change.flow_of(after)
        if after.flow_id not in (None, flow.id):
            raise InvalidValue("flowId", f"The project has no flow {after.flow_id}", todo="choose one of its own")
        check_config(flow, after.flow_config)
        stage_of(flow, after.flow_config, after.stage)
    wished = after.project_repository_id
    if wished is None or wished == before.project_repository_id:
        return
    if parts.find(change.at, ProjectRepository, change.project_id, wished) is None:
        raise InvalidValue(
            "projectRepositoryId", f"The project has no repository {wished}", todo="choose one of its own"
        )


def _refuse_taken(change: Change, mission_id: str) -> None:
    row = records.row(change.at, mission_id)
    if row is None:
        return
    if row.project_id != change.project_id:
        raise AlreadyExists(f"The id {mission_id} is taken", id=mission_id, todo="choose another ULID")
    if row.deleted:
        raise Gone(mission_id)
    details: JsonObject = {"creatorMutationId": row.created_by, "current": orjson.loads(row.doc)}
    raise HubError("already_exists", f"The mission {mission_id} already exists", details=details)


def _check_known(body: JsonObject) -> None:
    unknown = sorted(set(body) - KNOWN)
    if unknown:
        raise InvalidValue(unknown[0][:100], f"{unknown[0][:100]!r} is not a field of a mission")
