"""The worktree pool: one mission, one worktree; reuse before creation; no byte of work lost (domain.md, Worktrees).

Slots (which worktree belongs to which mission) are durable in the store, through the small `Slots` protocol that
`slots.WorkspaceSlots` fulfils. Everything here blocks: call it from a thread.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from ..missions.entities import Mission, ProjectRepository, Worktree
from ..missions.errors import Conflict
from .bases import UnknownBase, fetch_base
from .git import Git
from .locks import hold
from .registry import Listed, find, is_linked
from .repositories import check_worktrees, inspect
from .standing import Standing, standing, unfinished_in
from .work import WIP, commit_uncommitted, keep_reachable, snapshot_work

if TYPE_CHECKING:
    from .includes import Pending
    from .preparing import Preparation
    from .scripts import ScriptResult

SPARE = 3
"""Worktrees a repository may have beyond its missions at once (the specification's limit)."""


class PoolFull(Conflict):
    """Every worktree the repository may have holds work; the mission can start once one is given back."""

    code = "pool_full"


class Slots(Protocol):
    """The part of `Workspace` the pool needs."""

    def worktrees(self, repository: str | None = None) -> Sequence[Worktree]:
        """The slots of a repository, or all."""
        ...

    def put_worktree(self, worktree: Worktree) -> object:
        """Record a slot, new or changed."""
        ...

    def remove_worktree(self, worktree_id: str) -> object:
        """Forget a slot."""
        ...


@dataclass(frozen=True, slots=True)
class Lease:
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


class Pool:
    """The worktrees of all repositories of this workstation, below one directory."""

    def __init__(self, slots: Slots, root: Path, *, clock: Callable[[], datetime], new_id: Callable[[], str]) -> None:
        self.slots, self.root, self.clock, self.new_id = slots, root, clock, new_id

    def acquire(
        self,
        repository: ProjectRepository,
        mission: Mission,
        *,
        branch: str,
        base: str | None = None,
        leave_large: bool = False,
    ) -> Lease:
        """A worktree for the mission: its own as it was left, else a vacant one, else a new one.

        `base` (default: the mission's target branch) is a branch, a `remote/branch` or any commit. With `leave_large`
        large files of `.worktreeinclude` are left to `Lease.pending`. Raises PoolFull at
        the limit of `max_concurrent_missions + 3`, NotFound for a base nobody knows, UnusableRepository, GitError.
        """
        from .claiming import Claim

        facts = inspect(repository.local_path, look_at_files=False)
        check_worktrees(facts)
        self.root.mkdir(parents=True, exist_ok=True)
        for fetched in (False, True):
            claim = Claim(self, repository, mission, facts, branch, base, leave_large)
            try:
                with hold(facts.common_dir, "worktrees"):
                    lease = claim.lease()
                return claim.furnish(lease)
            except UnknownBase:
                if fetched or facts.remote is None:
                    raise
                fetch_base(Git(facts.root), claim.base_name(), facts.remote)  # nobody else waits for the network
        raise AssertionError("unreachable")

    def release(self, worktree: Worktree, *, message: str = "Keep uncommitted work") -> Worktree:
        """Make the slot vacant. What is uncommitted is committed on its branch first; directory and branch stay."""
        path = Path(worktree.path)
        if path.is_dir() and (path / ".git").is_file():
            snapshot_or_commit(path, worktree, message)
            keep_reachable(path)
        vacant = replace(worktree, mission_id=None, last_used_at=self.clock())
        self.slots.put_worktree(vacant)
        return vacant

    def prepare(self, lease: Lease, repository: ProjectRepository) -> Preparation:
        """Ports and the setup script of `.solo-unicorn.toml`; a script that passed is not run again for this branch.

        A script that fails does not raise: its result goes into the mission's history, the caller decides.
        """
        from .preparing import prepare

        return prepare(self.root, lease.worktree, repository, lease.pending)

    def teardown(self, worktree: Worktree, repository: ProjectRepository) -> ScriptResult | None:
        """Run the teardown script of a worktree that is about to be released; None when there is none."""
        from .preparing import teardown

        return teardown(self.root, worktree, repository)

    def clean(
        self,
        repository: ProjectRepository,
        *,
        days: float = 7,
        dry_run: bool = False,
        in_use: Callable[[Path], bool] = lambda _path: False,
    ) -> list[Removal]:
        """Remove vacant worktrees unused for `days`, fail-closed, keeping one; what stays is listed with its reason.

        `in_use` lets the caller name worktrees a session still uses.
        """
        from .cleaning import clean

        return clean(self, repository, days=days, dry_run=dry_run, in_use=in_use)

    def reconcile(self, repository: ProjectRepository, *, dry_run: bool = False) -> list[Orphan]:
        """Report orphans (directories git no longer lists, records without directories), settle the harmless ones."""
        from .cleaning import reconcile

        return reconcile(self, repository, dry_run=dry_run)

    def records(self, repository: ProjectRepository) -> list[Worktree]:
        """The slots of a repository, oldest use first."""
        return sorted(self.slots.worktrees(repository.id), key=lambda one: (one.last_used_at, one.id))

    def vacancy(self, worktree: Worktree, common_dir: Path, listed: list[Listed]) -> str | Standing:
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


def snapshot_or_commit(path: Path, worktree: Worktree, message: str) -> None:
    """Uncommitted work becomes a commit of the branch; in the middle of a merge or rebase, a snapshot under a ref."""
    from ..missions.errors import Conflict

    try:
        commit_uncommitted(path, message)
    except Conflict:
        snapshot_work(path, f"{WIP}/{worktree.id}", message=message)
