"""Which mission starts next, and when to look again.

Everything is asked of the workspace at that moment and taken by one conditional write (`operations.dispatch.claim`), so
nothing is decided on a stale picture, and nothing is lost when the service dies: what was claimed is adopted, what was
not is looked at again.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from ..missions.eligibility import AgentState, pick_agent
from ..missions.entities import SYSTEM, CodeAgent, Session
from ..missions.errors import Conflict, NotFound
from ..missions.ids import new_ulid
from ..missions.records import record
from ..sync import replica
from ..workspace import operations, queries
from ..workspace.workspace import Workspace


@record
class Wish:
    """A mission of a connected project that may start here, once the hub agrees."""

    mission_id: str
    project_id: str
    agent: CodeAgent


def claim_next(
    workspace: Workspace,
    *,
    slots: int,
    workstation_id: str,
    full: frozenset[str] = frozenset(),
    granted: Mapping[str, str] | None = None,
    wishes: list[Wish] | None = None,
) -> Session | None:
    """Claim the first mission of the queue that may start now; None when there is none, or no slot of the machine.

    The rules of one mission (its agent, repository, list, blockers …) are in `missions.eligibility`; what is counted
    here is the machine: at most `slots` sessions at once, over all agents. `full` names repositories without a free
    worktree: of their missions only those start that have their own. Missions of connected projects start only with
    the session that the hub `granted` them; those that wait for that are added to `wishes`.
    """
    live = workspace.read(queries.sessions.find, active=True)
    if len(live) >= slots or workspace.read(queries.workstation.paused):
        return None
    now = datetime.now(UTC)
    agents = {agent.name: agent for agent in workspace.read(queries.workstation.agents)}
    states = tuple(_state(agent, live) for agent in agents.values())
    granted = granted or {}
    for mission_id, session_id in granted.items():
        try:
            mission = workspace.read(queries.missions.get, mission_id)
            chosen = pick_agent(mission, states, now)
            if chosen is not None:
                return workspace.write_as(
                    SYSTEM,
                    operations.dispatch.claim,
                    mission_id,
                    session_id=session_id,
                    agent=agents[chosen.name],
                    workstation_id=workstation_id,
                )
        except (Conflict, NotFound):
            continue  # it changed meanwhile: the hub takes its grant back by itself
    mirrored = {mirror.project_id for mirror in workspace.read(replica.mirroring.mirrors)}
    for entry in workspace.read(queries.sessions.queue, now=workspace.now()):
        if entry.why_not is not None:
            continue
        if entry.mission.project_repository_id in full and entry.mission.worktree_path is None:
            continue
        chosen = pick_agent(entry.mission, states, now)
        if chosen is None:
            continue
        if entry.mission.project_id in mirrored:
            if wishes is not None:
                wishes.append(Wish(entry.mission.id, entry.mission.project_id, agents[chosen.name]))
            continue
        try:
            return workspace.write_as(
                SYSTEM,
                operations.dispatch.claim,
                entry.mission.id,
                session_id=new_ulid(),
                agent=agents[chosen.name],
                workstation_id=workstation_id,
            )
        except Conflict:
            continue  # it changed since the queue was read: somebody was faster
    return None


def _state(agent: CodeAgent, live: list[Session]) -> AgentState:
    used = sum(session.agent_name == agent.name for session in live)
    return AgentState(
        type=agent.type,
        name=agent.name,
        enabled=agent.enabled,
        signed_in=agent.state != "signed_out",
        limited_until=agent.rate_limit_reset_at,
        slots_free=max(0, agent.slots - used),
        installed=agent.state in ("ready", "signed_out"),
    )
