"""Everything that the mission room shows of one mission, read in one go on the workspace thread."""

from __future__ import annotations

from ..missions.board import DependencyView
from ..missions.entities import Actor, Flow, FlowStage, Mission, MissionEvent, Project, ProjectRepository, Session
from ..missions.errors import NotFound
from ..missions.flows import enabled_stages
from ..missions.records import record
from ..sync.workspace import Workspace

EVENTS = 400


@record
class MissionData:
    """A mission with what surrounds it."""

    mission: Mission
    project: Project
    flow: Flow
    stages: tuple[FlowStage, ...]
    """The enabled stages, with what this mission changes about them."""
    repository: ProjectRepository | None
    actor: Actor | None
    dependencies: tuple[DependencyView, ...]
    sessions: tuple[Session, ...]
    """Oldest first."""
    history: tuple[MissionEvent, ...]
    why_not: str | None

    @property
    def live(self) -> Session | None:
        """The session that runs now."""
        return next((session for session in reversed(self.sessions) if session.phase != "ended"), None)


def read(workspace: Workspace, ref: str) -> MissionData:
    """Everything about a mission; NotFound."""
    mission = workspace.mission(ref)
    flow = workspace.flow_of(mission.id)
    return MissionData(
        mission=mission,
        project=workspace.project(mission.project_id),
        flow=flow,
        stages=enabled_stages(flow, mission.flow_config),
        repository=_repository(workspace, mission),
        actor=next((actor for actor in workspace.actors(mission.project_id) if actor.id == mission.actor_id), None),
        dependencies=tuple(workspace.dependencies(mission.id)),
        sessions=tuple(workspace.sessions(mission.id)),
        history=tuple(workspace.history(mission.id, EVENTS)),
        why_not=workspace.why_not(mission.id),
    )


def _repository(workspace: Workspace, mission: Mission) -> ProjectRepository | None:
    if mission.project_repository_id is None:
        return None
    try:
        return workspace.repository(mission.project_repository_id)
    except NotFound:
        return None
