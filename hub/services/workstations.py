"""Workstations: registered by their owner, heard of by heartbeats, shown as far as a project lets them be seen.

A higher `generation` (one more at each start) takes over from a lower one; the same id from another machine is a copied
home directory, and refused. What stays on the machine (paths, environment, tokens, addresses) is in no answer.
"""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime
from typing import Any, Final

import orjson
from sqlalchemy import Row, and_, insert, select, update

from ...missions.entities import Json, JsonObject, Workstation
from ...missions.errors import InvalidValue
from ...missions.wire import from_wire, to_wire, wire_name
from ..api import preconditions
from ..api.endpoint import Answer, Call
from ..change import new_id
from ..errors import HubError
from ..permissions import missing, organization_role
from ..tables import missions, workstations
from .projects import own_organization
from .values import merged, name_of

GONE_SECONDS: Final = 45
HEARTBEAT_SECONDS: Final = 15
SECRET: Final = frozenset({"registrationToken", "lastIpAddress", "lastUserAgent", "deletedAt"})
FIXED: Final = frozenset(
    {
        "id",
        "organizationId",
        "createdAt",
        "updatedAt",
        "version",
        "lastSeenAt",
        "lastHeartbeatAt",
        "realtimeMemberKey",
        "generation",
        "machineId",
        "status",
    }
)
SETTABLE: Final = frozenset(wire_name(field.name) for field in fields(Workstation)) - SECRET - FIXED
STATUS_ONLY: Final = ("id", "status", "lastHeartbeatAt")
STATES: Final = ("idle", "busy", "paused", "draining")


def register(call: Call, workstation_id: str | None = None) -> Answer:
    """A workstation of the caller's, made or registered again by a new start."""
    body = call.body
    identifier = new_id(workstation_id if workstation_id is not None else body.get("id"))
    generation, machine = body.get("generation", 1), body.get("machineId")
    if type(generation) is not int or not 0 <= generation < 2**53:
        raise InvalidValue("generation", "generation is a count")
    if machine is not None and (not isinstance(machine, str) or len(machine) > 200 or "\0" in machine):
        raise InvalidValue("machineId", "machineId is a text of at most 200 characters")
    row = call.at.execute(select(workstations).where(workstations.c.id == identifier).with_for_update()).one_or_none()
    if row is None:
        return _create(call, identifier, generation, machine)
    if row.deleted or not _mine(call, row):
        raise HubError("already_exists", f"The id {identifier} is taken", todo="make another ULID")
    if row.machine_id is not None and machine is not None and row.machine_id != machine:
        raise HubError(
            "conflict",
            "This workstation is another machine's",
            why="the same id came from another machine, as after copying a home directory",
            todo="register this one with an id of its own",
            details={"reason": "other_machine"},
        )
    if generation < row.generation:
        raise _superseded(row.generation)
    before = from_wire(Workstation, orjson.loads(row.doc))
    after = merged(before, _wished(body), allowed=SETTABLE)
    return _write(call, row, after, generation=generation, machine_id=machine or row.machine_id)


def _create(call: Call, identifier: str, generation: int, machine: str | None) -> Answer:
    organization_id = call.body.get("organizationId") or own_organization(call)
    if not isinstance(organization_id, str):
        raise InvalidValue("organizationId", "organizationId is not text")
    call.hub.permissions.require_organization(call.at, call.caller, organization_id, "see organization")
    now = datetime.fromtimestamp(call.now, UTC)
    name = name_of(call.body.get("name"))
    made = merged(
        Workstation(identifier, name, now, now, organization_id=organization_id), _wished(call.body), allowed=SETTABLE
    )
    call.at.execute(
        insert(workstations).values(
            id=identifier,
            organization_id=organization_id,
            user_id=call.caller.user_id,
            machine_id=machine,
            generation=generation,
            version=1,
            deleted=False,
            doc=_text(made),
        )
    )
    return _one(call, identifier, status=201)


def listed(call: Call, organization_id: str) -> Answer:
    """An organisation's workstations, for its members."""
    call.hub.permissions.require_organization(call.at, call.caller, organization_id, "see organization")
    rows = call.at.execute(
        select(workstations)
        .where(and_(workstations.c.organization_id == organization_id, workstations.c.deleted.is_(False)))
        .order_by(workstations.c.id)
    ).all()
    return Answer(orjson.dumps({"items": [shown(row, call.now) for row in rows], "nextAfter": None}))


def of_project(call: Call, project_id: str) -> Answer:
    """The workstations that may work on a project, as much of them as the caller may see."""
    access = call.hub.permissions.require(call.at, call.caller, project_id, "see workstations")
    rows = call.at.execute(
        select(workstations)
        .where(and_(workstations.c.organization_id == access.organization_id, workstations.c.deleted.is_(False)))
        .order_by(workstations.c.id)
    ).all()
    items = [shown(row, call.now) for row in rows]
    if access.view == "status":
        items = [{name: item[name] for name in STATUS_ONLY if name in item} for item in items]
    return Answer(orjson.dumps({"items": items, "view": access.view, "nextAfter": None}))


def get(call: Call, workstation_id: str) -> Answer:
    """One workstation, for members of its organisation."""
    _seen(call, workstation_id)
    return _one(call, workstation_id)


def edit(call: Call, workstation_id: str) -> Answer:
    """Settings changed, by its owner or an administrator."""
    row = _managed(call, workstation_id)
    preconditions.check(call, row.version, shown(row, call.now))
    after = merged(from_wire(Workstation, orjson.loads(row.doc)), _wished(call.body), allowed=SETTABLE)
    return _write(call, row, after)


def remove(call: Call, workstation_id: str) -> Answer:
    """Taken off the hub, by its owner or an administrator."""
    _managed(call, workstation_id)
    call.at.execute(update(workstations).where(workstations.c.id == workstation_id).values(deleted=True))
    return Answer(status=204)


def heartbeat(call: Call, workstation_id: str) -> Answer:
    """Every 15 s: what it does; answered with what it is to cancel."""
    row = call.at.execute(select(workstations).where(workstations.c.id == workstation_id)).one_or_none()
    if row is None or row.deleted or not _mine(call, row):
        raise missing("workstation", workstation_id)
    body = call.body
    generation, state = body.get("generation", row.generation), body.get("state", "idle")
    if type(generation) is not int:
        raise InvalidValue("generation", "generation is a count")
    if generation < row.generation:
        raise _superseded(row.generation)
    if state not in STATES:
        raise InvalidValue("state", f"{str(state)[:40]!r} is no state", todo=f"Use one of {', '.join(STATES)}")
    given: JsonObject = {}
    if "availableCodeAgents" in body:
        given["availableCodeAgents"] = body["availableCodeAgents"]
    before = from_wire(Workstation, orjson.loads(row.doc))
    after = merged(before, given, allowed=SETTABLE)
    presence = {"state": state, "slots": body.get("slots"), "at": call.now}
    values: dict[str, object] = {"heartbeat_at": call.now, "presence": orjson.dumps(presence).decode()}
    if after != before:
        values["doc"] = _text(after)
    call.at.execute(update(workstations).where(workstations.c.id == workstation_id).values(**values))
    from .assignments import open_offers  # which asks this module who is there

    cancelled = _runs_to_cancel(call, workstation_id, body.get("runs"))
    answer: JsonObject = {
        "commands": [],
        "runsToCancel": list[Json](cancelled),
        "offers": list[Json](open_offers(call.at, workstation_id, call.now)),
        "serverTime": datetime.fromtimestamp(call.now, UTC).isoformat()[:-6] + "Z",
        "heartbeatSeconds": HEARTBEAT_SECONDS,
    }
    return Answer(orjson.dumps(answer))


def _runs_to_cancel(call: Call, workstation_id: str, runs: object) -> list[str]:
    """Sessions the workstation runs on missions that somebody else holds by now."""
    if not isinstance(runs, list):
        return []
    named = {
        str(run["sessionId"]): str(run["missionId"])
        for run in runs[:200]
        if isinstance(run, dict) and isinstance(run.get("sessionId"), str) and isinstance(run.get("missionId"), str)
    }
    held = {
        row.id: row
        for row in call.at.execute(
            select(missions.c.id, missions.c.workstation_id, missions.c.lease_session).where(
                missions.c.id.in_([value for value in named.values() if "\0" not in value])
            )
        )
    }
    return sorted(
        session
        for session, mission in named.items()
        if mission in held
        and held[mission].workstation_id is not None
        and (held[mission].workstation_id, held[mission].lease_session) != (workstation_id, session)
    )


def shown(row: Row[Any], now: float) -> JsonObject:
    """A workstation as it is answered: its status is what its heartbeats say."""
    doc: JsonObject = orjson.loads(row.doc)
    alive = row.heartbeat_at is not None and now - row.heartbeat_at < GONE_SECONDS
    doc["status"] = "suspended" if doc.get("status") == "suspended" else "online" if alive else "offline"
    doc["generation"], doc["version"] = row.generation, row.version
    if row.heartbeat_at is not None:
        doc["lastHeartbeatAt"] = doc["lastSeenAt"] = (
            datetime.fromtimestamp(row.heartbeat_at, UTC).isoformat()[:-6] + "Z"
        )
    if row.presence and alive:
        doc["state"] = orjson.loads(row.presence).get("state")
    return doc


def _wished(body: JsonObject) -> JsonObject:
    return {name: value for name, value in body.items() if name not in FIXED | SECRET}


def _write(call: Call, row: Row[Any], after: Workstation, **columns: object) -> Answer:
    name_of(after.name)
    call.at.execute(
        update(workstations)
        .where(workstations.c.id == row.id)
        .values(doc=_text(after), version=row.version + 1, **columns)
    )
    return _one(call, row.id)


def _one(call: Call, workstation_id: str, *, status: int = 200) -> Answer:
    row = call.at.execute(select(workstations).where(workstations.c.id == workstation_id)).one()
    return Answer(orjson.dumps(shown(row, call.now)), status, version=row.version)


def _text(made: Workstation) -> str:
    return orjson.dumps({name: value for name, value in to_wire(made).items() if name not in SECRET}).decode()


def _mine(call: Call, row: Row[Any]) -> bool:
    if call.caller.user_id is not None:
        return bool(row.user_id == call.caller.user_id)
    return bool(row.organization_id == call.caller.organization_id)


def _seen(call: Call, workstation_id: str) -> Row[Any]:
    row = call.at.execute(select(workstations).where(workstations.c.id == workstation_id)).one_or_none()
    if row is None or row.deleted or organization_role(call.at, call.caller, row.organization_id) is None:
        raise missing("workstation", workstation_id)
    return row


def _managed(call: Call, workstation_id: str) -> Row[Any]:
    row = _seen(call, workstation_id)
    if not _mine(call, row):
        call.hub.permissions.require_organization(call.at, call.caller, row.organization_id, "manage organization")
    return row


def _superseded(generation: int) -> HubError:
    return HubError(
        "superseded",
        "A newer start of this workstation has registered",
        why=f"generation {generation} took over",
        todo="stop this one",
        details={"generation": generation},
    )
