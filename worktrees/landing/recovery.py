"""Landings that were killed, and the last one taken back: either the old state or the new one, never one between."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from ...missions.errors import Conflict, NotFound, TryAgain
from ..bases import fetch_branch
from ..git import Git, GitError
from ..locks import hold
from ..pool.snapshots import KEPT, forget_landed, keep_commit, note_landed
from ..repository.repositories import RepositoryFacts, inspect
from . import landing_log
from .building import remove_scratch
from .checkout import Move, begun, check_movable, checkout_of, forget_lock, move_branch

PIN = "refs/solo-unicorn/landing"
"""Holds the new commit of a landing that is under way."""
_UNDO = "undo-"


@dataclass(frozen=True, slots=True)
class Recovered:
    """What became of a landing that was killed."""

    branch: str
    target: str
    outcome: Literal["finished", "rolled back"]
    commit: str | None
    pushed: bool


def recover(repository_path: Path | str) -> list[Recovered]:
    """Finish or roll back the landings a killed process left. Running ones hold their lock and are left alone."""
    facts = inspect(repository_path, look_at_files=False)
    done: list[Recovered] = []
    for entry in landing_log.open_entries(facts.common_dir):
        try:
            with hold(facts.common_dir, f"landing-{landing_log.target_key(entry.target)}", timeout=0):
                if any(still.id == entry.id for still in landing_log.open_entries(facts.common_dir)):
                    done.append(recover_entry(facts, entry))
        except TryAgain:
            continue
    return done


def recover_entry(facts: RepositoryFacts, entry: landing_log.LandingEntry) -> Recovered:
    """One landing, under its lock: forward when the work may be visible to others or on the branch, else back."""
    git = Git(facts.root)
    if entry.new is None or entry.phase == "preparing":
        return _roll_back(facts, entry)
    if entry.phase == "publishing":
        pushed = _remote_has(git, entry)
        if not pushed and not _branch_has(git, entry):
            return _roll_back(facts, entry)
        entry = replace(entry, phase="moving", pushed=pushed)
    try:
        if not _branch_passed(git, entry):
            entry = with_checkout(git, entry)
            move_branch(git, move_of(entry), entry.id)
    except Conflict:
        if not entry.pushed:
            return _roll_back(facts, entry)
    finish(facts, entry)
    return Recovered(entry.branch, entry.target, "finished", entry.new, entry.pushed)


def with_checkout(git: Git, entry: landing_log.LandingEntry) -> landing_log.LandingEntry:
    """The entry with the checkout that has the target branch now; one being written stays the one."""
    if entry.checkout and begun(Path(entry.checkout), entry.id):
        return entry
    checkout = checkout_of(git, entry.target)
    return replace(entry, checkout=str(checkout.path) if checkout else None)


def move_of(entry: landing_log.LandingEntry) -> Move:
    """What an entry in its last phase does to the branch."""
    return Move(entry.target, entry.old, entry.new or entry.old, Path(entry.checkout) if entry.checkout else None)


def finish(facts: RepositoryFacts, entry: landing_log.LandingEntry) -> None:
    """The branch has the work: write it into the history and clear up. Can be repeated."""
    git = Git(facts.root)
    if entry.id.startswith(_UNDO):
        undone = entry.id.removeprefix(_UNDO)
        landing_log.rewrite(
            facts.common_dir, [one for one in landing_log.history(facts.common_dir) if one.id != undone]
        )
        forget_landed(git, entry.branch, entry.branch_head)
    else:
        landing_log.record(facts.common_dir, entry)
        note_landed(git, entry.branch, entry.branch_head)
    _clear_up(facts, entry)


def undo_landing(repository_path: Path | str, *, target: str, commit: str | None = None) -> landing_log.LandingEntry:
    """Take the last landing on `target` back while nobody else has it; its entry.

    `commit`: only if it is the one that made this commit. Raises NotFound when there is none, Conflict when it was
    pushed, the branch moved on or another landed later, CheckoutInTheWay when a checkout of the branch has uncommitted
    changes. The mission's branch and the landed commit are kept.
    """
    facts = inspect(repository_path, look_at_files=False)
    git = Git(facts.root)
    with hold(facts.common_dir, f"landing-{landing_log.target_key(target)}"):
        last = next((one for one in reversed(landing_log.history(facts.common_dir)) if one.target == target), None)
        if last is None or last.new is None:
            raise NotFound(
                f"No landing on {target} is known here", why="there is nothing to undo", todo="use `git revert` instead"
            )
        if commit is not None and commit != last.new:
            raise Conflict(
                f"{last.branch} landed on {target} after it",
                why="the last landing has to be undone first",
                todo=f"undo that one, or use `git revert {commit[:10]}` instead",
            )
        _check_undo(git, facts, last)
        checkout = checkout_of(git, target)
        if checkout:
            check_movable(checkout.path, target, last.old)
        entry = replace(
            last,
            id=f"{_UNDO}{last.id}",
            old=last.new,
            new=last.old,
            phase="moving",
            remote=None,
            checkout=str(checkout.path) if checkout else None,
        )
        git.run("update-ref", f"{KEPT}/{last.new}", last.new, tries=6)
        landing_log.begin(facts.common_dir, entry)
        recovered = recover_entry(facts, entry)
        if recovered.outcome != "finished":
            raise Conflict(
                f"The landing on {target} was not undone",
                why="the branch moved",
                todo="check the branch, and try again",
            )
    return last


def _check_undo(git: Git, facts: RepositoryFacts, last: landing_log.LandingEntry) -> None:
    """Only a landing that is still the tip and that nobody else has can be taken back."""
    tip = git.commit(f"refs/heads/{last.target}")
    if tip != last.new:
        raise Conflict(
            f"{last.target} has moved on since the last landing",
            why=f"it is at {(tip or 'nothing')[:10]}; the landing made {str(last.new)[:10]}",
            todo=f"use `git revert {str(last.new)[:10]}` instead",
        )
    if last.pushed or _remote_has(git, replace(last, remote=facts.remote)) or set(last.old) == {"0"}:
        raise Conflict(
            f"The last landing on {last.target} was published",
            why="others may already have it",
            todo=f"use `git revert {str(last.new)[:10]}` instead",
        )


def _remote_has(git: Git, entry: landing_log.LandingEntry) -> bool:
    """Whether the remote's branch contains the new commit; a remote that cannot be asked counts by what we last saw."""
    if entry.remote is None or entry.new is None:
        return False
    with contextlib.suppress(GitError):
        fetch_branch(git, entry.remote, entry.target)
    tip = git.commit(f"refs/remotes/{entry.remote}/{entry.target}")
    return tip is not None and git.ancestor(entry.new, tip)


def _branch_has(git: Git, entry: landing_log.LandingEntry) -> bool:
    return git.commit(f"refs/heads/{entry.target}") == entry.new


def _branch_passed(git: Git, entry: landing_log.LandingEntry) -> bool:
    """Whether the branch went on from the new commit (somebody committed on top of it)."""
    tip = git.commit(f"refs/heads/{entry.target}")
    if tip is None or tip in (entry.old, entry.new) or entry.new is None or entry.id.startswith(_UNDO):
        return False
    return git.ancestor(entry.new, tip)


def _roll_back(facts: RepositoryFacts, entry: landing_log.LandingEntry) -> Recovered:
    """The target branch is as it was: drop what the landing made for itself."""
    git = Git(facts.root)
    if entry.new and entry.id.startswith(_UNDO):
        keep_commit(git, entry.new)
    _clear_up(facts, entry)
    return Recovered(entry.branch, entry.target, "rolled back", None, False)


def _clear_up(facts: RepositoryFacts, entry: landing_log.LandingEntry) -> None:
    if entry.checkout and Path(entry.checkout).is_dir():
        forget_lock(Path(entry.checkout), entry.id)
    remove_scratch(facts.root, facts.common_dir, Path(entry.scratch))
    Git(facts.root).run("update-ref", "-d", f"{PIN}/{entry.id}", tries=6)
    landing_log.end(facts.common_dir, entry.target)
