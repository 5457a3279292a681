"""The figures of a running service, as `workstation status --json` prints them."""

from __future__ import annotations

import asyncio
import os
from datetime import datetime

from ..agents import launch
from ..config import paths
from ..missions.entities import CodeAgent, Json, JsonObject, Session
from ..missions.holds import sentence
from ..missions.ids import short_id
from ..missions.wire import to_wire
from ..workspace import operations, queries
from ..workspace.workspace import Workspace
from .context import ServiceContext

QUEUE_SHOWN = 50


async def figures(context: ServiceContext) -> JsonObject:
    """Sessions, agents, queue, landings, worktrees and the MCP server; plain JSON, no path and no token on it."""
    read = await context.workspace.run(_read)
    live = await context.workspace.run(
        lambda workspace: {session.id for session in workspace.read(queries.sessions.find, active=True)}
    )
    return read | {
        "orphans": list[Json](await asyncio.to_thread(orphans, live)),
        "slots": context.settings.workstation.slots,
        "mcp": {"port": context.mcp.port, "up": context.mcp.up.is_set(), "clients": context.mcp.connections},
        "load": list[Json](round(value, 2) for value in os.getloadavg()),
    }


def orphans(live: set[str]) -> list[str]:
    """Hosts that run although no live session is theirs (a restored workspace, say): shown, never stopped silently.

    Their tokens open nothing any more, so they change no mission.
    """
    return [
        run_dir.name
        for run_dir in sorted(paths.runs_dir().iterdir())
        if run_dir.name not in live and launch.attach(run_dir).alive()
    ]


def _read(workspace: Workspace) -> JsonObject:
    live = workspace.read(queries.sessions.find, active=True)
    queue = workspace.read(queries.sessions.queue, now=workspace.now())
    agents = workspace.read(queries.workstation.agents)
    worktrees = workspace.read(queries.workstation.worktrees)
    return {
        "workstation": operations.workstation.this_machine(workspace).name,
        "paused": workspace.read(queries.workstation.paused),
        "slots_used": len(live),
        "running": list[Json](_session(workspace, session) for session in live),
        "agents": list[Json](_agent(agent, live) for agent in agents),
        "waiting": list[Json](
            {"mission": short_id(entry.mission.number), "title": entry.mission.title, "why": entry.why_not}
            for entry in queue[:QUEUE_SHOWN]
        ),
        "waiting_total": len(queue),
        "landing": list[Json](short_id(mission.number) for mission in workspace.read(queries.sessions.landing_queue)),
        "worktrees": len(worktrees),
        "worktrees_vacant": sum(worktree.mission_id is None for worktree in worktrees),
    }


def _session(workspace: Workspace, session: Session) -> JsonObject:
    mission = workspace.read(queries.missions.get, session.mission_id)
    return {
        "id": session.id,
        "mission": short_id(mission.number),
        "title": mission.title,
        "stage": session.stage,
        "agent": session.agent_name,
        "phase": session.phase,
        "since": _time(session.started_at),
        "last_event": _time(session.last_event_at),
        "activity": session.waits_for or session.activity,
        "waits_for_you": bool(session.waits_for),
        "host": session.host_pid,
        "usage": to_wire(session.usage),
    }


def _agent(agent: CodeAgent, live: list[Session]) -> JsonObject:
    return {
        "name": agent.name,
        "type": agent.type,
        "version": agent.agent_version,
        "enabled": agent.enabled,
        "state": agent.state,
        "detail": agent.detail or sentence(agent),
        "held": agent.hold.kind if agent.hold else None,
        "limited_until": _time(agent.rate_limit_reset_at),
        "slots": agent.slots,
        "slots_used": sum(session.agent_name == agent.name for session in live),
    }


def _time(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z") if moment else None
