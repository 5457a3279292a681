"""What a session needs to know, read from the workspace at one moment, and which conversation it goes on with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from ...agents import catalogue
from ...config import paths
from ...missions.entities import (
    Actor,
    Attachment,
    CodeAgent,
    Flow,
    FlowStage,
    Mission,
    Project,
    ProjectRepository,
    Session,
)
from ...missions.errors import NotFound
from ...missions.ids import short_id
from ...missions.rules.flows import stage_of
from ...missions.rules.permissions import PermissionRule
from ...missions.texts.fencing import authors_of
from ...workspace import queries
from ...workspace.queries.attachments import content_path
from ...workspace.workspace import Workspace

BEGINNING = timedelta(minutes=2)
"""After so long an agent that works has begun its conversation."""
HISTORY_READ = 2000
"""Events of a mission that are looked at for who wrote its texts."""


@dataclass(frozen=True, slots=True)
class Brief:
    """All that the workspace knows and a session needs, read at one moment."""

    mission: Mission
    agent: CodeAgent
    flow: Flow
    stage: FlowStage
    project: Project
    repository: ProjectRepository
    actor: Actor | None
    memory: str
    authors: Mapping[str, str]
    """By wire field of the mission, who wrote it last."""
    blockers: tuple[Mission, ...]
    earlier: tuple[Session, ...]
    """The mission's sessions before this one, oldest first."""
    files: tuple[Attachment, ...]
    """What people attached to the mission, as far as it is on this machine."""
    words: tuple[str, ...]
    """What a person said since the session before began, and nobody could be told."""
    decisions: tuple[str, ...]
    left: float
    """Of the mission's budget, in US dollars; 0: it has none."""
    rules: tuple[PermissionRule, ...]
    """What its agents may, must not, or must ask to do."""
    sandbox: str
    """The least that the project asks for; empty: what the agent has."""


def read_brief(workspace: Workspace, session: Session, budget: float = 0.0) -> Brief:
    """Read it; NotFound when the mission, its repository or the agent is gone."""
    mission = workspace.read(queries.missions.get, session.mission_id)
    if mission.project_repository_id is None:
        raise NotFound(f"{short_id(mission.number)} has no repository", todo="choose one for it")
    agent = next(
        (agent for agent in workspace.read(queries.workstation.agents) if agent.name == session.agent_name), None
    )
    if agent is None:
        raise NotFound(
            f"There is no code agent {session.agent_name!r} any more", todo="choose another one for the mission"
        )
    project = workspace.read(queries.projects.get, mission.project_id)
    flow = workspace.read(queries.projects.flow_of, mission.id)
    wanted_actor = mission.actor_id or project.default_actor_id
    actors = [
        actor
        for actor in workspace.read(queries.projects.actors, project.id)
        if actor.id == wanted_actor or actor.is_default
    ]
    actors.sort(key=lambda actor: actor.id != wanted_actor)
    views = workspace.read(queries.missions.dependencies, mission.id)
    earlier = tuple(one for one in workspace.read(queries.sessions.find, mission.id) if one.id != session.id)
    since = earlier[-1].started_at if earlier else None
    most = mission.agent_budget or budget
    return Brief(
        mission=mission,
        agent=agent,
        flow=flow,
        stage=stage_of(flow, mission.flow_config, mission.stage),
        project=project,
        repository=workspace.read(queries.projects.repository, mission.project_repository_id),
        actor=actors[0] if actors else None,
        memory=workspace.read(queries.memory.for_mission, mission),
        authors=authors_of(workspace.read(queries.missions.history, mission.id, HISTORY_READ)),
        blockers=tuple(view.other for view in views if view.direction == "blocked_by" and view.other is not None),
        earlier=earlier,
        files=tuple(
            one for one in workspace.read(queries.attachments.of_mission, mission.id) if content_path(one).is_file()
        ),
        words=tuple(workspace.read(queries.missions.words_for_later, mission.id, since)),
        decisions=tuple(workspace.read(queries.missions.decisions, mission.id)),
        left=max(0.01, most - workspace.read(queries.usage.cost_of, mission.id)) if most else 0.0,
        rules=tuple(workspace.read(queries.inbox.rules, project.id)),
        sandbox=workspace.read(queries.projects.sandbox, project.id),
    )


def conversation_to_resume(brief: Brief, worktree: str) -> str | None:
    """The conversation that this session goes on with, or None for a new one.

    The rules keep a conversation within its stage (missions/rules/sessions.py). It is gone on with by the same agent,
    if that agent can, in the same directory, by which agents key their conversations; and not when the last attempt to
    go on with it failed, which is how an agent says that it no longer knows it.
    """
    mission, agent = brief.mission, brief.agent
    conversation = mission.last_code_agent_session_id
    if conversation is None or mission.last_code_agent_name not in (None, agent.name):
        return None
    if not catalogue.entry(agent.type, own=paths.home() / "agents").turn.resume:
        return None
    last = brief.earlier[-1] if brief.earlier else None
    if last is None:
        return conversation
    moved = last.worktree_path not in (None, worktree) or last.folder not in (None, brief.repository.folder)
    return None if moved or (last.resumed and last.outcome == "failed") else conversation


def began(brief: Brief, conversation: str | None) -> datetime | None:
    """The latest time at which the conversation may have been opened last: begun, or loaded by the session before."""
    last = next((one for one in reversed(brief.earlier) if one.conversation_id == conversation), None)
    if last is None or last.ended_at is None:
        return None
    return min(last.ended_at, last.started_at + BEGINNING)
