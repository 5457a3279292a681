"""The worktree pool: one mission, one worktree; reuse before creation; never a byte of work lost (domain.md, Worktrees).

Slots (which worktree belongs to which mission) are durable in the store, through the small `Slots` protocol that
`sync.workspace.Workspace` fulfils. Everything here blocks: call it from a thread.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol

from ..missions.entities import Mission, ProjectRepository, Worktree


class Slots(Protocol):
    """The part of `Workspace` the pool needs."""

    def worktrees(self, repository: str | None = None) -> Sequence[Worktree]: ...

    def put_worktree(self, worktree: Worktree) -> object: ...

    def remove_worktree(self, worktree_id: str) -> object: ...


@dataclass(frozen=True, slots=True)
class Lease:
    """A worktree a mission may work in."""

    worktree: Worktree
    how: Literal["created", "reused", "resumed"]
    """reused: a vacant one, reset to the base; resumed: the mission's own, exactly as it was left."""
    base_commit: str
    warnings: tuple[str, ...] = ()
    """Facts for the mission's history: a base behind its remote, a branch name that was taken."""

    @property
    def path(self) -> Path:
        """Where the agent works."""
        return Path(self.worktree.path)

    @property
    def branch(self) -> str:
        """The branch checked out there; may carry a suffix where the wanted one was taken."""
        return self.worktree.branch


@dataclass(frozen=True, slots=True)
class Removal:
    """What cleaning did with one worktree, or would do."""

    path: Path
    removed: bool
    why: str


class Pool:
    """The worktrees of all repositories of this workstation, below one directory."""

    def __init__(
        self,
        slots: Slots,
        root: Path,
        *,
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
    ) -> None:
        self.slots, self.root, self.clock, self.new_id = slots, root, clock, new_id

    def acquire(
        self, repository: ProjectRepository, mission: Mission, *, branch: str, base: str | None = None
    ) -> Lease:
        """The mission's worktree: its own as it was left, else a vacant one, else a new one. `base` defaults to the mission's target branch."""
        raise NotImplementedError

    def release(self, worktree: Worktree, *, message: str = "") -> Worktree:
        """Give the slot back: uncommitted work is committed on its branch first; the directory stays, vacant."""
        raise NotImplementedError

    def clean(self, repository: ProjectRepository, *, days: float = 7, dry_run: bool = False) -> list[Removal]:
        """Remove vacant worktrees unused for `days`, fail-closed; what stays is listed with its reason."""
        raise NotImplementedError
