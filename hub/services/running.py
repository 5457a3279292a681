"""Claims: who may work on a mission now (domain.md, Running).

A claim is one conditional write under the project's lock and a lease of 120 s. `fence` grows with every new holder;
a holder that comes back after somebody else took over is told `superseded`.
"""

from __future__ import annotations

from typing import Any, Final

import orjson
from sqlalchemy import Row, and_, select, update

from ...missions import sessions
from ...missions.entities import Mission
from ...missions.errors import AlreadyClaimed, Conflict, InvalidValue
from ..api.endpoint import Answer, Call
from ..errors import HubError
from ..permissions import missing
from ..tables import assignments, missions, workstations
from .change import Change
from .facts import why_not
from .mission_writes import project_of

LEASE_SECONDS: Final = 120
RENEW_SECONDS: Final = 30


def claim(call: Call, mission_id: str) -> Answer:
    """The mission held by a workstation for a session; the same holder again is a success, another one 409."""
    project_id = project_of(call, mission_id)
    change = Change(call, project_id, "run missions")
    workstation_id, session_id = _holder(call)
    check_workstation(call, workstation_id)
    row, mission = change.row(mission_id)
    if mission.agent_session_status != "INACTIVE":
        if row.workstation_id == workstation_id and row.lease_session == session_id:
            _extend(call, row)
            return answer(row.doc, row.fence)
        if not may_be_taken(row, call.now):
            raise _held(row)
        mission = sessions.released(mission, change.now)
    reason = why_not(call.at, mission, agent=_agent(call))
    if reason:
        raise Conflict("The mission cannot start", why=reason)
    before = change.row(mission_id)[1]
    after = sessions.claim(mission, session_id, change.now)
    if mission.is_loop and mission.list != "doing":
        change.event("loop_run", mission_id=mission_id)
    fence = int(row.fence) + 1
    text = change.save(
        before,
        after,
        "claimed",
        note=workstation_id,
        columns={
            "workstation_id": workstation_id,
            "lease_session": session_id,
            "lease_until": call.now + LEASE_SECONDS,
            "fence": fence,
        },
    )
    call.at.execute(
        update(assignments)
        .where(and_(assignments.c.mission_id == mission_id, assignments.c.state == "offered"))
        .values(state="claimed")
    )
    return answer(text, fence)


def renew(call: Call, mission_id: str) -> Answer:
    """The lease extended; `superseded` when another holds it, `lease_lost` when nobody does."""
    project_id = project_of(call, mission_id)
    call.hub.permissions.require(call.at, call.caller, project_id, "run missions")
    workstation_id, session_id = _holder(call)
    if "generation" in call.body:
        check_workstation(call, workstation_id)
    row = call.at.execute(select(missions).where(missions.c.id == mission_id).with_for_update()).one()
    _check_holder(row, workstation_id, session_id)
    _extend(call, row)
    return answer(row.doc, row.fence)


def release(call: Call, mission_id: str) -> Answer:
    """The claim given back; giving it back twice is a success."""
    change = Change(call, project_of(call, mission_id), "run missions")
    workstation_id, session_id = _holder(call)
    row, mission = change.row(mission_id)
    if mission.agent_session_status == "INACTIVE" and row.workstation_id in (None, workstation_id):
        return answer(row.doc, row.fence)
    _check_holder(row, workstation_id, session_id)
    after = sessions.released(mission, change.now)
    text = change.save(
        mission, after, "released", columns={"workstation_id": None, "lease_session": None, "lease_until": None}
    )
    return answer(text, row.fence)


def answer(text: str, fence: int) -> Answer:
    """A mission with its lease."""
    doc = orjson.loads(text)
    return Answer(
        orjson.dumps({**doc, "leaseSeconds": LEASE_SECONDS, "renewSeconds": RENEW_SECONDS, "fence": fence}),
        version=doc["version"],
    )


def may_be_taken(row: Row[Any], now: float) -> bool:
    """Whether a claim has run out, so that another workstation may have the mission."""
    return row.lease_until is not None and row.lease_until <= now


def check_workstation(call: Call, workstation_id: str) -> Row[Any]:
    """The caller's workstation, of the generation that asks; NotFound, or `superseded` for an older one."""
    row = call.at.execute(select(workstations).where(workstations.c.id == workstation_id)).one_or_none()
    mine = (
        row is not None
        and not row.deleted
        and (
            row.user_id == call.caller.user_id
            if call.caller.user_id is not None
            else row.organization_id == call.caller.organization_id
        )
    )
    if row is None or not mine:
        raise missing("workstation", workstation_id)
    generation = call.body.get("generation")
    if isinstance(generation, int) and generation < row.generation:
        raise HubError(
            "superseded",
            "A newer start of this workstation has registered",
            why=f"generation {row.generation} took over from {generation}",
            todo="stop this one",
            details={"generation": row.generation},
        )
    return row


def _holder(call: Call) -> tuple[str, str]:
    workstation_id, session_id = call.body.get("workstationId"), call.body.get("sessionId")
    for name, value in (("workstationId", workstation_id), ("sessionId", session_id)):
        if not isinstance(value, str) or not 0 < len(value) <= 64 or not value.isprintable():
            raise InvalidValue(name, f"{name} is missing or no id")
    return str(workstation_id), str(session_id)


def _agent(call: Call) -> tuple[str, str] | None:
    agent, name = call.body.get("codeAgentType"), call.body.get("codeAgentName")
    if isinstance(agent, str):
        return agent, name if isinstance(name, str) else agent
    return None


def _extend(call: Call, row: Row[Any]) -> None:
    call.at.execute(
        update(missions)
        .where(and_(missions.c.id == row.id, missions.c.fence == row.fence))
        .values(lease_until=call.now + LEASE_SECONDS)
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


def expire(change: Change, mission_id: str) -> bool:
    """A holder that was silent for long: nothing proves how its session ended, and a person is told so."""
    row, mission = change.row(mission_id)
    if mission.agent_session_status == "INACTIVE" or row.lease_until is None:
        return False
    after: Mission
    if mission.agent_session_status == "PUSHING":
        after = sessions.released(mission, change.now)
    else:
        after = sessions.ended(
            mission,
            "unknown",
            f"the workstation {row.workstation_id} has not been heard of",
            now=change.now,
            policy=sessions.RetryPolicy(),
        )
    change.save(
        mission,
        after,
        "session_ended",
        note="unknown",
        columns={"workstation_id": None, "lease_session": None, "lease_until": None, "fence": row.fence + 1},
    )
    return True
