"""What the workstation panel shows: agents, sessions, worktrees, and why what is ready does not run."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from ..missions.board import QueueEntry
from ..missions.entities import CodeAgent, JsonObject, Mission, Session, Workstation, Worktree
from ..missions.errors import NotFound, SoloUnicornError
from ..missions.ids import short_id
from ..missions.records import record
from ..sync.workspace import Workspace
from .ages import ago, clock, count, until
from .lines import Row, row
from .marks import Marks


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


def read(workspace: Workspace) -> WorkstationData:
    """Everything at once."""
    worktrees = tuple(workspace.worktrees())
    return WorkstationData(
        workstation=workspace.workstation(),
        paused=workspace.workstation_paused(),
        agents=tuple(workspace.agents()),
        sessions=tuple((one, _mission(workspace, one.mission_id)) for one in workspace.sessions(active=True)),
        queue=tuple(workspace.queue()),
        worktrees=worktrees,
        missions={
            found.id: found for slot in worktrees if slot.mission_id and (found := _mission(workspace, slot.mission_id))
        },
    )


def _mission(workspace: Workspace, ref: str) -> Mission | None:
    try:
        return workspace.mission(ref)
    except NotFound:
        return None


def service_status() -> JsonObject | SoloUnicornError:
    """The figures of the running service, or why there are none; runs in a thread."""
    from ..workstation import client

    try:
        return client.status()
    except SoloUnicornError as error:
        return error


def agent_rows(data: WorkstationData, marks: Marks, now: datetime) -> list[Row]:
    """Each agent with its slots and state."""
    used = {one.name: (one.slots_used, one.slots_total) for one in data.workstation.available_code_agents}
    rows = []
    for agent in data.agents:
        taken, total = used.get(agent.name, (0, agent.slots))
        limited = agent.rate_limit_reset_at
        if not agent.enabled:
            mark, role, said = marks.idle, "faint", "switched off"
        elif limited is not None and limited > now:
            mark, role, said = marks.parked, "wait", f"limit {until(limited, now)}"
        elif agent.state == "ready":
            mark, role, said = marks.ready, "good", "ready"
        elif agent.state == "missing":
            mark, role, said = marks.idle, "faint", "not installed"
        else:
            mark, role, said = marks.attention, "bad", agent.detail or agent.state.replace("_", " ")
        version = f" {agent.agent_version}" if agent.agent_version else ""
        name = f"{agent.title or agent.name}{version}"
        slots = f"{taken}/{total}" if agent.state == "ready" and agent.enabled else ""
        rows.append(row((f" {mark} ", role), f"{name:<20} ", (f"{slots:<5} ", ""), (said, role), indent=3))
    return rows


def session_rows(data: WorkstationData, marks: Marks, now: datetime) -> list[Row]:
    """Each running session with what it does."""
    rows = []
    for session, mission in data.sessions:
        ref = short_id(mission.number) if mission else ""
        tokens = count(session.usage.input_tokens + session.usage.output_tokens)
        cost = f"${session.usage.cost_usd:.2f}" if session.usage.cost_usd is not None else ""
        elapsed = clock((now - session.started_at).total_seconds())
        rows.append(
            row(
                (f" {marks.running} ", "run"), (f"{ref:<6}", "strong"), f"{session.agent_name} {session.stage}  ",
                (f"{elapsed}  {tokens}  {cost}  ", "faint"), (session.activity or session.phase, "run"),
                key=session.mission_id, indent=3,
            )
        )  # fmt: skip
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


def worktree_rows(data: WorkstationData, marks: Marks, now: datetime) -> list[Row]:
    """Each slot with its mission or since when it is vacant."""
    rows = []
    for slot in data.worktrees:
        mission = data.missions.get(slot.mission_id or "")
        name = Path(slot.path).name
        if mission is not None:
            rows.append(
                row(
                    (f" {marks.ready} ", "run"),
                    f"{name}  ",
                    (short_id(mission.number), "strong"),
                    f" {mission.title}",
                    key=mission.id,
                    indent=3,
                )
            )
        else:
            rows.append(
                row(
                    (f" {marks.idle} ", "faint"),
                    f"{name}  ",
                    (f"vacant, used {ago(slot.last_used_at, now)}", "faint"),
                    indent=3,
                )
            )
    return rows


def service_rows(status: JsonObject | SoloUnicornError | None, data: WorkstationData, marks: Marks) -> list[Row]:
    """Whether the service runs, and since when."""
    rows = [
        row(
            (f" {data.workstation.name}", "strong"),
            (f"  {data.workstation.os or ''} {data.workstation.arch or ''}", "faint"),
        )
    ]
    if data.paused:
        rows.append(
            row((f" {marks.parked} paused: what runs goes on, nothing new starts", "wait"), ("   p resumes", "key"))
        )
    match status:
        case None:
            rows.append(row((" asking the service …", "faint")))
        case SoloUnicornError() as error:
            rows.append(row((f" {marks.attention} {error.what}", "bad"), (f"  {error.todo}", "faint"), indent=3))
        case figures:
            rows.append(row((f" {marks.ready} ", "good"), f"service {figures.get('state', 'running')}"))
            for name in ("pid", "version", "started_at", "mcp_port", "stay"):
                if figures.get(name) not in (None, ""):
                    rows.append(row((f"   {name.replace('_', ' '):<11}", "faint"), str(figures[name])))
    return rows
