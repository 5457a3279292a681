"""Everything that the project screen shows, read in one go on the workspace thread."""

from __future__ import annotations

from ...missions.entities import Actor, Flow, MemoryDocument, Project, ProjectRepository
from ...missions.records import record
from ...missions.rules.permissions import PermissionRule
from ...workspace import queries
from ...workspace.workspace import Workspace


@record
class ProjectData:
    """A project with its parts."""

    project: Project
    repositories: tuple[ProjectRepository, ...]
    flows: tuple[Flow, ...]
    actors: tuple[Actor, ...]
    memory: tuple[MemoryDocument, ...]
    rules: tuple[PermissionRule, ...]
    sandbox: str
    """The least level of its agents on this machine; `off` or empty: what each agent has."""


def read(workspace: Workspace, ref: str) -> ProjectData:
    """All of a project; NotFound."""
    project = workspace.read(queries.projects.get, ref)
    return ProjectData(
        project=project,
        repositories=tuple(workspace.read(queries.projects.repositories, project.id)),
        flows=tuple(workspace.read(queries.projects.flows, project.id)),
        actors=tuple(workspace.read(queries.projects.actors, project.id)),
        memory=tuple(workspace.read(queries.memory.list_all, project.id)),
        rules=tuple(workspace.read(queries.inbox.rules, project.id)),
        sandbox=workspace.read(queries.projects.sandbox, project.id),
    )
