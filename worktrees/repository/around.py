"""Which linked repositories, and so which projects, a directory belongs to; reads files alone and starts no program."""

from __future__ import annotations

import os
import re
from configparser import ConfigParser
from configparser import Error as ConfigError
from pathlib import Path

from ...missions.access import FolderPlace
from ...missions.entities import Project, ProjectRepository
from ...workspace import queries
from ...workspace.workspace import Workspace


def place_of(workspace: Workspace, directory: Path) -> FolderPlace:
    """What a directory belongs to, links followed; read anew each time, because projects and worktrees come and go."""
    directory = Path(os.path.realpath(directory))
    mission = next(
        (
            one.mission_id
            for one in workspace.read(queries.workstation.worktrees)
            if one.mission_id is not None and directory.is_relative_to(os.path.realpath(one.path))
        ),
        None,
    )
    if mission is not None:
        return FolderPlace((workspace.read(queries.missions.get, mission).project_id,), mission)
    return FolderPlace(tuple(project.id for project in projects_around(workspace, directory)))


def projects_around(workspace: Workspace, directory: Path) -> list[Project]:
    """The projects that have linked the repository around `directory`: its checkout, any worktree, or a second clone.

    A second clone is a repository with the same remote; it counts where no project has linked the repository itself.
    """
    here = common_directory(directory)
    inside = {directory, *directory.parents}
    linked = [one for one in workspace.read(queries.projects.repositories) if one.local_path]
    same = [
        one
        for one in linked
        if Path(one.local_path) in inside or (here is not None and common_directory(Path(one.local_path)) == here)
    ]
    found = {one.project_id for one in _of_the_folder(same, directory)}
    if not found and here is not None and (remotes := remotes_of(here)):
        found = {one.project_id for one in linked if remotes & known_remotes(one)}
    return [project for project in workspace.read(queries.projects.list_all) if project.id in found]


def _of_the_folder(linked: list[ProjectRepository], directory: Path) -> list[ProjectRepository]:
    """Those whose folder the directory is in; else those of whole repositories; else all."""
    top = next((place for place in (directory, *directory.parents) if (place / ".git").exists()), directory)
    inside = [one for one in linked if one.folder and directory.is_relative_to(top / one.folder)]
    return inside or [one for one in linked if not one.folder] or linked


def known_remotes(repository: ProjectRepository) -> set[str]:
    """Where a linked repository comes from: as it was when it was linked, and as its settings say now."""
    urls = {repository.remote_url or "", repository.github_url}
    common = common_directory(Path(repository.local_path))
    return {compared(url) for url in urls if url} | (remotes_of(common) if common else set())


def remotes_of(common: Path) -> set[str]:
    """The addresses in the settings of a repository, as they are compared."""
    parser = ConfigParser(strict=False, interpolation=None, allow_no_value=True, delimiters=("=",))
    try:
        parser.read_string("\n".join(line.strip() for line in (common / "config").read_text("utf-8").splitlines()))
    except (OSError, UnicodeDecodeError, ConfigError):
        return set()
    return {
        compared(url) for name in parser.sections() if name.startswith("remote ") and (url := parser[name].get("url"))
    }


def compared(url: str) -> str:
    """An address without what two clones of one repository may write differently: protocol, user, port, `.git`."""
    url = url.strip().removesuffix("/").removesuffix(".git")
    found = re.fullmatch(r"(?:\w+://)?(?:[^@/]+@)?([^/:]+)(?::\d+(?=/))?[:/]+(.+)", url)
    if found is None or url.startswith(("/", ".", "~")):
        return os.path.realpath(url)
    return f"{found[1].lower()}/{found[2]}"


def common_directory(path: Path) -> Path | None:
    """The directory that all worktrees of the repository around `path` share (gitrepository-layout); None: no git."""
    for place in (path, *path.parents):
        git = place / ".git"
        try:
            if git.is_dir():
                return Path(os.path.realpath(git))
            if git.is_file():
                own = place / git.read_text(encoding="utf-8").removeprefix("gitdir:").strip()
                shared = own / "commondir"
                return Path(
                    os.path.realpath(own / shared.read_text(encoding="utf-8").strip() if shared.exists() else own)
                )
        except (OSError, UnicodeDecodeError):
            return None
    return None
