"""Cleaning removes only what nobody could miss; orphans are reported, adopted or pruned."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from solo_unicorn.missions.entities import MergeStrategy, ProjectRepository, Worktree
from solo_unicorn.worktrees.landing.landing import land
from solo_unicorn.worktrees.landing.recovery import undo_landing
from solo_unicorn.worktrees.pool.pool import Pool
from solo_unicorn.worktrees.pool.ports import port_block
from solo_unicorn.worktrees.pool.records import Removal
from solo_unicorn.worktrees.rescue_refs import forget_held_elsewhere, forget_landed_branches, kept

from .conftest import Clock, MakeMission, MemorySlots, Repo


@pytest.fixture
def vacant(pool: Pool, repository: ProjectRepository, make_mission: MakeMission) -> list[Worktree]:
    """Three vacant worktrees without work, unused since the clock's start."""
    leases = [pool.acquire(repository, make_mission(number), branch=f"b{number}") for number in (1, 2, 3)]
    return [pool.release(lease.worktree) for lease in leases]


def why(removals: list[Removal]) -> dict[str, str]:
    return {one.path.name: ("removed" if one.removed else one.why) for one in removals}


def test_vacant_worktrees_go_after_seven_days_and_one_stays(
    pool: Pool, repository: ProjectRepository, repo: Repo, vacant: list[Worktree], clock: Clock
) -> None:
    assert not any(one.removed for one in pool.clean(repository))
    clock.pass_days(7.5)
    assert why(pool.clean(repository)) == {
        "shop-b1": "removed",
        "shop-b2": "removed",
        "shop-b3": "it is the last one, which is kept for the next mission",
    }
    assert sorted(path.name for path in pool.root.glob("shop*")) == ["shop-b3"]
    assert len(repo.git("worktree", "list").splitlines()) == 2 and len(pool.slots.worktrees("R")) == 1
    assert repo.git("branch", "--list", "b1") != "", "the branch stays"


def test_a_dry_run_changes_nothing(
    pool: Pool, repository: ProjectRepository, vacant: list[Worktree], clock: Clock
) -> None:
    clock.pass_days(8)
    assert sum(one.removed for one in pool.clean(repository, dry_run=True)) == 2
    assert len(list(pool.root.glob("shop*"))) == 3 and len(pool.slots.worktrees("R")) == 3


def test_days_can_be_chosen(pool: Pool, repository: ProjectRepository, vacant: list[Worktree], clock: Clock) -> None:
    clock.pass_days(1)
    assert sum(one.removed for one in pool.clean(repository, days=0.5)) == 2


def test_a_worktree_of_a_mission_stays(
    pool: Pool, repository: ProjectRepository, make_mission: MakeMission, vacant: list[Worktree], clock: Clock
) -> None:
    pool.acquire(repository, make_mission(9), branch="b1")
    clock.pass_days(30)
    assert why(pool.clean(repository))["shop-b1"] == "a mission uses it"


def _dirty(path: Path) -> None:
    (path / "new.txt").write_text("x")


def _staged(path: Path) -> None:
    _dirty(path)
    subprocess.run(["git", "add", "-A"], cwd=path, check=True)


def _committed(path: Path) -> None:
    _staged(path)
    subprocess.run(["git", "commit", "-qm", "x"], cwd=path, check=True)


def _inner(path: Path) -> None:
    """A clone inside, in an ignored folder: git status says clean."""
    subprocess.run(["git", "init", "-q", "ignored/inner"], cwd=path, check=True)
    (path / ".git").read_text()
    exclude = Path(
        subprocess.run(
            ["git", "rev-parse", "--path-format=absolute", "--git-path", "info/exclude"],
            cwd=path,
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()
    )
    exclude.write_text("ignored/\n")


def _locked(path: Path) -> None:
    subprocess.run(["git", "worktree", "lock", "--reason", "mine", str(path)], cwd=path, check=True)


def _replaced(path: Path) -> None:
    """Somebody put a repository of their own at that path."""
    shutil.rmtree(path)
    subprocess.run(["git", "init", "-q", str(path)], check=True)
    (path / "precious.txt").write_text("x")


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (_dirty, "uncommitted work: new.txt"),
        (_staged, "uncommitted work: new.txt"),
        (_committed, "1 commit is neither pushed nor landed"),
        (_inner, "a repository inside it: ignored/inner"),
        (_locked, "it is locked: mine"),
        (_replaced, "git does not list it as a linked worktree"),
    ],
)
def test_nothing_with_work_in_it_is_removed(
    pool: Pool,
    repository: ProjectRepository,
    vacant: list[Worktree],
    clock: Clock,
    spoil: Callable[[Path], object],
    reason: str,
) -> None:
    path = Path(vacant[0].path)
    spoil(path)
    files = sorted(str(one) for one in path.rglob("*"))
    clock.pass_days(30)
    assert reason in why(pool.clean(repository))[path.name]
    assert sorted(str(one) for one in path.rglob("*")) == files


def test_a_worktree_somebody_works_in_stays(
    pool: Pool, repository: ProjectRepository, vacant: list[Worktree], clock: Clock
) -> None:
    path = Path(vacant[0].path)
    shell = subprocess.Popen(["sleep", "60"], cwd=path)
    try:
        clock.pass_days(30)
        assert f"a process works in it: sleep ({shell.pid})" in why(pool.clean(repository))[path.name]
    finally:
        shell.kill()
        shell.wait()


def test_a_worktree_a_session_uses_stays(
    pool: Pool, repository: ProjectRepository, vacant: list[Worktree], clock: Clock
) -> None:
    clock.pass_days(30)
    found = why(pool.clean(repository, in_use=lambda path: path.name == "shop-b1"))
    assert found["shop-b1"] == "a session uses it"


@pytest.mark.parametrize("strategy", ["merge", "squash", "rebase"])
def test_landed_work_does_not_keep_a_worktree(
    pool: Pool,
    repository: ProjectRepository,
    repo: Repo,
    make_mission: MakeMission,
    clock: Clock,
    strategy: MergeStrategy,
) -> None:
    """A squashed branch is in no other branch; it counts as landed all the same, or worktrees pile up."""
    first = pool.acquire(repository, make_mission(1), branch="m1")
    pool.acquire(repository, make_mission(2), branch="m2")
    _committed(first.path)
    pool.release(first.worktree)
    repo.commit("main.txt", "went on")
    land(repo.path, branch="m1", target="main", strategy=strategy, message="M-1", scratch_root=pool.root)
    clock.pass_days(8)
    assert why(pool.clean(repository))["shop-m1"] == "removed"


def test_ports_of_a_removed_worktree_are_given_back(
    pool: Pool, repository: ProjectRepository, vacant: list[Worktree], clock: Clock
) -> None:
    first = port_block(pool.root, vacant[0].id)
    clock.pass_days(8)
    pool.clean(repository)
    assert port_block(pool.root, "another") == first


def test_a_vacant_record_without_its_directory_is_forgotten(
    pool: Pool, repository: ProjectRepository, repo: Repo, vacant: list[Worktree]
) -> None:
    shutil.rmtree(vacant[0].path)
    [orphan] = pool.reconcile(repository)
    assert (orphan.kind, orphan.settled) == ("directory gone", True)
    assert vacant[0] not in pool.slots.worktrees("R") and "shop-b1" not in repo.git("worktree", "list")
    assert repo.git("branch", "--list", "b1") and pool.reconcile(repository) == []


def test_a_missions_record_without_its_directory_waits_for_the_mission(
    pool: Pool, repository: ProjectRepository, make_mission: MakeMission
) -> None:
    lease = pool.acquire(repository, make_mission(1), branch="b1")
    shutil.rmtree(lease.path)
    [orphan] = pool.reconcile(repository)
    assert "recreated when its mission next runs" in orphan.what_now and pool.slots.worktrees("R") == [lease.worktree]


def test_an_unrecorded_worktree_is_adopted_when_clean_and_reported_when_not(
    pool: Pool, repository: ProjectRepository, vacant: list[Worktree], slots: MemorySlots
) -> None:
    slots.rows.clear()
    _dirty(Path(vacant[0].path))
    found = {orphan.path.name: orphan for orphan in pool.reconcile(repository)}
    assert not found["shop-b1"].settled and "uncommitted work" in found["shop-b1"].what_now
    assert found["shop-b2"].settled
    assert sorted(Path(row.path).name for row in slots.rows.values()) == ["shop-b2", "shop-b3"]
    assert (Path(vacant[0].path) / "new.txt").exists()


def test_a_directory_git_does_not_list_is_reported_and_left(
    pool: Pool, repository: ProjectRepository, vacant: list[Worktree], slots: MemorySlots
) -> None:
    stray = pool.root / "shop-stray"
    stray.mkdir()
    (stray / "precious.txt").write_text("x")
    [orphan] = pool.reconcile(repository)
    assert orphan.kind == "not listed by git" and not orphan.settled and (stray / "precious.txt").exists()


def test_a_dry_reconcile_changes_nothing(
    pool: Pool, repository: ProjectRepository, vacant: list[Worktree], slots: MemorySlots
) -> None:
    shutil.rmtree(vacant[0].path)
    before = dict(slots.rows)
    assert len(pool.reconcile(repository, dry_run=True)) == 1 and slots.rows == before


def test_branches_that_landed_go_after_a_while_and_come_back_with_an_undo(
    pool: Pool, repository: ProjectRepository, repo: Repo, make_mission: MakeMission, clock: Clock
) -> None:
    for number in (1, 2, 3):
        lease = pool.acquire(repository, make_mission(number), branch=f"m{number}")
        (lease.path / f"{number}.txt").write_text("work")
        pool.release(lease.worktree)
    repo.git("branch", "by-hand", "m1")
    for branch in ("m1", "m2", "by-hand"):
        land(repo.path, branch=branch, target="main", strategy="squash", message="M", scratch_root=pool.root)
    tip, soon = repo.head("m1"), datetime.now(UTC) + timedelta(days=1)
    [slot] = pool.slots.worktrees()
    assert slot.branch == "m3"
    assert forget_landed_branches(repo.path, before=datetime.now(UTC) - timedelta(days=1)) == [], "too young"
    assert forget_landed_branches(repo.path, before=soon, dry_run=True) == ["m1", "m2"] and repo.head("m1") == tip
    assert forget_landed_branches(repo.path, before=soon) == ["m1", "m2"]
    assert repo.git("branch", "--format=%(refname:short)").split() == ["by-hand", "m3", "main"]
    repo.git("cat-file", "-e", tip)
    assert undo_landing(repo.path, target="main").branch == "m2"
    assert repo.show("m2:2.txt") == "work", "undone work has its branch again"


def test_rescued_work_is_listed_until_a_branch_holds_it(
    pool: Pool, repository: ProjectRepository, repo: Repo, make_mission: MakeMission
) -> None:
    lease = pool.acquire(repository, make_mission(1), branch="m1")
    repo.git("switch", "-q", "--detach", cwd=lease.path)
    repo.git("commit", "-q", "--allow-empty", "-m", "On no branch", cwd=lease.path)
    pool.release(lease.worktree)
    [rescued] = kept(repo.path)
    assert rescued.subject == "On no branch" and rescued.ref.startswith("refs/solo-unicorn/kept/")
    assert forget_held_elsewhere(repo.path) == []
    repo.git("branch", "found", rescued.ref)
    assert forget_held_elsewhere(repo.path, dry_run=True) == [rescued.ref] and kept(repo.path)
    assert forget_held_elsewhere(repo.path) == [rescued.ref] and kept(repo.path) == []
    assert repo.head("found") == rescued.commit
