"""Bringing a mission's branch onto its target branch (domain.md, Landing): all or nothing, whatever is killed when.

The new commit is made in a scratch worktree, pushed when there is a remote, and only then becomes the local branch.
The person's checkout is fast-forwarded when it is clean and on that branch, and never switched.
"""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

from ...missions.entities import MergeStrategy
from ...missions.errors import Conflict, InvalidValue, NotFound, SoloUnicornError
from ..bases import ahead_behind, deepen, fetch_branch, is_empty
from ..git import Git, GitError, has_hooks
from ..locks import hold
from ..repository.recipe import recipe_at
from ..repository.repositories import RepositoryFacts, inspect
from ..repository.submodules import check_published
from . import landing_log
from .building import SCRATCH, Conflicted, add_scratch, build, check, furnish, remove_scratch
from .checkout import CheckoutInTheWay, check_movable, checkout_of, move_branch
from .messages import LandingMessage
from .pushing import PushRefused, push
from .recovery import PIN, finish, move_of, recover_entry, with_checkout

__all__ = ["CheckoutInTheWay", "Conflicted", "Diverged", "Landed", "PushRefused", "land"]

TRIES = 3
"""How often a landing starts over when the remote branch moved meanwhile."""

_HOOKS = (
    "pre-commit",
    "pre-merge-commit",
    "prepare-commit-msg",
    "commit-msg",
    "pre-rebase",
    "post-rewrite",
    "pre-push",
)
"""Hooks that a landing runs."""


@dataclass(frozen=True, slots=True)
class Landed:
    """The work is on the target branch; `commit` is None when there was nothing to land."""

    commit: str | None
    pushed: bool
    note: str = ""
    """What a person should know: why it was not pushed, or that their checkout stayed behind."""


class Diverged(Conflict):
    """The local target branch and its remote both have commits the other lacks; nothing was changed."""

    code = "diverged"


class _Moved(Exception):
    """The remote branch moved between the fetch and the push: start over."""


def land(
    repository_path: Path | str,
    *,
    branch: str,
    target: str,
    strategy: MergeStrategy,
    message: LandingMessage | str,
    worktree: Path | None = None,
    check_command: str | None = None,
    scratch_root: Path | None = None,
    push: bool = True,
    wait: float = 600.0,
    folder: str = "",
) -> Landed | Conflicted:
    """Land the commits of `branch` on `target`. Commit what is uncommitted first (`work.commit_uncommitted`).

    One landing at a time per target branch; others wait up to `wait` seconds (TryAgain). `check_command` None takes
    the one of `.solo-unicorn.toml` on the target branch, "" none. A push goes out from the mission's `worktree`,
    which has what a pre-push hook may need. Setup and check start in `folder`. `scratch_root` defaults to the pool's
    directory. A text for `message` is taken as it is.
    Raises CheckFailed, CheckoutInTheWay, Diverged, PushRefused, NotFound, GitError: in every case nothing has changed.
    A remote that cannot be reached does not stop a landing: it stays local, with a note.
    """
    facts = inspect(repository_path, look_at_files=False)
    if branch == target:
        raise InvalidValue("target", f"{branch} cannot land on itself", todo="choose another target branch")
    if isinstance(message, str):
        message = LandingMessage("", "", own=message)
    if scratch_root is None:
        from ...config.paths import worktrees_dir

        scratch_root = worktrees_dir()
    with hold(facts.common_dir, f"landing-{landing_log.target_key(target)}", timeout=wait):
        for left in landing_log.open_entries(facts.common_dir):
            if left.target == target:
                recover_entry(facts, left)
        for attempt in range(TRIES):
            landing = _Landing(
                facts, branch, target, strategy, message, worktree, check_command, scratch_root, push, folder
            )
            try:
                return landing.run()
            except _Moved:
                if attempt == TRIES - 1:
                    raise Conflict(
                        f"{facts.remote}/{target} moved {TRIES} times while a mission was landing on it",
                        why="others push to it faster than the landing takes",
                        todo="land again at a quieter time",
                    ) from None
    raise AssertionError("unreachable")


class _Landing:
    def __init__(
        self,
        facts: RepositoryFacts,
        branch: str,
        target: str,
        strategy: MergeStrategy,
        message: LandingMessage,
        worktree: Path | None,
        check_command: str | None,
        scratch_root: Path,
        push: bool,
        folder: str,
    ) -> None:
        self.facts, self.git = facts, Git(facts.root)
        self.branch, self.target, self.strategy, self.message = branch, target, strategy, message
        self.worktree = worktree if worktree is not None and worktree.is_dir() else None
        self.check_command, self.folder = check_command, folder
        self.scratch_root = scratch_root
        self.remote = facts.remote if push else None
        self.note = ""

    def run(self) -> Landed | Conflicted:
        """From the look at both sides to the finished landing."""
        head = self.git.commit(f"refs/heads/{self.branch}")
        if head is None:
            raise NotFound(
                f"There is no branch {self.branch} in {self.facts.root}",
                why="it was deleted or never created",
                todo="start the mission again",
            )
        local = self.git.commit(f"refs/heads/{self.target}")
        base = self._base(local)
        done = self._landed_before(head, base)
        if done:
            return done
        if self.facts.shallow and self.facts.remote:
            deepen(self.git, self.facts.remote, base, head)
        if is_empty(self.git, base, head):
            return Landed(None, False, "there was nothing to land")
        check_published(self.git, self.git.maybe("merge-base", base, head) or base, head)
        checkout = checkout_of(self.git, self.target)
        if checkout:
            check_movable(checkout.path, self.target)
        name = f"land-{uuid4().hex[:12]}"
        entry = landing_log.LandingEntry(
            id=name,
            branch=self.branch,
            branch_head=head,
            target=self.target,
            old=local or "0" * len(head),
            strategy=self.strategy,
            scratch=str(self.scratch_root / SCRATCH / name),
            remote=self.remote,
            checkout=str(checkout.path) if checkout else None,
            at=time.time(),
        )
        landing_log.begin(self.facts.common_dir, entry)
        try:
            return self._land(entry, base)
        except BaseException:
            with contextlib.suppress(SoloUnicornError, OSError):  # what fails here is left to the next start
                for left in landing_log.open_entries(self.facts.common_dir):
                    if left.id == entry.id:
                        recover_entry(self.facts, left)
            raise

    def _land(self, entry: landing_log.LandingEntry, base: str) -> Landed | Conflicted:
        """Make the commit, check it, publish it, move the branch."""
        common, scratch_path = self.facts.common_dir, Path(entry.scratch)
        scratch = add_scratch(self.facts.root, common, scratch_path, base)
        recipe = recipe_at(self.facts.root, base, self.folder)
        command = recipe.check if self.check_command is None else self.check_command
        if command or has_hooks(scratch, *_HOOKS):
            furnish(self.facts.root, common, scratch_path, recipe, self.folder)
        subjects = self.git.line("log", "--no-merges", "--format=%s", f"{base}..{entry.branch_head}").splitlines()
        text = self.message.text(recipe.message, subjects)
        try:
            new = build(scratch, self.strategy, entry.branch_head, base, text)
        except GitError as error:  # where it failed is gone in a moment
            where, todo = self.worktree or self.facts.root, self._hook_todo(scratch, error)
            raise GitError(where, error.command, error.status, error.stderr, todo=todo) from error
        if isinstance(new, Conflicted) or new == base:
            remove_scratch(self.facts.root, common, scratch_path)
            landing_log.end(common, self.target)
            return new if isinstance(new, Conflicted) else Landed(None, False, self.note)
        if command:
            check(self.facts.root, common, scratch_path, recipe, command, self.folder)
        entry = with_checkout(self.git, entry)
        if entry.checkout:
            check_movable(Path(entry.checkout), self.target, new)
        self.git.run("update-ref", f"{PIN}/{entry.id}", new, tries=6)
        entry = self._note(replace(entry, new=new, phase="publishing"))
        pushed = self._push(scratch, new)
        entry = self._note(with_checkout(self.git, replace(entry, phase="moving", pushed=pushed)))
        self._move(entry)
        finish(self.facts, entry)
        return Landed(new, pushed, self.note)

    @staticmethod
    def _hook_todo(scratch: Git, error: GitError) -> str:
        """What to do where a hook may have refused; empty where git's own words say it, or there is none."""
        if not error.todo.startswith("run the ") or not has_hooks(scratch, *_HOOKS):
            return ""
        if has_hooks(scratch, "commit-msg"):
            return "fix what the hook reports, or give the landing another message (`mission approve --message`)"
        return "fix what the hook reports, or land in another way (`mission edit --merge`)"

    def _note(self, entry: landing_log.LandingEntry) -> landing_log.LandingEntry:
        landing_log.begin(self.facts.common_dir, entry)
        return entry

    def _move(self, entry: landing_log.LandingEntry) -> None:
        """The local branch; once the remote has the work, a checkout that got in the way only earns a note."""
        try:
            move_branch(self.git, move_of(entry), entry.id)
        except Conflict as error:
            if not entry.pushed:
                raise
            self.note = f"{self.remote}/{self.target} has it, but your {self.target} does not yet: {error.why}"

    def _base(self, local: str | None) -> str:
        """The commit to land on: the newer of the local branch and its remote, freshly fetched."""
        tip = self._fetched()
        if local is None and tip is None:
            raise NotFound(
                f"There is no branch {self.target} in {self.facts.root}",
                why="neither here nor on a remote",
                todo="create it, or choose another target branch",
            )
        if local is None or tip is None:
            return local or tip or ""
        ahead, behind = ahead_behind(self.git, local, tip)
        if ahead and behind:
            raise Diverged(
                f"{self.target} and {self.remote}/{self.target} have diverged",
                why=f"yours has {ahead} commits that the remote lacks, the remote has {behind} that yours lacks",
                todo=f"reconcile them (`git pull --rebase` on {self.target}), then land again",
            )
        return tip if behind else local

    def _fetched(self) -> str | None:
        """The remote's tip of the target branch; None when it has none or cannot be asked (then nothing is pushed)."""
        if self.remote is None:
            return None
        try:
            fetch_branch(self.git, self.remote, self.target)
        except GitError as error:
            if "couldn't find remote ref" in error.stderr:
                return None
            self.note = f"not pushed, {self.remote} could not be reached: {error.stderr.splitlines()[-1]}"
            self.remote = None
            return None
        return self.git.commit(f"refs/remotes/{self.remote}/{self.target}")

    def _landed_before(self, head: str, base: str) -> Landed | None:
        """The work is there already: from an earlier landing, or because there are no commits of its own."""
        for entry in reversed(landing_log.history(self.facts.common_dir)):
            known = entry.branch_head == head and entry.target == self.target and entry.new
            if known and self.git.ancestor(str(entry.new), base):
                return Landed(entry.new, entry.pushed, "it had landed before")
        return Landed(None, False, "there was nothing to land") if self.git.ancestor(head, base) else None

    def _push(self, scratch: Git, new: str) -> bool:
        """Publish the commit. `_Moved` when the remote branch is no longer what we built on."""
        if self.remote is None:
            return False
        git = Git(self.worktree) if self.worktree else scratch
        pushed = push(git, self.remote, new, self.target, checkout=self.facts.root)
        match pushed.result:
            case "pushed":
                return True
            case "moved":
                raise _Moved
            case "unreachable":
                self.note = f"not pushed, {self.remote} could not be reached: {pushed.why}"
                return False
            case "refused" | "hook":
                raise PushRefused(pushed.what, why=pushed.why, todo=pushed.todo)
