"""What the pool adds to git itself, as ratios within one run, on a repository of 50,000 files.

    python bench/worktrees.py [files]

Acquire of a vacant worktree against `git switch` + `git reset` in a worktree of the same repository (aim: at most 1.5),
creation against a bare `git worktree add` (aim: at most 1.2). Both sides go to and fro between two commits that differ
in twenty files; rounds alternate; the medians are compared.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from solo_unicorn.missions.entities import Mission, ProjectRepository, Worktree
from solo_unicorn.worktrees.pool.pool import Pool

ROUNDS = 7
NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Slots:
    """Slots in memory."""

    def __init__(self) -> None:
        self.rows: dict[str, Worktree] = {}

    def worktrees(self, repository: str | None = None) -> list[Worktree]:
        """All of them."""
        return list(self.rows.values())

    def put_worktree(self, worktree: Worktree) -> None:
        """Keep one."""
        self.rows[worktree.id] = worktree

    def remove_worktree(self, worktree_id: str) -> None:
        """Drop one."""
        self.rows.pop(worktree_id, None)


def main(files: int) -> None:
    """Make the repository, measure both ways in turn, print two ratios."""
    with tempfile.TemporaryDirectory() as top:
        repo = Path(top) / "shop"
        make_repository(repo, files)
        numbers = count(1)
        pool = Pool(Slots(), Path(top) / "worktrees", clock=lambda: NOW, new_id=lambda: f"W{next(numbers)}")
        repository = ProjectRepository(
            id="R",
            project_id="P",
            name="shop",
            created_at=NOW,
            updated_at=NOW,
            local_path=str(repo),
            max_concurrent_missions=0,
        )
        created, added = list[float](), list[float]()
        for number in range(ROUNDS):
            words = ("-b", f"bare{number}", f"{top}/bare{number}")
            turns = [
                (added, lambda: git(repo, "worktree", "add", "-q", *words)),  # noqa: B023
                (created, lambda: pool.acquire(repository, mission(number), branch=f"made{number}")),  # noqa: B023
            ]
            for times, run in turns[:: 1 if number % 2 else -1]:  # what comes second finds the disk busy
                times.append(timed(run))
        report("creation / git worktree add", created, added)
        for lease in list(pool.slots.worktrees())[1:]:
            pool.slots.remove_worktree(lease.id)
        [slot] = pool.slots.worktrees()
        reused, switched = [], []
        bare = Path(top) / "bare0"
        for number in range(ROUNDS):
            pool.release(slot)
            branch, base = f"next{number}", ("first", "main")[number % 2]
            reused.append(
                timed(lambda: pool.acquire(repository, mission(100 + number), branch=branch, base=base))  # noqa: B023
            )
            [slot] = pool.slots.worktrees()
            switched.append(timed(lambda: switch_and_reset(bare, f"{branch}-bare", base)))  # noqa: B023
        report("acquire of a vacant one / git switch + git reset", reused, switched)


def make_repository(repo: Path, files: int) -> None:
    """So many small files in folders of a hundred, two commits that differ in a few."""
    repo.mkdir()
    git(repo, "init", "-q", "-b", "main")
    for number in range(files):
        path = repo / f"d{number // 1000}" / f"e{number // 100}" / f"{number}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"file {number}\n")
    git(repo, "add", "-A")
    commit = ("-c", "user.name=b", "-c", "user.email=b@example.invalid", "commit", "-qam")
    git(repo, *commit, "first")
    git(repo, "branch", "first")
    for number in range(0, files, max(1, files // 20)):
        (repo / f"d{number // 1000}" / f"e{number // 100}" / f"{number}.txt").write_text(f"other {number}\n")
    git(repo, *commit, "second")


def switch_and_reset(worktree: Path, branch: str, base: str) -> None:
    """What a person would type."""
    git(worktree, "switch", "-q", "-c", branch, base)
    git(worktree, "reset", "-q", "--hard", base)


def mission(number: int) -> Mission:
    """A mission with that number."""
    return Mission(
        id=f"M{number}",
        project_id="P",
        title="m",
        created_at=NOW,
        updated_at=NOW,
        agent_session_status_changed_at=NOW,
        target_branch="main",
        number=number,
    )


def git(path: Path, *arguments: str) -> None:
    """Run git, quietly."""
    subprocess.run(["git", "-C", str(path), "-c", "gc.auto=0", *arguments], check=True, capture_output=True)


def timed(run: Callable[[], object]) -> float:
    """Seconds."""
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def report(name: str, ours: list[float], theirs: list[float]) -> None:
    """One line: the ratio of the medians, and the medians."""
    mine, yours = statistics.median(ours), statistics.median(theirs)
    print(f"{name}: {mine / yours:.2f} ({mine * 1000:.0f} ms / {yours * 1000:.0f} ms)")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 50_000)
