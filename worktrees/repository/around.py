"""Which linked repositories, and so which projects, a directory belongs to; reads files alone and starts no program."""

from __future__ import annotations

import os
from pathlib import Path

from ...missions.entities import Project
from ...workspace import queries
from ...workspace.workspace import Workspace


def projects_around(workspace: Workspace, directory: Path) -> list[Project]:
    """The projects that have linked the repository around `directory`: its checkout or any worktree of it."""
    here = common_directory(directory)
    inside = {directory, *directory.parents}
    found = {
        one.project_id
        for one in workspace.read(queries.projects.repositories)
        if one.local_path
        and (Path(one.local_path) in inside or (here is not None and common_directory(Path(one.local_path)) == here))
    }
    return [project for project in workspace.read(queries.projects.list_all) if project.id in found]


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
