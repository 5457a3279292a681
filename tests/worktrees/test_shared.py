"""A repository of several users: our own files in it are as core.sharedRepository says."""

from __future__ import annotations

import os
import shutil
import stat
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from solo_unicorn.missions.entities import Mission, ProjectRepository
from solo_unicorn.worktrees.git import Git
from solo_unicorn.worktrees.landing.landing import Landed, land
from solo_unicorn.worktrees.landing.proofs import note_start
from solo_unicorn.worktrees.locks import shared_mode
from solo_unicorn.worktrees.pool.pool import Pool

from .conftest import NOW, MakeMission, MemorySlots, Repo, record_of


@pytest.mark.parametrize(
    ("value", "mode"),
    [("group", 0o660), ("true", 0o660), ("all", 0o664), ("0640", 0o640), ("umask", 0o600), ("", 0o600)],
)
def test_files_of_ours_have_the_mode_that_the_repository_says(
    repo: Repo, pool: Pool, repository: ProjectRepository, make_mission: MakeMission, value: str, mode: int
) -> None:
    common = repo.path / ".git"
    if value:
        repo.git("config", "core.sharedRepository", value)
    before = os.umask(0o077)
    try:
        lease = pool.acquire(repository, make_mission(1), branch="m1")
        note_start(Git(repo.path), common, "MISSION1")
        Repo(lease.path).commit("a.txt", "a")
        landed = land(repo.path, branch="m1", target="main", strategy="merge", message="M-1", scratch_root=pool.root)
    finally:
        os.umask(before)
    assert isinstance(landed, Landed) and shared_mode(common) == mode
    ours = [path for path in (common / "solo-unicorn").rglob("*") if path.is_file()]
    assert {path.suffix for path in ours} >= {".lock", ".json", ".jsonl"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in ours} - {mode} <= ({0o644} if mode == 0o600 else set())
    for directory in [common / "solo-unicorn", *(one for one in (common / "solo-unicorn").rglob("*") if one.is_dir())]:
        assert directory.stat().st_mode & 0o070 == (mode & 0o060) | (mode & 0o040) >> 2


def works_and_lands(shop: Path, home: Path, name: str) -> None:
    """What the service of a user does with a mission, from its worktree to its landing."""
    os.umask(0o022)
    pool = Pool(MemorySlots(), home / "worktrees", clock=lambda: NOW, new_id=lambda: name)
    mission = Mission(
        id=name,
        project_id="P",
        title=name,
        number=1,
        created_at=NOW,
        updated_at=NOW,
        agent_session_status_changed_at=NOW,
        target_branch="main",
    )
    lease = pool.acquire(record_of(Repo(shop)), mission, branch="solo-unicorn/mission-1")
    Repo(lease.path).commit(f"{name}.txt", name)
    landed = land(
        shop, branch=lease.branch, target="main", strategy="merge", message=name, scratch_root=home / "worktrees"
    )
    pool.release(lease.worktree)
    assert isinstance(landed, Landed) and landed.commit


@pytest.mark.slow
def test_two_users_of_one_repository_each_land_a_mission(repo: Repo, tmp_path: Path) -> None:
    """Each with a home that the other may not look into."""
    if os.geteuid():
        pytest.skip("only root can be two users")
    with TemporaryDirectory() as place:
        top, group = Path(place), 64_321
        top.chmod(0o755)
        shop = Path(shutil.copytree(repo.path, top / "shop", symlinks=True))
        here = Repo(shop)
        works_and_lands(repo.path, tmp_path, "before")  # all modules are read while they may be
        here.git("config", "core.sharedRepository", "group")
        here.git("switch", "-q", "--detach")
        for path in [top, shop, *shop.rglob("*")]:
            os.chown(path, 0, group, follow_symlinks=False)
            path.chmod(path.stat().st_mode | 0o060 | (stat.S_ISGID | 0o010 if path.is_dir() else 0))
        for user, name in ((64_322, "ann"), (64_323, "bob"), (64_322, "ann-again")):
            home = top / name
            home.mkdir(mode=0o700)
            (home / ".gitconfig").write_text(f"[safe]\ndirectory = *\n[user]\nname = {name}\nemail = {name}@x\n")
            os.chown(home, user, group)
            assert as_user(user, group, home, partial(works_and_lands, shop, home, name)), name
            assert f"{name}.txt" in here.git("-c", "safe.directory=*", "ls-tree", "--name-only", "main")


def as_user(user: int, group: int, home: Path, run: Callable[[], None]) -> bool:
    """Run in a child that is that user; whether it went well."""
    child = os.fork()
    if child == 0:  # pragma: no cover
        try:
            os.setgroups([group])
            os.setgid(group)
            os.setuid(user)
            os.environ.update(HOME=str(home), XDG_CONFIG_HOME=str(home / ".config"))
            os.environ.pop("GIT_CONFIG_GLOBAL", None)
            os.chdir(home)
            run()
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
