"""Offers of missions to workstations.

An offer is a row before it is a message: whoever misses the message finds the row in its next heartbeat, and an offer
nobody took is made again. Claims decide; an offer promises nothing.

    offered -> claimed | rejected | expired
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

import orjson
from sqlalchemy import Connection, Row, and_, insert, select, update

from ...missions.entities import JsonObject, Mission
from ...missions.errors import Conflict, InvalidValue
from ...missions.ids import new_ulid
from ...missions.rules import eligibility
from ...missions.rules.eligibility import AgentState, dispatch_key
from ..change import row_of
from ..identity import SCOPES, Caller
from ..permissions import load_access, missing
from ..records import missions as documents
from ..storage.tables import assignments, missions, projects, users, workstations
from ..unit_of_work import Shown, UnitOfWork
from .eligibility_facts import facts_of
from .missions import opened
from .running import GONE_SECONDS, check_workstation

OFFER_SECONDS: Final = 60
REJECTED_SECONDS: Final = 300
"""For so long a workstation that refused a mission is not asked again."""
AT_ONCE: Final = 50
TAKING: Final = frozenset({"idle", "busy"})


@dataclass(frozen=True, slots=True)
class MissionOffer:
    """What is told to a workstation: `mission.assign`. `id` is the idempotency key."""

    id: str
    mission_id: str
    project_id: str
    workstation_id: str
    agent: str
    expires_at: float

    @property
    def payload(self) -> JsonObject:
        """As on the wire."""
        return {
            "assignmentId": self.id,
            "idempotencyKey": self.id,
            "missionId": self.mission_id,
            "projectId": self.project_id,
            "workstationId": self.workstation_id,
            "codeAgentName": self.agent,
            "expiresAt": datetime.fromtimestamp(self.expires_at, UTC).isoformat()[:-6] + "Z",
        }


def waiting_projects(at: Connection, now: float) -> list[str]:
    """Projects with ready missions whose organization has a workstation there."""
    alive = select(workstations.c.organization_id).where(
        and_(workstations.c.deleted.is_(False), workstations.c.heartbeat_at > now - GONE_SECONDS)
    )
    rows = at.execute(
        select(projects.c.id)
        .where(
            and_(
                projects.c.status == "active",
                projects.c.organization_id.in_(alive),
                projects.c.id.in_(
                    select(missions.c.project_id).where(
                        and_(missions.c.ready.is_(True), missions.c.session_status == "INACTIVE")
                    )
                ),
            )
        )
        .order_by(projects.c.id)
    ).scalars()
    return list(rows)


def assign(at: Connection, project_id: str, now: float) -> list[MissionOffer]:
    """Offers for a project's eligible missions, in the order of dispatch, written down; one open offer a mission."""
    project = at.execute(
        select(projects.c.organization_id, projects.c.id).where(projects.c.id == project_id).with_for_update()
    ).one_or_none()
    if project is None:
        return []
    here = and_(assignments.c.project_id == project_id, assignments.c.state == "offered")
    at.execute(update(assignments).where(and_(here, assignments.c.expires_at <= now)).values(state="expired"))
    offered = {row.mission_id: row for row in at.execute(select(assignments).where(here))}
    places = _places(at, project.organization_id, project_id, now)
    for row in offered.values():
        _take(places, row.workstation_id, row.agent)
    if not any(states for _, states in places):
        return []
    rows = at.execute(
        select(missions.c.id, missions.c.doc, missions.c.number).where(
            and_(
                missions.c.project_id == project_id,
                missions.c.ready.is_(True),
                missions.c.deleted.is_(False),
                missions.c.session_status == "INACTIVE",
                missions.c.list.in_(("todo", "doing", "loop")),
            )
        )
    ).all()
    waiting = sorted((documents.mission_of(row.doc, row.number)[0] for row in rows), key=dispatch_key)
    made = []
    for mission in waiting:
        if mission.id in offered:
            continue
        offer = _offer(at, mission, places, now)
        if offer is not None:
            made.append(offer)
            _take(places, offer.workstation_id, offer.agent)
        if len(made) >= AT_ONCE:
            break
    return made


Places = list[tuple[str, list[AgentState]]]


def _places(at: Connection, organization_id: str, project_id: str, now: float) -> Places:
    """The workstations that may run missions here, with their code agents as their presence says."""
    rows = at.execute(
        select(workstations, users.c.email)
        .select_from(workstations.outerjoin(users, users.c.id == workstations.c.user_id))
        .where(
            and_(
                workstations.c.organization_id == organization_id,
                workstations.c.deleted.is_(False),
                workstations.c.heartbeat_at > now - GONE_SECONDS,
            )
        )
        .order_by(workstations.c.id)
    ).all()
    return [
        (row.id, _agents(row))
        for row in rows
        if orjson.loads(row.presence or "{}").get("state") in TAKING
        and load_access(at, _owner(row), project_id).may("run missions")
    ]


def _owner(row: Row[Any]) -> Caller:
    if row.user_id is None:
        return Caller("organization", organization_id=row.organization_id, scopes=frozenset(SCOPES))
    return Caller("personal", user_id=row.user_id, email=row.email or "", scopes=frozenset(SCOPES))


def _agents(row: Row[Any]) -> list[AgentState]:
    found = []
    for agent in orjson.loads(row.doc).get("availableCodeAgents", []):
        reset = agent.get("rateLimitResetAt") if agent.get("rateLimited") else None
        found.append(
            AgentState(
                str(agent["type"]),
                str(agent["name"]),
                signed_in=bool(agent.get("available")),
                limited_until=datetime.fromisoformat(reset) if reset else None,
                slots_free=int(agent.get("slotsTotal", 1)) - int(agent.get("slotsUsed", 0)),
            )
        )
    return found


def _take(places: Places, workstation_id: str, agent: str) -> None:
    """One slot less for an agent that was offered something."""
    for identifier, states in places:
        if identifier == workstation_id:
            states[:] = [
                replace(state, slots_free=state.slots_free - 1) if state.name == agent else state for state in states
            ]


def _offer(at: Connection, mission: Mission, places: Places, now: float) -> MissionOffer | None:
    refused = set(
        at.execute(
            select(assignments.c.workstation_id).where(
                and_(
                    assignments.c.mission_id == mission.id,
                    assignments.c.state == "rejected",
                    assignments.c.offered_at > now - REJECTED_SECONDS,
                )
            )
        ).scalars()
    )
    for workstation_id, states in places:
        if workstation_id in refused or not states:
            continue
        facts = facts_of(at, mission, tuple(states))
        if eligibility.why_not(mission, facts) is None:
            agent = eligibility.pick_agent(mission, states, facts.now)
            return _write(at, mission.id, mission.project_id, workstation_id, agent.name if agent else "", now)
    return None


def _write(
    at: Connection, mission_id: str, project_id: str, workstation_id: str, agent: str, now: float
) -> MissionOffer:
    offer = MissionOffer(new_ulid(), mission_id, project_id, workstation_id, agent, now + OFFER_SECONDS)
    at.execute(
        insert(assignments).values(
            id=offer.id,
            mission_id=mission_id,
            project_id=project_id,
            workstation_id=workstation_id,
            agent=agent,
            state="offered",
            offered_at=now,
            expires_at=offer.expires_at,
            reason="",
        )
    )
    return offer


def open_offers(at: Connection, workstation_id: str, now: float) -> list[JsonObject]:
    """What a workstation is offered now."""
    rows = at.execute(
        select(assignments).where(
            and_(
                assignments.c.workstation_id == workstation_id,
                assignments.c.state == "offered",
                assignments.c.expires_at > now,
            )
        )
    ).all()
    return [
        MissionOffer(row.id, row.mission_id, row.project_id, row.workstation_id, row.agent, row.expires_at).payload
        for row in rows
    ]


# ---- endpoints ---------------------------------------------------------------------------------------------------


def assign_to(work: UnitOfWork, mission_id: str, body: JsonObject) -> Shown:
    """A person offers a mission to a workstation of their choice; the claim still decides.

    Conflict where it cannot take the mission now: it is offline or paused, its person may not run missions of the
    project, or the mission may not start there.
    """
    change = opened(work, mission_id, "run missions")
    wished = body.get("workstationId")
    if not isinstance(wished, str) or "\0" in wished:
        raise InvalidValue("workstationId", "workstationId is missing")
    row, mission = row_of(change, mission_id), change.mission(mission_id)
    if mission.agent_session_status != "INACTIVE":
        raise Conflict("The mission is claimed", why=f"{row.workstation_id} works on it")
    access = work.access(change.project_id)
    station = work.at.execute(select(workstations).where(workstations.c.id == wished)).one_or_none()
    if station is None or station.deleted or station.organization_id != access.organization_id:
        raise missing("workstation", wished)
    name = orjson.loads(station.doc)["name"]
    agents = dict(_places(work.at, access.organization_id, change.project_id, work.now)).get(wished)
    if agents is None:
        raise Conflict(
            f"The workstation {name} takes no missions of this project now",
            why="it is offline, paused or draining, or its person may not run missions here",
            todo="start or resume it, or name another workstation",
        )
    reason = eligibility.why_not(mission, facts_of(work.at, mission, tuple(agents)))
    if reason:
        raise Conflict(f"The mission cannot start on {name}", why=reason)
    work.at.execute(
        update(assignments)
        .where(and_(assignments.c.mission_id == mission_id, assignments.c.state == "offered"))
        .values(state="expired")
    )
    agent = eligibility.pick_agent(mission, agents, datetime.fromtimestamp(work.now, UTC))
    offer = _write(work.at, mission_id, change.project_id, wished, agent.name if agent else "", work.now)
    work.after.append(lambda: work.hub.bus.post(f"workstation:{wished}", "mission.assign", offer.payload))
    return Shown(orjson.dumps(offer.payload))


def offers(work: UnitOfWork, workstation_id: str) -> Shown:
    """Open offers of the caller's own workstation."""
    check_workstation(work, workstation_id)
    return Shown(orjson.dumps({"items": open_offers(work.at, workstation_id, work.now), "nextAfter": None}))


def reject(work: UnitOfWork, assignment_id: str, body: JsonObject) -> None:
    """A workstation says why it cannot take a mission; it is offered to another."""
    row = work.at.execute(select(assignments).where(assignments.c.id == assignment_id)).one_or_none()
    if row is None:
        raise missing("assignment", assignment_id)
    check_workstation(work, row.workstation_id, body.get("generation"))
    reason = body.get("reason", "")
    if not isinstance(reason, str) or len(reason) > 500 or "\0" in reason:
        raise InvalidValue("reason", "reason has at most 500 characters")
    if row.state == "offered":
        work.at.execute(
            update(assignments).where(assignments.c.id == assignment_id).values(state="rejected", reason=reason)
        )
