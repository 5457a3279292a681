"""What this machine is and has: its identity, code agents, worktree slots, and requests to its service."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from ...config.correlation import correlation
from ...missions import holds
from ...missions.entities import (
    SYSTEM,
    AvailableCodeAgent,
    CodeAgent,
    Hold,
    HoldKind,
    JsonObject,
    Mission,
    Workstation,
    Worktree,
)
from ...missions.errors import Conflict, InvalidValue, NotFound, SoloUnicornError
from ...missions.rules.eligibility import WorkstationLimits
from ...missions.waits import TOLD_LONGEST
from .. import lookup, rows
from ..change import Change
from ..queries.eligibility_facts import LIMITS, agent_states
from ..queries.workstation import GENERATION, PAUSED, WORKSTATION
from ..workspace import Workspace


def this_machine(workspace: Workspace) -> Workstation:
    """This machine as the workspace knows it; recorded at first use, with its agents as they are now."""
    stored = workspace.meta(WORKSTATION)
    if stored is None:
        now = workspace.now()
        system = os.uname()
        made = Workstation(
            id=workspace.new_id(),
            name=system.nodename,
            created_at=now,
            updated_at=now,
            hostname=system.nodename,
            os=system.sysname.lower(),
            arch=system.machine,
            platform_version=system.release,
        )
        workspace.write_as(SYSTEM, _record, made)
        stored = workspace.meta(WORKSTATION)
        assert stored is not None
    workstation = rows.load(Workstation, stored)
    now = workspace.now()
    states = workspace.read(agent_states, now)
    agents = {agent.name: agent for agent in workspace.read(lookup.agents)}
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


def _record(change: Change, made: Workstation) -> None:
    """The first of several processes decides."""
    change.connection.execute("INSERT OR IGNORE INTO meta (key, value) VALUES (?, ?)", (WORKSTATION, rows.doc_of(made)))


def set_limits(workspace: Workspace, limits: WorkstationLimits) -> None:
    """Tell what this machine may do at once and spend, so that every process can say why a mission waits."""
    workspace.set_meta(LIMITS, rows.doc_of(limits))


def forget(change: Change) -> None:
    """Let this workspace be that of a new workstation; Conflict while something runs as the old one."""
    if change.connection.execute("SELECT 1 FROM session WHERE phase <> 'ended'").fetchone():
        raise Conflict("Sessions run on this workstation", todo="stop them first")
    change.connection.execute("DELETE FROM meta WHERE key IN (?, ?)", (WORKSTATION, GENERATION))


def next_generation(change: Change, known: int) -> int:
    """The number of a new start: above every earlier one here, and above what a hub knows."""
    row = change.connection.execute(
        "INSERT INTO meta (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET "
        "value = max(CAST(value AS INTEGER) + 1, ?2) RETURNING value",
        (GENERATION, known + 1),
    ).fetchone()
    return int(row[0])


def set_paused(workspace: Workspace, paused: bool) -> None:
    """Pause or resume taking new work."""
    workspace.set_meta(PAUSED, "1" if paused else "0")


def set_agents(change: Change, agents: Iterable[CodeAgent], *, first: bool = False, asked: bool = True) -> None:
    """Replace the list after a scan (with `first` only an empty one).

    `holds.after_look` says what of a hold is kept; `asked`: a person asked for the look. Nothing is told when the list
    is the same.
    """
    before = {agent.name: agent for agent in lookup.agents(change.connection)}
    if first and before:
        return
    found = dict[str, CodeAgent]()
    for agent in agents:
        hold, out = holds.after_look(agent, before.get(agent.name), asked=asked)
        agent = replace(agent, hold=agent.hold or hold)
        found[agent.name] = replace(agent, state="signed_out", detail=before[agent.name].detail) if out else agent
    if found == before:
        return
    change.connection.execute("DELETE FROM code_agent")
    for agent in found.values():
        rows.put_agent(change.connection, agent)
    change.event("", "agents_scanned")


def set_agent_limit(change: Change, name: str, until: datetime | None) -> None:
    """Park an agent until its limit resets (None: free it). InvalidValue for a time that no limit lasts to."""
    if until is not None and until > change.now + TOLD_LONGEST:
        raise InvalidValue(
            "until",
            f"{until:%Y-%m-%d} is later than any usage limit can reset",
            todo=f"give a time within {TOLD_LONGEST.days} days",
        )
    agent = _agent(change, name)
    hold = Hold("limit", change.now, until=until) if until else None
    _put_agent(change, agent, replace(agent, hold=hold), "agent_limited" if until else "agent_freed")


def hold_agent(
    change: Change, name: str, kind: HoldKind, why: str = "", *, reset_at: datetime | None = None, todo: str = ""
) -> Hold:
    """A run was refused: hold its agent (missions/holds.py). A refused sign-in counts as signed out."""
    agent = _agent(change, name)
    hold = holds.held(agent.hold, kind, change.now, why=why, reset_at=reset_at)
    after = replace(agent, hold=hold)
    if kind == "sign_in":
        helps = f"{todo}, then `solo-unicorn agent scan`" if todo else "sign it in, then `solo-unicorn agent scan`"
        after = replace(after, state="signed_out", detail=f"{why}; {helps}")
    _put_agent(change, agent, after, "agent_limited")
    return hold


def agent_answered(workspace: Workspace, name: str) -> None:
    """A run of it heard from its model: what held it is over. Writes nothing where nothing did."""
    agent = next((one for one in workspace.read(lookup.agents) if one.name == name), None)
    if agent is not None and holds.after_answer(agent.hold, workspace.now()) != agent.hold:
        workspace.write_as(SYSTEM, _free, name)


def _free(change: Change, name: str) -> None:
    agent = _agent(change, name)
    _put_agent(change, agent, replace(agent, hold=holds.after_answer(agent.hold, change.now)), "agent_freed")


def _agent(change: Change, name: str) -> CodeAgent:
    agent = next((agent for agent in lookup.agents(change.connection) if agent.name == name), None)
    if agent is None:
        raise NotFound(f"No code agent {name!r} on this workstation", todo="`solo-unicorn agent list`")
    return agent


def _put_agent(change: Change, before: CodeAgent, after: CodeAgent, kind: str) -> None:
    if after != before:
        rows.put_agent(change.connection, after)
        change.event("", kind, note=after.name)


def put_worktree(change: Change, worktree: Worktree) -> None:
    """Record a slot, new or changed."""
    rows.put_worktree(change.connection, worktree)
    change.event("", "worktrees_changed", note=worktree.path)


def remove_worktree(change: Change, worktree_id: str) -> None:
    """Forget a slot whose directory is gone."""
    change.connection.execute("DELETE FROM worktree WHERE id = ?", (worktree_id,))
    change.event("", "worktrees_changed")


def set_mission_worktree(change: Change, ref: str, path: str | None, branch: str | None) -> Mission:
    """Record where a mission's work stands: its worktree (None: no longer) and its branch."""
    mission = change.mission(ref)
    after = replace(mission, worktree_path=path, pr_branch_name=branch or mission.pr_branch_name)
    return change.save(mission, after, "worktree_set")


def request(
    change: Change,
    kind: str,
    *,
    mission: str | None = None,
    session: str | None = None,
    payload: JsonObject | None = None,
) -> int:
    """Ask the workstation service for something; it is woken and takes it when it runs."""
    mission_id = change.mission(mission).id if mission else None
    cursor = change.connection.execute(
        "INSERT INTO request (kind, mission_id, session_id, payload, at, correlation_id) VALUES (?, ?, ?, ?, ?, ?)",
        (kind, mission_id, session, rows.dump(payload or {}), rows.stamp(change.now), correlation.get()),
    )
    return int(cursor.lastrowid or 0)


def finish_request(change: Change, request_id: int) -> None:
    """The service did what was asked, or found that it cannot be done any more."""
    change.connection.execute("DELETE FROM request WHERE id = ?", (request_id,))


def _chosen_name() -> str:
    """What the person calls this machine; empty when nothing is set, or the settings cannot be read now."""
    from ...config.loading import load

    try:
        return load().workstation.name
    except SoloUnicornError:
        return ""
