"""A project for the repository around a directory."""

from __future__ import annotations

import os
from pathlib import Path

from ...missions.entities import Project
from ...missions.errors import SoloUnicornError
from ...missions.records import record
from ...workspace import operations, queries
from ...workspace.workspace import Workspace
from ..kit.application import Application
from ..kit.commands import Commands


@record
class RepositoryFound:
    """The git repository around a directory."""

    path: Path
    branch: str
    remote: str
    has_commit: bool = True

    @property
    def name(self) -> str:
        """Its directory's name."""
        return self.path.name


async def find_repository(commands: Commands, directory: Path | None) -> RepositoryFound | None:
    """The repository that a directory is in; None when there is none, or no git."""
    if directory is None:
        return None

    async def git(*arguments: str) -> str:
        out, _, code = await commands.run("git", "-C", str(directory), *arguments, seconds=5)
        return out.strip() if code == 0 else ""

    try:
        root = await git("rev-parse", "--show-toplevel")
        if not root:
            return None
        branch, remote = await git("symbolic-ref", "--short", "-q", "HEAD"), await git("remote", "get-url", "origin")
        head = await git("rev-parse", "-q", "--verify", "HEAD^{commit}")
    except SoloUnicornError:
        return None
    return RepositoryFound(Path(root), branch, remote, bool(head))


def unlinked(workspace: Workspace, directory: Path | None) -> Path | None:
    """The root of the repository around a directory, where projects are kept but none is for it; else None."""
    if directory is None or workspace.read_only is not None or not workspace.read(queries.projects.list_all):
        return None
    from ...worktrees.repository.around import common_directory, place_of

    directory = Path(os.path.realpath(directory))
    common = common_directory(directory)
    if common is None or place_of(workspace, directory).projects or workspace.meta(f"project.made_in {common}"):
        return None
    return next(place for place in (directory, *directory.parents) if (place / ".git").exists())


async def project_with(app: Application, found: RepositoryFound, name: str) -> Project | None:
    """A new project with this repository; None when one of them is refused, which is shown, and then none is left."""
    project = await app.perform(start_project, name)
    if project is not None:
        try:
            await add_repository(app.commands, found, project)
        except SoloUnicornError as error:  # no project is left behind that nothing can run in
            await app.write(operations.projects.delete, project.id)
            app.complain(error)
            return None
    return project


async def add_repository(commands: Commands, found: RepositoryFound, project: Project) -> None:
    """Link it by the command that checks it; raises what that refuses."""
    begin = () if found.has_commit else ("--first-commit",)
    await commands.ask("repo", "add", str(found.path), "--project", project.id, *begin)


def start_project(workspace: Workspace, name: str) -> Project:
    """An empty project."""
    return workspace.write(operations.projects.create, name)
