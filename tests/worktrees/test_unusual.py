"""Repositories that are not plain: submodules, LFS, sparse checkouts, worktrees inside worktrees, odd names."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from solo_unicorn.missions.entities import Mission, ProjectRepository
from solo_unicorn.worktrees.diff.differences import mission_diff
from solo_unicorn.worktrees.git import Git
from solo_unicorn.worktrees.landing.landing import Landed, land
from solo_unicorn.worktrees.landing.proofs import Claimed, Unproven, prove
from solo_unicorn.worktrees.pool.pool import Pool
from solo_unicorn.worktrees.pool.records import WorktreeLease
from solo_unicorn.worktrees.pool.snapshots import snapshot_work
from solo_unicorn.worktrees.pool.status import unfinished
from solo_unicorn.worktrees.repository.submodules import UnpublishedSubmodule

from .conftest import Clock, MakeMission, MakeRepo, Repo
from .test_nested import armed

pytestmark = pytest.mark.slow
LFS = pytest.mark.skipif(shutil.which("git-lfs") is None, reason="git-lfs is not installed")


@pytest.fixture
def modular(repo: Repo, make_repo: MakeRepo, tmp_path: Path) -> Repo:
    """shop, with the submodule "the lib" of a bare remote, in the folder `dep/lib ü`, which has one inside it."""
    inner = make_repo("inner")
    library = make_repo("library")
    always = ("-c", "protocol.file.allow=always")
    library.git(*always, "submodule", "add", "-q", str(inner.path), "inner")
    library.git("commit", "-qm", "With inner")
    library.git("clone", "-q", "--bare", ".", str(tmp_path / "library.git"))
    repo.git(*always, "submodule", "add", "-q", "--name", "the lib", f"file://{tmp_path}/library.git", "dep/lib ü")
    repo.git(*always, "submodule", "update", "-q", "--init", "--recursive")
    repo.git("commit", "-qm", "With a library")
    return repo


def lease_of(pool: Pool, repository: ProjectRepository, mission: Mission, branch: str = "m1") -> WorktreeLease:
    return pool.acquire(repository, mission, branch=branch)


def test_submodules_are_filled_from_the_persons_own_copies(
    pool: Pool, repository: ProjectRepository, modular: Repo, make_mission: MakeMission, tmp_path: Path
) -> None:
    shutil.rmtree(tmp_path / "library.git")
    shutil.rmtree(tmp_path / "inner")
    lease = lease_of(pool, repository, make_mission(1))
    assert lease.warnings == ()
    assert (lease.path / "dep/lib ü/readme.md").read_text() == "hello\n"
    assert (lease.path / "dep/lib ü/inner/readme.md").read_text() == "hello\n"
    assert modular.git("config", "remote.origin.url", cwd=lease.path / "dep/lib ü") == f"file://{tmp_path}/library.git"
    assert unfinished(lease.path) is None
    assert modular.status() == "" and modular.git("submodule", "status")[0] not in "-+"


def test_a_resumed_worktree_keeps_the_commit_its_submodule_stands_on(
    pool: Pool, repository: ProjectRepository, modular: Repo, make_mission: MakeMission, tmp_path: Path
) -> None:
    mission = make_mission(1)
    lease = lease_of(pool, repository, mission)
    inside = lease.path / "dep/lib ü"
    modular.git("switch", "-q", "--detach", "HEAD~1", cwd=inside)
    before = modular.git("rev-parse", "HEAD", cwd=inside)
    shutil.rmtree(inside / "inner")
    again = lease_of(pool, repository, mission)
    assert again.how == "resumed" and modular.git("rev-parse", "HEAD", cwd=inside) == before


def test_a_submodule_nobody_can_give_is_said_and_the_mission_starts(
    pool: Pool, repository: ProjectRepository, modular: Repo, make_mission: MakeMission, tmp_path: Path
) -> None:
    shutil.rmtree(modular.path / ".git" / "modules")
    shutil.rmtree(modular.path / "dep")
    modular.git("checkout", "-q", "-f")
    shutil.rmtree(tmp_path / "library.git")
    lease = lease_of(pool, repository, make_mission(1))
    assert lease.path.is_dir() and "the submodule dep/lib ü could not be filled" in lease.warnings[0]
    assert unfinished(lease.path) is None


def test_a_worktree_with_submodules_is_reused_and_cleaned(
    pool: Pool, repository: ProjectRepository, modular: Repo, make_mission: MakeMission, clock: Clock
) -> None:
    first = lease_of(pool, repository, make_mission(1))
    pool.release(first.worktree)
    again = lease_of(pool, repository, make_mission(2), "m2")
    assert again.how == "reused" and (again.path / "dep/lib ü/inner/readme.md").is_file()
    other = lease_of(pool, repository, make_mission(3), "m3")
    pool.release(again.worktree)
    clock.pass_days(1)
    pool.release(other.worktree)
    clock.pass_days(30)
    removed = pool.clean(repository)
    assert [one.removed for one in removed] == [True, False], removed
    assert not again.path.exists() and other.path.is_dir()
    assert modular.git("fsck", "--strict", "--no-dangling") == ""
    assert (modular.path / "dep/lib ü/inner/readme.md").is_file(), "the person's own are untouched"


def test_what_an_agent_wrote_into_a_submodule_is_never_run(
    pool: Pool, repository: ProjectRepository, modular: Repo, make_mission: MakeMission, tmp_path: Path
) -> None:
    first = lease_of(pool, repository, make_mission(1))
    inside = Repo(first.path / "dep/lib ü")
    armed(inside, tmp_path / "ran")
    inside.git("-c", "core.fsmonitor=false", "-c", "filter.evil.clean=cat", "stash", "-qu")
    inside.git("stash", "drop", "-q")
    (tmp_path / "ran").unlink(missing_ok=True)
    for name in ("post-checkout", "reference-transaction"):
        shutil.copy(tmp_path / "ran.sh", tmp_path / name)
    assert unfinished(first.path) is None
    pool.release(first.worktree)
    again = lease_of(pool, repository, make_mission(2), "m2")
    assert again.how == "reused" and (again.path / "dep/lib ü/inner/readme.md").is_file()
    assert not (tmp_path / "ran").exists()
    assert "evil" not in inside.git("config", "--local", "--list")


@pytest.mark.parametrize("work", ["a file", "a commit", "a stash", "a branch", "deep inside"])
def test_work_in_a_submodule_keeps_its_worktree(
    pool: Pool, repository: ProjectRepository, modular: Repo, make_mission: MakeMission, clock: Clock, work: str
) -> None:
    first = lease_of(pool, repository, make_mission(1))
    second = lease_of(pool, repository, make_mission(2), "m2")
    inside = first.path / "dep/lib ü" / ("inner" if work == "deep inside" else "")
    (inside / "work.txt").write_text("mine\n")
    match work:
        case "a commit" | "deep inside" | "a branch":
            modular.git("switch", "-qc", "topic", cwd=inside)
            modular.git("add", "-A", cwd=inside)
            modular.git("commit", "-qm", "Mine", cwd=inside)
            if work == "a branch":
                modular.git("switch", "-q", "--detach", "HEAD~1", cwd=inside)
        case "a stash":
            modular.git("stash", "-qu", cwd=inside)
    vacant = pool.release(first.worktree)
    pool.release(second.worktree)
    clock.pass_days(30)
    by_path = {one.path: one for one in pool.clean(repository)}
    assert not by_path[first.path].removed, by_path
    assert unfinished(first.path) or "submodule" in by_path[first.path].why
    assert vacant.path == str(first.path) and (inside / ".git").exists()


@pytest.mark.parametrize("deep", ["", "inner"])
@pytest.mark.parametrize("name", ["readme.md", "new.txt"])
def test_uncommitted_work_in_a_submodule_is_seen_and_outlives_the_mission(
    pool: Pool, repository: ProjectRepository, modular: Repo, make_mission: MakeMission, deep: str, name: str
) -> None:
    lease = lease_of(pool, repository, make_mission(1))
    file = lease.path / "dep/lib ü" / deep / name
    file.write_text("mine\n")
    assert "uncommitted work: dep/lib ü" in (unfinished(lease.path) or "")
    claimed = Claimed("mission-1", lease.path, "m1", lease.base_commit, "main", None, "Rest")
    with pytest.raises(Unproven, match="The submodule dep/lib ü has uncommitted work"):
        prove(modular.path, modular.path / ".git", claimed)
    pool.release(lease.worktree)
    assert lease_of(pool, repository, make_mission(2), "m2").path != lease.path
    assert file.read_text() == "mine\n"


def test_a_submodule_commit_nobody_else_has_is_not_landed(
    pool: Pool, repository: ProjectRepository, modular: Repo, make_mission: MakeMission, tmp_path: Path
) -> None:
    lease = lease_of(pool, repository, make_mission(1))
    inside = lease.path / "dep/lib ü"
    modular.git("switch", "-qc", "topic", cwd=inside)
    (inside / "new.txt").write_text("new\n")
    modular.git("add", "-A", cwd=inside)
    modular.git("commit", "-qm", "New", cwd=inside)
    modular.git("commit", "-qam", "Take the new library", cwd=lease.path)
    before = modular.head("main")

    def landing() -> Any:
        return land(
            modular.path, branch="m1", target="main", strategy="merge", message="M", scratch_root=tmp_path / "worktrees"
        )

    with pytest.raises(UnpublishedSubmodule) as refused:
        landing()
    assert str(inside) in refused.value.todo and modular.head("main") == before
    modular.git("push", "-q", "origin", "HEAD:topic", cwd=inside)
    assert landing().commit == modular.head("main")
    assert modular.head("main:dep/lib ü") == modular.git("rev-parse", "HEAD", cwd=inside)


@LFS
def test_files_of_git_lfs_are_there_whole_and_land(
    pool: Pool, repository: ProjectRepository, repo: Repo, make_mission: MakeMission, tmp_path: Path
) -> None:
    repo.git("lfs", "install", "--local")
    repo.git("lfs", "track", "*.bin")
    data = bytes(range(256)) * 64
    repo.commit("big.bin", data)
    assert repo.show("HEAD:big.bin").startswith("version https://git-lfs")
    lease = lease_of(pool, repository, make_mission(1))
    assert (lease.path / "big.bin").read_bytes() == data
    (lease.path / "big.bin").write_bytes(data[::-1])
    (lease.path / "new.bin").write_bytes(data * 2)
    found = mission_diff(lease.path, "main")
    assert [(one.path, one.status) for one in found.files] == [("big.bin", "modified"), ("new.bin", "added")]
    assert snapshot_work(lease.path, "refs/solo-unicorn/wip/x")
    pool.release(lease.worktree)
    landed = land(
        repo.path, branch="m1", target="main", strategy="squash", message="M", scratch_root=tmp_path / "worktrees"
    )
    assert isinstance(landed, Landed) and landed.commit == repo.head("main")
    assert (repo.path / "big.bin").read_bytes() == data[::-1] and repo.status() == ""
    assert repo.show("main:new.bin").startswith("version https://git-lfs")
    again = lease_of(pool, repository, make_mission(2), "m2")
    assert again.how == "reused" and (again.path / "new.bin").read_bytes() == data * 2


@pytest.mark.parametrize("cone", [True, False])
def test_a_sparse_checkout_stays_sparse_everywhere(
    pool: Pool, repository: ProjectRepository, repo: Repo, make_mission: MakeMission, tmp_path: Path, cone: bool
) -> None:
    for name in ("src/a.py", "docs/b.md", "assets/huge.txt"):
        repo.commit(name, f"{name}\n")
    repo.git("sparse-checkout", "set", *(["--cone", "src"] if cone else ["--no-cone", "/src/", "/*.md"]))
    assert not (repo.path / "assets").exists()
    lease = lease_of(pool, repository, make_mission(1))
    assert (lease.path / "src/a.py").is_file() and not (lease.path / "assets").exists()
    assert unfinished(lease.path) is None
    (lease.path / "src/a.py").write_text("changed\n")
    assert [one.path for one in mission_diff(lease.path, "main").files] == ["src/a.py"]
    pool.release(lease.worktree)
    outside = repo.git("commit-tree", f"{_with(repo, 'm1', 'assets/huge.txt')}", "-p", "m1", "-m", "Outside")
    repo.git("update-ref", "refs/heads/m1x", outside)
    for branch in ("m1", "m1x"):
        landed = land(
            repo.path, branch=branch, target="main", strategy="merge", message="M", scratch_root=tmp_path / "worktrees"
        )
        assert isinstance(landed, Landed) and landed.commit == repo.head("main")
    assert (repo.path / "src/a.py").read_text() == "changed\n"
    assert not (repo.path / "assets").exists() and repo.status() == ""
    assert repo.show("main:assets/huge.txt") == "other"
    again = lease_of(pool, repository, make_mission(2), "m2")
    assert again.how == "reused" and not (again.path / "assets").exists()


def _with(repo: Repo, commit: str, name: str) -> str:
    """A tree with different content in one file, made without a checkout."""
    blob = subprocess.run(
        ["git", "hash-object", "-w", "--stdin"], cwd=repo.path, input=b"other\n", capture_output=True, check=True
    ).stdout.decode()
    aside = Git(repo.path).having(GIT_INDEX_FILE=str(repo.path / ".git" / "aside"))
    aside.run("read-tree", commit)
    aside.run("update-index", "--cacheinfo", f"100644,{blob.strip()},{name}")
    return aside.line("write-tree")


def test_a_worktree_inside_a_worktree_is_seen_and_kept(
    pool: Pool, repository: ProjectRepository, repo: Repo, make_mission: MakeMission, clock: Clock
) -> None:
    lease, other = lease_of(pool, repository, make_mission(1)), lease_of(pool, repository, make_mission(2), "m2")
    inner = lease.path / "deep er" / "innér"
    repo.git("worktree", "add", "-q", "-b", "theirs", str(inner), cwd=lease.path)
    (inner / "work.txt").write_text("mine\n")
    assert unfinished(lease.path) == "it has uncommitted work: deep er/innér/"
    pool.release(lease.worktree)
    pool.release(other.worktree)
    clock.pass_days(30)
    assert {one.path: one.removed for one in pool.clean(repository)} == {lease.path: False, other.path: True}
    assert (inner / "work.txt").read_text() == "mine\n"
    assert lease_of(pool, repository, make_mission(3), "m3").how == "created"
    assert repo.git("log", "-1", "--format=%s", "m1") == "First", "the inner one did not become a broken submodule"
