"""A checkout that was moved: its repository is told where it is now, and its worktrees find it again."""

from __future__ import annotations

from pathlib import Path

from ...missions.entities import Project, ProjectRepository
from ...missions.errors import Conflict
from ...workspace import operations, queries
from ...workspace.workspace import Workspace
from ..git import Git
from ..locks import hold
from .registry import admin_dir
from .repositories import RepositoryFacts


def moved_here(workspace: Workspace, project: Project | None, facts: RepositoryFacts) -> ProjectRepository | None:
    """The linked repository that this checkout was: it is no longer where it was, and its worktrees belong here."""
    for one in workspace.read(queries.projects.repositories, project.id if project else None):
        gone = bool(one.local_path) and not Path(one.local_path).is_dir()
        if gone and any(admin_dir(facts.common_dir, path) for path in _worktrees(workspace, one)):
            return one
    return None


def relocate(workspace: Workspace, repository: ProjectRepository, facts: RepositoryFacts) -> ProjectRepository:
    """Link the repository to the checkout at its new place, and with it others that are folders of the same checkout.

    Conflict when that is another repository.
    """
    git, slots = Git(facts.root), workspace.read(queries.workstation.worktrees, repository.id)
    strange = [slot.base_commit for slot in slots if slot.base_commit and git.commit(slot.base_commit) is None]
    if strange:
        raise Conflict(
            f"{facts.root} is not the moved checkout of {repository.name}",
            why=f"it does not have {strange[0][:10]}, from which a mission started",
            todo="give the path of the moved checkout, or link this one as another repository (`repo add`)",
        )
    beside = [
        one for one in workspace.read(queries.projects.repositories) if one.local_path == repository.local_path != ""
    ]
    there = [str(path) for one in beside or [repository] for path in _worktrees(workspace, one) if path.is_dir()]
    with hold(facts.common_dir, "worktrees"):
        git.run("worktree", "repair", *there, tries=6, ok=range(256))
    for one in beside:
        workspace.write(operations.parts.edit, ProjectRepository, one.id, {"local_path": str(facts.root)})
    return workspace.write(operations.parts.edit, ProjectRepository, repository.id, {"local_path": str(facts.root)})


def _worktrees(workspace: Workspace, repository: ProjectRepository) -> list[Path]:
    return [Path(slot.path) for slot in workspace.read(queries.workstation.worktrees, repository.id)]
