"""States of a mission's work that a diff may begin at: what a person saw last, what the agent began its turn with."""

from __future__ import annotations

from pathlib import Path

from ..missions.errors import NotFound
from .git import Git
from .pool.work import snapshot_work

SEEN = "refs/solo-unicorn/seen"
"""For each mission the newest state; it holds the earlier ones, too."""


def note_state(worktree: Path | str, mission_id: str) -> str:
    """The worktree as it is now, committed or not, as a commit that stays; NotFound when there is nothing to note."""
    path = Path(worktree)
    if not path.is_dir():
        raise NotFound(f"the worktree {path} is gone", why="its directory was deleted")
    commit = snapshot_work(path, f"{SEEN}/{mission_id}", message="What a person saw") or Git(path).commit("HEAD")
    if commit is None:
        raise NotFound(f"{path} has no commit", why="nothing was committed there yet")
    return commit


def same_content(worktree: Path | str, one: str, other: str) -> bool:
    """Whether two states have the same files."""
    git = Git(Path(worktree))
    trees = [git.maybe("rev-parse", "--verify", "--quiet", f"{commit}^{{tree}}") for commit in (one, other)]
    return trees[0] == trees[1] and bool(trees[0])
