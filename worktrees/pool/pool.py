"""The worktree pool: one mission, one worktree; reuse before creation; no byte of work lost (domain.md, Worktrees).

Slots (which worktree belongs to which mission) are durable in the store, through the small `Slots` protocol that
`slots.WorkspaceSlots` fulfils. Everything here blocks: call it from a thread.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ...missions.entities import Mission, ProjectRepository, Worktree
from ...missions.errors import Conflict
from ..bases import UnknownBase, fetch_base
from ..git import Git, GitTimeout
from ..locks import hold
from ..repository.repositories import check_worktrees, inspect
from .hidden import hidden, show
from .records import Orphan, PoolRecords, Removal, WorktreeLease
from .setup_files import note_hooks_files
from .snapshots import WIP, HookRefused, commit_uncommitted, keep_reachable, set_aside, snapshot_work

if TYPE_CHECKING:
    from .acquiring import Claim
    from .preparing import Preparation
    from .scripts import ScriptResult


class Pool(PoolRecords):
    """The worktrees of all repositories of this workstation, below one directory."""

    __slots__ = ()

    def acquire(
        self,
        repository: ProjectRepository,
        mission: Mission,
        *,
        branch: str,
        base: str | None = None,
        leave_large: bool = False,
    ) -> WorktreeLease:
        """A worktree for the mission: its own as it was left, else a vacant one, else a new one.

        `base` (default: the mission's target branch) is a branch, a `remote/branch` or any commit. With `leave_large`
        large files of `.worktreeinclude` are left to `WorktreeLease.pending`. Raises PoolFull at
        the limit of `max_concurrent_missions + 3`, NotFound for a base nobody knows, UnusableRepository, GitError.
        """
        from .acquiring import Claim

        facts = inspect(repository.local_path, look_at_files=False)
        check_worktrees(facts)
        self.root.mkdir(parents=True, exist_ok=True)
        for fetched in (False, True):
            claim = Claim(self, repository, mission, facts, branch, base, leave_large)
            try:
                with hold(facts.common_dir, "worktrees"):
                    lease = _lease(claim)
                return claim.furnish(lease)
            except UnknownBase:
                if fetched or facts.remote is None:
                    raise
                fetch_base(Git(facts.root), claim.base_name(), facts.remote)  # nobody else waits for the network
        raise AssertionError("unreachable")

    def release(
        self,
        worktree: Worktree,
        *,
        message: str = "Keep uncommitted work",
        told: Callable[[str], object] = lambda _sentence: None,
    ) -> Worktree:
        """Make the slot vacant. What is uncommitted is committed on its branch first, with the repository's hooks; what
        they refuse is kept under a ref instead, which `told` hears of. Directory and branch stay."""
        path = Path(worktree.path)
        if path.is_dir() and (path / ".git").is_file():
            _keep_uncommitted(path, f"{WIP}/{worktree.id}", message, told)
            keep_reachable(path)
        vacant = replace(worktree, mission_id=None, last_used_at=self.clock())
        self.slots.put_worktree(vacant)
        return vacant

    def prepare(self, lease: WorktreeLease, repository: ProjectRepository) -> Preparation:
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


def _lease(claim: Claim) -> WorktreeLease:
    """The worktree, found in the order of domain.md: the mission's own, a vacant one, a new one."""
    from .ownership import note_owner
    from .resuming import resume

    claim.look()
    lease = resume(claim) or claim.reuse_or_create()
    if lease.how != "resumed":
        note_hooks_files(lease.path)
        note_owner(claim.git, claim.mission.id, lease.branch, lease.base_commit)
    return lease


def _keep_uncommitted(path: Path, ref: str, message: str, told: Callable[[str], object]) -> None:
    """Uncommitted work becomes a commit of the branch; a snapshot under a ref where a hook refuses it, and in the
    middle of a merge or rebase."""
    try:
        show(path, hidden(path))
        commit_uncommitted(path, message)
    except (HookRefused, GitTimeout) as error:
        if set_aside(path, ref, message) is not None:
            told(f"what was uncommitted in {path} is kept in {ref}: {error.what} ({error.why})")
    except Conflict:
        snapshot_work(path, ref, message=message)
