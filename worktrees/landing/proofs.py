"""What must hold of a mission's worktree before a review is asked for, and again before its work lands.

`PROOFS` lists it. A landing takes a branch; an agent may have switched, renamed, detached or removed what it worked on,
and what a person sees in the worktree would not be what lands. Each proof holds, or puts right what can only mean one
thing and says so, or raises `Unproven`: then the agent, or a person, is asked.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ...missions.errors import Conflict, TryAgain
from ...system import files, strict_json
from ...system.disk import is_full
from ..git import Git, GitError, GitTimeout
from ..locks import our_dir, shared_mode
from ..pool.hidden import hidden
from ..pool.ownership import note_owner
from ..pool.setup_files import furnished
from ..pool.snapshots import HookRefused, commit_uncommitted, keep_commit
from ..pool.status import WorktreeStatus, standing
from ..repository import submodules
from ..repository.around import common_directory
from ..repository.registry import git_dir, in_progress, is_linked
from .origins import landed_by_us, made_here, of_nobody

if TYPE_CHECKING:
    from ..pool.records import WorktreeLease

_REPLACED = "refs/replace/"
REVIEWED = "refs/solo-unicorn/reviewed"
"""What a mission's branch pointed at when its review was asked for."""


class Unproven(Conflict):
    """What the review shows, or showed, is not what would land; `by_agent`: the agent that left it so can mend it."""

    code = "unproven"

    def __init__(self, what: str, *, why: str, todo: str, by_agent: bool = False) -> None:
        super().__init__(what, why=why, todo=todo)
        self.by_agent = by_agent


@dataclass(frozen=True, slots=True)
class Claimed:
    """The work of a mission, as it is recorded."""

    mission_id: str
    worktree: Path
    branch: str
    base_commit: str | None
    """Where the branch left its base."""
    target: str
    remote: str | None
    message: str
    """Of the commit for what the agent left uncommitted."""


@dataclass(frozen=True, slots=True)
class Proven:
    """The branch that holds all of the work, and its head."""

    branch: str
    commit: str
    told: tuple[str, ...] = ()
    """What was put right, for the mission's history."""


@dataclass(slots=True)
class _Look:
    """One look at a worktree; `branch` follows what a proof adopts."""

    work: Claimed
    common_dir: Path
    before: dict[str, str]
    """The refs when the session began; empty: nobody wrote them down."""
    branch: str
    told: list[str]

    @property
    def git(self) -> Git:
        return Git(self.work.worktree)


def prove(repository: Path, common_dir: Path, work: Claimed) -> Proven:
    """Hold the work against every proof; what is uncommitted is committed on the way, with the repository's hooks.

    Raises Unproven, HookRefused, GitError. Doing it again gives the same.
    """
    look = _Look(work, common_dir, _read(common_dir, work.mission_id), work.branch, [])
    for proof in PROOFS:
        proof(look)
    commit = look.git.line("rev-parse", f"refs/heads/{look.branch}")
    if look.branch != work.branch:
        note_owner(Git(repository), work.mission_id, look.branch, work.base_commit or commit)
    return Proven(look.branch, commit, tuple(look.told))


def note_start(git: Git, common_dir: Path, mission_id: str) -> None:
    """Write down where all branches stand: what a session makes or moves from here on is told by it."""
    _write(common_dir, mission_id, git.refs("refs/heads/", "refs/remotes/", "refs/stash", _REPLACED))


def note_told(git: Git, common_dir: Path, mission_id: str) -> None:
    """What moved since is told and not told again; branches that came since are still the session's."""
    before, now = _read(common_dir, mission_id), git.refs("refs/heads/", "refs/remotes/")
    if before:
        kept = {ref: now.get(ref, commit) for ref, commit in before.items() if not ref.startswith(_REPLACED)}
        _write(common_dir, mission_id, kept | git.refs(_REPLACED))


def _write(common_dir: Path, mission_id: str, refs: dict[str, str]) -> None:
    files.replace(_start(common_dir, mission_id), json.dumps(refs).encode(), mode=shared_mode(common_dir))


def note_begin(lease: WorktreeLease, mission_id: str) -> None:
    """Before a session: in a worktree that is resumed, what an earlier one wrote down holds until it was judged."""
    common_dir = common_directory(lease.path)
    if common_dir is not None and (lease.how != "resumed" or not _start(common_dir, mission_id).exists()):
        note_start(Git(lease.path), common_dir, mission_id)


def note_reviewed(git: Git, mission_id: str, commit: str) -> None:
    """Keep what a review shows, so that nothing of it can be missing from what lands."""
    git.run("update-ref", f"{REVIEWED}/{mission_id}", commit, tries=6)


def check_reviewed(git: Git, mission_id: str, branch: str) -> None:
    """Raise Unproven, once, when the branch no longer has what the review showed."""
    ref = f"{REVIEWED}/{mission_id}"
    reviewed, head = git.refs(ref).get(ref), git.commit(f"refs/heads/{branch}")
    if reviewed is None or head is None or git.ancestor(reviewed, head):
        return
    if git.line("rev-parse", f"{reviewed}^{{tree}}") == git.line("rev-parse", f"{head}^{{tree}}"):
        return  # only its history was put in order
    note_reviewed(git, mission_id, head)
    keep_commit(git, reviewed)
    raise Unproven(
        f"{branch} no longer contains {reviewed[:10]}, which was reviewed",
        why="it has been reset or rebased since",
        todo=f"check it (`git diff {reviewed[:10]} {branch}`); landing again takes {head[:10]}, as it is now",
    )


def forget(git: Git, common_dir: Path, mission_id: str) -> None:
    """The mission's work landed."""
    git.run("update-ref", "-d", f"{REVIEWED}/{mission_id}", tries=6)
    _start(common_dir, mission_id).unlink(missing_ok=True)


# ---- the proofs


def _is_there(look: _Look) -> None:
    """The worktree is the one that was made for the mission."""
    path, branch = look.work.worktree, look.work.branch
    if path.is_dir() and is_linked(path, look.common_dir):
        return
    raise Unproven(
        f"The worktree {path} is {'not a worktree of its repository any more' if path.is_dir() else 'gone'}",
        why="it was moved, deleted or recreated while the agent worked",
        todo=f"what was committed is on {branch}; start the mission again and its worktree is made from that",
    )


def _nothing_in_progress(look: _Look) -> None:
    """No merge or rebase was left half done."""
    doing = in_progress(git_dir(look.work.worktree))
    if doing:
        raise Unproven(
            f"The worktree is in the middle of {doing}",
            why="its files do not match its branch",
            todo=f"finish or abort it in {look.work.worktree}, then finish the stage again",
            by_agent=True,
        )


def _on_its_branch(look: _Look) -> None:
    """HEAD is the mission's branch; one that grew from it, and was made for it, becomes the mission's."""
    seen, git, own = standing(look.work.worktree), look.git, look.branch
    if seen.branch == own and seen.commit is not None:
        return
    tip, known = seen.commit, git.refs(f"refs/heads/{own}").get(f"refs/heads/{own}")
    if tip is None or seen.branch == look.work.target or not _related(git, look.work.base_commit, tip):
        raise _astray(look, seen, known)
    made_here = seen.branch is None or f"refs/heads/{seen.branch}" not in look.before
    if made_here and (known is None or git.ancestor(known, tip)):
        if seen.branch is None:
            git.run("update-ref", "-m", "solo-unicorn: from a detached HEAD", f"refs/heads/{own}", tip, tries=6)
            git.run("symbolic-ref", "-m", "solo-unicorn: from a detached HEAD", "HEAD", f"refs/heads/{own}")
            look.told.append(f"the work was on no branch; it is now on {own}")
        else:
            look.branch = seen.branch
            look.told.append(f"the agent worked on {seen.branch} instead of {own}; that is the mission's branch now")
    elif known is not None and git.ancestor(tip, known) and not seen.changes:
        git.run("switch", "--quiet", own, tries=6, hooks=True)
        look.told.append(f"the worktree was left on {seen.branch or tip[:10]}; it is back on {own}")
    else:
        raise _astray(look, seen, known)


def _committed(look: _Look) -> None:
    """All that the worktree shows is committed, past the repository's hooks."""
    try:
        commit_uncommitted(look.work.worktree, look.work.message)
    except HookRefused as error:
        raise Unproven(error.what, why=error.why, todo=error.todo, by_agent=True) from error
    except GitError as error:
        if (
            {"add", "update-index"}.isdisjoint(error.command)
            or isinstance(error, (GitTimeout, TryAgain))
            or is_full(error)
        ):
            raise
        raise Unproven(
            "Git does not take a file that the agent left uncommitted", why=error.stderr, todo=error.todo, by_agent=True
        ) from error


def _nothing_hidden(look: _Look) -> None:
    """No change that git was told not to look at, except those of the setup script."""
    path = look.work.worktree
    found = hidden(path)
    if names := sorted(found - furnished(path, found)):
        raise Unproven(
            f"The agent's change of {names[0]} is hidden from git (assume-unchanged, skip-worktree)",
            why="it would neither be reviewed nor land",
            todo=f"undo it, or show it to git (`git update-index --no-assume-unchanged --no-skip-worktree {names[0]}`) "
            f"in {path}",
            by_agent=True,
        )


def _nothing_replaced(look: _Look) -> None:
    """No object stands for another here (git-replace) that would not do so where the work is pushed to."""
    if not look.before:
        return
    now = look.git.refs(_REPLACED)
    if new := sorted(ref for ref, by in now.items() if look.before.get(ref) != by):
        name = new[0].removeprefix(_REPLACED)
        raise Unproven(
            f"The agent made git show another object in place of {name[:10]}",
            why="the review shows the other one, and the first would be pushed",
            todo=f"take it back (`git replace -d {name[:10]}`), then continue",
            by_agent=True,
        )


def _nothing_nested(look: _Look) -> None:
    """No repository inside the worktree, whose files git would leave out, and nothing uncommitted in a submodule."""
    if left := submodules.changed(look.work.worktree, look.common_dir):
        raise Unproven(
            f"The submodule {left[0]} has uncommitted work",
            why="only what is committed in it can land",
            todo=f"commit it there and push it, or undo it, in {look.work.worktree / left[0]}; then continue",
            by_agent=True,
        )
    git, base = look.git, look.work.base_commit
    nested = [change.path for change in standing(look.work.worktree).changes if change.nested]
    if base is not None:
        declared = _declared(git)
        entries = git.list("diff-tree", "-r", "-z", "--no-renames", "--raw", base, "HEAD")
        pairs = zip(entries[::2], entries[1::2], strict=True)
        nested += [path for facts, path in pairs if facts.split()[1] == "160000" and path not in declared]
    if nested:
        raise Unproven(
            f"{nested[0].rstrip('/')} is a separate repository inside the worktree",
            why="git would land the directory without its files",
            todo=f"remove its .git, or make it a submodule, or ignore it, in {look.work.worktree}",
            by_agent=True,
        )


def _nothing_of_setup(look: _Look) -> None:
    """What the setup script made for this machine is in no commit."""
    base = look.work.base_commit
    if base is None:
        return
    added = look.git.list("diff", "-z", "--no-renames", "--name-only", "--diff-filter=A", base, "HEAD")
    taken = sorted(furnished(look.work.worktree, added))
    if taken:
        raise Unproven(
            f"{taken[0]} was committed, which the setup script created for this machine",
            why="it would be on the target branch for everybody",
            todo=f"remove it (`git rm --cached {taken[0]}`), and ignore it",
            by_agent=True,
        )


def _target_not_moved(look: _Look) -> None:
    """The session itself moved neither the target branch nor its remote."""
    target, remote = look.work.target, look.work.remote
    for ref in (f"refs/heads/{target}", *((f"refs/remotes/{remote}/{target}",) if remote else ())):
        before, now = look.before.get(ref), look.git.refs(ref).get(ref)
        if before is None or now == before:
            continue
        name = ref.removeprefix("refs/heads/").removeprefix("refs/remotes/")
        if now is None or not look.git.ancestor(before, now):
            raise Unproven(
                f"{name} no longer contains {before[:10]}, as it did when the agent began",
                why="it was reset, rebased or deleted meanwhile",
                todo=f"check it (`git log {before[:10]}`), set it should be, then continue",
            )
        came = set(look.git.line("rev-list", now, f"^{before}").split())
        landed = landed_by_us(look.git, look.common_dir, target)
        made = came.intersection(made_here(look.git)) - landed  # a change made twice in one second is one commit
        if made:
            raise Unproven(
                f"The agent put {_commits(made)} on {name} itself, before any review",
                why=f"{name} went from {before[:10]} to {now[:10]}",
                todo=f"look at `git log {before[:10]}..{now[:10]}`: keep it, or set {name} back; then continue",
            )
        unknown = of_nobody(look.git, look.common_dir, came - landed) if ref.startswith("refs/heads/") else ()
        if unknown:
            raise Unproven(
                f"{name} got {_commits(unknown)} while the agent worked, and no checkout has a record of it",
                why=f"it went from {before[:10]} to {now[:10]} without a checkout, or the logs were deleted",
                todo=f"look at `git log {before[:10]}..{now[:10]}`: keep it, or set {name} back; then continue",
            )


def _others_not_moved(look: _Look) -> None:
    """Branches that the session moved though they are neither its own nor its target are told of."""
    now = look.git.refs("refs/heads/") if look.before else {}
    made = made_here(look.git) if now else set()
    for ref, before in look.before.items():
        name = ref.removeprefix("refs/heads/")
        if name in (ref, look.branch, look.work.branch, look.work.target) or now.get(ref) in (None, before):
            continue
        if now[ref] in made:
            look.told.append(f"the agent moved {name}, which is not its branch, from {before[:10]} to {now[ref][:10]}")


PROOFS: tuple[Callable[[_Look], None], ...] = (
    _is_there,
    _nothing_in_progress,
    _target_not_moved,
    _nothing_replaced,
    _on_its_branch,
    _nothing_hidden,
    _committed,
    _nothing_nested,
    _nothing_of_setup,
    _others_not_moved,
)


def leftovers(git: Git, common_dir: Path, work: Claimed) -> str:
    """Where work may be that is not on the mission's branch: branches and a stash that came since the session began."""
    before = _read(common_dir, work.mission_id)
    now = git.refs("refs/heads/", "refs/stash") if before else {}
    made = made_here(git) if now else set()
    came = [ref for ref, commit in now.items() if before.get(ref) != commit and (commit in made or ref == "refs/stash")]
    return ", ".join(ref.removeprefix("refs/heads/") for ref in came if ref != f"refs/heads/{work.branch}")


def _astray(look: _Look, seen: WorktreeStatus, known: str | None) -> Unproven:
    own, where = look.branch, seen.branch or (seen.commit or "nothing")[:10]
    if seen.branch is None and seen.commit:
        keep_commit(look.git, seen.commit)
    return Unproven(
        f"The worktree is on {where}, not on {own}, the mission's branch",
        why=f"{own} {'no longer exists' if known is None else 'would land without the work on ' + where}",
        todo=f"bring it onto {own} in {look.work.worktree} (`git switch {own}`, `git merge {where}`), then continue",
    )


def _related(git: Git, base: str | None, tip: str) -> bool:
    """Whether a commit grew from what the mission began from."""
    return base is None or git.commit(base) is None or git.maybe("merge-base", base, tip) is not None


def _declared(git: Git) -> set[str]:
    """The paths of submodules that `.gitmodules` names."""
    asked = git.run("config", "-z", "--file", ".gitmodules", "--get-regexp", r"^submodule\..*\.path$", ok=(0, 1, 128))
    return {entry.partition("\n")[2] for entry in asked.out.decode("utf-8", "surrogateescape").split("\0") if entry}


def _commits(made: Collection[str]) -> str:
    return "a commit" if len(made) == 1 else f"{len(made)} commits"


def _start(common_dir: Path, mission_id: str) -> Path:
    return our_dir(common_dir, "starts") / f"{mission_id}.json"


def _read(common_dir: Path, mission_id: str) -> dict[str, str]:
    try:
        found = strict_json.loads(_start(common_dir, mission_id).read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
