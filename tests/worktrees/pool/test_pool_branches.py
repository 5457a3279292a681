"""Worktrees of the pool: branches that are there, given back, resumed or cleaned."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from solo_unicorn.missions.entities import ProjectRepository
from solo_unicorn.missions.errors import InvalidValue, NotFound
from solo_unicorn.worktrees.bases import refreshed, remote_base
from solo_unicorn.worktrees.git import GitError
from solo_unicorn.worktrees.pool.naming import free_path, worktree_name
from solo_unicorn.worktrees.pool.pool import Pool
from solo_unicorn.worktrees.repository.repositories import UnusableRepository

from ..conftest import MakeMission, MakeRepo, MemorySlots, Record, Repo


def test_a_branch_of_an_earlier_workspaces_mission_is_not_continued(
    pool: Pool, repository: ProjectRepository, repo: Repo, make_mission: MakeMission, slots: MemorySlots
) -> None:
    """A new store counts from M-1 again; the old M-1 had a branch of the same name."""
    old = pool.acquire(repository, make_mission(1), branch="solo-unicorn/mission-1-pay")
    (old.path / "old.txt").write_text("old")
    pool.release(old.worktree)
    slots.rows.clear()
    repo.git("worktree", "remove", str(old.path))
    lease = pool.acquire(repository, make_mission(77), branch="solo-unicorn/mission-1-pay")
    assert lease.branch == "solo-unicorn/mission-1-pay-2" and not (lease.path / "old.txt").exists()


def test_a_mission_goes_on_with_its_own_branch_after_cleaning(
    pool: Pool, repository: ProjectRepository, repo: Repo, make_mission: MakeMission
) -> None:
    mission = make_mission(1)
    first = pool.acquire(repository, mission, branch="b1")
    (first.path / "a.txt").write_text("x")
    pool.slots.remove_worktree(pool.release(first.worktree).id)
    repo.git("worktree", "remove", str(first.path))
    again = pool.acquire(repository, mission, branch="b1")
    assert again.how == "created" and again.branch == "b1" and (again.path / "a.txt").exists()


def test_a_directory_deleted_by_hand_is_made_again_with_its_commits_and_staged_work(
    pool: Pool, repository: ProjectRepository, repo: Repo, make_mission: MakeMission
) -> None:
    mission = make_mission(1)
    lease = pool.acquire(repository, mission, branch="b1")
    (lease.path / "a.txt").write_text("committed")
    repo.git("add", "-A", cwd=lease.path)
    repo.git("commit", "-qm", "work", cwd=lease.path)
    (lease.path / "b.txt").write_text("staged")
    repo.git("add", "-A", cwd=lease.path)
    shutil.rmtree(lease.path)
    again = pool.acquire(repository, mission, branch="b1")
    assert again.path == lease.path and (again.path / "a.txt").read_text() == "committed"
    [kept] = repo.git("for-each-ref", "refs/solo-unicorn/kept", "--format=%(refname)").splitlines()
    assert repo.show(f"{kept}:b.txt") == "staged" and any(kept in warning for warning in again.warnings)


def test_both_sides_of_a_conflict_outlive_their_directory(
    pool: Pool, repository: ProjectRepository, repo: Repo, make_mission: MakeMission
) -> None:
    lease = pool.acquire(repository, make_mission(1), branch="b1")
    (lease.path / "readme.md").write_text("ours\n")
    repo.git("commit", "-qam", "Ours", cwd=lease.path)
    repo.commit("readme.md", "theirs\n")
    repo.git("merge", "-q", "main", cwd=lease.path, check=False)
    repo.git("worktree", "list")
    subprocess.run(["rm", "-rf", str(lease.path)], check=True)
    again = pool.acquire(repository, make_mission(1), branch="b1")
    [kept] = [word for warning in again.warnings for word in warning.split() if word.startswith("refs/")]
    assert (repo.show(f"{kept}:readme.md.ours"), repo.show(f"{kept}:readme.md.theirs")) == ("ours", "theirs")


def test_a_directory_git_no_longer_knows_is_left_alone(
    pool: Pool, repository: ProjectRepository, repo: Repo, make_mission: MakeMission
) -> None:
    mission = make_mission(1)
    lease = pool.acquire(repository, mission, branch="b1")
    (lease.path / "precious.txt").write_text("x")
    shutil.rmtree(repo.path / ".git" / "worktrees" / lease.path.name)
    again = pool.acquire(repository, mission, branch="b1")
    assert again.path != lease.path and (lease.path / "precious.txt").read_text() == "x"


def test_a_half_made_worktree_is_completed(
    pool: Pool, repository: ProjectRepository, repo: Repo, make_mission: MakeMission
) -> None:
    """`git worktree add` was killed: part of the files, git's own "initializing" lock."""
    mission = make_mission(1)
    repo.commit("src/deep.txt", "deep")
    lease = pool.acquire(repository, mission, branch="b1")
    admin = repo.path / ".git" / "worktrees" / lease.path.name
    (lease.path / "src" / "deep.txt").unlink()
    (admin / "index").unlink()
    (admin / "locked").write_text("initializing")
    again = pool.acquire(repository, mission, branch="b1")
    assert again.how == "resumed" and (again.path / "src" / "deep.txt").read_text() == "deep"
    assert repo.git("status", "--porcelain", cwd=again.path) == "" and not (admin / "locked").exists()


def test_a_record_without_its_worktree_after_a_crash_is_made_good(
    pool: Pool, repository: ProjectRepository, make_mission: MakeMission, slots: MemorySlots
) -> None:
    mission = make_mission(1)
    lease = pool.acquire(repository, mission, branch="b1")
    shutil.rmtree(lease.path)
    again = pool.acquire(repository, mission, branch="b1")
    assert again.path.is_dir() and len(slots.rows) == 1


def test_a_forgotten_record_is_taken_in_again(
    pool: Pool, repository: ProjectRepository, make_mission: MakeMission, slots: MemorySlots
) -> None:
    mission = make_mission(1)
    lease = pool.acquire(repository, mission, branch="b1")
    (lease.path / "half.txt").write_text("x")
    slots.rows.clear()
    again = pool.acquire(repository, make_mission(1, worktree_path=str(lease.path)), branch="b1")
    assert again.how == "resumed" and again.path == lease.path and (again.path / "half.txt").exists()


def test_a_name_taken_by_another_repository_is_not_touched(
    pool: Pool, repository: ProjectRepository, make_mission: MakeMission, record: Record, make_repo: MakeRepo
) -> None:
    """Two repositories of the same folder name: the second one once destroyed the first one's worktree."""
    first = pool.acquire(repository, make_mission(1), branch="b1")
    (first.path / "half.txt").write_text("x")
    twin = make_repo("elsewhere/shop")
    second = pool.acquire(record(twin, id="R2"), make_mission(2), branch="b1")
    assert second.path == pool.root / "shop-b1-2" and (first.path / "half.txt").exists()


def test_an_explicit_base_is_used(
    pool: Pool, repository: ProjectRepository, repo: Repo, make_mission: MakeMission
) -> None:
    repo.commit("a.txt", "x")
    lease = pool.acquire(repository, make_mission(1), branch="b1", base="HEAD~1")
    assert lease.base_commit == repo.head("HEAD~1")


def test_a_base_nobody_knows(
    pool: Pool, repository: ProjectRepository, make_mission: MakeMission, slots: MemorySlots
) -> None:
    with pytest.raises(NotFound, match="'release/9' is not a valid branch or commit"):
        pool.acquire(repository, make_mission(1), branch="b1", base="release/9")
    assert slots.rows == {} and not any(pool.root.glob("shop*"))


def test_a_base_that_differs_from_its_remote_is_said(
    pool: Pool, record: Record, repo: Repo, make_repo: MakeRepo, make_mission: MakeMission, tmp_path: Path
) -> None:
    repo.git("clone", "-q", str(repo.path), str(tmp_path / "mine"))
    mine = type(repo)(tmp_path / "mine")
    mine.commit("local.txt", "x")
    repo.commit("theirs.txt", "y")
    mine.git("fetch", "-q")
    lease = pool.acquire(record(mine), make_mission(1), branch="b1")
    [warning] = lease.warnings
    assert warning.startswith("main is 1 ahead of and 1 behind origin/main; `worktrees.start_from` says")
    theirs = pool.acquire(record(mine), make_mission(2), branch="b2", base=remote_base(mine.path, "main"))
    assert theirs.base_commit == mine.head("origin/main") and theirs.warnings == ()
    assert remote_base(mine.path, "nothing") is None
    assert lease.base_commit == mine.head("main")


def test_a_target_branch_only_the_remote_has_is_fetched(
    pool: Pool, record: Record, repo: Repo, make_mission: MakeMission, tmp_path: Path
) -> None:
    repo.git("clone", "-q", str(repo.path), str(tmp_path / "mine"))
    repo.git("switch", "-qc", "release")
    tip = repo.commit("r.txt", "x")
    mine = type(repo)(tmp_path / "mine")
    assert pool.acquire(record(mine), make_mission(1), branch="b1", base="release").base_commit == tip


def test_a_base_is_looked_up_after_the_start_and_news_are_told_once(repo: Repo, tmp_path: Path) -> None:
    there = tmp_path / "origin.git"
    repo.git("clone", "-q", "--bare", ".", str(there))
    assert refreshed(repo.path, "main") is None, "no remote"
    repo.git("remote", "add", "origin", str(there))
    repo.git("fetch", "-q", "origin")
    theirs = repo.git("commit-tree", "-p", "main", "-m", "Theirs", "main^{tree}")
    repo.git("push", "-q", "origin", f"{theirs}:refs/heads/main")
    repo.git("update-ref", "refs/remotes/origin/main", repo.head())
    before = repo.head()
    assert (refreshed(repo.path, "main") or "").startswith("main is 1 behind origin/main")
    assert refreshed(repo.path, "main") is None and repo.head() == before
    assert refreshed(repo.path, before) is None, "a commit has nothing to follow"
    there.rename(tmp_path / "gone.git")
    with pytest.raises(GitError) as failed:
        refreshed(repo.path, "main")
    assert failed.value.todo


def test_a_lock_that_a_killed_git_left_is_put_aside_and_told(
    pool: Pool, repository: ProjectRepository, repo: Repo, make_mission: MakeMission
) -> None:
    mission = make_mission(1)
    first = pool.acquire(repository, mission, branch="b1")
    lock = repo.path / ".git" / "worktrees" / "shop-b1" / "index.lock"
    lock.write_text("half an index")
    again = pool.acquire(repository, mission, branch="b1")
    assert lock.exists() and again.warnings == (), "it may belong to somebody"
    os.utime(lock, (0, 0))
    again = pool.acquire(repository, mission, branch="b1")
    assert not lock.exists() and "index.lock" in again.warnings[0] and again.path == first.path
    assert lock.with_name("index.lock.stale").read_text() == "half an index"


def test_a_lock_in_a_worktree_somebody_works_in_stays(
    pool: Pool, repository: ProjectRepository, repo: Repo, make_mission: MakeMission
) -> None:
    mission = make_mission(1)
    first = pool.acquire(repository, mission, branch="b1")
    lock = repo.path / ".git" / "worktrees" / "shop-b1" / "index.lock"
    lock.touch()
    os.utime(lock, (0, 0))
    with subprocess.Popen(["cat"], cwd=first.path, stdin=subprocess.PIPE) as worker:
        pool.acquire(repository, mission, branch="b1")
        assert lock.exists()
        assert worker.stdin is not None
        worker.stdin.close()


def test_a_detached_checkout_serves_its_default_branch(
    pool: Pool, repository: ProjectRepository, repo: Repo, make_mission: MakeMission
) -> None:
    repo.git("switch", "-q", "--detach")
    assert pool.acquire(repository, make_mission(1), branch="b1").base_commit == repo.head("main")
    assert repo.git("symbolic-ref", "-q", "HEAD", check=False) == ""


@pytest.mark.parametrize("branch", ["..", "-q", "a b"])
def test_bad_branch_names_change_nothing(
    pool: Pool, repository: ProjectRepository, make_mission: MakeMission, slots: MemorySlots, branch: str
) -> None:
    with pytest.raises(InvalidValue):
        pool.acquire(repository, make_mission(1), branch=branch)
    assert slots.rows == {}


def test_a_repository_that_became_bare_is_refused(
    pool: Pool, repo: Repo, repository: ProjectRepository, make_mission: MakeMission
) -> None:
    repo.git("config", "core.bare", "true")
    with pytest.raises(UnusableRepository):
        pool.acquire(repository, make_mission(1), branch="b1")


def test_spaces_and_other_alphabets_everywhere(
    pool: Pool, record: Record, make_repo: MakeRepo, make_mission: MakeMission
) -> None:
    repo = make_repo("mein Läden 店")
    repo.commit("ordner mit/ä\tx.txt", "x")
    lease = pool.acquire(record(repo), make_mission(1), branch="größer/店")
    assert lease.path.name == "mein-Läden-店-größer-店" and (lease.path / "ordner mit" / "ä\tx.txt").exists()


def test_release_of_a_worktree_whose_directory_is_gone(
    pool: Pool, repository: ProjectRepository, make_mission: MakeMission
) -> None:
    lease = pool.acquire(repository, make_mission(1), branch="b1")
    shutil.rmtree(lease.path)
    assert pool.release(lease.worktree).mission_id is None


def test_release_in_the_middle_of_a_merge_keeps_a_snapshot(
    pool: Pool, repository: ProjectRepository, repo: Repo, make_mission: MakeMission
) -> None:
    lease = pool.acquire(repository, make_mission(1), branch="b1")
    (lease.path / "readme.md").write_text("ours")
    repo.git("commit", "-qam", "ours", cwd=lease.path)
    repo.commit("readme.md", "theirs")
    repo.git("merge", "-q", "main", cwd=lease.path, check=False)
    (lease.path / "readme.md").write_text("half resolved")
    pool.release(lease.worktree)
    assert repo.show(f"refs/solo-unicorn/wip/{lease.worktree.id}:readme.md") == "half resolved"
    assert (lease.path / "readme.md").read_text() == "half resolved"


def test_names_are_safe_unique_and_short(tmp_path: Path) -> None:
    assert worktree_name("shop", "a/b: c?") == "shop-a-b-c"
    assert worktree_name("..", "..") == "worktree"
    long = worktree_name("shop", "x" * 500)
    assert len(long.encode()) <= 120 and long != worktree_name("shop", "x" * 501)
    (tmp_path / "Shop-B").mkdir()
    assert free_path(tmp_path, "shop-b").name == "shop-b-2"


def test_a_read_only_pool_directory_is_an_error_and_no_record(
    pool: Pool, repository: ProjectRepository, make_mission: MakeMission, slots: MemorySlots
) -> None:
    if os.geteuid() == 0:
        pool.root.write_text("not a directory")
        with pytest.raises(OSError):
            pool.acquire(repository, make_mission(1), branch="b1")
    else:
        pool.root.mkdir(mode=0o500)
        with pytest.raises(Exception, match=r"Permission|denied"):
            pool.acquire(repository, make_mission(1), branch="b1")
    assert slots.rows == {}
