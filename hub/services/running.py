"""Claims: who may work on a mission now (domain.md, Running).

A claim is one conditional write under the project's lock and a lease of 120 s. `fence` grows with every new holder;
a holder that comes back after somebody else took over is told `superseded`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row, and_, select, update

from ...missions.entities import JsonObject
from ...missions.errors import AlreadyClaimed, Conflict, InvalidValue
from ...missions.operations import sessions
from ..change import Change, row_of
from ..errors import HubError
from ..permissions import missing
from ..records import missions as records
from ..storage.tables import assignments, missions, workstations
from ..unit_of_work import UnitOfWork
from .eligibility_facts import why_not
from .missions import opened, project_of

LEASE_SECONDS: Final = 120
RENEW_SECONDS: Final = 30
GONE_SECONDS: Final = 45
"""A workstation that was silent for so long is offline."""


@dataclass(frozen=True, slots=True)
class Leased:
    """A mission's JSON with who may write it as the holder."""

    text: str
    version: int
    fence: int


def claim(work: UnitOfWork, mission_id: str, body: JsonObject) -> Leased:
    """The mission held by a workstation for a session; the same holder again is a success, another: AlreadyClaimed."""
    change = opened(work, mission_id, "run missions")
    workstation_id, session_id = _holder(body)
    check_workstation(work, workstation_id, body.get("generation"))
    row = row_of(change, mission_id)
    if change.mission(mission_id).agent_session_status != "INACTIVE":
        if (row.workstation_id, row.lease_session) == (workstation_id, session_id):
            _extend(work, row)
            return _leased(change, mission_id, row.fence)
        if not may_be_taken(row, work.now):
            raise _held(row)
        sessions.give_back(change, mission_id, f"the lease of {row.workstation_id} ran out")
    reason = why_not(work.at, change.mission(mission_id), agent=_agent(body))
    if reason:
        raise Conflict("The mission cannot start", why=reason)
    fence = int(row.fence) + 1
    sessions.take(change, mission_id, session_id, note=workstation_id)
    until = work.now + LEASE_SECONDS
    records.update_row(
        change.at, mission_id, workstation_id=workstation_id, lease_session=session_id, lease_until=until, fence=fence
    )
    work.at.execute(
        update(assignments)
        .where(and_(assignments.c.mission_id == mission_id, assignments.c.state == "offered"))
        .values(state="claimed")
    )
    return _leased(change, mission_id, fence)


def renew(work: UnitOfWork, mission_id: str, body: JsonObject) -> Leased:
    """The lease extended; `superseded` when another holds it, `lease_lost` when nobody does."""
    work.require(project_of(work, mission_id), "run missions")
    workstation_id, session_id = _holder(body)
    if "generation" in body:
        check_workstation(work, workstation_id, body["generation"])
    row = work.at.execute(select(missions).where(missions.c.id == mission_id).with_for_update()).one()
    _check_holder(row, workstation_id, session_id)
    _extend(work, row)
    return Leased(row.doc, row.seq, row.fence)


def release(work: UnitOfWork, mission_id: str, body: JsonObject) -> Leased:
    """The claim given back; giving it back twice is a success."""
    change = opened(work, mission_id, "run missions")
    workstation_id, session_id = _holder(body)
    row = row_of(change, mission_id)
    free = change.mission(mission_id).agent_session_status == "INACTIVE"
    if not free or row.workstation_id not in (None, workstation_id):
        _check_holder(row, workstation_id, session_id)
        sessions.give_back(change, mission_id, "released by its workstation")
    return _leased(change, mission_id, row.fence)


def expire(change: Change, mission_id: str) -> bool:
    """A holder that was silent for long: nothing proves how its session ended, and a person is told so."""
    row, mission = row_of(change, mission_id), change.mission(mission_id)
    if mission.agent_session_status == "INACTIVE" or row.lease_until is None:
        return False
    silent = f"the workstation {row.workstation_id} has not been heard of"
    if mission.agent_session_status == "PUSHING":
        sessions.give_back(change, mission_id, silent)
    else:
        sessions.finish(change, mission_id, "unknown", silent)
    records.update_row(change.at, mission_id, fence=row.fence + 1)
    return True


def may_be_taken(row: Row[Any], now: float) -> bool:
    """Whether a claim has run out, so that another workstation may have the mission."""
    return row.lease_until is not None and row.lease_until <= now


def check_workstation(work: UnitOfWork, workstation_id: str, generation: object = None) -> Row[Any]:
    """The caller's workstation, of the generation that asks; NotFound, or `superseded` for an older one."""
    row = work.at.execute(select(workstations).where(workstations.c.id == workstation_id)).one_or_none()
    mine = (
        row is not None
        and not row.deleted
        and (
            row.user_id == work.caller.user_id
            if work.caller.user_id is not None
            else row.organization_id == work.caller.organization_id
        )
    )
    if row is None or not mine:
        raise missing("workstation", workstation_id)
    if isinstance(generation, int) and generation < row.generation:
        raise HubError(
            "superseded",
            "A newer start of this workstation has registered",
            why=f"generation {row.generation} took over from {generation}",
            todo="stop this one",
            details={"generation": row.generation},
        )
    return row


def _leased(change: Change, mission_id: str, fence: int) -> Leased:
    return Leased(change.text_of(mission_id), change.mission(mission_id).version, fence)


def _holder(body: JsonObject) -> tuple[str, str]:
    workstation_id, session_id = body.get("workstationId"), body.get("sessionId")
    for name, value in (("workstationId", workstation_id), ("sessionId", session_id)):
        if not isinstance(value, str) or not 0 < len(value) <= 64 or not value.isprintable():
            raise InvalidValue(name, f"{name} is missing or not an id")
    return str(workstation_id), str(session_id)


def _agent(body: JsonObject) -> tuple[str, str] | None:
    agent, name = body.get("codeAgentType"), body.get("codeAgentName")
    if isinstance(agent, str):
        return agent, name if isinstance(name, str) else agent
    return None


def _extend(work: UnitOfWork, row: Row[Any]) -> None:
    work.at.execute(
        update(missions)
        .where(and_(missions.c.id == row.id, missions.c.fence == row.fence))
        .values(lease_until=work.now + LEASE_SECONDS)
    )


def _check_holder(row: Row[Any], workstation_id: str, session_id: str) -> None:
    if (row.workstation_id, row.lease_session) == (workstation_id, session_id):
        return
    if row.workstation_id is None:
        raise HubError("lease_lost", "The mission is not claimed", todo="claim it again")
    raise HubError(
        "superseded",
        "Another session holds the mission",
        todo="stop the agent; its worktree and transcript are kept",
        details={"holder": row.workstation_id, "fence": row.fence},
    )


def _held(row: Row[Any]) -> AlreadyClaimed:
    holder = row.workstation_id or "another workstation"
    return AlreadyClaimed("The mission is claimed", holder=holder, why=f"{holder} works on it")
