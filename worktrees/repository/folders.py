"""The folder of a repository that missions of a project work in: a package of a monorepo, say.

It is a path relative to the top, as git has it. A person's checkout may be sparse and not have it; what counts is the
branch that missions start from.
"""

from __future__ import annotations

from pathlib import Path

from ...missions.errors import NotFound
from ...missions.rules.folders import checked_folder
from ..git import Git
from .registry import git_dir
from .repositories import RepositoryFacts, UnusableRepository


def check_folder(facts: RepositoryFacts, folder: str, branch: str) -> str:
    """The folder in its plain form, "" for the whole repository; InvalidValue, NotFound or UnusableRepository."""
    given = Path(folder).expanduser()
    if given.is_absolute() and given.resolve().is_relative_to(facts.root.resolve()):
        folder = str(given.resolve().relative_to(facts.root.resolve()))
    folder = checked_folder(folder)
    if not folder:
        return ""
    kinds = _kinds(Git(facts.root), branch, folder)
    if not kinds:
        raise NotFound(
            f"{facts.root} has no folder {folder!r} on {branch}",
            why="no commit of that branch contains it" if (facts.root / folder).is_dir() else "the path is not there",
            todo="give a folder that is committed, relative to the root of the repository",
        )
    _refuse(facts.root, folder, kinds)
    return folder


def start_in(worktree: Path, folder: str) -> Path:
    """Where agents and scripts start in a worktree. A sparse one gets the folder; UnusableRepository where it is gone,
    or leads out of the worktree."""
    if not folder:
        return worktree
    start, git = worktree / folder, Git(worktree)
    tracked = bool(git.list("--literal-pathspecs", "ls-files", "-z", "--", folder))
    if tracked and not start.is_dir():
        _widen(git, folder)
    if not tracked or not start.is_dir():  # ignored files alone may have stayed of it
        raise UnusableRepository(
            f"There is no folder {folder} in {worktree}",
            why="it was removed or renamed on the branch that is checked out there",
            todo="set its current name: `solo-unicorn repo edit REPOSITORY --folder FOLDER`",
        )
    if not start.resolve().is_relative_to(worktree.resolve()):
        raise UnusableRepository(
            f"The folder {folder} leads out of {worktree}",
            why="a part of its path is a symbolic link",
            todo="name the folder itself: `solo-unicorn repo edit REPOSITORY --folder FOLDER`",
        )
    return start


def shown_start(worktree: str, folder: str) -> str:
    """Where a person's shell opens: the folder where it is there, else the top."""
    start = Path(worktree, folder)
    inside = start.is_dir() and start.resolve().is_relative_to(Path(worktree).resolve())
    return str(start) if inside else worktree


def _kinds(git: Git, commit: str, folder: str) -> list[str]:
    """What each part of the path is in a commit (tree, blob, link, commit), outermost first; empty: it is not there."""
    parts, found = folder.split("/"), list[str]()
    for depth in range(1, len(parts) + 1):
        entries = git.list("--literal-pathspecs", "ls-tree", "-z", commit, "--", "/".join(parts[:depth]))
        if not entries:
            return []
        mode, kind = entries[0].split(" ")[:2]
        found.append("link" if mode == "120000" else kind)
        if found[-1] != "tree":
            break
    return found


def _refuse(root: Path, folder: str, kinds: list[str]) -> None:
    if kinds[-1] == "tree":
        return
    part = "/".join(folder.split("/")[: len(kinds)])
    what, todo = {
        "link": ("a symbolic link", "give the folder that it points to"),
        "commit": ("a submodule", "link that repository by itself: `solo-unicorn repo add`"),
    }.get(kinds[-1], ("a file", "give a folder"))
    raise UnusableRepository(f"{part} in {root} is {what}", why="agents start in a folder of the repository", todo=todo)


def _widen(git: Git, folder: str) -> None:
    """Check the folder out where only parts of the repository are (git-sparse-checkout)."""
    if git.maybe("config", "--type=bool", "core.sparseCheckout") != "true":
        return
    if git.maybe("config", "--type=bool", "core.sparseCheckoutCone") == "true":
        git.run("sparse-checkout", "add", folder, tries=6, timeout=600)
        return
    patterns = git_dir(git.path) / "info" / "sparse-checkout"
    with patterns.open("ab") as written:
        written.write(f"\n/{folder}/\n".encode("utf-8", "surrogateescape"))
    git.run("read-tree", "-mu", "HEAD", tries=6, timeout=600)
