"""The workspace for one command, and which project it is about."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..missions.entities import SYSTEM, CodeAgent, Project
from ..missions.errors import NotFound, UsageError
from ..missions.naming import choices
from ..system import locks
from ..workspace import operations, queries
from ..workspace.workspace import Workspace
from .output import Output


@contextmanager
def workspace() -> Iterator[Workspace]:
    """The workspace of this home, closed at the end."""
    opened = Workspace.open()
    try:
        yield opened
    finally:
        opened.close()


def project_of(opened: Workspace, wish: str | None) -> Project:
    """The project a command is about: the wished one, that of this directory, else the only one.

    A directory is of the project that has linked its repository, else of the one that was made in it last. NotFound
    when there is no project, UsageError that names them when there are several.
    """
    _link_awaited(opened)
    if wish:
        return opened.read(queries.projects.get, wish)
    projects = opened.read(queries.projects.list_all)
    if len(projects) > 1:
        from ..worktrees.repository.around import projects_around

        here = _here()
        around = projects_around(opened, here)
        made = opened.meta(_directory(here))
        made_here = [project for project in around or projects if project.id == made]
        if len(around) != 1 and made_here:
            return made_here[0]
        if len(around) != 1:
            why = (
                "several projects link the repository of this directory"
                if around
                else "no project links this directory"
            )
            raise UsageError(
                f"Which project? There are {len(projects)}",
                why=f"{why} ({here})",
                todo="add --project: "
                + choices(project.slug for project in around or projects)
                + ("" if around else _or_begin_here(here)),
            )
        return around[0]
    if not projects:
        raise NotFound(
            "There is no project yet",
            why="every mission belongs to a project",
            todo="`solo-unicorn project create NAME` creates one; in a git repository, "
            "the first `solo-unicorn mission create` or start of the board does so too",
        )
    return projects[0]


def _link_awaited(opened: Workspace) -> None:
    """Link repositories that have a commit by now; the service does so too, while it runs."""
    if opened.read_only is None and opened.meta("repositories.awaited"):
        from ..worktrees.repository.linking import link_awaited

        link_awaited(opened)


def project_to_fill(opened: Workspace, wish: str | None, output: Output, name: str = "") -> Project:
    """The same for a command that adds to a project: where there is none yet, one is made for this directory.

    It is called `name` and left without a repository when that is given; else it is made for the repository around
    this directory, which is linked. A repository without a commit is offered its first one on a terminal, and linked
    by itself once it has one.
    """
    from ..worktrees.repository.around import common_directory

    if wish or opened.read(queries.projects.list_all) or not (name or common_directory(_here())):
        found = project_of(opened, wish)
        return found if wish or name else _of_here(opened, found)
    if name:
        return _first(opened, output, name, "")
    from ..worktrees.repository.linking import await_commit, link
    from ..worktrees.repository.repositories import NoCommits
    from .first_commit import facts_of

    try:
        facts = facts_of(".")
    except NoCommits as error:
        project = _first(opened, output, error.root.name, f"{error.root} is linked to it once it has a commit")
        await_commit(opened, project, error.root)
        return project
    project = _first(opened, output, facts.name, f"{facts.root} is linked to it")
    link(opened, project, facts)
    return project


def _of_here(opened: Workspace, project: Project) -> Project:
    """What is added goes to no project that this directory is not of: the only one too is named then, or UsageError.

    A project without a checkout is of every directory, because none says where it is.
    """
    from ..worktrees.repository.around import projects_around

    here = _here()
    checkouts = any(one.local_path for one in opened.read(queries.projects.repositories, project.id))
    if not checkouts or opened.meta(_directory(here)) == project.id or project in projects_around(opened, here):
        return project
    raise UsageError(
        "Which project?",
        why=f"no project links this directory ({here})",
        todo=f"add --project {project.slug}, or go into its repository{_or_begin_here(here)}",
    )


def _or_begin_here(here: Path) -> str:
    """What else there is to do in a repository that no project has linked."""
    from ..worktrees.repository.around import common_directory

    if common_directory(here) is None:
        return ""
    return "; `solo-unicorn project create NAME` and `solo-unicorn repo add` begin one for this repository"


def _first(opened: Workspace, output: Output, name: str, linked: str) -> Project:
    project = opened.write(operations.projects.create, name)
    remember_directory(opened, project)
    output.note(f"Project {project.name} was created, the first on this machine" + (f"; {linked}." if linked else "."))
    return project


def remember_directory(opened: Workspace, project: Project) -> None:
    """This directory is where a project was made."""
    opened.set_meta(_directory(_here()), project.id)


def _directory(here: Path) -> str:
    """The key of a directory; all of a repository with its worktrees is one."""
    from ..worktrees.repository.around import common_directory

    return f"project.made_in {common_directory(here) or here}"


def _here() -> Path:
    try:
        return Path(os.path.realpath(Path.cwd()))
    except OSError:  # the directory is gone
        return Path("/")


def agents_of(opened: Workspace, output: Output) -> list[CodeAgent]:
    """The code agents of this machine; looked for now when nobody has looked yet (within 5 s, told when it takes one).

    The service looks at its first start too: whoever comes second leaves what the first has found.
    """
    if not opened.read(queries.workstation.agents) and opened.read_only is None:
        from ..agents.detection import scan
        from ..config.loading import load

        with output.progress("looking for code agents"):
            found = scan(load())
        opened.write_as(SYSTEM, operations.workstation.set_agents, found, first=True)
    return opened.read(queries.workstation.agents)


def service_note() -> str | None:
    """A sentence for a person whose ready missions nobody would start; None when the service runs."""
    from ..config.paths import service_lock

    if locks.is_held(service_lock()):
        return None
    return "The workstation service is not running: `solo-unicorn workstation start --background`, or open the board."
