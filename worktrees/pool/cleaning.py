"""Removing worktrees fail-closed, and settling what store and git do not agree about (domain.md, Worktrees)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from ...missions.entities import ProjectRepository, Worktree
from ...system.files import make_removable
from ..git import Git, GitError
from ..locks import OURS, hold
from ..repository.registry import Listed, admin_dir, find, is_linked, listed_worktrees
from ..repository.repositories import RepositoryFacts, inspect
from ..repository.submodules import submodules, would_lose
from .occupants import process_in
from .ports import forget_ports
from .setup_files import furnished, untracked
from .snapshots import keep_commit, keep_index, keep_reachable, nested_repositories, unlanded
from .status import unfinished

if TYPE_CHECKING:
    from .records import Orphan, PoolRecords, Removal


def clean(
    pool: PoolRecords,
    repository: ProjectRepository,
    *,
    days: float,
    dry_run: bool,
    in_use: Callable[[Path], bool],
    keep: int = 1,
) -> list[Removal]:
    """Remove vacant worktrees unused for `days`, oldest first; at least `keep` worktrees of the repository stay."""
    from .records import Removal

    facts = inspect(repository.local_path, look_at_files=False)
    oldest = pool.clock() - timedelta(days=days)
    done: list[Removal] = []
    with hold(facts.common_dir, "worktrees"):
        records = pool.records(repository)
        left = len(records)
        for record in records:
            path = Path(record.path)
            why_not = _held(pool, record, facts, oldest, in_use)
            if why_not is None and left <= keep:
                why_not = "it is the last one, which is kept for the next mission"
            if why_not is None and not dry_run:
                why_not = _remove(facts, path)
            if why_not is None:
                left -= 1
                if not dry_run:
                    pool.slots.remove_worktree(record.id)
                    forget_ports(pool.root, [record.id])
            done.append(Removal(path, why_not is None, why_not or f"vacant since {record.last_used_at:%Y-%m-%d}"))
    return done


def _held(
    pool: PoolRecords, record: Worktree, facts: RepositoryFacts, oldest: datetime, in_use: Callable[[Path], bool]
) -> str | None:
    """The first reason to keep a worktree; None only when every check says it can go."""
    path = Path(record.path)
    if record.mission_id is not None:
        return "a mission uses it"
    if record.last_used_at > oldest:
        return f"it was used on {record.last_used_at:%Y-%m-%d}"
    if not path.resolve().is_relative_to(pool.root.resolve()):
        return f"it is not below {pool.root}"
    if in_use(path):
        return "a session uses it"
    seen = pool.vacancy(record, facts.common_dir, listed_worktrees(Git(facts.root)))
    return seen if isinstance(seen, str) else _would_lose(path, facts)


def _would_lose(path: Path, facts: RepositoryFacts) -> str | None:
    """Work that only this directory or its branch holds."""
    why_not, looked_at = would_lose(path, facts.common_dir)
    if why_not:
        return why_not
    nested = [one for one in nested_repositories(path) if one not in looked_at]
    if nested:
        return f"there is a repository inside it: {nested[0].relative_to(path)}"
    commits = unlanded(Git(path), "HEAD", facts.default_branch)
    if commits:
        return f"{commits} commit{'s are' if commits > 1 else ' is'} neither pushed nor landed"
    worker = process_in(path)
    return f"a process works in it: {worker}" if worker else None


def _remove(facts: RepositoryFacts, path: Path) -> str | None:
    """Let git remove it, without force: git checks once more. The reason when it refuses.

    A worktree with submodules, or with what a setup script made, git removes by force only; those were looked at a
    moment ago, and so is it once more.
    """
    keep_reachable(path)
    force = []
    if submodules(Git(path)) or furnished(path, untracked(path)):
        why_not = unfinished(path) or would_lose(path, facts.common_dir)[0]
        if why_not:
            return why_not
        force = ["--force"]
    try:
        make_removable(path)  # what a build left read-only (a cache of modules) would stop git half-way
        Git(facts.root).run("worktree", "remove", *force, str(path), tries=6, timeout=600)
    except GitError as error:
        return error.stderr.splitlines()[0] if error.stderr else str(error)
    except OSError as error:
        return str(error)
    return None


def reconcile(pool: PoolRecords, repository: ProjectRepository, *, dry_run: bool) -> list[Orphan]:
    """Compare the store, git and the disk."""
    from .records import Orphan

    facts = inspect(repository.local_path, look_at_files=False)
    git, found = Git(facts.root), list[Orphan]()
    with hold(facts.common_dir, "worktrees"):
        listed = listed_worktrees(git)
        records = pool.records(repository)
        for record in records:
            path = Path(record.path)
            if not path.exists():
                found.append(_directory_gone(pool, record, find(listed, path), facts, dry_run))
        known = {Path(record.path).resolve() for record in pool.slots.worktrees(None)}
        root = pool.root.resolve()
        for entry in listed:
            path = entry.path.resolve()
            if not entry.main and path.parent == root and path not in known and path.exists():
                found.append(_not_recorded(pool, repository, entry, facts, dry_run))
                known.add(path)
        for directory in sorted(root.iterdir()) if root.is_dir() else ():
            if directory not in known and _claims(directory, facts) and find(listed, directory) is None:
                remedy = f"`git -C {facts.root} worktree repair {directory}` or delete it"
                found.append(Orphan("not listed by git", directory, f"check its contents, then {remedy}", False))
    return found


def _directory_gone(
    pool: PoolRecords, record: Worktree, entry: Listed | None, facts: RepositoryFacts, dry_run: bool
) -> Orphan:
    """A record without its directory: a vacant one is forgotten, a mission's is remade when the mission runs next."""
    from .records import Orphan

    path = Path(record.path)
    if record.mission_id is not None:
        return Orphan("directory gone", path, "it is recreated when its mission next runs", settled=True)
    if not dry_run:
        forget_gone(Git(facts.root), facts.common_dir, path, entry)
        pool.slots.remove_worktree(record.id)
        forget_ports(pool.root, [record.id])
    return Orphan(
        "directory gone", path, f"removed from the records; branch {record.branch} is kept", settled=not dry_run
    )


def _not_recorded(
    pool: PoolRecords, repository: ProjectRepository, entry: Listed, facts: RepositoryFacts, dry_run: bool
) -> Orphan:
    """A worktree of ours the store does not know: adopted as vacant when it is clean, reported when it is not."""
    from .records import Orphan

    why_not = None
    if entry.locked is not None:
        why_not = f"it is locked{': ' + entry.locked if entry.locked else ''}"
    elif not is_linked(entry.path, facts.common_dir):
        why_not = "it is not a linked worktree of this repository"
    why_not = why_not or unfinished(entry.path)
    if why_not:
        return Orphan("not recorded", entry.path, f"left as it is, because {why_not}", settled=False)
    if not dry_run:
        now = pool.clock()
        pool.slots.put_worktree(
            Worktree(
                id=pool.new_id(),
                repository_id=repository.id,
                path=str(entry.path),
                branch=entry.branch or "",
                created_at=now,
                last_used_at=now,
                base_commit=entry.head,
            )
        )
    return Orphan("not recorded", entry.path, "adopted as a vacant worktree", settled=not dry_run)


def forget_gone(git: Git, common_dir: Path, path: Path, entry: Listed | None) -> str | None:
    """Drop git's entry of a directory that is gone; the ref that keeps what was staged there, if anything was."""
    if entry is None or path.exists():
        return None
    admin = admin_dir(common_dir, path)
    kept = keep_index(git, admin) if admin else None
    if entry.head:
        keep_commit(git, entry.head)
    if entry.locked is not None:
        git.run("worktree", "unlock", str(entry.path))
    git.run("worktree", "remove", str(entry.path), tries=6)
    return kept


def _claims(directory: Path, facts: RepositoryFacts) -> bool:
    """Whether a directory says it belongs to this repository, or has its name."""
    if not directory.is_dir() or directory.name == OURS or directory.name.startswith("."):
        return False
    marker = directory / ".git"
    if marker.is_file():
        return str(facts.common_dir) in marker.read_text(errors="surrogateescape")
    return directory.name.startswith(f"{facts.name}-")
