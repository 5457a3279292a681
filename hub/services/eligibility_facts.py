"""What is true around a mission on the hub, for the rules of eligibility (domain.md, Eligible, and in what order)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import orjson
from sqlalchemy import Connection, and_, func, select

from ...missions.entities import Mission, Project, ProjectRepository
from ...missions.rules import eligibility
from ...missions.rules.eligibility import AgentState, Blocker, Facts
from ...missions.wire import from_wire
from ..storage.tables import dependencies, events, missions, projects, repositories


def why_not(at: Connection, mission: Mission, *, agent: tuple[str, str] | None = None) -> str | None:
    """Why a mission may not start on the claimant, which answers for its own agents; None when it may."""
    chosen = agent or (mission.code_agent_type or "any", mission.code_agent_name or mission.code_agent_type or "any")
    facts = facts_of(at, mission, (AgentState(chosen[0], chosen[1]),))
    return eligibility.why_not(mission, facts)


def facts_of(at: Connection, mission: Mission, agents: tuple[AgentState, ...]) -> Facts:
    """Everything the rules ask, read inside the transaction."""
    project = from_wire(
        Project,
        orjson.loads(at.execute(select(projects.c.doc).where(projects.c.id == mission.project_id)).scalar_one()),
    )
    now = datetime.now(UTC)
    repository = None
    if mission.project_repository_id:
        doc = at.execute(select(repositories.c.doc).where(repositories.c.id == mission.project_repository_id)).scalar()
        repository = None if doc is None else from_wire(ProjectRepository, orjson.loads(doc))
    others = and_(
        missions.c.project_id == mission.project_id, missions.c.deleted.is_(False), missions.c.id != mission.id
    )
    running = 0
    if repository is not None:
        running = at.execute(
            select(func.count())
            .select_from(missions)
            .where(and_(others, missions.c.repository_id == repository.id, missions.c.session_status != "INACTIVE"))
        ).scalar_one()
    doing = 0
    if "doing" in project.wip_limits:
        doing = at.execute(
            select(func.count()).select_from(missions).where(and_(others, missions.c.list == "doing"))
        ).scalar_one()
    return Facts(
        project=project,
        now=now,
        repository=repository,
        repository_running=running,
        has_worktree=True,  # worktrees are each workstation's own affair
        doing_count=doing,
        blockers=blockers(at, mission),
        agents=agents,
        loop_runs=_loop_runs(at, mission, now) if mission.is_loop else (),
    )


def blockers(at: Connection, mission: Mission) -> tuple[Blocker, ...]:
    """What blocks a mission and is not done."""
    rows = at.execute(
        select(dependencies.c.mission_id, missions.c.number, missions.c.title, missions.c.list, missions.c.deleted)
        .select_from(dependencies.outerjoin(missions, missions.c.id == dependencies.c.mission_id))
        .where(and_(dependencies.c.other_id == mission.id, dependencies.c.relation == "blocks"))
    ).all()
    return tuple(
        Blocker(row.mission_id) if row.list is None or row.deleted else Blocker(f"M-{row.number}", row.title, row.list)
        for row in rows
        if row.list != "done" or row.deleted
    )


def _loop_runs(at: Connection, mission: Mission, now: datetime) -> tuple[datetime, ...]:
    since = (now - timedelta(days=1)).timestamp()
    times = at.execute(
        select(events.c.at).where(
            and_(events.c.mission_id == mission.id, events.c.kind == "loop_run", events.c.at > since)
        )
    ).scalars()
    return tuple(datetime.fromtimestamp(time, UTC) for time in times)
