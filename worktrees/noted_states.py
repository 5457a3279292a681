"""States of a mission's work that a diff may begin at: what a person saw last, what the agent began its turn with."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from ..missions.errors import NotFound
from .git import Git, decode
from .pool.snapshots import snapshot_work
from .repository.repositories import inspect

SEEN = "refs/solo-unicorn/seen"
"""For each mission the newest state; it holds the earlier ones, too."""


def note_state(worktree: Path | str, mission_id: str) -> str:
    """The worktree as it is now, committed or not, as a commit that stays; NotFound when there is nothing to note."""
    path = Path(worktree)
    if not path.is_dir():
        raise NotFound(f"The worktree {path} is gone", why="its directory was deleted")
    commit = snapshot_work(path, f"{SEEN}/{mission_id}", message="What a person saw") or Git(path).commit("HEAD")
    if commit is None:
        raise NotFound(f"{path} has no commit", why="nothing has been committed there yet")
    return commit


def noted(repository_path: Path | str, *, before: datetime) -> list[str]:
    """The missions whose newest state in a repository is older than `before`, by their ids."""
    git = Git(inspect(repository_path, look_at_files=False).root)
    shown = decode(git.out("for-each-ref", "--format=%(refname)%00%(committerdate:unix)", f"{SEEN}/"))
    rows = (line.split("\0") for line in shown.splitlines())
    return [name.removeprefix(f"{SEEN}/") for name, at in rows if int(at) < before.timestamp()]


def forget(repository_path: Path | str, missions: Iterable[str]) -> None:
    """Delete the states of missions that need them no longer."""
    git = Git(inspect(repository_path, look_at_files=False).root)
    for mission_id in missions:
        git.run("update-ref", "-d", f"{SEEN}/{mission_id}", tries=6)


def same_content(worktree: Path | str, one: str, other: str) -> bool:
    """Whether two states have the same files."""
    git = Git(Path(worktree))
    trees = [git.maybe("rev-parse", "--verify", "--quiet", f"{commit}^{{tree}}") for commit in (one, other)]
    return trees[0] == trees[1] and bool(trees[0])
