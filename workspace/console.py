"""What this workstation is and has: its identity, code agents, worktree slots, and requests to its service."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from ..config.correlation import correlation
from ..missions.board import Request
from ..missions.eligibility import WorkstationLimits
from ..missions.entities import (
    SYSTEM,
    USER,
    Author,
    AvailableCodeAgent,
    CodeAgent,
    JsonObject,
    Mission,
    Workstation,
    Worktree,
)
from ..missions.errors import Conflict, NotFound, SoloUnicornError
from ..missions.wire import to_wire
from . import lookup, rows
from .base import WorkspaceBase
from .facts import LIMITS, agent_states
from .reads import PAUSED

WORKSTATION, GENERATION = "workstation", "workstation.generation"


class ConsoleOperations(WorkspaceBase):
    """Operations on the workstation's own state."""

    def sessions_to_keep(self) -> set[str]:
        """Sessions that are live, or whose mission is not done: their transcripts may still be asked for."""
        with self._reading() as connection:
            found = connection.execute(
                "SELECT s.id FROM session s LEFT JOIN mission m ON m.id = s.mission_id "
                "WHERE s.phase <> 'ended' OR (m.deleted = 0 AND m.list <> 'done')"
            ).fetchall()
        return {name for (name,) in found}

    def workstation(self) -> Workstation:
        """This machine as the workspace knows it; recorded at first use, with its agents as they are now."""
        stored = self.meta(WORKSTATION)
        if stored is None:
            now = self._clock()
            system = os.uname()
            made = Workstation(
                id=self._new_id(),
                name=system.nodename,
                created_at=now,
                updated_at=now,
                hostname=system.nodename,
                os=system.sysname.lower(),
                arch=system.machine,
                platform_version=system.release,
            )
            with self._store.writing() as connection:  # the first of several processes decides
                connection.execute(
                    "INSERT OR IGNORE INTO meta (key, value) VALUES (?, ?)", (WORKSTATION, rows.dump(to_wire(made)))
                )
            stored = self.meta(WORKSTATION)
            assert stored is not None
        workstation = rows.load(Workstation, stored)
        with self._reading() as connection:
            states = agent_states(connection, self._clock())
            agents = {agent.name: agent for agent in lookup.agents(connection)}
        now = self._clock()
        available = tuple(
            AvailableCodeAgent(
                type=state.type,
                name=state.name,
                available=state.enabled and state.installed and state.signed_in and state.slots_free > 0,
                rate_limited=bool(state.limited_until and state.limited_until > now),
                rate_limit_reset_at=state.limited_until,
                slots_used=max(0, agents[state.name].slots - state.slots_free),
                slots_total=agents[state.name].slots,
            )
            for state in states
        )
        return replace(workstation, name=_chosen_name() or workstation.name, available_code_agents=available)

    def set_workstation_limits(self, limits: WorkstationLimits) -> None:
        """Tell what this machine may do at once and spend, so that every process can say why a mission waits."""
        self.set_meta(LIMITS, rows.dump(to_wire(limits)))

    def forget_workstation(self) -> None:
        """Let this workspace be that of a new workstation; Conflict while something runs as the old one."""
        with self._change(SYSTEM) as change:
            if change.connection.execute("SELECT 1 FROM session WHERE phase <> 'ended'").fetchone():
                raise Conflict("Sessions run on this workstation", todo="stop them first")
            change.connection.execute("DELETE FROM meta WHERE key IN (?, ?)", (WORKSTATION, GENERATION))

    def generation(self) -> int:
        """How often this workstation was started, as hubs know it; 1 at least."""
        return int(self.meta(GENERATION) or 1)

    def next_generation(self, known: int) -> int:
        """The number of a new start: above every earlier one here, and above what a hub knows."""
        with self._store.writing() as connection:
            row = connection.execute(
                "INSERT INTO meta (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET "
                "value = max(CAST(value AS INTEGER) + 1, ?2) RETURNING value",
                (GENERATION, known + 1),
            ).fetchone()
        return int(row[0])

    def set_workstation_paused(self, paused: bool) -> None:
        """Pause or resume taking new work."""
        self.set_meta(PAUSED, "1" if paused else "0")

    def agents(self) -> list[CodeAgent]:
        """The code agents of this workstation, as the last scan found them."""
        with self._reading() as connection:
            return lookup.agents(connection)

    def set_agents(self, agents: Iterable[CodeAgent], *, first: bool = False) -> None:
        """Replace the list after a scan (with `first` only an empty one); a limit that has not passed is kept.

        Nothing is told when it is the same.
        """
        with self._change(SYSTEM) as change:
            before = {agent.name: agent for agent in lookup.agents(change.connection)}
            if first and before:
                return
            limits = {agent.name: agent.rate_limit_reset_at for agent in before.values()}
            found = dict[str, CodeAgent]()
            for agent in agents:
                until = agent.rate_limit_reset_at or limits.get(agent.name)
                past = until is not None and until <= change.now
                found[agent.name] = replace(agent, rate_limit_reset_at=None if past else until)
            if found == before:
                return
            change.connection.execute("DELETE FROM code_agent")
            for agent in found.values():
                rows.put_agent(change.connection, agent)
            change.event("", "agents_scanned")

    def set_agent_limit(self, name: str, until: datetime | None, *, by: Author = SYSTEM) -> None:
        """Park an agent until its limit resets (None: free it)."""
        self._change_agent(name, "agent_limited" if until else "agent_freed", by, rate_limit_reset_at=until)

    def set_agent_state(self, name: str, state: str, detail: str = "") -> None:
        """Record what a check or a run showed: ready, signed_out …"""
        self._change_agent(name, "agent_state_changed", SYSTEM, state=state, detail=detail)

    def _change_agent(self, name: str, kind: str, by: Author, **values: object) -> None:
        with self._change(by) as change:
            agent = next((agent for agent in lookup.agents(change.connection) if agent.name == name), None)
            if agent is None:
                raise NotFound(f"No code agent {name!r} on this workstation", todo="`solo-unicorn agent list`")
            after = replace(agent, **values)  # type: ignore[arg-type]
            if after != agent:
                rows.put_agent(change.connection, after)
                change.event("", kind, note=name)

    def worktrees(self, repository: str | None = None) -> list[Worktree]:
        """The slots of the worktree pool, of one repository (id) or of all, oldest first."""
        with self._reading() as connection:
            docs = connection.execute(
                "SELECT doc FROM worktree WHERE ?1 IS NULL OR repository_id = ?1 ORDER BY id", (repository,)
            ).fetchall()
        return [rows.load(Worktree, doc) for (doc,) in docs]

    def put_worktree(self, worktree: Worktree) -> None:
        """Record a slot, new or changed."""
        with self._change(SYSTEM) as change:
            rows.put_worktree(change.connection, worktree)
            change.event("", "worktrees_changed", note=worktree.path)

    def remove_worktree(self, worktree_id: str) -> None:
        """Forget a slot whose directory is gone."""
        with self._change(SYSTEM) as change:
            change.connection.execute("DELETE FROM worktree WHERE id = ?", (worktree_id,))
            change.event("", "worktrees_changed")

    def set_mission_worktree(self, ref: str, path: str | None, branch: str | None) -> Mission:
        """Record where a mission's work stands: its worktree (None: no longer) and its branch."""
        with self._change(SYSTEM) as change:
            mission = change.mission(ref)
            after = replace(mission, worktree_path=path, pr_branch_name=branch or mission.pr_branch_name)
            return change.save(mission, after, "worktree_set")

    def request(
        self,
        kind: str,
        *,
        mission: str | None = None,
        session: str | None = None,
        payload: JsonObject | None = None,
        by: Author = USER,
    ) -> int:
        """Ask the workstation service for something; it is woken and takes it when it runs."""
        with self._change(by) as change:
            mission_id = change.mission(mission).id if mission else None
            cursor = change.connection.execute(
                "INSERT INTO request (kind, mission_id, session_id, payload, at, correlation_id) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                (kind, mission_id, session, rows.dump(payload or {}), rows.stamp(change.now), correlation.get()),
            )
            return int(cursor.lastrowid or 0)

    def requests(self, after: int = 0) -> list[Request]:
        """Open requests after the one with that id, oldest first; each stays until it is finished."""
        with self._reading() as connection:
            found = connection.execute(
                "SELECT id, kind, mission_id, session_id, payload, at, correlation_id FROM request "
                "WHERE id > ? ORDER BY id",
                (after,),
            ).fetchall()
        return [
            Request(number, kind, datetime.fromisoformat(at), mission_id, session_id, json.loads(payload), chain)
            for number, kind, mission_id, session_id, payload, at, chain in found
        ]

    def finish_request(self, request_id: int) -> None:
        """The service did what was asked, or found that it cannot be done any more."""
        with self._store.writing() as connection:
            connection.execute("DELETE FROM request WHERE id = ?", (request_id,))


def _chosen_name() -> str:
    """What the person calls this machine; empty when nothing is set, or the settings cannot be read now."""
    from ..config.settings import load

    try:
        return load().workstation.name
    except SoloUnicornError:
        return ""
