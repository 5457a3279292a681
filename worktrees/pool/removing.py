"""Letting go of a repository: its vacant worktrees, and the clone that was made for it; nothing with work in it."""

from __future__ import annotations

import shutil
from pathlib import Path

from ...missions.entities import ProjectRepository
from ..git import Git
from ..repository.registry import listed_worktrees
from ..repository.repositories import inspect
from ..repository.submodules import would_lose
from .cleaning import clean
from .pool import Pool
from .records import Removal
from .snapshots import LANDED
from .status import unfinished


def remove_worktrees(pool: Pool, repository: ProjectRepository) -> list[Removal]:
    """Remove every worktree of the repository that holds no work, and forget the records of all of them.

    What stays on the disk is named with its reason; linked again, the repository finds it as an orphan.
    """
    removals = clean(pool, repository, days=0, dry_run=False, in_use=lambda _path: False, keep=0)
    for record in pool.records(repository):
        pool.slots.remove_worktree(record.id)
    return removals


def remove_clone(path: Path, clones: Path) -> str | None:
    """Delete a clone of ours; the reason when it stays. Only what stands in our own directory of clones is deleted."""
    if path.parent.resolve() != clones.resolve():
        return f"it is not in {clones}"
    why_not = _would_lose(path)
    if why_not is None:
        shutil.rmtree(path)
    return why_not


def _would_lose(path: Path) -> str | None:
    """Work that only this clone holds."""
    facts = inspect(path, look_at_files=False)
    git = Git(facts.root)
    others = [entry.path for entry in listed_worktrees(git) if not entry.main]
    if others:
        return f"it has worktrees: {', '.join(str(other) for other in others)}"
    why_not = unfinished(facts.root) or would_lose(facts.root, facts.common_dir)[0]
    if why_not:
        return why_not
    if git.refs("refs/stash"):
        return "it has a stash"
    counted = ("--branches", "HEAD", "--glob=refs/solo-unicorn/kept", "--glob=refs/solo-unicorn/wip")
    lost = git.line("rev-list", "--count", *counted, "--not", "--remotes", f"--glob={LANDED}")
    return f"{lost} of its commits are on no remote" if lost != "0" else None
