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
from ...missions.errors import AlreadyExists, InvalidValue
from ...missions.wire import from_wire, to_wire, wire_name
from ..change import new_id
from ..errors import HubError
from ..permissions import missing, organization_role
from ..storage.tables import missions, workstations
from ..unit_of_work import Check, Shown, UnitOfWork
from .assignments import open_offers
from .checks import merged, name_of
from .projects import own_organization
from .running import GONE_SECONDS

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


def register(work: UnitOfWork, body: JsonObject, workstation_id: str | None = None) -> tuple[Shown, bool]:
    """A workstation of the caller's, made or registered again by a new start; whether it is new."""
    identifier = new_id(workstation_id if workstation_id is not None else body.get("id"))
    generation, machine = body.get("generation", 1), body.get("machineId")
    if type(generation) is not int or not 0 <= generation < 2**53:
        raise InvalidValue("generation", "generation must be a count")
    if machine is not None and (not isinstance(machine, str) or len(machine) > 200 or "\0" in machine):
        raise InvalidValue("machineId", "machineId must be text of at most 200 characters")
    row = work.at.execute(select(workstations).where(workstations.c.id == identifier).with_for_update()).one_or_none()
    if row is None:
        return _create(work, identifier, generation, machine, body), True
    if row.deleted or not _mine(work, row):
        raise AlreadyExists(f"The id {identifier} is taken", id=identifier, todo="choose another ULID")
    if row.machine_id is not None and machine is not None and row.machine_id != machine:
        raise HubError(
            "conflict",
            "This workstation is another machine's",
            why="the same id came from another machine, as after copying a home directory",
            todo="register this one with its own id",
            details={"reason": "other_machine"},
        )
    if generation < row.generation:
        raise _superseded(row.generation)
    before = from_wire(Workstation, orjson.loads(row.doc))
    after = merged(before, _wished(body), allowed=SETTABLE)
    return _write(work, row, after, generation=generation, machine_id=machine or row.machine_id), False


def _create(work: UnitOfWork, identifier: str, generation: int, machine: str | None, body: JsonObject) -> Shown:
    organization_id = body.get("organizationId") or own_organization(work)
    if not isinstance(organization_id, str):
        raise InvalidValue("organizationId", "organizationId is not text")
    work.require_organization(organization_id, "see organization")
    now = datetime.fromtimestamp(work.now, UTC)
    name = name_of(body.get("name"))
    made = merged(
        Workstation(identifier, name, now, now, organization_id=organization_id), _wished(body), allowed=SETTABLE
    )
    work.at.execute(
        insert(workstations).values(
            id=identifier,
            organization_id=organization_id,
            user_id=work.caller.user_id,
            machine_id=machine,
            generation=generation,
            version=1,
            deleted=False,
            doc=_text(made),
        )
    )
    return _one(work, identifier)


def listed(work: UnitOfWork, organization_id: str) -> Shown:
    """An organization's workstations, for its members."""
    work.require_organization(organization_id, "see organization")
    rows = work.at.execute(
        select(workstations)
        .where(and_(workstations.c.organization_id == organization_id, workstations.c.deleted.is_(False)))
        .order_by(workstations.c.id)
    ).all()
    return Shown(orjson.dumps({"items": [shown(row, work.now) for row in rows], "nextAfter": None}))


def of_project(work: UnitOfWork, project_id: str) -> Shown:
    """The workstations that may work on a project, as much of them as the caller may see."""
    access = work.require(project_id, "see workstations")
    rows = work.at.execute(
        select(workstations)
        .where(and_(workstations.c.organization_id == access.organization_id, workstations.c.deleted.is_(False)))
        .order_by(workstations.c.id)
    ).all()
    items = [shown(row, work.now) for row in rows]
    if access.view == "status":
        items = [{name: item[name] for name in STATUS_ONLY if name in item} for item in items]
    return Shown(orjson.dumps({"items": items, "view": access.view, "nextAfter": None}))


def get(work: UnitOfWork, workstation_id: str) -> Shown:
    """One workstation, for members of its organization."""
    _seen(work, workstation_id)
    return _one(work, workstation_id)


def edit(work: UnitOfWork, workstation_id: str, body: JsonObject, check: Check) -> Shown:
    """Settings changed, by its owner or an administrator."""
    row = _managed(work, workstation_id)
    check(row.version, shown(row, work.now))
    after = merged(from_wire(Workstation, orjson.loads(row.doc)), _wished(body), allowed=SETTABLE)
    return _write(work, row, after)


def remove(work: UnitOfWork, workstation_id: str) -> None:
    """Taken off the hub, by its owner or an administrator."""
    _managed(work, workstation_id)
    work.at.execute(update(workstations).where(workstations.c.id == workstation_id).values(deleted=True))


def heartbeat(work: UnitOfWork, workstation_id: str, body: JsonObject) -> Shown:
    """Every 15 s: what it does; answered with what it is to cancel."""
    row = work.at.execute(select(workstations).where(workstations.c.id == workstation_id)).one_or_none()
    if row is None or row.deleted or not _mine(work, row):
        raise missing("workstation", workstation_id)
    generation, state = body.get("generation", row.generation), body.get("state", "idle")
    if type(generation) is not int:
        raise InvalidValue("generation", "generation must be a count")
    if generation < row.generation:
        raise _superseded(row.generation)
    if state not in STATES:
        raise InvalidValue("state", f"{str(state)[:40]!r} is not a valid state", todo=f"use one of {', '.join(STATES)}")
    given: JsonObject = {}
    if "availableCodeAgents" in body:
        given["availableCodeAgents"] = body["availableCodeAgents"]
    before = from_wire(Workstation, orjson.loads(row.doc))
    after = merged(before, given, allowed=SETTABLE)
    presence = {"state": state, "slots": body.get("slots"), "at": work.now}
    values: dict[str, object] = {"heartbeat_at": work.now, "presence": orjson.dumps(presence).decode()}
    if after != before:
        values["doc"] = _text(after)
    work.at.execute(update(workstations).where(workstations.c.id == workstation_id).values(**values))
    cancelled = _runs_to_cancel(work, workstation_id, body.get("runs"))
    answer: JsonObject = {
        "commands": [],
        "runsToCancel": list[Json](cancelled),
        "offers": list[Json](open_offers(work.at, workstation_id, work.now)),
        "serverTime": datetime.fromtimestamp(work.now, UTC).isoformat()[:-6] + "Z",
        "heartbeatSeconds": HEARTBEAT_SECONDS,
    }
    return Shown(orjson.dumps(answer))


def _runs_to_cancel(work: UnitOfWork, workstation_id: str, runs: object) -> list[str]:
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
        for row in work.at.execute(
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


def _write(work: UnitOfWork, row: Row[Any], after: Workstation, **columns: object) -> Shown:
    name_of(after.name)
    work.at.execute(
        update(workstations)
        .where(workstations.c.id == row.id)
        .values(doc=_text(after), version=row.version + 1, **columns)
    )
    return _one(work, row.id)


def _one(work: UnitOfWork, workstation_id: str) -> Shown:
    row = work.at.execute(select(workstations).where(workstations.c.id == workstation_id)).one()
    return Shown(orjson.dumps(shown(row, work.now)), version=row.version)


def _text(made: Workstation) -> str:
    return orjson.dumps({name: value for name, value in to_wire(made).items() if name not in SECRET}).decode()


def _mine(work: UnitOfWork, row: Row[Any]) -> bool:
    if work.caller.user_id is not None:
        return bool(row.user_id == work.caller.user_id)
    return bool(row.organization_id == work.caller.organization_id)


def _seen(work: UnitOfWork, workstation_id: str) -> Row[Any]:
    row = work.at.execute(select(workstations).where(workstations.c.id == workstation_id)).one_or_none()
    if row is None or row.deleted or organization_role(work.at, work.caller, row.organization_id) is None:
        raise missing("workstation", workstation_id)
    return row


def _managed(work: UnitOfWork, workstation_id: str) -> Row[Any]:
    row = _seen(work, workstation_id)
    if not _mine(work, row):
        work.require_organization(row.organization_id, "manage organization")
    return row


def _superseded(generation: int) -> HubError:
    return HubError(
        "superseded",
        "A newer start of this workstation has registered",
        why=f"generation {generation} took over",
        todo="stop this one",
        details={"generation": generation},
    )
