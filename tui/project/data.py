"""Everything that the project screen shows, read in one go on the workspace thread."""

from __future__ import annotations

from ...missions.entities import Actor, Flow, MemoryDocument, Project, ProjectRepository
from ...missions.permissions import PermissionRule
from ...missions.records import record
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


def read(workspace: Workspace, ref: str) -> ProjectData:
    """All of a project; NotFound."""
    project = workspace.project(ref)
    return ProjectData(
        project=project,
        repositories=tuple(workspace.repositories(project.id)),
        flows=tuple(workspace.flows(project.id)),
        actors=tuple(workspace.actors(project.id)),
        memory=tuple(workspace.memory_documents(project.id)),
        rules=tuple(workspace.permission_rules(project.id)),
    )
