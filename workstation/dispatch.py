"""Which mission starts next, and when to look again.

Everything is asked of the workspace at that moment and taken by one conditional write (`Workspace.claim`), so nothing
is decided on a stale picture, and nothing is lost when the service dies: what was claimed is adopted, what was not is
looked at again.
"""

from __future__ import annotations

from datetime import UTC, datetime

from ..missions.eligibility import AgentState, pick_agent
from ..missions.entities import CodeAgent, Session
from ..missions.errors import Conflict
from ..missions.ids import new_ulid
from ..sync.workspace import Workspace


def claim_next(
    workspace: Workspace, *, slots: int, workstation_id: str, full: frozenset[str] = frozenset()
) -> Session | None:
    """Claim the first mission of the queue that may start now; None when there is none, or no slot of the machine.

    The rules of one mission (its agent, repository, list, blockers …) are in `missions.eligibility`; what is counted
    here is the machine: at most `slots` sessions at once, over all agents. `full` names repositories without a free
    worktree: of their missions only those start that have their own.
    """
    live = workspace.sessions(active=True)
    if len(live) >= slots or workspace.workstation_paused():
        return None
    now = datetime.now(UTC)
    agents = {agent.name: agent for agent in workspace.agents()}
    states = tuple(_state(agent, live) for agent in agents.values())
    for entry in workspace.queue():
        if entry.why_not is not None:
            continue
        if entry.mission.project_repository_id in full and entry.mission.worktree_path is None:
            continue
        chosen = pick_agent(entry.mission, states, now)
        if chosen is None:
            continue
        try:
            return workspace.claim(
                entry.mission.id, session_id=new_ulid(), agent=agents[chosen.name], workstation_id=workstation_id
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
