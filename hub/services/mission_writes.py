"""Missions created, changed and deleted: by the rules of `missions`, whoever asks.

A change comes in two forms. What a person or an agent may edit goes through the rules and has their consequences
(ready clears what asked for attention, a move closes or reopens). What only a mirror sends, which has applied the same
rules to its own copy already (session status, review state, landing), is merged as it is and checked for its types.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import orjson
from sqlalchemy import bindparam, select

from ...missions import creating, editing, moving
from ...missions.creating import MissionDraft
from ...missions.entities import LISTS, Json, JsonObject, Mission
from ...missions.errors import Conflict, InvalidValue
from ...missions.fields import CHECKS, checked
from ...missions.flows import check_config, stage_of
from ...missions.operations.missions import readied
from ...missions.wire import from_wire, to_wire, wire_name
from ..api.endpoint import Answer, Call
from ..errors import HubError
from ..permissions import missing
from ..statements import Statement
from ..tables import missions
from . import documents, links, preconditions
from .change import Change, new_id

PYTHON_NAMES = {wire_name(field.name): field.name for field in fields(Mission)}
IGNORED = frozenset({*documents.LOCAL, "id", "projectId", "version", "updatedAt", "dependencyCount"})
"""What a request may hold and the hub decides itself."""
RULED = frozenset({*map(wire_name, CHECKS), "list", "listOrder", *documents.LINKS})
"""Fields that go through the rules when a change has no others."""
RUNNING = frozenset({"agentSessionStatus", "sessionId", "lastCodeAgentSessionId"})
"""Only who may run missions says these."""
DRAFT = {wire_name(field.name): field.name for field in fields(MissionDraft)}
KNOWN = frozenset({*PYTHON_NAMES, *documents.LINKS})
_PROJECT = Statement(select(missions.c.project_id, missions.c.deleted).where(missions.c.id == bindparam("wanted")))


def create(call: Call, project_id: str) -> Answer:
    """A new mission (domain.md, Creating); with the caller's own id, 409 when it is there and 410 when it was."""
    change = Change(call, project_id, "write missions")
    body = _known(call.body)
    mission_id = new_id(body.get("id"))
    _refuse_taken(change, mission_id)
    change.check_actor(_text(body.get("actorId")))
    drafted: dict[str, Any] = {
        DRAFT[name]: value for name, value in body.items() if name in DRAFT and value is not None
    }
    if "title" not in drafted:
        raise InvalidValue("title", "a mission needs a title", todo="Write at least one character")
    flow = change.flow(_text(drafted.get("flow_id")))
    repository = change.repository(_text(drafted.get("project_repository_id")))
    if repository is None and "projectRepositoryId" not in body:
        repository = change.only_repository()
    drafted |= {"flow_id": flow.id, "project_repository_id": repository.id if repository else None}
    into = drafted.get("list") or ("loop" if drafted.get("is_loop") is True else "todo")
    if into not in LISTS:
        raise InvalidValue("list", f"{into!r} is no list", todo=f"Use one of {', '.join(LISTS)}")
    made = creating.create(
        MissionDraft(**drafted),
        project=change.project,
        flow=flow,
        repository=repository,
        id=mission_id,
        number=change.next_number(),
        list_order=0.0 if "listOrder" in body else change.order(str(into)),
        now=change.now,
    )
    made = _merged(made, {name: value for name, value in body.items() if name not in {*DRAFT, *documents.LINKS}})
    linked = links.replace_all(change, mission_id, body)
    text = change.save(None, made, "created", relinked=bool(linked))
    links.after_replacing(change, linked)
    return _answer(text, status=201)


def edit(call: Call, mission_id: str) -> Answer:
    """Fields of a mission changed (JSON merge: null clears)."""
    change = Change(call, project_of(call, mission_id), "write missions")
    body = _known(call.body)
    row, before = change.row(mission_id)
    preconditions.check(call, row.seq, row.doc)
    wished = {name: value for name, value in body.items() if name not in IGNORED}
    if RUNNING & wished.keys():
        call.hub.permissions.require(call.at, call.caller, change.project_id, "run missions")
    if "actorId" in wished:
        change.check_actor(_text(wished["actorId"]))
    linked = links.replace_all(change, mission_id, wished)
    merges = call.media_type == "application/merge-patch+json" or not wished.keys() <= RULED
    if merges:
        after = _merged(before, {name: value for name, value in wished.items() if name not in documents.LINKS})
        _check_places(change, before, after)
    else:
        after = _by_rules(change, before, wished)
    if after == before and not linked:
        return _answer(row.doc)
    columns: dict[str, object] = {}
    if after.agent_session_status == "INACTIVE" != before.agent_session_status:
        columns = {"workstation_id": None, "lease_session": None, "lease_until": None}
    kind = "moved" if after.list != before.list else readied(after.ready) if wished.keys() == {"ready"} else "edited"
    placed = "listOrder" in wished or (not merges and "list" in wished)
    text = change.save(before, after, kind, placed=placed, relinked=bool(linked), columns=columns)
    links.after_replacing(change, linked)
    return _answer(text)


def delete(call: Call, mission_id: str) -> Answer:
    """The mission gone for ever, its id remembered. Conflict while an agent works on it."""
    change = Change(call, project_of(call, mission_id), "write missions")
    row, mission = change.row(mission_id)
    preconditions.check(call, row.seq, row.doc)
    if mission.agent_session_status != "INACTIVE":
        raise Conflict("The mission is running", why="its agent has not ended", todo="Stop it first, then delete it")
    change.bury(row)
    return Answer(status=204)


def project_of(call: Call, mission_id: str) -> str:
    """The project a mission belongs to; `gone` for a deleted one whose project the caller sees, else NotFound."""
    row = _PROJECT.first(call.at, wanted=mission_id)
    if row is None:
        raise missing("mission", mission_id)
    if not call.hub.permissions.access(call.at, call.caller, row.project_id).may("read missions"):
        raise missing("mission", mission_id)
    if row.deleted:
        raise HubError("gone", f"The mission {mission_id} was deleted", details={"id": mission_id})
    return str(row.project_id)


def _by_rules(change: Change, before: Mission, wished: JsonObject) -> Mission:
    """What a person or an agent wishes, with all its consequences."""
    edits = {PYTHON_NAMES[name]: value for name, value in wished.items() if PYTHON_NAMES.get(name) in CHECKS}
    flow = change.flow(_text(edits.get("flow_id")) or before.flow_id)
    repository = change.repository(_text(edits.get("project_repository_id")))
    after = editing.edit(before, edits, flow=flow, now=change.now, repository=repository) if edits else before
    if "list" not in wished and "listOrder" not in wished:
        return after
    to: Any = wished.get("list", after.list)
    if to not in LISTS:
        raise InvalidValue("list", f"{to!r} is no list", todo=f"Use one of {', '.join(LISTS)}")
    place = wished.get("listOrder")
    if place is None:
        place = after.list_order if to == after.list else change.order(to, moving=before.id)
    if not isinstance(place, int | float) or isinstance(place, bool) or not -1e15 < place < 1e15:
        raise InvalidValue("listOrder", "listOrder is not a number")
    return moving.move(after, to, float(place), flow=flow, now=change.now)


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
            raise InvalidValue(name, f"{name} has a NUL character", todo="Remove it")
    if not -1e15 < after.list_order < 1e15:
        raise InvalidValue("listOrder", "listOrder is not a number of a list")
    for name, number in (("currentFlowTask", after.current_flow_task), ("githubPrNumber", after.github_pr_number)):
        if number is not None and not 0 <= number < 2**53:
            raise InvalidValue(name, f"{name} is not a count")
    return replace(after, **values) if values else after


def _check_places(change: Change, before: Mission, after: Mission) -> None:
    """Flow, stage and repository of a merged mission are its project's."""
    if (after.flow_id, after.stage, after.flow_config) != (before.flow_id, before.stage, before.flow_config):
        flow = change.flow(after.flow_id)
        check_config(flow, after.flow_config)
        stage_of(flow, after.flow_config, after.stage)
    if after.project_repository_id != before.project_repository_id:
        change.repository(after.project_repository_id)


def _refuse_taken(change: Change, mission_id: str) -> None:
    row = change.at.execute(missions.select().where(missions.c.id == mission_id)).one_or_none()
    if row is None:
        return
    if row.project_id != change.project_id:
        raise HubError("already_exists", f"The id {mission_id} is taken", todo="make another ULID")
    if row.deleted:
        raise HubError("gone", f"The mission {mission_id} was deleted", details={"id": mission_id})
    raise HubError(
        "already_exists",
        f"The mission {mission_id} is there already",
        details={"creatorMutationId": row.created_by, "current": orjson.loads(row.doc)},
        headers={"ETag": f'"{row.seq}"'},
    )


def _known(body: JsonObject) -> JsonObject:
    unknown = sorted(set(body) - KNOWN)
    if unknown:
        raise InvalidValue(unknown[0][:100], f"{unknown[0][:100]!r} is no field of a mission")
    return body


def _text(value: Json | Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    raise InvalidValue("", f"{value!r} is no id")


def _answer(text: str, *, status: int = 200) -> Answer:
    return Answer(text.encode(), status, version=version_of(text))


def version_of(text: str) -> int:
    """The version in a stored text."""
    version = orjson.loads(text)["version"]
    return int(version)
