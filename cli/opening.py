"""The workspace for one command, and which project it is about."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..missions.entities import Project
from ..missions.errors import NotFound
from ..system import locks
from ..workspace.workspace import Workspace

LAST_PROJECT = "board.project"
"""Where the board remembers the project it showed last."""


@contextmanager
def workspace() -> Iterator[Workspace]:
    """The workspace of this home, closed at the end."""
    opened = Workspace.open()
    try:
        yield opened
    finally:
        opened.close()


def project_of(opened: Workspace, wish: str | None) -> Project:
    """The project a command is about: the wished one, that of the directory's repository, the board's last, the first.

    NotFound when there is none.
    """
    if wish:
        return opened.project(wish)
    projects = opened.projects()
    if len(projects) > 1:
        here = _here()
        for repository in opened.repositories():
            if repository.local_path and Path(repository.local_path) in here:
                return opened.project(repository.project_id)
        last = opened.meta(LAST_PROJECT)
        projects = [project for project in projects if project.id == last] or projects
    if not projects:
        raise NotFound(
            "There is no project yet",
            why="missions stand on the board of a project",
            todo="`solo-unicorn project create NAME` makes one; so does the board at its first start",
        )
    return projects[0]


def _here() -> tuple[Path, ...]:
    try:
        directory = Path(os.path.realpath(Path.cwd()))
    except OSError:  # the directory is gone
        return ()
    return directory, *directory.parents


def service_note() -> str | None:
    """A sentence for a person whose ready missions nobody would start; None when the service runs."""
    from ..config.paths import service_lock

    if locks.is_held(service_lock()):
        return None
    return "The workstation service does not run: `solo-unicorn workstation start --background`, or open the board."
