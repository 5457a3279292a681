"""What the first start finds and makes."""

from __future__ import annotations

from collections.abc import Callable

from ...missions.entities import SYSTEM, Project
from ...workspace import operations
from ...workspace.workspace import Workspace
from ..kit.commands import Commands
from ..project.creating import RepositoryFound

STEP = "first_start.step"
Make = Callable[[Workspace], Project]


async def find_agents(commands: Commands) -> None:
    """Look for installed agents; the result is in the workspace."""
    await commands.ask("agent", "scan", seconds=30)


def kept_step(workspace: Workspace) -> tuple[int, bool]:
    """Where somebody left the first start, and whether with the repository."""
    step, _, taken = (workspace.meta(STEP) or "0 1").partition(" ")
    return int(step), taken == "1"


def keep_step(workspace: Workspace, step: int, with_repository: bool) -> None:
    """Go on there next time."""
    workspace.set_meta(STEP, f"{step} {int(with_repository)}")


def empty_project(workspace: Workspace, found: RepositoryFound | None = None) -> Project:
    """A project to fill; a repository that has no commit yet is linked to it once it has one."""
    project = workspace.write(operations.projects.create, "My project")
    if found is not None and not found.has_commit:
        from ...worktrees.repository.linking import await_commit

        await_commit(workspace, project, found.path)
    return project


def tutorial(workspace: Workspace) -> Project:
    """The tutorial's project."""
    return workspace.write_as(SYSTEM, operations.tutorial.create)


def sample(workspace: Workspace) -> Project:
    """The sample's project."""
    return workspace.write_as(SYSTEM, operations.sample.create)
