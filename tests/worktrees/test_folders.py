"""A folder of a monorepo: where agents, scripts and checks start."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from solo_unicorn.missions.entities import ProjectRepository
from solo_unicorn.missions.errors import NotFound, SoloUnicornError
from solo_unicorn.worktrees.diff.differences import mission_diff
from solo_unicorn.worktrees.landing.landing import Landed, land
from solo_unicorn.worktrees.pool.pool import Pool
from solo_unicorn.worktrees.repository.folders import check_folder, shown_start, start_in
from solo_unicorn.worktrees.repository.recipe import recipe_at
from solo_unicorn.worktrees.repository.repositories import UnusableRepository, inspect

from .conftest import MakeMission, Record, Repo

APP = "packages/app"


@pytest.fixture
def mono(repo: Repo) -> Repo:
    repo.write(".solo-unicorn.toml", "[landing]\ncheck = 'test -f main.py'\n")
    repo.write(
        f"{APP}/.solo-unicorn.toml", "[worktree]\nsetup = 'pwd > made'\n[landing]\ncheck = 'test -f main.py # app'\n"
    )
    repo.write(f"{APP}/.gitignore", "made\n")
    repo.write(f"{APP}/main.py", "app")
    repo.write("packages/lib/lib.py", "lib")
    (repo.path / "packages" / "linked").symlink_to("app")
    repo.git("add", "-A")
    repo.git("commit", "-qm", "Packages")
    return repo


Land = Callable[[str], object]


@pytest.fixture
def landing(mono: Repo, tmp_path: Path) -> Land:
    """Lands m1 for a mission that is about the given folder."""

    def run(folder: str) -> object:
        scratch = tmp_path / "worktrees"
        return land(
            mono.path, branch="m1", target="main", strategy="merge", message="M-1", scratch_root=scratch, folder=folder
        )

    return run


def of_app(mono: Repo, record: Record) -> ProjectRepository:
    return record(mono, folder=APP)


@pytest.mark.parametrize(
    ("folder", "why"),
    [
        ("packages/nothing", "has no folder"),
        ("packages/linked", "a symbolic link"),
        ("packages/linked/main.py", "a symbolic link"),
        (f"{APP}/main.py", "is a file"),
        ("module", "a submodule"),
        ("only-here", "No commit of that branch"),
    ],
)
def test_what_is_no_folder_of_the_branch_is_refused(mono: Repo, folder: str, why: str) -> None:
    mono.git("update-index", "--add", "--cacheinfo", f"160000,{mono.head()},module")
    mono.git("commit", "-qm", "Submodule")
    (mono.path / "only-here").mkdir()
    with pytest.raises(SoloUnicornError, match=why) as refused:
        check_folder(inspect(mono.path), folder, "main")
    assert isinstance(refused.value, NotFound | UnusableRepository) and refused.value.todo


def test_a_folder_may_be_given_by_its_path(mono: Repo) -> None:
    assert check_folder(inspect(mono.path), str(mono.path / APP), "main") == APP
    assert check_folder(inspect(mono.path), ".", "main") == ""


def test_setup_and_the_recipe_are_those_of_the_folder(
    pool: Pool, mono: Repo, record: Record, make_mission: MakeMission
) -> None:
    repository = of_app(mono, record)
    lease = pool.acquire(repository, make_mission(1), branch="m1")
    prepared = pool.prepare(lease, repository)
    assert prepared.ready and prepared.environment["SOLO_UNICORN_FOLDER"] == APP
    assert (lease.path / APP / "made").read_text().strip() == str(lease.path / APP)
    assert recipe_at(mono.path, "main", "packages/lib").check == "test -f main.py", "else that of the top"


def test_the_check_before_landing_runs_in_the_folder(mono: Repo, landing: Land) -> None:
    mono.git("switch", "-qc", "m1")
    mono.commit(f"{APP}/new.py", "new")
    mono.git("switch", "-q", "main")
    assert isinstance(landing(APP), Landed)


def test_a_mission_that_takes_the_folder_away_does_not_land_unchecked(mono: Repo, landing: Land) -> None:
    mono.git("switch", "-qc", "m1")
    mono.git("mv", APP, "packages/renamed")
    mono.git("commit", "-qm", "Rename")
    mono.git("switch", "-q", "main")
    before = mono.head("main")
    with pytest.raises(UnusableRepository, match=f"no folder {APP}"):
        landing(APP)
    assert mono.head("main") == before
    assert isinstance(landing("packages/renamed"), Landed), "named as it is now"


@pytest.mark.parametrize("cone", ["--cone", "--no-cone"])
def test_a_sparse_checkout_gets_the_folder_in_its_worktrees_alone(
    pool: Pool, mono: Repo, record: Record, make_mission: MakeMission, cone: str
) -> None:
    mono.git("sparse-checkout", "set", cone, *(["packages/lib"] if cone == "--cone" else ["/packages/lib/"]))
    assert check_folder(inspect(mono.path), APP, "main") == APP and not (mono.path / APP).exists()
    lease = pool.acquire(of_app(mono, record), make_mission(1), branch="m1")
    assert (start_in(lease.path, APP) / "main.py").read_text() == "app"
    assert mono.git("status", "--porcelain", cwd=lease.path) == ""
    assert not (mono.path / APP).exists() and mono.status() == ""


def test_a_folder_that_the_branch_lost_is_told_though_ignored_files_of_it_stayed(
    pool: Pool, mono: Repo, record: Record, make_mission: MakeMission
) -> None:
    lease = pool.acquire(of_app(mono, record), make_mission(1), branch="m1")
    (lease.path / APP / "made").write_text("x")
    mono.git("rm", "-rq", APP, cwd=lease.path)
    with pytest.raises(UnusableRepository, match="removed or renamed"):
        start_in(lease.path, APP)
    (lease.path / "packages" / "lib").rename(lease.path / "elsewhere")
    outside = pool.root.parent / "outside"
    outside.mkdir()
    (lease.path / "packages" / "lib").symlink_to(outside)
    with pytest.raises(UnusableRepository, match="leads out"):
        start_in(lease.path, "packages/lib")
    assert shown_start(str(lease.path), "packages/lib") == str(lease.path)


def test_a_diff_begins_with_the_folder_and_has_the_rest(mono: Repo) -> None:
    mono.git("switch", "-qc", "m1")
    for name in ("a.txt", "packages/application.txt", f"{APP}/new.py", "z.txt"):
        mono.commit(name, "x")
    found = mission_diff(mono.path, "main", first=APP)
    assert [one.path for one in found.files] == [f"{APP}/new.py", "a.txt", "packages/application.txt", "z.txt"]
    assert all(one.hunks for one in found.files)
