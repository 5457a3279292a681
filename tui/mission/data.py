"""Everything that the mission room shows of one mission, read in one go on the workspace thread."""

from __future__ import annotations

from datetime import datetime

from ...missions.board import DependencyView
from ...missions.comments import LineComment
from ...missions.entities import (
    Actor,
    Attachment,
    Flow,
    FlowStage,
    Mission,
    MissionEvent,
    Project,
    ProjectRepository,
    Session,
)
from ...missions.errors import NotFound
from ...missions.records import record
from ...missions.review_marks import Reading
from ...missions.rules.change_state import ChangeState
from ...missions.rules.criteria import Criterion, criteria
from ...missions.rules.flows import enabled_stages
from ...missions.rules.pull_requests import wanted
from ...sync import replica
from ...workspace import queries
from ...workspace.queries.attachments import content_path
from ...workspace.workspace import Workspace

EVENTS = 400
DEEP = 6
"""How far the tree of dependencies is followed."""
MANY = 200
"""How many missions it shows at most."""


@record
class Branch:
    """A mission in the tree of dependencies: `depth` 1 is a direct one; `last` says that no sibling follows."""

    view: DependencyView
    depth: int
    last: bool
    lines: tuple[bool, ...]
    """For each depth above, whether its line goes on."""


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
    """The direct ones."""
    tree: tuple[Branch, ...]
    """With what those wait for, or what waits for them, in turn."""
    criteria: tuple[Criterion, ...]
    attachments: tuple[Attachment, ...]
    file_states: dict[str, str]
    """What is to be said of files that are not both here and at the hub, by their ids."""
    change: ChangeState
    comments: tuple[LineComment, ...]
    """On lines of the diff, by file and line."""
    reading: Reading
    """What of the diff the person has reviewed."""
    by_pull_request: bool
    """Whether it would land by a pull request as things are set now."""
    sessions: tuple[Session, ...]
    """Oldest first."""
    history: tuple[MissionEvent, ...]
    why_not: str | None

    @property
    def rejections(self) -> tuple[datetime, ...]:
        """When it was sent back; each begins the next round of its review."""
        return tuple(event.at for event in self.history if event.kind == "rejected")

    @property
    def live(self) -> Session | None:
        """The session that runs now."""
        return next((session for session in reversed(self.sessions) if session.phase != "ended"), None)


def read(workspace: Workspace, ref: str) -> MissionData:
    """Everything about a mission; NotFound."""
    mission = workspace.read(queries.missions.get, ref)
    flow = workspace.read(queries.projects.flow_of, mission.id)
    project, repository = workspace.read(queries.projects.get, mission.project_id), _repository(workspace, mission)
    dependencies = tuple(workspace.read(queries.missions.dependencies, mission.id))
    return MissionData(
        mission=mission,
        project=project,
        flow=flow,
        stages=enabled_stages(flow, mission.flow_config),
        repository=repository,
        actor=next(
            (
                actor
                for actor in workspace.read(queries.projects.actors, mission.project_id)
                if actor.id == mission.actor_id
            ),
            None,
        ),
        dependencies=dependencies,
        tree=_tree(workspace, dependencies, mission.id),
        criteria=criteria(mission),
        attachments=tuple(workspace.read(queries.attachments.of_mission, mission.id)),
        file_states=_file_states(workspace, mission.id),
        change=workspace.read(queries.missions.change_state_of, mission.id),
        comments=tuple(workspace.read(queries.comments.of_mission, mission.id)),
        reading=workspace.read(queries.review_marks.of_mission, mission.id),
        by_pull_request=wanted(mission, project, repository),
        sessions=tuple(workspace.read(queries.sessions.find, mission.id)),
        history=tuple(workspace.read(queries.missions.history, mission.id, EVENTS)),
        why_not=workspace.read(queries.sessions.why_not, mission.id, now=workspace.now()),
    )


def _file_states(workspace: Workspace, mission_id: str) -> dict[str, str]:
    said = {"waiting": "  not sent yet", "parked": "  refused by the hub: U"}
    states = {file_id: said[state] for file_id, state in workspace.read(replica.files.file_states, mission_id).items()}
    away = {
        one.id: "  at the hub"
        for one in workspace.read(queries.attachments.of_mission, mission_id)
        if not content_path(one).exists()
    }
    return {**states, **away}


def _repository(workspace: Workspace, mission: Mission) -> ProjectRepository | None:
    if mission.project_repository_id is None:
        return None
    try:
        return workspace.read(queries.projects.repository, mission.project_repository_id)
    except NotFound:
        return None


def _tree(workspace: Workspace, direct: tuple[DependencyView, ...], mission_id: str) -> tuple[Branch, ...]:
    """Transitive blockers and dependents, depth-limited; each mission is expanded once."""
    found: list[Branch] = []
    opened = {mission_id}

    def add(views: list[DependencyView], depth: int, lines: tuple[bool, ...]) -> None:
        for place, view in enumerate(views):
            last = place == len(views) - 1
            found.append(Branch(view, depth, last, lines))
            if len(found) >= MANY:
                return
            if view.other is None or view.direction == "relates_to" or depth >= DEEP or view.other_id in opened:
                continue
            opened.add(view.other_id)
            further = [
                one
                for one in workspace.read(queries.missions.dependencies, view.other_id)
                if one.direction == view.direction
            ]
            add(further, depth + 1, (*lines, not last))

    for direction in ("blocked_by", "blocks", "relates_to"):
        add([view for view in direct if view.direction == direction], 1, ())
    return tuple(found)
