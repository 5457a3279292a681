"""Repositories and worktrees on the command line: cloned or found, let go of, orphans told; work always stays."""

from __future__ import annotations

import io
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from solo_unicorn.cli.progress import bar
from solo_unicorn.config.paths import worktrees_dir
from solo_unicorn.missions.entities import SYSTEM
from solo_unicorn.missions.ids import new_ulid
from solo_unicorn.workspace import operations, queries
from solo_unicorn.workspace.workspace import Workspace
from solo_unicorn.worktrees.pool.pool import Pool
from solo_unicorn.worktrees.pool.slots import WorkspaceSlots
from solo_unicorn.worktrees.repository.around import projects_around
from solo_unicorn.worktrees.repository.linking import alike

from .conftest import Run


def git(path: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(path), *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def clone(run: Run, project: str, repository: Path, home: Path) -> Path:
    """A managed clone, linked."""
    assert run("repo", "add", f"file://{repository}").code == 0
    return home / "clones" / "shop"


def worktree_of(number: int) -> Path:
    """A worktree of the pool, taken and given back again."""
    with Workspace.open() as opened:
        [repository] = opened.read(queries.projects.repositories)
        mission = opened.read(queries.missions.get, str(number))
        pool = Pool(WorkspaceSlots.of(opened), worktrees_dir(), clock=lambda: datetime.now(UTC), new_id=new_ulid)
        lease = pool.acquire(repository, mission, branch=f"m{number}")
        pool.release(lease.worktree)
    return lease.path


def test_a_clone_goes_with_its_repository_and_its_vacant_worktrees(run: Run, clone: Path) -> None:
    run("mission", "create", "Pay")
    worktree = worktree_of(1)
    removed = run("repo", "remove", "shop")
    assert removed.code == 0 and "its clone was removed" in removed.out
    assert not clone.exists() and not worktree.exists()
    with Workspace.open() as opened:
        assert opened.read(queries.workstation.worktrees) == []


@pytest.mark.parametrize("work", ["a file", "a commit", "a stash", "a worktree", "on the pool's branch"])
def test_a_clone_with_work_in_it_stays_and_says_why(run: Run, clone: Path, work: str, tmp_path: Path) -> None:
    run("mission", "create", "Pay")
    (clone / "work.txt").write_text("mine\n")
    worktree: Path | None = None
    match work:
        case "a commit":
            git(clone, "add", "-A")
            git(clone, "commit", "-qm", "Mine")
        case "a stash":
            git(clone, "stash", "-qu")
        case "a worktree":
            git(clone, "worktree", "add", "-q", str(tmp_path / "theirs"))
        case "on the pool's branch":
            (clone / "work.txt").unlink()
            worktree = worktree_of(1)
            (worktree / "work.txt").write_text("mine\n")
    removed = run("repo", "remove", "shop")
    assert removed.code == 0 and f"its files stay in {clone}" in removed.out
    assert "Its clone stays" in removed.err
    assert (clone / "readme.md").exists()
    if worktree is not None:
        assert f"The worktree {worktree} stays, because it has uncommitted work: work.txt" in removed.err
        assert (worktree / "work.txt").read_text() == "mine\n"


def test_a_clone_is_kept_on_wish_and_taken_again_instead_of_cloning(run: Run, clone: Path, repository: Path) -> None:
    assert "its files stay" in run("repo", "remove", "shop", "--keep-clone").out and clone.is_dir()
    again = run("repo", "add", f"file://{repository}", "--json")
    assert again.data["localPath"] == str(clone) and again.data["isManagedClone"]
    assert "checkout of it already" in again.err


def test_the_persons_own_checkout_is_linked_instead_of_cloned_and_never_removed(
    run: Run, project: str, repository: Path, tmp_path: Path
) -> None:
    own = tmp_path / "own checkout"
    subprocess.run(["git", "clone", "-q", f"file://{repository}", str(own)], check=True)
    run("repo", "add", str(own), "--name", "mine")
    run("project", "create", "Other")
    added = run("repo", "add", f"file://{repository}", "-p", "other", "--json")
    assert added.data["localPath"] == str(own) and not added.data["isManagedClone"]
    assert run("repo", "remove", added.data["id"]).code == 0 and (own / "readme.md").is_file()


def test_a_second_repository_of_the_same_name_gets_a_folder_of_its_own(
    run: Run, clone: Path, repository: Path, home: Path
) -> None:
    other = repository.parent / "other" / "shop"
    subprocess.run(["git", "clone", "-q", "--bare", str(repository), str(other)], check=True)
    added = run("repo", "add", f"file://{other}", "--name", "second", "--blobless", "--json")
    assert added.data["localPath"] == str(home / "clones" / "shop-2")
    assert git(home / "clones" / "shop-2", "config", "remote.origin.partialclonefilter") == "blob:none"


def test_bad_addresses_are_refused_and_leave_nothing(run: Run, project: str, home: Path) -> None:
    assert run("repo", "add", "https://ann:secret@localhost/x.git").code == 2
    failed = run("repo", "add", "http://127.0.0.1:1/x.git")
    assert failed.code == 1 and "127.0.0.1" in failed.err
    assert list((home / "clones").iterdir()) == []
    assert run("repo", "remove", "nothing").code == 3


def test_a_remote_that_does_not_answer_is_said_and_the_repository_linked(
    run: Run, project: str, repository: Path, tmp_path: Path
) -> None:
    git(repository, "remote", "add", "origin", str(tmp_path / "nothing.git"))
    added = run("repo", "add", str(repository))
    assert added.code == 0 and "origin cannot be used now" in added.err and "check the address" in added.err
    run("repo", "remove", "shop")
    subprocess.run(["git", "clone", "-q", "--bare", str(repository), str(tmp_path / "nothing.git")], check=True)
    assert run("repo", "add", str(repository)).err == ""


def test_addresses_of_one_repository_are_alike() -> None:
    same = {
        "https://github.com/acme/shop",
        "https://ann@GitHub.com/acme/shop.git/",
        "git@github.com:acme/shop.git",
        "ssh://git@github.com:22/acme/shop",
    }
    assert {alike(url) for url in same} == {"github.com/acme/shop"}
    assert alike("file:///srv/shop.git") == alike("/srv/shop") != alike("/srv/Shop")


def test_orphans_are_told_by_list_and_settled_by_clean(run: Run, clone: Path) -> None:
    run("mission", "create", "Pay")
    gone = worktree_of(1)
    subprocess.run(["rm", "-rf", str(gone)], check=True)
    lost = worktrees_dir() / "shop-lost"
    git(clone, "worktree", "add", "-q", str(lost))
    (lost / "work.txt").write_text("mine\n")
    listed = run("worktree", "list", "--json").meta["orphans"]
    kinds = {one["path"]: (one["kind"], one["settled"]) for one in listed}
    assert kinds == {str(gone): ("directory gone", False), str(lost): ("not recorded", False)}
    assert run("worktree", "list", "--json").meta["orphans"] == listed, "looking changes nothing"
    cleaned = run("worktree", "clean", "--days", "0", "--json").meta["orphans"]
    assert {one["path"]: one["settled"] for one in cleaned} == {str(gone): True, str(lost): False}
    assert (lost / "work.txt").read_text() == "mine\n"
    assert [one["path"] for one in run("worktree", "list", "--json").meta["orphans"]] == [str(lost)]


def test_the_run_script_gets_the_worktrees_ports(run: Run, project: str, repository: Path, tmp_path: Path) -> None:
    run("repo", "add", str(repository))
    run("mission", "create", "Pay")
    with Workspace.open() as opened:
        [linked] = opened.read(queries.projects.repositories)
        pool = Pool(WorkspaceSlots.of(opened), worktrees_dir(), clock=lambda: datetime.now(UTC), new_id=new_ulid)
        lease = pool.acquire(linked, opened.read(queries.missions.get, "1"), branch="m1")
        opened.write_as(SYSTEM, operations.workstation.set_mission_worktree, "M-1", str(lease.path), "m1")
    assert run("mission", "open", "1", "--run").code == 3
    script = f'echo "$SOLO_UNICORN_PORT $SOLO_UNICORN_BRANCH $PWD" > {tmp_path}/ran; exit 7'
    (repository / ".solo-unicorn.toml").write_text(f"[worktree]\nrun = '{script}'\n")
    assert run("mission", "open", "1", "--run").code == 7
    port, branch, where = (tmp_path / "ran").read_text().split()
    assert int(port) >= 20_000 and (branch, where) == ("m1", str(lease.path))


def test_cleaning_leaves_out_a_repository_that_is_gone(run: Run, clone: Path) -> None:
    subprocess.run(["rm", "-rf", str(clone)], check=True)
    cleaned = run("worktree", "clean")
    assert cleaned.code == 0 and "is gone" in cleaned.err
    assert run("worktree", "list").code == 0
    assert run("repo", "remove", "shop").code == 0


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Quiet:
    quiet = False


def test_the_bar_fills_and_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with bar(Quiet(), "cloning") as step:  # type: ignore[arg-type]
        step("receiving objects", 0.5)
        step("resolving deltas", None)
        step("receiving objects", 1.0)
    said = terminal.getvalue()
    assert "████████████············  50%  receiving objects" in said
    assert "█" * 24 + " 100%" in said and said.endswith("\r\x1b[K")


@pytest.mark.parametrize("told", ["relocate", "add"])
def test_a_moved_checkout_is_told_and_its_worktrees_go_on_there(run: Run, clone: Path, told: str) -> None:
    run("mission", "create", "Pay")
    worktree = worktree_of(1)
    new = clone.rename(clone.with_name("moved shop"))
    missing = run("repo", "add", str(clone))
    assert missing.code == 3 and "repo relocate" in missing.err
    answer = run("repo", "relocate", "shop", str(new)) if told == "relocate" else run("repo", "add", str(new))
    assert answer.code == 0 and str(new) in answer.out
    with Workspace.open() as opened:
        [repository] = opened.read(queries.projects.repositories)
    assert repository.local_path == str(new)
    assert git(worktree, "rev-parse", "--git-common-dir") == str(new / ".git")


def test_another_repository_is_not_taken_for_one_that_was_moved(run: Run, clone: Path, tmp_path: Path) -> None:
    run("mission", "create", "Pay")
    worktree_of(1)
    other = tmp_path / "other"
    subprocess.run(["git", "init", "-q", str(other)], check=True)
    git(other, "commit", "-q", "--allow-empty", "-m", "Another history")
    refused = run("repo", "relocate", "shop", str(other))
    assert refused.code == 4 and "not the moved checkout of shop" in refused.err


def test_a_folder_of_a_monorepo_is_linked_shown_and_changed(run: Run, repository: Path, tmp_path: Path) -> None:
    for name in ("app", "lib"):
        (repository / "packages" / name).mkdir(parents=True)
        (repository / "packages" / name / "file").write_text(name)
    git(repository, "add", "-A")
    git(repository, "commit", "-qm", "Packages")
    wrong = run("project", "create", "Wrong", "--repo", str(repository), "--folder", "packages/nothing")
    assert wrong.code == 3 and "Wrong" not in run("project", "list").out
    assert run("project", "create", "Lib", "--folder", "packages/lib").code == 2
    assert run("project", "create", "Lib", "--repo", str(repository), "--folder", "packages/lib").code == 0
    assert run("project", "create", "App", "--repo", str(repository), "--folder", "packages/app").code == 0
    assert run("repo", "list", "-p", "App", "--json").data[0]["folder"] == "packages/app"
    assert str(repository / "packages" / "lib") in run("repo", "list", "-p", "Lib").out
    with Workspace.open() as opened:
        for name in ("app", "lib"):
            assert [one.name.lower() for one in projects_around(opened, repository / "packages" / name)] == [name]
        assert len(projects_around(opened, repository)) == 2, "at the top it may be either"
    for folder in ("../elsewhere", "packages/app/file", "packages/none"):
        assert run("repo", "edit", "app", "--folder", folder).code != 0
    edited = run(
        "repo", "edit", "app", "--folder", ".", "--max", "2", "--branch-prefix", "feat/{mission}", "--json"
    ).data
    assert (edited["folder"], edited["maxConcurrentMissions"], edited["prBranchPrefix"]) == ("", 2, "feat/{mission}")
    assert run("repo", "edit", "app").code == 2
    assert run("repo", "edit", "app", "--branch", "nowhere").code == 3
    moved = repository.rename(tmp_path / "moved")
    assert run("repo", "relocate", "app", str(moved)).code == 0
    assert {one["localPath"] for one in run("repo", "list", "--all-projects", "--json").data} == {str(moved)}
