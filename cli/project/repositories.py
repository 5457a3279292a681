"""`repo add|edit|list|relocate|remove`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ...missions.entities import SYSTEM, Project, ProjectRepository
from ...missions.errors import UsageError
from ...missions.wire import to_wire
from ...workspace import operations, queries
from ...worktrees.repository.linking import await_commit, link, stop_awaiting, without_checkout
from ..first_commit import facts_of
from ..opening import project_of, project_to_fill, workspace
from ..output import Output
from ..parsing import Command, Options, Parser, takes_first_commit, takes_project

if TYPE_CHECKING:
    from ...workspace.workspace import Workspace
    from ...worktrees.repository.repositories import RepositoryFacts


def _add_arguments(parser: Parser) -> None:
    parser.add_argument(
        "source",
        nargs="?",
        default=".",
        metavar="PATH|URL",
        help="a checkout (default: this directory), or a URL to clone",
    )
    takes_project(parser)
    takes_first_commit(parser)
    parser.add_argument("--path", help="the directory to clone a URL into; default: in the home of solo-unicorn")
    parser.add_argument(
        "--blobless",
        action="store_true",
        help="clone without the contents of old commits; git fetches them when needed",
    )
    parser.add_argument("--name", help="its name; default: the name of its folder")
    parser.add_argument(
        "--folder",
        metavar="FOLDER",
        help="only this folder of it, relative to its root: agents and scripts start there",
    )
    parser.add_argument("--branch", help="the branch that missions land on; default: the repository's own")
    parser.add_argument(
        "--max", type=int, metavar="N", help="missions that may run in it at once; 0 for no limit (default 4)"
    )


def _add(options: Options) -> None:
    output = Output(options)
    with workspace() as opened:
        if is_url(options.source):
            from .cloning import checkout_of

            project = project_of(opened, options.project)
            facts, managed = checkout_of(output, opened, options.source, options.path, options.blobless)
        else:
            if (moved := _moved(opened, options)) is not None:
                _told_moved(output, moved)
                return
            facts, managed, project = _of_checkout(opened, options, output)
        if options.branch:
            _check_branch(facts, options.branch)
        repository = link(
            opened,
            project,
            facts,
            name=options.name,
            branch=options.branch,
            most=options.max,
            managed=managed,
            folder=options.folder,
        )
        repository, unknown = _identified(output, opened, repository)
    if not repository.github_owner:
        from ...worktrees.repository.repositories import access_problem

        with output.progress(f"asking {facts.remote_url}"):
            unknown = access_problem(facts) or ""
    output.done(
        f"{repository.name} linked to {project.name} ({_place(repository)}, branch {repository.default_branch})",
        to_wire(repository),
        name=repository.name,
    )
    if unknown:
        output.note(unknown)
    if facts.detached and not options.branch:
        output.note(f"Its HEAD is detached: missions start from {repository.default_branch}.")
    if facts.dirty:
        output.note("It has uncommitted changes: they stay there, and missions do not see them.")


def _of_checkout(opened: Workspace, options: Options, output: Output) -> tuple[RepositoryFacts, bool, Project]:
    """What a path is, whether it is a clone of ours, and the project that it is linked to."""
    from ...worktrees.repository.repositories import NoCommits

    try:
        facts = facts_of(options.source, first_commit=options.first_commit)
    except NoCommits as error:
        project = project_to_fill(opened, options.project, output, error.root.name)
        await_commit(opened, project, error.root)
        raise NoCommits(error.root, project.name) from None
    stop_awaiting(opened, facts.root)
    expecting = None if options.project else _expecting(opened, facts)
    return facts, False, expecting or project_to_fill(opened, options.project, output, facts.name)


def is_url(source: str) -> bool:
    """Whether it is a URL or an scp-like address rather than a path that is there."""
    return "://" in source or (bool(re.match(r"^[\w.-]+@[\w.-]+:", source)) and not Path(source).exists())


def _expecting(opened: Workspace, facts: RepositoryFacts) -> Project | None:
    """The one connected project with a repository that this checkout is of and that has none on this machine yet."""
    found = [
        one
        for one in opened.read(queries.projects.list_all)
        if without_checkout(opened, one, "", facts.remote_url) is not None
    ]
    return found[0] if len(found) == 1 else None


def _identified(output: Output, opened: Workspace, repository: ProjectRepository) -> tuple[ProjectRepository, str]:
    """The repository with GitHub's number of it, where GitHub can be asked now; else why not, in a sentence."""
    from ...config.loading import load
    from ...missions.errors import SoloUnicornError
    from ...worktrees.github import access
    from ...worktrees.github.hosts import enterprise_name

    settings = load().github
    name = enterprise_name(repository.remote_url or "", settings.hosts) if not repository.github_owner else None
    if name is not None:
        values = {"github_owner": name.owner, "github_name": name.name, "github_full_name": name.full_name}
        url = f"https://{name.host}/{name.full_name}"
        repository = opened.write(
            operations.parts.edit, ProjectRepository, repository.id, {**values, "github_url": url}
        )
    if not repository.github_owner:
        return repository, ""
    try:
        with output.progress(f"asking {repository.github_url}"):
            found = access.identify(repository, settings.api_url)
    except SoloUnicornError as error:
        return repository, f"GitHub could not be asked ({error.what}); it will be before the first pull request."
    opened.write_as(SYSTEM, operations.pull_requests.repository_identified, repository.id, found.id, found.full_name)
    told = opened.write(
        operations.parts.edit, ProjectRepository, repository.id, {"github_permissions": {**found.permissions}}
    )
    if found.permissions and not found.permissions.get("push"):
        return told, (
            f"Your token may only read {found.full_name}: pushing and pull requests will fail. "
            "Sign in at GitHub with a token that may write (`gh auth login`)."
        )
    return told, ""


def _check_branch(facts: RepositoryFacts, branch: str) -> None:
    from ...missions.errors import NotFound
    from ...worktrees.git import Git
    from ...worktrees.repository.repositories import has_branch

    if not has_branch(Git(facts.root), branch):
        raise NotFound(
            f"{facts.root} has no branch {branch!r}",
            todo=f"name another one, or create it: `git -C {facts.root} branch {branch}`",
        )


def _moved(opened: Workspace, options: Options) -> ProjectRepository | None:
    """The repository that is linked already and whose checkout was moved to this path; it is told so."""
    from ...missions.errors import SoloUnicornError
    from ...worktrees.repository.relocating import moved_here, relocate
    from ...worktrees.repository.repositories import inspect

    try:
        facts = inspect(Path(options.source), look_at_files=False)
    except SoloUnicornError:
        return None  # what is wrong with it is said when it is linked
    known = moved_here(opened, project_of(opened, options.project) if options.project else None, facts)
    return relocate(opened, known, facts) if known else None


def _told_moved(output: Output, repository: ProjectRepository) -> None:
    output.done(
        f"{repository.name} is at {repository.local_path} now; its missions and worktrees continue there",
        to_wire(repository),
        name=repository.name,
    )


def _edit_arguments(parser: Parser) -> None:
    parser.add_argument("name", metavar="REPOSITORY", help="its name or id")
    takes_project(parser)
    parser.add_argument("--rename", metavar="NAME", help="its new name")
    parser.add_argument("--folder", metavar="FOLDER", help="where agents start, relative to its root; . is the root")
    parser.add_argument("--branch", help="the branch that missions land on")
    parser.add_argument(
        "--branch-prefix",
        metavar="TEMPLATE",
        help="the prefix or template of branch names: bots/, feat/{mission}-{slug}",
    )
    parser.add_argument("--max", type=int, metavar="N", help="missions that may run in it at once; 0 for no limit")
    parser.add_argument("--pull-requests", choices=("on", "off"), help="whether missions land by pull request")


def _edit(options: Options) -> None:
    with workspace() as opened:
        before = _named(opened, options)
        given = {
            "name": options.rename,
            "folder": options.folder,
            "default_branch": options.branch,
            "pr_branch_prefix": options.branch_prefix,
            "max_concurrent_missions": options.max,
            "pr_mode_enabled": options.pull_requests and options.pull_requests == "on",
        }
        changes = {name: value for name, value in given.items() if value is not None}
        if not changes:
            raise UsageError(
                "Nothing to change",
                why="no option names a change",
                todo="`solo-unicorn repo edit --help` lists what can be changed",
            )
        if before.local_path and not changes.keys().isdisjoint({"folder", "default_branch"}):
            changes |= _looked_up(before, changes)
        after = opened.write(operations.parts.edit, ProjectRepository, before.id, changes)
    Output(options).done(f"{after.name} changed" if after != before else f"{after.name} is unchanged", to_wire(after))


def _looked_up(repository: ProjectRepository, changes: Mapping[str, object]) -> dict[str, object]:
    """The folder in its plain form; branch and folder are looked for in the checkout."""
    from ...worktrees.repository.folders import check_folder
    from ...worktrees.repository.repositories import inspect

    facts = inspect(repository.local_path, look_at_files=False)
    branch = str(changes.get("default_branch", repository.default_branch))
    if "default_branch" in changes:
        _check_branch(facts, branch)
    folder = str(changes.get("folder", repository.folder))
    return {"folder": check_folder(facts, folder, branch)} if "folder" in changes else {}


def _named(opened: Workspace, options: Options) -> ProjectRepository:
    """The repository by its name in the project, else by its name or id anywhere."""
    if options.project:
        project = opened.read(queries.projects.get, options.project)
        for one in opened.read(queries.projects.repositories, project.id):
            if options.name in (one.name, one.id):
                return one
    return opened.read(queries.projects.repository, options.name)


def _relocate_arguments(parser: Parser) -> None:
    parser.add_argument("name", metavar="REPOSITORY", help="its name or id")
    parser.add_argument("path", metavar="PATH", nargs="?", default=".", help="the new place of its checkout")


def _relocate(options: Options) -> None:
    from ...worktrees.repository.relocating import relocate
    from ...worktrees.repository.repositories import inspect

    with workspace() as opened:
        known = opened.read(queries.projects.repository, options.name)
        repository = relocate(opened, known, inspect(Path(options.path), look_at_files=False))
    _told_moved(Output(options), repository)


def _list_arguments(parser: Parser) -> None:
    takes_project(parser)
    parser.add_argument("--all-projects", action="store_true", help="the repositories of every project")


def _list(options: Options) -> None:
    output = Output(options)
    with workspace() as opened:
        found = opened.read(
            queries.projects.repositories, None if options.all_projects else project_of(opened, options.project).id
        )
    output.table(
        ("REPOSITORY", "BRANCH", "MAX", "STATE", "PATH"),
        [
            (one.name, one.default_branch, str(one.max_concurrent_missions or "-"), _state(one), _place(one))
            for one in found
        ],
        [to_wire(one) for one in found],
        empty="There are no repositories. `solo-unicorn repo add` links the one of this directory.",
    )


def _place(repository: ProjectRepository) -> str:
    """Where agents start, as it is in the person's checkout."""
    return str(Path(repository.local_path, repository.folder)) if repository.local_path else ""


def _state(repository: ProjectRepository) -> str:
    return repository.status if Path(repository.local_path).is_dir() else "missing"


def _remove_arguments(parser: Parser) -> None:
    parser.add_argument("name", metavar="REPOSITORY", help="its name or id")
    takes_project(parser)
    parser.add_argument("--keep-clone", action="store_true", help="keep the clone that was made for it")


def _remove(options: Options) -> None:
    output = Output(options)
    with workspace() as opened:
        repository = opened.write(operations.parts.remove, ProjectRepository, _named(opened, options).id)
        with output.progress("removing its vacant worktrees"):
            stays = _let_go(opened, repository, keep_clone=options.keep_clone)
    gone = repository.is_managed_clone and not Path(repository.local_path).exists()
    what = "its clone was removed" if gone else f"its files stay in {repository.local_path}"
    output.done(f"{repository.name} unlinked; {what}", to_wire(repository))
    for sentence in stays:
        output.note(sentence)


def _let_go(opened: Workspace, repository: ProjectRepository, *, keep_clone: bool) -> list[str]:
    """Remove what was made for a repository and holds no work; a sentence for each thing that stays."""
    from datetime import UTC, datetime

    from ...config.paths import clones_dir, worktrees_dir
    from ...missions.errors import SoloUnicornError
    from ...missions.ids import new_ulid
    from ...worktrees.pool.pool import Pool
    from ...worktrees.pool.removing import remove_clone, remove_worktrees
    from ...worktrees.pool.slots import WorkspaceSlots

    path, shared = Path(repository.local_path), [one.local_path for one in opened.read(queries.projects.repositories)]
    if not path.is_dir():
        return []
    pool = Pool(WorkspaceSlots.of(opened), worktrees_dir(), clock=lambda: datetime.now(UTC), new_id=new_ulid)
    try:
        removals = remove_worktrees(pool, repository)
        stays = [f"The worktree {one.path} stays, because {one.why}." for one in removals if not one.removed]
        if repository.is_managed_clone and not keep_clone and repository.local_path not in shared:
            why_not = remove_clone(path, clones_dir())
            stays += [f"Its clone stays in {path}, because {why_not}."] if why_not else []
    except SoloUnicornError as error:
        return [f"Files created for it stay: {error.what} ({error.why})."]
    return stays


COMMANDS = {
    "add": Command(_add_arguments, _add),
    "edit": Command(_edit_arguments, _edit),
    "list": Command(_list_arguments, _list),
    "relocate": Command(_relocate_arguments, _relocate),
    "remove": Command(_remove_arguments, _remove),
}
