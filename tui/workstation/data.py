"""What the workstation panel shows: agents, sessions, worktrees, and why what is ready does not run."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

from ...missions.board import QueueEntry
from ...missions.connected import WELL, SyncState
from ...missions.entities import CodeAgent, JsonObject, Mission, Session, Workstation, Worktree
from ...missions.errors import NotFound, SoloUnicornError
from ...missions.holds import sentence
from ...missions.ids import short_id
from ...missions.records import record
from ...missions.rules.change_state import ChangeMeasure
from ...sync import replica
from ...sync.replica.connecting import Account
from ...workspace import operations, queries
from ...workspace.workspace import Workspace
from ..kit.ages import ago, at, clock, count, size
from ..kit.lines import Row, row
from ..kit.marks import Marks
from ..kit.usage import context, dollars


@record
class WorkstationData:
    """This machine as the workspace knows it."""

    workstation: Workstation
    paused: bool
    agents: tuple[CodeAgent, ...]
    sessions: tuple[tuple[Session, Mission | None], ...]
    queue: tuple[QueueEntry, ...]
    worktrees: tuple[Worktree, ...]
    missions: dict[str, Mission]
    """Those that have a worktree, by id."""
    measures: dict[str, ChangeMeasure]
    """What git said last of those worktrees, by mission."""
    sync: SyncState
    accounts: tuple[Account, ...]


def read(workspace: Workspace) -> WorkstationData:
    worktrees = tuple(workspace.read(queries.workstation.worktrees))
    missions = {
        found.id: found for slot in worktrees if slot.mission_id and (found := _mission(workspace, slot.mission_id))
    }
    return WorkstationData(
        workstation=operations.workstation.this_machine(workspace),
        paused=workspace.read(queries.workstation.paused),
        agents=tuple(workspace.read(queries.workstation.agents)),
        sessions=tuple(
            (one, _mission(workspace, one.mission_id)) for one in workspace.read(queries.sessions.find, active=True)
        ),
        queue=tuple(workspace.read(queries.sessions.queue, now=workspace.now())),
        worktrees=worktrees,
        missions=missions,
        measures={
            mission_id: measured
            for mission_id in missions
            if (measured := workspace.read(queries.missions.change_state_of, mission_id).measured)
        },
        sync=queries.connection.sync_state(workspace),
        accounts=tuple(workspace.read(replica.connecting.accounts)),
    )


def _mission(workspace: Workspace, ref: str) -> Mission | None:
    try:
        return workspace.read(queries.missions.get, ref)
    except NotFound:
        return None


def service_status() -> JsonObject | SoloUnicornError:
    """The figures of the running service, or why there are none; runs in a thread."""
    from ...workstation import client

    try:
        return client.status()
    except SoloUnicornError as error:
        return error


MISSING: Final = "missing"
"""Key of the row above the agents that are not installed."""


def agent_rows(data: WorkstationData, marks: Marks, now: datetime) -> list[Row]:
    """Each agent with its slots and state; those that are not installed come last, each with how to install it."""
    used = {one.name: (one.slots_used, one.slots_total) for one in data.workstation.available_code_agents}
    rows: list[Row] = []
    for agent in sorted(data.agents, key=lambda one: one.state == "missing"):
        taken, total = used.get(agent.name, (0, agent.slots))
        hold = agent.hold
        if not agent.enabled:
            mark, role, said = marks.idle, "faint", "turned off"
        elif hold is not None and hold.until is not None and hold.until > now:
            left = clock((hold.until - now).total_seconds())
            limit = f"limit until {at(hold.until, now)}, {left} left"
            mark, role, said = marks.parked, "wait", limit if hold.kind == "limit" else f"{hold.why}; again in {left}"
        elif hold is not None and agent.state == "ready":
            mark, role, said = marks.parked, "wait", sentence(agent)
        elif agent.state == "ready" and agent.detail:
            mark, role, said = marks.attention, "wait", agent.detail
        elif agent.state == "ready":
            mark, role, said = marks.ready, "good", "signed in"
        elif agent.state == "missing":
            how = agent.detail.partition(": ")[2].rstrip(".")
            mark, role, said = marks.idle, "faint", how or "not installed"
            if how and not any(one.key == MISSING for one in rows):
                rows.append(row(("   not installed yet; install with:", "faint"), key=MISSING, indent=3))
        else:
            mark, role, said = marks.attention, "bad", agent.detail or agent.state.replace("_", " ")
        version = f" {agent.agent_version}" if agent.agent_version else ""
        name = f"{agent.title or agent.name}{version}"
        slots = f"{taken}/{total}" if agent.state == "ready" and agent.enabled else ""
        slots = f"{slots:<5} " if agent.state != "missing" else ""
        held = f"  sandbox {agent.sandbox}" if slots.strip() and agent.sandbox else ""
        rows.append(row((f" {mark} ", role), f"{name:<20} ", (slots, ""), (said, role), (held, "faint"), indent=3))
    return rows


def session_rows(
    data: WorkstationData, marks: Marks, now: datetime, rates: Mapping[str, float] | None = None
) -> list[Row]:
    """Each running session: since when, tokens, cost, fill of the context, how fast it writes, and what it does."""
    rows = []
    for session, mission in data.sessions:
        ref = short_id(mission.number) if mission else ""
        tokens = count(session.usage.input_tokens + session.usage.output_tokens)
        elapsed = clock((now - session.started_at).total_seconds())
        rate = (rates or {}).get(session.id)
        speed = f"{size(round(rate))}/s" if rate is not None else ""
        spent = "  ".join(filter(None, (elapsed, tokens, dollars(session.usage), context(session), speed)))
        rows.append(
            row(
                (f" {marks.running} ", "run"),
                (f"{ref:<6}", "strong"),
                f"{session.agent_name} {session.stage}  ",
                (f"{spent}  ", "faint"),
                (session.activity or session.phase, "run"),
                key=session,
                indent=3,
            )
        )
    return rows


def queue_rows(data: WorkstationData, marks: Marks) -> list[Row]:
    """Each ready mission with what holds it back, in the order in which they start."""
    rows = []
    for entry in data.queue:
        mission = entry.mission
        ref = short_id(mission.number)
        said = (entry.why_not, "faint") if entry.why_not else ("next: it starts now", "good")
        rows.append(row((f" {ref:<6} ", "strong"), f"{mission.title}  ", said, key=mission.id, indent=8))
    return rows


def worktree_rows(
    data: WorkstationData, marks: Marks, now: datetime, sizes: Mapping[str, int] | None = None
) -> list[Row]:
    """Each slot with its mission, its state and its size; or since when it is vacant."""
    busy = {session.worktree_path for session, _ in data.sessions}
    rows = []
    for slot in data.worktrees:
        mission = data.missions.get(slot.mission_id or "")
        room = f"  {size(sizes[slot.path])}" if sizes and slot.path in sizes else ""
        name = Path(slot.path).name
        if mission is None:
            said = f"vacant, used {ago(slot.last_used_at, now)}{room}"
            rows.append(row((f" {marks.idle} ", "faint"), f"{name}  ", (said, "faint"), indent=3))
            continue
        mark, role, state = (
            (marks.running, "run", "an agent is working in it")
            if slot.path in busy
            else (marks.ready, "good", _kept(mission))
        )
        measured = data.measures.get(mission.id)
        loose = f", {measured.uncommitted} not committed" if measured and measured.uncommitted else ""
        ahead = f", {measured.ahead} ahead" if measured else ""
        rows.append(
            row(
                (f" {mark} ", role),
                f"{name}  ",
                (f"{short_id(mission.number)} ", "strong"),
                (state, role),
                (f"{ahead}{loose}{room}", "faint"),
                key=mission.id,
                indent=3,
            )
        )
    return rows


def _kept(mission: Mission) -> str:
    return "waits for your review" if mission.review_status == "pending" else f"kept for {mission.stage}"


def sync_rows(data: WorkstationData, marks: Marks, now: datetime) -> list[Row]:
    """How the connected projects stand, account by account."""
    state = data.sync
    if not state.connected and not data.accounts:
        return [row((f" {marks.idle} no project is connected to a hub", "faint"), indent=3)]
    well = state.kind in WELL
    rows = [row((f" {marks.ready if well else marks.attention} ", "good" if well else "wait"), (state.word, "strong"))]
    if state.synced_at is not None:
        rows.append(row((f"   last heard from a hub {ago(state.synced_at, now)}", "faint")))
    if state.todo:
        rows.append(row((f"   {state.sentence}: {state.todo}", "faint"), indent=3))
    heard = {link.account: link.heard for link in state.links}
    for one in data.accounts:
        signed = "signed in" if one.signed_in else f"signed out: solo-unicorn auth login --hub {one.hub}"
        known = heard.get(one.id)
        live = f", {known.connection}" if known is not None and known.connection else ""
        rows.append(row(f"   {one.email or one.profile}  ", (f"{one.hub}  {signed}{live}", "faint"), indent=3))
    return rows


def service_parts(status: JsonObject | SoloUnicornError | None, marks: Marks) -> list[tuple[str, str]]:
    """The running service in a few words."""
    match status:
        case None:
            return [("asking the service …", "faint")]
        case SoloUnicornError() as error:
            return [(f"{marks.attention} {error.what}", "bad"), ("  S starts it", "key")]
        case figures:
            parts = [(f"{marks.ready} ", "good"), (f"service {figures.get('state', 'running')}", "")]
            load, mcp = figures.get("load"), figures.get("mcp")
            if isinstance(load, list) and load:
                parts.append((f"   load {load[0]}", "faint"))
            if isinstance(mcp, dict) and mcp.get("port"):
                parts.append((f"   mcp {mcp.get('port')}, {mcp.get('clients')} clients", "faint"))
            parts.append((f"   pid {figures.get('pid')}, version {figures.get('version')}", "faint"))
            return parts


def problem_rows(status: JsonObject | SoloUnicornError | None, marks: Marks) -> list[Row]:
    """What of the running service does not work."""
    from ...workstation.problems import problems_of

    if not isinstance(status, Mapping):
        return []
    return [
        row((f" {marks.attention} ", "bad"), (f"{one.name}  ", "strong"), (one.sentence, "bad"), indent=3)
        for one in problems_of(status)
    ]
