"""Going on in the worktree a mission already has: as it is found there, for whatever is in it is somebody's work."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ...missions.entities import Worktree
from ..git import Git
from ..repository.registry import INITIALIZING, Listed, find, git_dir, in_progress, is_linked, listed_worktrees
from ..repository.repositories import has_branch
from .cleaning import forget_gone
from .occupants import put_stale_lock_aside
from .snapshots import WIP, snapshot_work

if TYPE_CHECKING:
    from .acquiring import Claim
    from .records import WorktreeLease


def resume(claim: Claim) -> WorktreeLease | None:
    """The mission's own worktree, untouched; one whose directory was deleted by hand is made again in its place."""
    for own in _own_records(claim):
        path = Path(own.path)
        entry = find(claim.listed, path)
        if path.is_dir() and entry and is_linked(path, claim.facts.common_dir):
            return _resumed(claim, own, entry)
        claim.pool.slots.remove_worktree(own.id)
        if path.exists():
            claim.warnings.append(f"{path} is no longer a worktree of {claim.facts.root}; it was not changed")
            continue
        claim.warnings.append(f"the directory {path} was gone; recreated from branch {own.branch}")
        _forget_gone(claim, path, entry)
        claim.branch = own.branch if has_branch(claim.git, own.branch) else claim.branch
        return None
    return None


def _own_records(claim: Claim) -> list[Worktree]:
    """Slots of this mission, last used first; a listed worktree of ours the store forgot is taken in again."""
    records = claim.pool.records(claim.repository)
    own = [one for one in reversed(records) if one.mission_id == claim.mission.id]
    path = Path(claim.mission.worktree_path) if claim.mission.worktree_path else None
    if own or path is None or not path.is_relative_to(claim.pool.root):
        return own
    entry = find(claim.listed, path)
    known = any(Path(one.path) == path for one in records)
    if entry is None or entry.main or known or entry.branch is None:
        return own
    claim.warnings.append(f"the record of {path} was missing; restored")
    return [claim.record(path, entry.branch, entry.head or claim.facts.head_commit)]


def _resumed(claim: Claim, own: Worktree, entry: Listed) -> WorktreeLease:
    """Hand back what is there; only a half-made worktree is completed."""
    path = Path(own.path)
    if entry.locked == INITIALIZING:
        _complete(claim, path)
    aside = put_stale_lock_aside(path)
    if aside:
        claim.warnings.append(f"a killed git process had left index.lock in {path}; it is now {aside}")
    if entry.branch not in (None, own.branch):
        claim.warnings.append(f"{path} is on branch {entry.branch}, not on {own.branch}; it was left that way")
    elif entry.branch is None and in_progress(git_dir(path)) is None:
        claim.warnings.append(f"{path} has a detached HEAD; it was left that way")
    kept = replace(own, branch=entry.branch or own.branch, mission_id=claim.mission.id)
    return claim.leased(kept, "resumed", own.base_commit or entry.head or claim.facts.head_commit)


def _complete(claim: Claim, path: Path) -> None:
    """Finish a `git worktree add` that was killed; no agent was ever in there, and still nothing is dropped."""
    git = Git(path)
    if not (git_dir(path) / "index").exists():
        git.run("read-tree", "HEAD", tries=6)
    snapshot_work(path, f"{WIP}/{path.name}/half-made", message="Found in a half-made worktree")
    git.run("reset", "--hard", "--quiet", tries=6, timeout=600)
    git.run("worktree", "unlock", str(path))
    claim.warnings.append(f"{path} was left half-made by a process that stopped; completed")


def _forget_gone(claim: Claim, path: Path, entry: Listed | None) -> None:
    """Drop git's entry of a directory that is gone, keeping its commits and what was staged there."""
    kept = forget_gone(claim.git, claim.facts.common_dir, path, entry)
    if kept:
        claim.warnings.append(f"what was staged in {path} is kept as {kept}")
    claim.listed = listed_worktrees(claim.git)
