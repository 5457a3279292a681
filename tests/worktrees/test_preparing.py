"""Included files, ports, and the scripts of `.solo-unicorn.toml`."""

from __future__ import annotations

import errno
import fcntl
import socket
import threading
import time
from pathlib import Path

import pytest

from solo_unicorn.missions.entities import ProjectRepository
from solo_unicorn.missions.errors import InvalidValue
from solo_unicorn.worktrees.pool import acquiring
from solo_unicorn.worktrees.pool.pool import Pool
from solo_unicorn.worktrees.pool.ports import port_block
from solo_unicorn.worktrees.repository.recipe import Recipe, parse_recipe, recipe_at

from .conftest import MakeMission, Repo


@pytest.fixture
def shop(repo: Repo) -> Repo:
    """Ignored files in the checkout, some of them wanted in worktrees."""
    repo.write(".gitignore", ".env*\nnode_modules/\nconfig/*.key\n")
    repo.commit(".worktreeinclude", "# what a build needs\n.env*\n!.env.prod\nconfig/*.key\nreadme-not-ignored\n")
    repo.write(".env", "SECRET=1")
    repo.write(".env.prod", "no")
    repo.write("packages/a/.env.local", "nested")
    repo.write("config/my key.key", b"\x00\xff")
    repo.write("node_modules/x/index.js", "big")
    repo.write("readme-not-ignored", "would look like work")
    return repo


def test_included_files_are_copied_and_nothing_else(
    pool: Pool, repository: ProjectRepository, shop: Repo, make_mission: MakeMission
) -> None:
    (shop.path / ".env").chmod(0o600)
    lease = pool.acquire(repository, make_mission(1), branch="b1")
    assert (lease.path / ".env").read_text() == "SECRET=1"
    assert (lease.path / ".env").stat().st_mode & 0o777 == 0o600
    assert (lease.path / "packages" / "a" / ".env.local").read_text() == "nested"
    assert (lease.path / "config" / "my key.key").read_bytes() == b"\x00\xff"
    for name in (".env.prod", "node_modules", "readme-not-ignored"):
        assert not (lease.path / name).exists()
    assert shop.git("status", "--porcelain", cwd=lease.path) == ""
    assert any("readme-not-ignored" in warning for warning in lease.warnings)


def test_links_are_copied_as_links(
    pool: Pool, repository: ProjectRepository, shop: Repo, make_mission: MakeMission
) -> None:
    (shop.path / ".env").unlink()
    (shop.path / ".env").symlink_to("packages/a/.env.local")
    lease = pool.acquire(repository, make_mission(1), branch="b1")
    assert (lease.path / ".env").is_symlink() and (lease.path / ".env").read_text() == "nested"


def test_a_link_in_the_worktree_does_not_lead_the_copy_outside(
    pool: Pool, repository: ProjectRepository, shop: Repo, make_mission: MakeMission, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    shop.git("switch", "-qc", "evil")
    (shop.path / "packages").rename(tmp_path / "aside")
    (shop.path / "packages").symlink_to(outside)
    shop.git("add", "-A")
    shop.git("commit", "-qm", "link")
    (shop.path / "packages").unlink()
    shop.git("switch", "-q", "main")
    (tmp_path / "aside").rename(shop.path / "packages")
    (outside / "a").mkdir()
    lease = pool.acquire(repository, make_mission(1), branch="b1", base="evil")
    assert list((outside / "a").iterdir()) == [] and any("outside" in warning for warning in lease.warnings)


def test_a_resumed_worktree_keeps_its_own_version(
    pool: Pool, repository: ProjectRepository, shop: Repo, make_mission: MakeMission
) -> None:
    lease = pool.acquire(repository, make_mission(1), branch="b1")
    (lease.path / ".env").write_text("changed by the agent")
    (lease.path / "config" / "my key.key").unlink()
    again = pool.acquire(repository, make_mission(1), branch="b1")
    assert (again.path / ".env").read_text() == "changed by the agent"
    assert (again.path / "config" / "my key.key").exists(), "what is missing comes back"


def test_a_reused_worktree_gets_fresh_files_and_the_old_versions_are_kept(
    pool: Pool, repository: ProjectRepository, shop: Repo, make_mission: MakeMission
) -> None:
    lease = pool.acquire(repository, make_mission(1), branch="b1")
    (lease.path / ".env").write_text("changed by the agent")
    pool.release(lease.worktree)
    shop.write("packages/a/.env.local", "newer")
    again = pool.acquire(repository, make_mission(2), branch="b2")
    assert again.how == "reused" and (again.path / ".env").read_text() == "SECRET=1"
    assert (again.path / "packages" / "a" / ".env.local").read_text() == "newer"
    [kept] = shop.git("for-each-ref", "refs/solo-unicorn/kept", "--format=%(refname)").splitlines()
    assert shop.show(f"{kept}:.env") == "changed by the agent"
    assert shop.git("ls-tree", "-r", "--name-only", kept) == ".env", "unchanged copies need no keeping"


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch, shop: Repo) -> Repo:
    """Two small files and a large one to copy, on a file system without shared blocks."""

    def no_clone(*_arguments: object) -> None:
        raise OSError(errno.EOPNOTSUPP, "no reflinks here")

    monkeypatch.setattr(fcntl, "ioctl", no_clone)
    monkeypatch.setattr(acquiring, "AT_ONCE", 1000)
    shop.write(".gitignore", "*.env\nlib/\n")
    shop.write(".worktreeinclude", "*.env\nlib/\n")
    shop.git("add", "-A")
    shop.git("commit", "-qm", "Ignore")
    shop.write("a.env", "A=1\n")
    shop.write("lib/large.bin", b"x" * 5000)
    shop.write("z.env", "Z=1\n")
    return shop


def test_large_files_are_left_for_later_and_the_setup_waits_for_them(
    pool: Pool, repository: ProjectRepository, large: Repo, make_mission: MakeMission
) -> None:
    large.commit(".solo-unicorn.toml", '[worktree]\nsetup = "wc -c < lib/large.bin"\n')
    lease = pool.acquire(repository, make_mission(1), branch="m1", leave_large=True)
    assert lease.pending and lease.pending.names == ("lib/large.bin",)
    assert (lease.path / "a.env").is_file() and (lease.path / "z.env").is_file()
    assert not (lease.path / "lib" / "large.bin").exists()
    prepared = pool.prepare(lease, repository)
    assert prepared.setup and prepared.setup.output.strip() == "5000"
    assert not [one for one in lease.path.rglob(".*solo-unicorn-*")]


def test_a_late_copy_is_done_once_spares_what_is_there_and_is_made_good(
    pool: Pool, repository: ProjectRepository, large: Repo, make_mission: MakeMission
) -> None:
    mission = make_mission(1)
    lease = pool.acquire(repository, mission, branch="m1", leave_large=True)
    (lease.path / "lib").mkdir(exist_ok=True)
    (lease.path / "lib" / "large.bin").write_text("the agent's own")
    assert lease.pending is not None
    lease.pending.finish()
    assert (lease.path / "lib" / "large.bin").read_text() == "the agent's own"
    (lease.path / "lib" / "large.bin").unlink()
    left = lease.path / "lib" / ".large.bin.solo-unicorn-1"
    left.write_text("half, by a killed process")
    assert pool.acquire(repository, mission, branch="m1").pending is None, "who waits gets everything"
    assert (lease.path / "lib" / "large.bin").stat().st_size == 5000 and not left.exists()


def test_ports_are_stable_and_shared_with_nobody(pool: Pool) -> None:
    pool.root.mkdir()
    blocks = [port_block(pool.root, f"W{number}") for number in range(5)]
    assert len(set(blocks)) == 5 and all(block % 10 == 0 for block in blocks)
    assert [port_block(pool.root, f"W{number}") for number in range(5)] == blocks


def test_a_port_something_listens_on_is_left_out(pool: Pool) -> None:
    pool.root.mkdir()
    first = port_block(pool.root, "W1")
    with socket.socket() as server:
        server.bind(("127.0.0.1", first + 17))
        server.listen()
        assert port_block(pool.root, "W2") > first + 10


def scripted(repo: Repo, text: str) -> None:
    repo.commit(".solo-unicorn.toml", text)


def test_the_setup_script_runs_once_in_the_worktree_with_its_ports(
    pool: Pool, repository: ProjectRepository, repo: Repo, make_mission: MakeMission
) -> None:
    scripted(repo, '[worktree]\nsetup = "echo $SOLO_UNICORN_PORT $SOLO_UNICORN_BRANCH >> .git-ran; pwd"\n')
    lease = pool.acquire(repository, make_mission(1), branch="b1")
    first = pool.prepare(lease, repository)
    assert first.ready and first.setup and first.setup.output.strip() == str(lease.path)
    assert (lease.path / ".git-ran").read_text() == f"{first.environment['SOLO_UNICORN_PORT']} b1\n"
    again = pool.prepare(pool.acquire(repository, make_mission(1), branch="b1"), repository)
    assert again.setup is None and again.environment == first.environment


def test_a_setup_script_that_fails_is_told_and_tried_again(
    pool: Pool, repository: ProjectRepository, repo: Repo, make_mission: MakeMission
) -> None:
    scripted(repo, '[worktree]\nsetup = "echo no network; exit 9"\n')
    lease = pool.acquire(repository, make_mission(1), branch="b1")
    for _ in range(2):
        told = pool.prepare(lease, repository)
        assert not told.ready and told.setup and told.setup.exit_code == 9 and "no network" in told.setup.output
        assert "exit code 9" in told.setup.sentence


def test_a_script_that_hangs_is_stopped_with_its_children(
    pool: Pool, repository: ProjectRepository, repo: Repo, make_mission: MakeMission
) -> None:
    scripted(repo, '[worktree]\nsetup = "sleep 600 & sleep 600"\nsetup_timeout = 0.3\n')
    told = pool.prepare(pool.acquire(repository, make_mission(1), branch="b1"), repository)
    assert told.setup and told.setup.timed_out and told.setup.seconds < 30
    import psutil

    def left() -> list[psutil.Process]:
        return [
            one
            for one in psutil.process_iter(["cwd", "status"])  # a zombie is dead and waits for its new parent
            if one.info["cwd"] == str(pool.root / "shop-b1") and one.info["status"] != psutil.STATUS_ZOMBIE
        ]

    pause, until = threading.Event(), time.monotonic() + 10  # a killed process is listed for a moment longer
    while left() and time.monotonic() < until:
        pause.wait(0.02)
    assert left() == []


def test_the_teardown_script(pool: Pool, repository: ProjectRepository, repo: Repo, make_mission: MakeMission) -> None:
    lease = pool.acquire(repository, make_mission(1), branch="b1")
    assert pool.teardown(lease.worktree, repository) is None
    scripted(repo, '[worktree]\nteardown = "echo bye"\n')
    second = pool.acquire(repository, make_mission(2), branch="b2")
    told = pool.teardown(second.worktree, repository)
    assert told is not None and told.passed and told.output == "bye\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[worktree\n", "not valid TOML"),
        ("[worktre]\n", "worktre in"),
        ("[worktree]\nsetpu = 'x'\n", "worktree.setpu"),
        ("[worktree]\nsetup = 3\n", "worktree.setup"),
        ("[worktree]\nsetup_timeout = 'x'\n", "worktree.setup_timeout"),
        ("[landing]\ncheck_timeout = 0\n", "landing.check_timeout"),
        ("setup = 'x'\n", "setup in"),
    ],
)
def test_a_recipe_that_is_wrong_is_named(text: str, said: str) -> None:
    with pytest.raises(InvalidValue, match=said) as caught:
        parse_recipe(text, ".solo-unicorn.toml")
    assert caught.value.why and caught.value.todo


def test_a_recipe_nobody_committed_is_taken_from_the_checkout(repo: Repo) -> None:
    assert recipe_at(repo.path, "HEAD") == Recipe()
    repo.write(".solo-unicorn.toml", "[landing]\ncheck = 'make test'\n")
    assert recipe_at(repo.path, "HEAD").check == "make test"
