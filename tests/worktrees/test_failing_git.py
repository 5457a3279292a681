"""Each git command of each operation fails once: the error says where, which command and what to do; nothing is lost,
and the same operation succeeds once git works again."""

from __future__ import annotations

import os
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from solo_unicorn.missions.entities import MergeStrategy, ProjectRepository
from solo_unicorn.missions.errors import SoloUnicornError
from solo_unicorn.worktrees import git as runner
from solo_unicorn.worktrees.diff.differences import mission_diff
from solo_unicorn.worktrees.git import GitError
from solo_unicorn.worktrees.github.branches import conflicting_files, push_branch, settle_merged
from solo_unicorn.worktrees.landing.landing import land
from solo_unicorn.worktrees.landing.recovery import recover, undo_landing
from solo_unicorn.worktrees.pool.pool import Pool
from solo_unicorn.worktrees.pool.snapshots import snapshot_work
from solo_unicorn.worktrees.repository.repositories import inspect

from .conftest import Clock, MakeMission, Repo

pytestmark = pytest.mark.slow
STRIDE = int(os.environ.get("SOLO_UNICORN_TEST_STRIDE", "2"))
"""Every so many commands are failed; 1 fails every one, for every way of landing."""
STRATEGIES = ("merge", "squash", "rebase") if STRIDE == 1 else ("merge",)
SAID = "fatal: the disk said no"


class Failing:
    """Lets one git command fail, counted from the moment it is armed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.left = -1
        self.hit: tuple[str, ...] | None = None
        real = runner._spawn

        def spawn(command: Any, extra: Any, stdin: Any, timeout: Any, path: Any, shown: Any) -> Any:
            self.left -= 1
            if self.left == -1:
                self.hit = tuple(shown)
                return 128, b"", f"{SAID}\n"
            return real(command, extra, stdin, timeout, path, shown)

        monkeypatch.setattr(runner, "_spawn", spawn)

    def at(self, step: int, run: Callable[[], object]) -> SoloUnicornError | None:
        """Run with the step-th command failing; the error it ended in."""
        self.left, self.hit = step, None
        try:
            run()
        except SoloUnicornError as error:
            return error
        finally:
            self.left = -1
        return None


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Failing:
    return Failing(monkeypatch)


@pytest.fixture
def shop(repo: Repo, tmp_path: Path) -> Repo:
    """With a remote that has main."""
    there = tmp_path / "origin.git"
    repo.git("init", "-q", "--bare", "-b", "main", str(there))
    repo.git("remote", "add", "origin", str(there))
    repo.git("push", "-q", "origin", "main")
    return repo


def check_said(error: SoloUnicornError, top: Path) -> None:
    """The three parts; where git failed, the path and the command."""
    assert error.what and error.todo, error
    if isinstance(error, GitError):
        text = str(error)
        assert str(top) in text and "git " in text and error.command[0] == "git" and len(error.command) > 1
        assert error.path.is_absolute() and error.stderr


def try_every_command(
    failing: Failing, top: Path, operation: Callable[[int], Callable[[], object]], least: int
) -> None:
    """`operation(step)` prepares one run of it; runs it with each command failing in turn, and then without."""
    for step in count(0, STRIDE):
        run = operation(step)
        error = failing.at(step, run)
        if failing.hit is None:
            assert error is None and step >= least, (step, error)
            return
        if error is not None:
            check_said(error, top)
            recover(top / "shop")
            run()


def test_acquire_and_release(
    failing: Failing, pool: Pool, repository: ProjectRepository, shop: Repo, make_mission: MakeMission, tmp_path: Path
) -> None:
    def created_reused_released(step: int) -> Callable[[], object]:
        mission = make_mission(step + 1)

        def run() -> None:
            lease = pool.acquire(repository, mission, branch=f"m{step}")
            (lease.path / f"{step}.txt").write_text(f"{step}\n")
            pool.release(lease.worktree)

        return run

    try_every_command(failing, tmp_path, created_reused_released, 15)
    kept = shop.git("log", "--all", "--format=", "--name-only").split()
    assert {f"{step}.txt" for step in range(0, 10, STRIDE)} <= set(kept)
    assert shop.git("fsck", "--strict", "--no-dangling") == "" and shop.status() == ""


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_landing(failing: Failing, shop: Repo, tmp_path: Path, strategy: MergeStrategy) -> None:
    def landing(step: int) -> Callable[[], object]:
        shop.git("switch", "-qc", f"m{step}")
        shop.commit(f"{step}.txt", f"{step}\n")
        shop.git("switch", "-q", "main")
        shop.git("reset", "-q", "--hard", "main")
        old = shop.head("main")

        def run() -> None:
            assert shop.head("main") == old or (shop.path / f"{step}.txt").exists(), "either the old or the new"
            assert shop.status() == ""
            land(
                shop.path,
                branch=f"m{step}",
                target="main",
                strategy=strategy,
                message="M",
                scratch_root=tmp_path / "worktrees",
            )

        return run

    try_every_command(failing, tmp_path, landing, 20)
    assert shop.status() == "" and shop.git("fsck", "--strict", "--no-dangling") == ""
    assert (shop.path / "0.txt").is_file() and (shop.path / f"{10 * STRIDE}.txt").is_file()
    assert shop.head("main") == shop.head("origin/main")
    assert len(shop.git("worktree", "list").splitlines()) == 1


def test_undo_clean_and_reconcile(
    failing: Failing,
    pool: Pool,
    repository: ProjectRepository,
    shop: Repo,
    make_mission: MakeMission,
    tmp_path: Path,
    clock: Clock,
) -> None:
    shop.git("remote", "remove", "origin")

    def undo(step: int) -> Callable[[], object]:
        shop.git("switch", "-qc", f"m{step}")
        shop.commit(f"{step}.txt", f"{step}\n")
        shop.git("switch", "-q", "main")
        land(shop.path, branch=f"m{step}", target="main", strategy="merge", message="M", scratch_root=pool.root)
        new = shop.head("main")

        def run() -> None:
            if shop.head("main") == new:
                undo_landing(shop.path, target="main")

        return run

    try_every_command(failing, tmp_path, undo, 10)

    def cleaned(step: int) -> Callable[[], object]:
        for number in (1, 2):
            pool.release(pool.acquire(repository, make_mission(2 * step + number), branch=f"c{step}-{number}").worktree)
        clock.pass_days(30)

        def run() -> None:
            pool.reconcile(repository)
            pool.clean(repository)

        return run

    try_every_command(failing, tmp_path, cleaned, 6)
    assert shop.status() == "" and shop.git("fsck", "--strict", "--no-dangling") == ""


def test_reading_and_pushing(
    failing: Failing, pool: Pool, repository: ProjectRepository, shop: Repo, make_mission: MakeMission, tmp_path: Path
) -> None:
    lease = pool.acquire(repository, make_mission(1), branch="m1")
    shop.git("commit", "-q", "--allow-empty", "-m", "Work", cwd=lease.path)
    (lease.path / "new.txt").write_text("new\n")

    def read(_step: int) -> Callable[[], object]:
        def run() -> None:
            inspect(shop.path)
            mission_diff(lease.path, "main")
            snapshot_work(lease.path, "refs/solo-unicorn/wip/x")
            push_branch(shop.path, branch="m1", target="main")
            conflicting_files(shop.path, branch="m1", target="main")
            settle_merged(shop.path, branch="m1", merged=shop.head("m1"), target="main", delete=False)

        return run

    try_every_command(failing, tmp_path, read, 25)
    assert (lease.path / "new.txt").read_text() == "new\n"
