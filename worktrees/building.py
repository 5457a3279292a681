"""Making the commit a landing wants, in a scratch worktree of its own: merge, squash or rebase."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from ..missions.entities import MergeStrategy
from ..missions.errors import SoloUnicornError
from .git import Completed, Git, GitError, identity
from .includes import copy_included
from .locks import hold, our_dir
from .recipe import Recipe
from .registry import find, listed_worktrees
from .scripts import ScriptResult, run_script

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
            todo=f"mend it on the mission's branch and land again; the whole output is in {result.log}",
        )
        self.result = result


def add_scratch(checkout: Path, common_dir: Path, scratch: Path, commit: str) -> Git:
    """A detached worktree at `commit`."""
    scratch.parent.mkdir(parents=True, exist_ok=True)
    with hold(common_dir, "worktrees"):
        Git(checkout).run("worktree", "add", "--quiet", "--detach", str(scratch), commit, tries=8, timeout=1800)
    return Git(scratch)


def remove_scratch(checkout: Path, common_dir: Path, scratch: Path) -> None:
    """Remove a scratch worktree, finished or half made. Only what stands in a `.landing` directory is touched."""
    if scratch.parent.name != SCRATCH:
        return
    git = Git(checkout)
    with hold(common_dir, "worktrees"):
        if find(listed_worktrees(git), scratch):
            git.run("worktree", "remove", "--force", "--force", str(scratch), tries=6, ok=range(256), timeout=600)
        if scratch.exists():
            shutil.rmtree(scratch)
            git.run("worktree", "remove", "--force", "--force", str(scratch), tries=6, ok=range(256))


def build(scratch: Git, strategy: MergeStrategy, head: str, base: str, message: str) -> str | Conflicted:
    """The new commit: `base` with the work of `head` on top. Equal to `base` when there was nothing to bring."""
    maker = scratch.having(**identity(scratch))
    match strategy:
        case "merge":
            done = maker.run("merge", "--quiet", "--no-ff", "--no-edit", "-m", message, head, ok=(0, 1), timeout=600)
        case "squash":
            done = maker.run("merge", "--quiet", "--squash", head, ok=(0, 1), timeout=600)
        case "rebase":
            maker.run("checkout", "--quiet", "--detach", head, timeout=600)
            done = maker.run("rebase", "--quiet", base, ok=(0, 1), timeout=1800)
    if done.status:
        return _conflicted(scratch, strategy, done, base)
    if strategy == "squash":
        if maker.test("diff", "--cached", "--quiet"):
            return base
        maker.run("commit", "--quiet", "-m", message, timeout=600)
    return scratch.line("rev-parse", "HEAD")


def check(checkout: Path, common_dir: Path, scratch: Path, recipe: Recipe, command: str) -> None:
    """Run the repository's check on what would be landed; CheckFailed with its output when it does not pass."""
    copy_included(checkout, scratch)
    logs = our_dir(common_dir) / "logs"
    steps = [("check", command, recipe.check_timeout)]
    if recipe.setup:
        steps.insert(0, ("setup", recipe.setup, recipe.setup_timeout))
    for name, line, limit in steps:
        log = logs / f"{scratch.name}-{name}.log"
        result = run_script(
            name,
            line,
            scratch,
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
