"""The commit a mission starts from: an explicit, visible choice, with a warning when local and remote differ."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..missions.errors import NotFound
from .git import Git, GitError
from .repository.repositories import inspect

_CHOICE = "`worktrees.start_from` says which of the two missions start from, `--from` chooses for one"
FETCH = ("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance")


@dataclass(frozen=True, slots=True)
class Base:
    """What a base name stands for."""

    commit: str
    name: str
    warnings: tuple[str, ...] = ()


def base_refs(name: str, remote: str | None) -> tuple[str, ...]:
    """The refs a base name may stand for."""
    return (f"refs/heads/{name}", f"refs/remotes/{name}", *((f"refs/remotes/{remote}/{name}",) if remote else ()))


class UnknownBase(NotFound):
    """No branch or commit here has that name; it may be one that only the remote has."""

    code = "unknown_base"


def resolve_base(git: Git, name: str, remote: str | None, known: dict[str, str] | None = None) -> Base:
    """A local branch, a `remote/branch` or any commit; nothing is fetched. Raises UnknownBase.

    `known` holds those of `base_refs` that exist, when somebody has looked already.
    """
    refs = git.refs(*base_refs(name, remote)) if known is None else known
    local = refs.get(f"refs/heads/{name}")
    tracked = refs.get(f"refs/remotes/{remote}/{name}")
    if local and tracked and local != tracked:
        return Base(local, name, (difference(git, name, remote or "", local, tracked),))
    found = local or tracked or refs.get(f"refs/remotes/{name}") or git.commit(name)
    if found:
        return Base(found, name)
    raise _unknown(git, name, "no local branch or commit has that name")


def fetch_base(git: Git, name: str, remote: str) -> None:
    """Bring a base that only the remote has; UnknownBase with what the remote said when it has none."""
    branch = name.removeprefix(f"{remote}/")
    try:
        fetch_branch(git, remote, branch)
    except GitError as error:
        raise _unknown(git, name, error.stderr) from error


def fetch_branch(git: Git, remote: str, branch: str, *, timeout: float = 300.0) -> None:
    """Bring one remote branch up to date (its remote-tracking ref only)."""
    git.run(*FETCH, remote, f"+refs/heads/{branch}:refs/remotes/{remote}/{branch}", tries=4, timeout=timeout)


def remote_base(repository_path: Path | str, branch: str) -> str | None:
    """The name of that branch on the remote, as last seen; None when it is not there."""
    facts = inspect(repository_path, look_at_files=False)
    ref = f"refs/remotes/{facts.remote}/{branch}"
    return f"{facts.remote}/{branch}" if facts.remote and ref in Git(facts.root).refs(ref) else None


def refreshed(repository_path: Path | str, name: str) -> str | None:
    """Ask the remote for a base that was just started from; what a person should know when it says something new.

    Only the remote-tracking branch moves. Raises GitError when the remote cannot be asked.
    """
    facts = inspect(repository_path, look_at_files=False)
    git = Git(facts.root)
    if facts.remote is None:
        return None
    branch = name.removeprefix(f"{facts.remote}/")
    local, remote_ref = f"refs/heads/{branch}", f"refs/remotes/{facts.remote}/{branch}"
    before = git.refs(local, remote_ref)
    if local not in before and remote_ref not in before:
        return None  # a commit or a tag: nothing to follow
    fetch_branch(git, facts.remote, branch)
    tracked, started = git.refs(remote_ref).get(remote_ref), before.get(local)
    if tracked is None or tracked == before.get(remote_ref) or started in (None, tracked):
        return None
    return difference(git, branch, facts.remote, started or "", tracked)


def deepen(git: Git, remote: str, one: str, other: str) -> None:
    """In a shallow clone, fetch older commits until two have an ancestor in common; GitError when that fails."""
    for more in ("--deepen=100", "--deepen=1000", "--unshallow"):
        if git.maybe("merge-base", one, other) is not None:
            return
        git.run("fetch", "--quiet", "--no-tags", more, remote, tries=4, timeout=1800)


def ahead_behind(git: Git, local: str, other: str) -> tuple[int, int]:
    """How many commits `local` has that `other` lacks, and the other way round."""
    ahead, behind = git.line("rev-list", "--left-right", "--count", f"{local}...{other}").split()
    return int(ahead), int(behind)


def is_empty(git: Git, target: str, head: str) -> bool:
    """Whether `head` has commits that `target` lacks, and these change nothing together."""
    fork = git.maybe("merge-base", target, head)
    return fork not in (None, head) and git.test("diff-tree", "--quiet", str(fork), head)


def difference(git: Git, name: str, remote: str, local: str, tracked: str) -> str:
    """A sentence for the mission's history: how the local branch differs from its remote."""
    ahead, behind = ahead_behind(git, local, tracked)
    parts = [f"{ahead} ahead of" if ahead else "", f"{behind} behind" if behind else ""]
    return f"{name} is {' and '.join(part for part in parts if part)} {remote}/{name}; {_CHOICE}"


def _unknown(git: Git, name: str, why: str) -> UnknownBase:
    return UnknownBase(
        f"{name!r} is not a valid branch or commit of {git.path}",
        why=why.strip() or "git does not know it",
        todo="choose an existing branch for the mission to start from or land on, or create it",
    )
