"""A pool with people, agents and kill -9: the state machine that `test_pool_machine.py` walks."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from solo_unicorn.missions.entities import MergeStrategy
from solo_unicorn.missions.errors import SoloUnicornError
from solo_unicorn.system.files import remove_tree
from solo_unicorn.worktrees.git import Git
from solo_unicorn.worktrees.landing.landing import land
from solo_unicorn.worktrees.landing.proofs import note_start
from solo_unicorn.worktrees.landing.recovery import recover, undo_landing
from solo_unicorn.worktrees.locks import hold
from solo_unicorn.worktrees.pool.pool import Pool
from solo_unicorn.worktrees.pool.records import SPARE
from solo_unicorn.worktrees.pool.snapshots import commit_uncommitted, snapshot_work

from ..conftest import KilledAt, MakeMission, Record, Repo
from .file_slots import FileSlots

NUMBERS = st.integers(1, 6)
PICK = st.integers(0, 7)


class PoolMachine(RuleBasedStateMachine):
    """One repository, one pool, six missions. `work` holds the blob ids of everything anybody wrote."""

    def __init__(self, repo_type: type[Repo], record: Record, make_mission: MakeMission, killed_at: KilledAt) -> None:
        super().__init__()
        self.top = Path(tempfile.mkdtemp(prefix="solo-unicorn-machine-"))
        (self.top / "shop").mkdir()
        self.repo = repo_type(self.top / "shop")
        self.record, self.make_mission, self.killed_at = record, make_mission, killed_at
        self.now = datetime(2026, 3, 1, tzinfo=UTC)
        self.slots = FileSlots(self.top / "slots")
        self.pool = Pool(self.slots, self.top / "worktrees", clock=lambda: self.now, new_id=lambda: os.urandom(8).hex())
        self.work: set[str] = set()
        self.commits: set[str] = set()
        self.approved = 0
        self._indexes: dict[tuple[str, int, int], set[str]] = {}
        self.numbers = count()
        self.log: list[str] = []

    @initialize()
    def start(self) -> None:
        self.repo.git("init", "-q", "-b", "main")
        self.repo.write(".gitignore", "*.log\n")
        self.repo.commit("shared.txt", "start\n")
        self.repository = self.record(self.repo)

    def teardown(self) -> None:
        assert self.repo.git("fsck", "--strict", "--no-dangling") == ""
        remove_tree(self.top)

    # ---- what there is -----------------------------------------------------------------------------------------

    def worktrees(self) -> list[Path]:
        root = self.top / "worktrees"
        return sorted(path for path in root.glob("shop*") if (path / ".git").is_file()) if root.is_dir() else []

    def pick(self, number: int) -> Path | None:
        there = self.worktrees()
        return there[number % len(there)] if there else None

    def safe(self, *, without: Path | None = None) -> set[str]:
        """Ids of everything a ref, an index or a file on disk still holds."""
        heads = [
            line[5:] for line in self.repo.git("worktree", "list", "--porcelain").splitlines() if line[:5] == "HEAD "
        ]
        found = {line.split()[0] for line in self.repo.git("rev-list", "--objects", "--all", *heads).splitlines()}
        for index in (self.repo.path / ".git").glob("worktrees/*/index"):
            found |= self._staged(index)
        found |= self._staged(self.repo.path / ".git" / "index")
        for top in (self.repo.path, *self.worktrees()):
            if top != without:
                for path in top.rglob("*"):
                    if path.is_file() and ".git" not in path.parts:
                        found.add(blob(path.read_bytes()))
        return found

    def _staged(self, index: Path) -> set[str]:
        """Read anew only where git wrote it anew."""
        facts = index.stat()
        which = (str(index), facts.st_ino, facts.st_mtime_ns)
        if which not in self._indexes:
            os.environ["GIT_INDEX_FILE"] = str(index)
            try:
                self._indexes[which] = {line.split()[1] for line in self.repo.git("ls-files", "-s").splitlines()}
            finally:
                del os.environ["GIT_INDEX_FILE"]
        return self._indexes[which]

    def new_file(self, top: Path, *, name: str = "") -> Path:
        number = next(self.numbers)
        path = top / (name or f"work-{number}.txt")
        data = f"work number {number} in {self.top.name}\n".encode()
        path.write_bytes(data)
        self.work.add(blob(data))
        return path

    def committed(self, top: Path, message: str) -> None:
        self.unlock(top)
        self.repo.git("add", "-A", "--ignore-errors", cwd=top, check=False)  # a nested repository may have no commit
        self.repo.git("commit", "-qm", message, "--allow-empty", cwd=top, check=False)
        self.commits.add(self.repo.git("rev-parse", "HEAD", cwd=top))
        self.work &= self.safe()  # `git add` by hand replaces what was staged before

    @contextmanager
    def ours(self, what: str) -> Iterator[None]:
        """One of our operations: it may refuse, and it leaves the person's checkout where it is."""
        self.log.append(what)
        before = (self.repo.git("symbolic-ref", "-q", "HEAD", check=False), self.dirt())
        with suppress(SoloUnicornError):
            yield
        assert (self.repo.git("symbolic-ref", "-q", "HEAD", check=False), self.dirt()) == before

    def dirt(self) -> list[str]:
        return sorted(line for line in self.repo.git("status", "--porcelain").splitlines())

    def agents(self, pick: int, what: str) -> Path | None:
        """A worktree for an agent that does this; a lock that was left there is taken away by it."""
        if path := self.pick(pick):
            self.log.append(f"agent {what} in {path.name}")
            self.unlock(path)
        return path

    def unlock(self, path: Path) -> None:
        """By hand, as git advises."""
        Path(self.repo.git("rev-parse", "--absolute-git-dir", cwd=path), "index.lock").unlink(missing_ok=True)

    def main_is_checked_out(self) -> bool:
        """Whether a worktree has it."""
        return "branch refs/heads/main\n" in self.repo.git("worktree", "list", "--porcelain") + "\n"

    # ---- ours --------------------------------------------------------------------------------------------------

    @rule(number=NUMBERS)
    def claim(self, number: int) -> None:
        with self.ours(f"claim {number}"):
            lease = self.pool.acquire(self.repository, self.make_mission(number), branch=f"m{number}")
            assert lease.path.is_dir()
            if lease.how != "resumed":
                note_start(Git(self.repo.path), self.repo.path / ".git", f"MISSION{number}")
            held = [row.path for row in self.slots.worktrees() if row.mission_id is not None]
            assert len(held) == len(set(held)), "two missions share a worktree"

    @rule(number=NUMBERS, step=st.integers(0, 12))
    def claim_killed(self, number: int, step: int) -> None:
        self.log.append(f"claim {number} killed at {step}")
        mission = self.make_mission(number)
        self.killed_at(step, self._quietly(lambda: self.pool.acquire(self.repository, mission, branch=f"m{number}")))
        self.settle()

    @rule(pick=PICK)
    def release(self, pick: int) -> None:
        held = [row for row in self.slots.worktrees() if row.mission_id is not None]
        if held:
            with self.ours("release"):
                self.pool.release(held[pick % len(held)])

    @rule(days=st.sampled_from([0, 3, 8]))
    def clean(self, days: int) -> None:
        self.now += timedelta(days=days)
        with self.ours(f"clean after {days} days"):
            self.pool.clean(self.repository)

    @rule()
    def reconcile(self) -> None:
        with self.ours("reconcile"):
            self.pool.reconcile(self.repository)

    @rule(pick=PICK)
    def snapshot(self, pick: int) -> None:
        path = self.pick(pick)
        if path:
            with self.ours("snapshot"):
                snapshot_work(path, f"refs/solo-unicorn/wip/{path.name}")

    @rule(pick=PICK, strategy=st.sampled_from(["merge", "squash", "rebase"]))
    def land(self, pick: int, strategy: MergeStrategy) -> None:
        path = self.pick(pick)
        if path:
            with self.ours(f"land {path.name} by {strategy}"):
                self._land(path, strategy)

    @rule(pick=PICK, strategy=st.sampled_from(["merge", "squash", "rebase"]), step=st.integers(0, 45))
    def land_killed(self, pick: int, strategy: MergeStrategy, step: int) -> None:
        path = self.pick(pick)
        if path:
            self.log.append(f"land {path.name} by {strategy} killed at {step}")
            before = (self.repo.git("symbolic-ref", "-q", "HEAD", check=False), self.dirt())
            self.killed_at(step, self._quietly(lambda: self._land(path, strategy)))
            self.settle()
            assert (self.repo.git("symbolic-ref", "-q", "HEAD", check=False), self.dirt()) == before

    @rule(days=st.sampled_from([0, 8]), step=st.integers(0, 10))
    def clean_killed(self, days: int, step: int) -> None:
        self.now += timedelta(days=days)
        self.log.append(f"clean after {days} days killed at {step}")
        self.killed_at(step, self._quietly(lambda: self.pool.clean(self.repository)))
        self.settle()

    @rule(pick=PICK, step=st.integers(0, 8))
    def release_killed(self, pick: int, step: int) -> None:
        held = [row for row in self.slots.worktrees() if row.mission_id is not None]
        if held:
            self.log.append(f"release killed at {step}")
            self.killed_at(step, self._quietly(lambda: self.pool.release(held[pick % len(held)])))
            self.settle()

    @rule()
    def undo(self) -> None:
        with self.ours("undo"):
            undo_landing(self.repo.path, target="main")

    def _land(self, path: Path, strategy: MergeStrategy) -> None:
        commit_uncommitted(path, "Rescue")
        branch = self.repo.git("symbolic-ref", "-q", "--short", "HEAD", cwd=path, check=False)
        if branch:
            land(
                self.repo.path,
                branch=branch,
                target="main",
                strategy=strategy,
                message=f"Land {branch}",
                scratch_root=self.pool.root,
            )

    def _quietly(self, run: Callable[[], object]) -> Callable[[], None]:
        def quiet() -> None:
            with suppress(SoloUnicornError):
                run()

        return quiet

    def settle(self) -> None:
        """Wait for a git command that outlived its process, then do what the next start does."""
        common = self.repo.path / ".git"
        for purpose in ["worktrees", *(lock.stem for lock in (common / "solo-unicorn").glob("landing-*.lock"))]:
            with hold(common, purpose, timeout=30):
                pass
        recover(self.repo.path)

    # ---- agents and people -------------------------------------------------------------------------------------

    @rule(pick=PICK, staged=st.sampled_from(["no", "yes", "and changed again"]))
    def dirty(self, pick: int, staged: str) -> None:
        path = self.pick(pick)
        if path:
            self.log.append(f"dirty {path.name} staged {staged}")
            new = self.new_file(path)
            self.unlock(path)
            if staged != "no":
                self.repo.git("add", "-A", "--ignore-errors", cwd=path, check=False)
                self.work &= self.safe()
            if staged == "and changed again":
                self.new_file(path, name=new.name)

    @rule(pick=PICK, shared=st.booleans())
    def commit(self, pick: int, shared: bool) -> None:
        path = self.pick(pick)
        if path:
            self.log.append(f"commit in {path.name}")
            self.new_file(path, name="shared.txt" if shared else "")
            self.committed(path, "An agent's commit")

    @rule(pick=PICK)
    def detached_commit(self, pick: int) -> None:
        path = self.pick(pick)
        if path:
            self.log.append(f"detached commit in {path.name}")
            self.unlock(path)
            self.repo.git("switch", "-q", "--detach", cwd=path, check=False)
            self.new_file(path)
            self.committed(path, "On no branch")

    @rule(pick=PICK)
    def delete_directory(self, pick: int) -> None:
        """By hand: what was only in files there is gone by the person's own act, the rest is not."""
        path = self.pick(pick)
        if path:
            self.log.append(f"delete {path.name}")
            self.work &= self.safe(without=path)
            remove_tree(path)

    @rule(pick=PICK, lock=st.booleans())
    def lock(self, pick: int, lock: bool) -> None:
        path = self.pick(pick)
        if path:
            self.log.append(f"lock {path.name} {lock}")
            self.repo.git("worktree", "lock" if lock else "unlock", str(path), check=False)

    @rule(shared=st.booleans())
    def commit_on_the_checkout(self, shared: bool) -> None:
        self.log.append("commit in the checkout")
        self.new_file(self.repo.path, name="shared.txt" if shared else "")
        self.committed(self.repo.path, "A person's commit")

    @rule()
    def dirty_the_checkout(self) -> None:
        self.log.append("dirty the checkout")
        self.new_file(self.repo.path)

    @rule(where=st.sampled_from(["main", "mine", "--detach"]))
    def switch_the_checkout(self, where: str) -> None:
        self.log.append(f"switch the checkout to {where}")
        if where == "--detach":
            self.repo.git("branch", "-f", f"kept-{next(self.numbers)}")
            self.repo.git("switch", "-q", "--detach", check=False)
        else:
            self.repo.git("branch", f"kept-{next(self.numbers)}")
            self.repo.git("switch", "-q", where, check=False)
            if where == "mine":
                self.repo.git("switch", "-q", "-c", where, check=False)

    @rule(pick=PICK)
    def move_a_branch(self, pick: int) -> None:
        """A person renames a mission's branch that is checked out nowhere."""
        taken = self.repo.git("worktree", "list", "--porcelain")
        free = [
            name
            for name in self.repo.git("branch", "--format=%(refname:short)", "--list", "m[0-9]*").splitlines()
            if f"branch refs/heads/{name}\n" not in taken + "\n"
        ]
        if free:
            self.log.append(f"rename {free[pick % len(free)]}")
            self.repo.git("branch", "-m", free[pick % len(free)], f"renamed-{next(self.numbers)}", check=False)

    @rule(pick=PICK, back=st.booleans())
    def move_main(self, pick: int, back: bool) -> None:
        """A person moves main while nobody has it checked out: on by a commit of their own, or back by one."""
        if self.main_is_checked_out():
            return
        self.log.append(f"move main {'back' if back else 'on'}")
        tip = self.repo.git("rev-parse", "main")
        if back:
            self.repo.git("branch", f"kept-{next(self.numbers)}", tip)
            self.repo.git("update-ref", "refs/heads/main", "main~1", check=False)
        else:
            new = self.repo.git("commit-tree", f"{tip}^{{tree}}", "-p", tip, "-m", f"Moved on {pick}")
            self.repo.git("update-ref", "refs/heads/main", new)
            self.commits.add(new)

    @precondition(lambda self: self.slots.path.exists())
    @rule(pick=PICK)
    def lose_a_record(self, pick: int) -> None:
        rows = self.slots.worktrees()
        if rows:
            self.log.append("lose a record")
            self.slots.remove_worktree(rows[pick % len(rows)].id)

    # ---- always ------------------------------------------------------------------------------------------------

    @invariant()
    def nothing_is_lost(self) -> None:
        if not hasattr(self, "repository"):
            return
        safe = self.safe()
        assert self.work <= safe, f"{len(self.work - safe)} pieces of work are gone after {self.log}"
        assert self.commits <= safe, f"{len(self.commits - safe)} commits are gone after {self.log}"

    @invariant()
    def the_limit_holds(self) -> None:
        assert len(self.worktrees()) <= 1 + SPARE, self.log

    @invariant()
    def no_lock_is_left(self) -> None:
        assert not (self.repo.path / ".git" / "index.lock").exists(), self.log


def blob(data: bytes) -> str:
    """The id git gives a file."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
