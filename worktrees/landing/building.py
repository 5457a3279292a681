"""Making the commit a landing wants, in a scratch worktree of its own: merge, squash or rebase."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ...missions.entities import MergeStrategy
from ...missions.errors import Conflict, SoloUnicornError
from ...system import files
from ..git import Completed, Git, GitError, decode, has_hooks, identity
from ..locks import hold, our_dir
from ..pool.includes import copy_included
from ..pool.scripts import ScriptResult, run_script
from ..pool.setup_files import noting
from ..repository.folders import start_in
from ..repository.recipe import Recipe
from ..repository.registry import add_worktree, find, listed_worktrees
from ..repository.repositories import UnusableRepository

SCRATCH = ".landing"
"""Directory below the pool's root for scratch worktrees; nobody works there."""


@dataclass(frozen=True, slots=True)
class Conflicted:
    """The branch does not go onto the target; nothing was changed anywhere."""

    files: tuple[str, ...]
    onto: str
    """The commit of the target branch it conflicts with."""


class CheckFailed(SoloUnicornError):
    """The repository's own check did not pass, so nothing was landed; `result` has its output."""

    code = "check_failed"

    def __init__(self, result: ScriptResult) -> None:
        super().__init__(
            "the check before landing did not pass",
            why=f"{result.sentence}\n{result.output[-2000:].rstrip()}",
            todo=f"fix it on the mission's branch and land again; the full output is in {result.log}",
        )
        self.result = result


def add_scratch(checkout: Path, common_dir: Path, scratch: Path, commit: str) -> Git:
    """A detached worktree at `commit`."""
    scratch.parent.mkdir(parents=True, exist_ok=True)
    with hold(common_dir, "worktrees"):
        add_worktree(Git(checkout), scratch, "--detach", str(scratch), commit)
    git = Git(scratch)
    if has_hooks(git, "post-checkout"):  # what one makes or changes is neither part of the work nor in its way
        git.run("reset", "--hard", "--quiet", timeout=600)
        git.run("clean", "-f", "-d", "--quiet", timeout=600)
    return git


def remove_scratch(checkout: Path, common_dir: Path, scratch: Path) -> None:
    """Remove a scratch worktree, finished or half made. Only what stands in a `.landing` directory is touched."""
    if scratch.parent.name != SCRATCH:
        return
    git = Git(checkout)
    with hold(common_dir, "worktrees"):
        if find(listed_worktrees(git), scratch):
            git.run("worktree", "remove", "--force", "--force", str(scratch), tries=6, ok=range(256), timeout=600)
        if os.path.exists(scratch):  # noqa: PTH110 - one in another user's home is not ours to see
            files.remove_tree(scratch)
            git.run("worktree", "remove", "--force", "--force", str(scratch), tries=6, ok=range(256))


def build(scratch: Git, strategy: MergeStrategy, head: str, base: str, message: str) -> str | Conflicted:
    """The new commit: `base` with the work of `head` on top. Equal to `base` when there was nothing to bring."""
    maker = scratch.having(**identity(scratch))
    expected = scratch.run("merge-tree", "--write-tree", "--no-messages", "--name-only", "-z", base, head, ok=(0, 1))
    arguments: tuple[str, ...]
    match strategy:
        case "merge":
            arguments = ("merge", "--quiet", "--no-ff", "--no-edit", "-m", message, head)
        case "squash":
            arguments = ("merge", "--quiet", "--squash", head)
        case "rebase":
            _go_to(maker, head)
            arguments = ("rebase", "--quiet", base)
    done = maker.run(*arguments, ok=range(256), timeout=1800, hooks=True)
    if done.status:
        return _conflicted(scratch, strategy, done, base)
    if strategy == "squash":
        if maker.test("diff", "--cached", "--quiet"):
            return base
        maker.run("commit", "--quiet", "-m", message, timeout=1800, hooks=True)
    new = scratch.line("rev-parse", "HEAD")
    tree = decode(expected.out.split(b"\0")[0])
    if expected.status == 0 and scratch.line("rev-parse", f"{new}^{{tree}}") != tree:
        raise NotAsReviewed(
            f"{'rebasing' if strategy == 'rebase' else 'a hook while merging'} "
            "made something other than what was reviewed",
            why=f"`git diff {tree[:10]} {new[:10]}` is not empty",
            todo="land by merge (`mission edit --merge merge`), or fix the hook that changes files",
        )
    return new


class NotAsReviewed(Conflict):
    """The commit that would land is not the reviewed work on top of the target; nothing was changed."""

    code = "not_as_reviewed"


def _go_to(git: Git, commit: str) -> None:
    """Check a commit out, whatever a hook says afterwards."""
    try:
        git.run("checkout", "--quiet", "--detach", commit, timeout=600, hooks=True)
    except GitError:
        if git.commit("HEAD") != commit:
            raise
    if has_hooks(git, "post-checkout"):
        git.run("reset", "--hard", "--quiet", timeout=600)


def furnish(checkout: Path, common_dir: Path, scratch: Path, recipe: Recipe, folder: str = "") -> None:
    """Give the scratch worktree what a mission's has: hooks and checks may need what the setup script makes.

    A folder that only the mission brings is not there yet, and nothing can be set up in it.
    """
    copy_included(checkout, scratch)
    if recipe.setup:
        with suppress(UnusableRepository), noting(scratch):
            step = ("setup", recipe.setup, recipe.setup_timeout)
            _run_step(checkout, common_dir, scratch, step, start_in(scratch, folder))


def check(checkout: Path, common_dir: Path, scratch: Path, recipe: Recipe, command: str, folder: str = "") -> None:
    """Run the repository's check on what would be landed; CheckFailed with its output when it does not pass,
    UnusableRepository when the folder to run it in no longer exists."""
    step = ("check", command, recipe.check_timeout)
    _run_step(checkout, common_dir, scratch, step, start_in(scratch, folder))


def _run_step(checkout: Path, common_dir: Path, scratch: Path, step: tuple[str, str, float], start: Path) -> None:
    name, line, limit = step
    log = our_dir(common_dir, "logs") / f"{scratch.name}-{name}.log"
    result = run_script(
        name,
        line,
        start,
        log=log,
        timeout=limit,
        extra={"SOLO_UNICORN_WORKTREE": str(scratch), "SOLO_UNICORN_REPOSITORY": str(checkout)},
    )
    if not result.passed:
        raise CheckFailed(result)
    log.unlink(missing_ok=True)


def _conflicted(scratch: Git, strategy: MergeStrategy, done: Completed, base: str) -> Conflicted:
    """The files git could not bring together; a failure without any is an error of its own (a hook, for instance)."""
    entries = scratch.list("ls-files", "--unmerged", "-z")
    files = sorted({entry.partition("\t")[2] for entry in entries})
    if not files:
        raise GitError(scratch.path, ("git", strategy), done.status, done.err or done.out.decode(errors="replace"))
    return Conflicted(tuple(files), base)
