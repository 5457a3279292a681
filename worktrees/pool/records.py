"""The pool's slots, what it hands out, and what it says of a slot: what claiming, resuming and cleaning share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from ...missions.entities import ProjectRepository, Worktree
from ...missions.errors import Conflict
from ..repository.registry import Listed, find, is_linked
from .status import WorktreeStatus, standing, unfinished_in

if TYPE_CHECKING:
    from .includes import Pending

SPARE = 3
"""Worktrees a repository may have beyond its missions at once (the specification's limit)."""


class PoolFull(Conflict):
    """Every worktree the repository may have holds work; the mission can start once one is given back."""

    code = "pool_full"


class BranchTaken(Conflict):
    """The branch that a person chose for a mission cannot be used; nothing was made."""

    code = "branch_taken"

    def __init__(self, branch: str, why: str) -> None:
        super().__init__(
            f"The branch {branch}, which was chosen for this mission, cannot be used",
            why=why,
            todo="choose another (`mission edit --branch`), or free that one; then mark the mission ready",
        )


class Slots(Protocol):
    """The part of `Workspace` the pool needs."""

    def worktrees(self, repository: str | None = None) -> Sequence[Worktree]:
        """The slots of a repository, or all."""
        ...

    def put_worktree(self, worktree: Worktree) -> object:
        """Record a slot, new or changed."""
        ...

    def remove_worktree(self, worktree_id: str) -> object: ...


@dataclass(frozen=True, slots=True)
class WorktreeLease:
    """A worktree a mission may work in."""

    worktree: Worktree
    how: Literal["created", "reused", "resumed"]
    """reused: a vacant one, verified and set to the base; resumed: the mission's own, exactly as it was left."""
    base_commit: str
    warnings: tuple[str, ...] = ()
    """Facts for the mission's history: a base that differs from its remote, a branch name that was taken."""
    pending: Pending | None = None
    """Large files of `.worktreeinclude` that are still to be copied."""

    @property
    def path(self) -> Path:
        """Where the agent works."""
        return Path(self.worktree.path)

    @property
    def branch(self) -> str:
        """The branch checked out there; carries a number where the wanted one was taken."""
        return self.worktree.branch


@dataclass(frozen=True, slots=True)
class Removal:
    """What cleaning did with one worktree, or would do."""

    path: Path
    removed: bool
    why: str


@dataclass(frozen=True, slots=True)
class Orphan:
    """A worktree that the store and git do not agree about; nothing with work in it is ever deleted."""

    kind: Literal["directory gone", "not recorded", "not listed by git"]
    path: Path
    what_now: str
    """What was done about it, or what a person can do."""
    settled: bool
    """The pool has put it right; False waits for a person."""


@dataclass(frozen=True, slots=True)
class PoolRecords:
    """The slots of a workstation: where they are kept, below which directory, by which clock and ids."""

    slots: Slots
    root: Path
    clock: Callable[[], datetime]
    new_id: Callable[[], str]

    def records(self, repository: ProjectRepository) -> list[Worktree]:
        """The slots of a repository, oldest use first."""
        return sorted(self.slots.worktrees(repository.id), key=lambda one: (one.last_used_at, one.id))

    def vacancy(self, worktree: Worktree, common_dir: Path, listed: list[Listed]) -> str | WorktreeStatus:
        """Why a vacant slot cannot be given to a mission (or be removed); how it stands when it can (domain.md:
        verified). `listed` is what git lists now."""
        path = Path(worktree.path)
        if not path.is_dir():
            return "its directory is gone"
        entry = find(listed, path)
        if entry is None or entry.main or not is_linked(path, common_dir):
            return "git does not list it as a linked worktree of this repository"
        if entry.locked is not None:
            return f"it is locked{': ' + entry.locked if entry.locked else ''}"
        seen = standing(path)
        return unfinished_in(path, seen) or seen
