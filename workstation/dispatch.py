"""Which mission starts next, and when to look again.

Everything is asked of the workspace at that moment and taken by one conditional write (`operations.dispatch.claim`), so
nothing is decided on a stale picture, and nothing is lost when the service dies: what was claimed is adopted, what was
not is looked at again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from datetime import UTC, datetime

from ..missions.entities import SYSTEM, CodeAgent, Mission, Session
from ..missions.errors import Conflict, NotFound, SoloUnicornError
from ..missions.ids import new_ulid, short_id
from ..missions.records import record
from ..missions.rules.eligibility import pick_agent
from ..sync import replica
from ..workspace import operations, queries
from ..workspace.queries.eligibility_facts import agent_states
from ..workspace.workspace import Workspace


@record
class Wish:
    """A mission of a connected project that may start here, once the hub agrees."""

    mission_id: str
    project_id: str
    agent: CodeAgent


class BrokenClaim(Exception):
    """The claim of one mission broke off for another reason than its rules: a fault of the program."""

    def __init__(self, mission: Mission, cause: Exception) -> None:
        super().__init__(f"{short_id(mission.number)}: {cause!r}")
        self.mission = mission
        self.cause = cause


def claim_next(
    workspace: Workspace,
    *,
    slots: int,
    workstation_id: str,
    full: frozenset[str] = frozenset(),
    granted: Mapping[str, str] | None = None,
    wishes: list[Wish] | None = None,
    but: Collection[str | None] = (),
    only: str | None = None,
) -> Session | None:
    """Claim the first mission of the queue that may start now; None when there is none, or no slot of the machine.

    With `only`, that mission or none; otherwise none of those named by `but`. Raises BrokenClaim.

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
    states = workspace.read(agent_states, now)
    mirrored = {mirror.project_id for mirror in workspace.read(replica.sync_steps.mirrors)}
    grants = dict(granted or {})

    def claim(mission: Mission, session_id: str) -> Session | Wish | None:
        """The session; what to wish for where the hub has to grant it first; None where no agent is free."""
        try:
            chosen = pick_agent(mission, states, now)
            if chosen is None:
                return None
            agent = agents[chosen.name]
            if mission.project_id in mirrored and session_id not in grants.values():
                return Wish(mission.id, mission.project_id, agent)
            return workspace.write_as(
                SYSTEM,
                operations.dispatch.claim,
                mission.id,
                session_id=session_id,
                agent=agent,
                workstation_id=workstation_id,
            )
        except (Conflict, NotFound):
            return None  # it changed since it was read; a hub takes its grant back by itself
        except SoloUnicornError:
            raise
        except Exception as error:
            raise BrokenClaim(mission, error) from error

    for mission_id, session_id in grants.items():
        if mission_id not in but and only in (None, mission_id):
            with suppress(NotFound):
                found = claim(workspace.read(queries.missions.get, mission_id), session_id)
                if isinstance(found, Session):
                    return found
    for entry in workspace.read(queries.sessions.queue, now=workspace.now()):
        mission = entry.mission
        if entry.why_not is not None or mission.id in but or only not in (None, mission.id):
            continue
        if mission.project_repository_id in full and mission.worktree_path is None:
            continue
        found = claim(mission, new_ulid())
        if isinstance(found, Session):
            return found
        if found is not None and wishes is not None:
            wishes.append(found)
    return None
