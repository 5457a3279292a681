"""What eligibility asks about, read from the workspace once per pass (domain.md, Eligible)."""

from __future__ import annotations

import sqlite3
from datetime import datetime, timedelta
from typing import Final, cast

from ...missions import holds
from ...missions.entities import CodeAgent, ListName, Mission, Project, ProjectRepository
from ...missions.errors import NotFound
from ...missions.ids import short_id
from ...missions.limits import STARTS_AN_HOUR
from ...missions.rules.eligibility import AgentState, Blocker, Facts, WorkstationLimits, why_not
from ...missions.waits import is_over, lies_within
from .. import lookup, rows
from .usage import cost_of, cost_since, midnight

LIMITS: Final = "workstation.limits"
"""Key of what the machine may do at once and spend."""
PRESSURE_LASTS: Final = timedelta(seconds=15)
"""How long a machine that is short of memory is left alone before it is looked at again."""
REFUSED: Final = "workstation.refused "
REFUSAL_LASTS: Final = timedelta(minutes=5)
"""How long a hub is not asked again for missions of a project that it lets this machine run nothing of."""


def refusal(project_id: str) -> str:
    """The setting of the workspace that says when and why a hub refused to let this machine run a project's missions;
    empty once it lets it."""
    return REFUSED + project_id


def refused(now: datetime, why: str) -> str:
    """The value of that setting."""
    return f"{rows.stamp(now)} {why}"


class FactFinder:
    """Collects, once per pass, what eligibility asks about."""

    def __init__(self, connection: sqlite3.Connection, now: datetime) -> None:
        self._connection = connection
        self._now = now
        self.agents = tuple(agent_states(connection, now))
        self._projects: dict[str, Project] = {}
        paused = connection.execute("SELECT value FROM meta WHERE key = 'workstation.paused'").fetchone()
        self._paused = bool(paused and paused[0] == "1")
        self._doing = dict(
            connection.execute(
                "SELECT project_id, count(*) FROM mission WHERE list = 'doing' AND deleted = 0 GROUP BY 1"
            )
        )
        limits = connection.execute("SELECT value FROM meta WHERE key = ?", (LIMITS,)).fetchone()
        self._limits = rows.load(WorkstationLimits, limits[0]) if limits else WorkstationLimits()
        self._day_cost = cost_since(connection, midnight(now)) if self._limits.day_budget else 0.0
        self._refusals = _refusals(connection, now)
        self._live = int(connection.execute("SELECT count(*) FROM session WHERE phase <> 'ended'").fetchone()[0])
        self._worktrees: dict[str, set[str]] = {}
        held = "SELECT repository_id, mission_id FROM worktree WHERE mission_id IS NOT NULL"
        coming = (  # `<> 'INACTIVE'` is the index's own condition: without it SQLite reads every mission
            "SELECT repository_id, id FROM mission WHERE session_status <> 'INACTIVE' "
            "AND session_status = 'PUSHING' AND repository_id IS NOT NULL"
        )
        for repository_id, mission_id in connection.execute(f"{held} UNION {coming}"):
            self._worktrees.setdefault(repository_id, set()).add(mission_id)
        self._busy = dict(
            connection.execute(
                "SELECT repository_id, count(*) FROM mission WHERE session_status <> 'INACTIVE' GROUP BY 1"
            )
        )

    def limits_end(self) -> list[datetime]:
        """When to look again at what keeps the machine, or a project on it, from starting anything."""
        ends = [self._now + PRESSURE_LASTS] if self._limits.pressure else []
        if 0 < self._limits.day_budget <= self._day_cost:
            ends.append(midnight(midnight(self._now) + timedelta(hours=36)))
        return ends + [since + REFUSAL_LASTS for since, _ in self._refusals.values()]

    def why_not(self, mission: Mission) -> str | None:
        """The first rule that keeps it from running, in one sentence; None when it may start."""
        repository = self._repository(mission)
        worktrees = self._worktrees.get(mission.project_repository_id or "", set())
        if repository is not None and not repository.local_path and self._project(mission.project_id).hub is not None:
            return f"{repository.name} has no checkout on this machine: `solo-unicorn repo add PATH` names one"
        reason = why_not(
            mission,
            Facts(
                project=self._project(mission.project_id),
                repository=repository,
                repository_names=() if repository is not None else self._repository_names(mission.project_id),
                repository_running=int(self._busy.get(mission.project_repository_id, 0)),
                worktrees_taken=len(worktrees),
                has_worktree=mission.id in worktrees,
                doing_count=int(self._doing.get(mission.project_id, 0)) - (mission.list == "doing"),
                blockers=self._blockers(mission),
                agents=self.agents,
                loop_runs=self.loop_runs(mission),
                starts=self.starts(mission),
                workstation_paused=self._paused,
                limits=self._limits,
                workstation_running=self._live,
                mission_cost=cost_of(self._connection, mission.id)
                if mission.agent_budget or self._limits.mission_budget
                else 0.0,
                day_cost=self._day_cost,
                now=self._now,
            ),
        )
        if reason is None and mission.project_id in self._refusals:
            return f"the hub does not let this machine run it: {self._refusals[mission.project_id][1]}"
        return reason

    def _project(self, project_id: str) -> Project:
        if project_id not in self._projects:
            self._projects[project_id] = lookup.project(self._connection, project_id)
        return self._projects[project_id]

    def _repository(self, mission: Mission) -> ProjectRepository | None:
        if mission.project_repository_id is None:
            return None
        try:
            return lookup.part(self._connection, ProjectRepository, mission.project_repository_id)
        except NotFound:
            return None

    def _repository_names(self, project_id: str) -> tuple[str, ...]:
        found = self._connection.execute(
            "SELECT name FROM repository WHERE project_id = ? ORDER BY rowid", (project_id,)
        )
        return tuple(str(name) for (name,) in found)

    def _blockers(self, mission: Mission) -> tuple[Blocker, ...]:
        if not mission.dependency_count:
            return ()
        found = []
        for other_id, title, in_list in lookup.unresolved_blockers(self._connection, mission.id):
            row = self._connection.execute("SELECT number FROM mission WHERE id = ?", (other_id,)).fetchone()
            found.append(Blocker(short_id(row[0]) if row else other_id, title or "", cast("ListName | None", in_list)))
        return tuple(found)

    def loop_runs(self, mission: Mission) -> tuple[datetime, ...]:
        """When a loop mission began its runs of the last day."""
        if not mission.is_loop:
            return ()
        since = rows.stamp(self._now - timedelta(days=1))
        found = self._connection.execute(
            "SELECT at FROM event WHERE mission_id = ? AND kind = 'loop_run' AND at > ? ORDER BY seq",
            (mission.id, since),
        )
        return tuple(rows.known_moment(at) for (at,) in found)

    def starts(self, mission: Mission) -> tuple[datetime, ...]:
        """When its agents were started in the last hour at its stage, since a person last changed something of it."""
        if mission.session_id is None:
            return ()
        found = self._connection.execute(
            "SELECT started_at FROM session WHERE mission_id = ?1 AND started_at > ?2 "
            "AND json_extract(doc, '$.stage') = ?3 AND json_extract(doc, '$.hostPid') > 0 ORDER BY started_at",
            (mission.id, rows.stamp(self._now - timedelta(hours=1)), mission.stage),
        ).fetchall()
        if len(found) < STARTS_AN_HOUR:
            return ()
        (said,) = self._connection.execute(
            "SELECT max(at) FROM event WHERE mission_id = ? AND (author_kind = 'user' OR kind = 'loop_run')",
            (mission.id,),
        ).fetchone()
        starts = (rows.known_moment(at) for (at,) in found if said is None or at > said)
        return tuple(at for at in starts if lies_within(at, timedelta(hours=1), self._now))


def agent_states(connection: sqlite3.Connection, now: datetime) -> list[AgentState]:
    """The code agents as eligibility sees them: state, limit and free slots."""
    used = dict(connection.execute("SELECT agent_name, count(*) FROM session WHERE phase <> 'ended' GROUP BY 1"))
    return [
        AgentState(
            type=agent.type,
            name=agent.name,
            enabled=agent.enabled,
            signed_in=agent.state != "signed_out",
            hold=agent.hold.kind if agent.hold else None,
            limited_until=agent.hold.until if agent.hold and holds.is_on(agent.hold, now) else None,
            slots_free=max(0, _slots(agent) - int(used.get(agent.name, 0))),
            installed=agent.state in ("ready", "signed_out"),
        )
        for agent in lookup.agents(connection)
    ]


def _slots(agent: CodeAgent) -> int:
    """While something held it last, one mission tries whether it works again."""
    return min(1, agent.slots) if agent.hold else agent.slots


def _refusals(connection: sqlite3.Connection, now: datetime) -> dict[str, tuple[datetime, str]]:
    """When and why a hub refused a project's missions to this machine, by project, as far as it still counts."""
    found = {}
    for key, value in connection.execute("SELECT key, value FROM meta WHERE key GLOB ?", (f"{REFUSED}*",)):
        at, _, why = str(value).partition(" ")
        since = rows.sane_moment(at)
        if since is not None and not is_over(since, since + REFUSAL_LASTS, now):
            found[str(key).removeprefix(REFUSED)] = (since, why)
    return found
