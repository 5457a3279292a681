"""Real git repositories, and a pool with its slots in memory."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from solo_unicorn.missions.entities import Mission, ProjectRepository, Worktree
from solo_unicorn.worktrees.pool.pool import Pool

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
CHANGING = {
    "worktree",
    "merge",
    "commit",
    "rebase",
    "checkout",
    "update-ref",
    "push",
    "fetch",
    "read-tree",
    "update-index",
    "checkout-index",
}
"""git commands that write."""


class Repo:
    """A checkout driven by the git on this machine, as a person would."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def git(self, *arguments: str, check: bool = True, cwd: Path | None = None) -> str:
        done = subprocess.run(
            ["git", *arguments], cwd=cwd or self.path, capture_output=True, check=False, stdin=subprocess.DEVNULL
        )
        if check and done.returncode:
            raise AssertionError(f"git {arguments}: {done.stderr.decode(errors='replace')}")
        return done.stdout.decode("utf-8", "surrogateescape").strip()

    def write(self, name: str, text: str | bytes) -> Path:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    def commit(self, name: str, text: str | bytes, message: str = "") -> str:
        self.write(name, text)
        self.git("add", "-A")
        self.git("commit", "-qm", message or f"Change {name}")
        return self.git("rev-parse", "HEAD")

    def head(self, revision: str = "HEAD") -> str:
        return self.git("rev-parse", revision)

    def show(self, what: str) -> str:
        return self.git("show", what)

    def status(self) -> str:
        return self.git("status", "--porcelain")


MakeRepo = Callable[..., Repo]
MakeMission = Callable[..., Mission]
Record = Callable[..., ProjectRepository]
KilledAt = Callable[..., bool]
Landing = Callable[..., Any]
"""Lands a branch with the options that a test names; what comes of it, each test says."""


class MemorySlots:
    """What `Workspace` does with slots, in memory."""

    def __init__(self) -> None:
        self.rows: dict[str, Worktree] = {}

    def worktrees(self, repository: str | None = None) -> list[Worktree]:
        return [row for row in self.rows.values() if repository in (None, row.repository_id)]

    def put_worktree(self, worktree: Worktree) -> None:
        self.rows[worktree.id] = worktree

    def remove_worktree(self, worktree_id: str) -> None:
        self.rows.pop(worktree_id, None)


class Clock:
    """Time that moves when a test says so."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def pass_days(self, days: float) -> None:
        self.now += timedelta(days=days)


@pytest.fixture(autouse=True)
def _own_home(home: Path) -> Iterator[None]:
    """Nothing of the machine's own git configuration."""
    yield


@pytest.fixture
def make_repo(tmp_path: Path) -> MakeRepo:
    """Makes a repository with one commit on main."""

    def make(name: str = "shop", *, first: str | None = "hello\n") -> Repo:
        path = tmp_path / name
        path.mkdir(parents=True)
        repo = Repo(path)
        repo.git("init", "-q", "-b", "main")
        if first is not None:
            repo.commit("readme.md", first, "First")
        return repo

    return make


@pytest.fixture
def repo(make_repo: MakeRepo) -> Repo:
    return make_repo()


@pytest.fixture
def slots() -> MemorySlots:
    return MemorySlots()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pool(tmp_path: Path, slots: MemorySlots, clock: Clock) -> Pool:
    numbers = count(1)
    return Pool(slots, tmp_path / "worktrees", clock=clock, new_id=lambda: f"W{next(numbers)}")


@pytest.fixture
def repository(repo: Repo) -> ProjectRepository:
    return record_of(repo)


@pytest.fixture
def record() -> Record:
    return record_of


@pytest.fixture
def make_mission() -> MakeMission:
    def make(number: int, **fields: Any) -> Mission:
        return Mission(
            id=f"MISSION{number}",
            project_id="P",
            title=f"Mission {number}",
            number=number,
            created_at=NOW,
            updated_at=NOW,
            agent_session_status_changed_at=NOW,
            target_branch="main",
            **fields,
        )

    return make


def record_of(repo: Repo, **fields: Any) -> ProjectRepository:
    """The repository as the store knows it."""
    facts: dict[str, Any] = {"max_concurrent_missions": 1, "id": "R", **fields}
    return ProjectRepository(
        project_id="P", name=repo.path.name, created_at=NOW, updated_at=NOW, local_path=str(repo.path), **facts
    )


@pytest.fixture
def killed_at() -> KilledAt:
    """Runs something and kills it at a given step."""
    return _killed_at


def _killed_at(step: int, run: Callable[[], object], *, only: str = "") -> bool:
    """Run in a forked child that is killed before its step-th change of the disk; whether it was (else it ended).

    With `only`, steps are the settings of that ref.
    """
    child = os.fork()
    if child == 0:  # pragma: no cover
        left = [step]

        def watch(event: str, arguments: tuple[Any, ...]) -> None:
            if event == "open":
                changes = bool(int(arguments[2] or 0) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
                changes = changes and str(arguments[0]).find("/dev/") != 0
            elif event == "subprocess.Popen":
                changes = bool(CHANGING & {str(one) for one in arguments[1]})
            else:
                changes = event in ("os.rename", "os.remove", "os.link", "os.rmdir", "shutil.rmtree")
            if only:
                changes = event == "subprocess.Popen" and {"update-ref", only} <= set(arguments[1])
            if changes:
                left[0] -= 1
                if left[0] < 0:
                    os.kill(os.getpid(), signal.SIGKILL)

        try:
            sys.addaudithook(watch)
            run()
        except BaseException:
            os._exit(3)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return True
    assert os.WEXITSTATUS(status) == 0, "the landing itself failed"
    return False
