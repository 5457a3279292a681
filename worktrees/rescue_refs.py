"""What the pool keeps in refs of its own: work that no branch holds any more, and branches that have landed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import unquote

from .git import Git, decode
from .landing import landing_log
from .locks import hold
from .pool.ownership import OWNER
from .pool.snapshots import KEPT, LANDED, WIP, landed_ref
from .repository.registry import listed_worktrees
from .repository.repositories import inspect


@dataclass(frozen=True, slots=True)
class RescuedWork:
    """Work that was rescued: a commit under a ref, to look at with `git show` and to take with `git branch`."""

    ref: str
    commit: str
    at: datetime
    subject: str


def kept(repository_path: Path | str) -> list[RescuedWork]:
    """Everything rescued in a repository, newest first."""
    git = Git(inspect(repository_path, look_at_files=False).root)
    shown = git.out(
        "for-each-ref",
        "--sort=-committerdate",
        "--format=%(refname)%00%(objectname)%00%(committerdate:iso-strict)%00%(subject)",
        f"{KEPT}/",
        f"{WIP}/",
    )
    lines = (line.split("\0") for line in decode(shown).splitlines())
    return [RescuedWork(ref, commit, datetime.fromisoformat(at), subject) for ref, commit, at, subject in lines]


def forget_held_elsewhere(repository_path: Path | str, *, dry_run: bool = False) -> list[str]:
    """Drop rescue refs whose commit a branch, a remote or a tag holds by now; their names. Nothing gets lost by it."""
    facts = inspect(repository_path, look_at_files=False)
    git, gone = Git(facts.root), list[str]()
    for one in kept(facts.root):
        held = ("for-each-ref", "--count=1", "--format=%(refname)", "--contains", one.commit)
        if git.line(*held, "refs/heads/", "refs/remotes/", "refs/tags/"):
            gone.append(one.ref)
            if not dry_run:
                git.run("update-ref", "-d", one.ref, one.commit, tries=6)
    return gone


def forget_landed_branches(repository_path: Path | str, *, before: datetime, dry_run: bool = False) -> list[str]:
    """Delete branches of missions that landed before a time and that no worktree has checked out; their names.

    Their commits stay: on the target branch, and as they were under a ref of their own. Undoing a landing brings its
    branch back.
    """
    facts = inspect(repository_path, look_at_files=False)
    git, gone = Git(facts.root), list[str]()
    with hold(facts.common_dir, "worktrees"):
        refs = git.refs("refs/heads/", f"{LANDED}/", f"{OWNER}/")
        taken = {entry.branch for entry in listed_worktrees(git)}
        late = {one.branch for one in landing_log.history(facts.common_dir) if one.at >= before.timestamp()}
        owned = {unquote(name.rsplit("/", 1)[1], errors="surrogateescape") for name in refs if name.startswith(OWNER)}
        for branch in sorted(owned - late - taken):
            tip = refs.get(f"refs/heads/{branch}")
            if tip is not None and refs.get(landed_ref(branch)) == tip:
                gone.append(branch)
                if not dry_run:
                    git.run("update-ref", "-d", f"refs/heads/{branch}", tip, tries=6)
    return gone
