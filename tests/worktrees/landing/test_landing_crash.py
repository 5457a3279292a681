"""kill -9 at every step of a landing: the old state or the new one, and the next start finishes or rolls back."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from solo_unicorn.missions.entities import MergeStrategy
from solo_unicorn.worktrees.git import Git
from solo_unicorn.worktrees.landing.landing import Landed, land
from solo_unicorn.worktrees.landing.recovery import recover, undo_landing
from solo_unicorn.worktrees.locks import hold

from ..conftest import KilledAt, Repo

STEPS = 80
"""More than a landing has; the tests stop at its end."""
STRIDE = int(os.environ.get("SOLO_UNICORN_TEST_STRIDE", "3"))
"""Every so many steps are tried; 1 tries every one."""


@pytest.fixture
def template(repo: Repo, tmp_path: Path) -> Repo:
    """A repository with a branch to land: edits, additions, deletions, a mode change, a file that becomes a folder."""
    for name in ("edited.txt", "deleted.txt", "becomes", "old/deep/file"):
        repo.write(name, f"{name}\n" * 50)
    repo.commit("run.sh", "#!/bin/sh\n")
    repo.git("switch", "-qc", "m1")
    repo.git("rm", "-rq", "deleted.txt", "becomes", "old")
    repo.write("edited.txt", "new content\n" * 500)
    repo.write("becomes/inner", "x\n")
    (repo.path / "run.sh").chmod(0o755)
    repo.commit("added.txt", "added\n" * 50)
    repo.git("switch", "-q", "main")
    repo.commit("main.txt", "went on")
    return repo


def settle(repo: Repo) -> None:
    """Recover as the next start does; the git command the killed process had running may hold the lock a moment."""
    with hold(repo.path / ".git", "worktrees", timeout=30):
        pass
    for lock in (repo.path / ".git" / "solo-unicorn").glob("landing-*.lock"):
        with hold(repo.path / ".git", lock.stem, timeout=30):
            pass
    recover(repo.path)


def is_whole(repo: Repo, tmp_path: Path) -> None:
    """Checkout, index and branch agree; nothing of ours is left over; git finds nothing wrong."""
    git_dir = repo.path / ".git"
    assert not (git_dir / "index.lock").exists()
    assert repo.status() == ""
    assert not list(git_dir.glob("solo-unicorn-*"))
    assert not list((git_dir / "solo-unicorn" / "landing").glob("*.json"))
    scratch = tmp_path / "worktrees" / ".landing"
    assert not scratch.exists() or not any(scratch.iterdir())
    assert len(repo.git("worktree", "list").splitlines()) == 1
    assert repo.git("fsck", "--strict", "--no-dangling") == ""


def lands(repo: Repo, tmp_path: Path, strategy: MergeStrategy = "merge", push: bool = True) -> Landed:
    found = land(
        repo.path,
        branch="m1",
        target="main",
        strategy=strategy,
        message="M-1",
        push=push,
        scratch_root=tmp_path / "worktrees",
    )
    assert isinstance(found, Landed)
    return found


def crash_and_recover(repo: Repo, tmp_path: Path, killed_at: KilledAt, step: int, remote: str = "") -> bool:
    """One kill; whether the landing got so far at all."""
    old, branch = repo.head("main"), repo.head("m1")
    if not killed_at(step, lambda: lands(repo, tmp_path)):
        return False
    between = repo.head("main")
    assert between == old or repo.git("merge-base", "main", "m1") == branch, "neither old nor new"
    settle(repo)
    is_whole(repo, tmp_path)
    now = repo.head("main")
    assert now == old or repo.git("merge-base", "main", "m1") == branch
    assert between == old or now == between, "what was visible stays"
    assert repo.head("m1") == branch
    assert lands(repo, tmp_path)
    is_whole(repo, tmp_path)
    assert len(repo.git("rev-list", "--merges", "main").splitlines()) == 1, "landed exactly once"
    assert (repo.path / "edited.txt").read_text() == "new content\n" * 500
    if remote:
        assert repo.git("rev-parse", "main", cwd=Path(remote)) == repo.head("main")
    return True


@pytest.mark.slow
def test_kill_at_every_step_with_the_target_checked_out(template: Repo, tmp_path: Path, killed_at: KilledAt) -> None:
    for step in range(0, STEPS, STRIDE):
        copy = type(template)(Path(shutil.copytree(template.path, tmp_path / f"copy{step}", symlinks=True)))
        if not crash_and_recover(copy, tmp_path, killed_at, step):
            assert step > 20
            return
        shutil.rmtree(copy.path)
    raise AssertionError(f"a landing has more than {STEPS} steps")


@pytest.mark.slow
def test_kill_at_every_step_with_a_remote(template: Repo, tmp_path: Path, killed_at: KilledAt) -> None:
    for step in range(0, STEPS, STRIDE):
        here, there = tmp_path / f"copy{step}", tmp_path / f"origin{step}.git"
        copy = type(template)(Path(shutil.copytree(template.path, here, symlinks=True)))
        copy.git("init", "-q", "--bare", "-b", "main", str(there))
        copy.git("remote", "add", "origin", str(there))
        copy.git("push", "-q", "origin", "main")
        copy.git("switch", "-q", "m1")
        copy.git("switch", "-q", "main")
        if not crash_and_recover(copy, tmp_path, killed_at, step, str(there)):
            assert step > 20
            return
        shutil.rmtree(here)
        shutil.rmtree(there)
    raise AssertionError(f"a landing has more than {STEPS} steps")


def test_kill_at_every_step_of_an_undo(template: Repo, tmp_path: Path, killed_at: KilledAt) -> None:
    old = template.head("main")
    new = lands(template, tmp_path).commit
    for step in range(0, STEPS, STRIDE):
        copy = type(template)(Path(shutil.copytree(template.path, tmp_path / f"copy{step}", symlinks=True)))
        if not killed_at(step, lambda: undo_landing(copy.path, target="main")):  # noqa: B023
            assert step > 5
            return
        assert copy.head("main") in (old, new)
        settle(copy)
        is_whole(copy, tmp_path)
        assert copy.head("main") in (old, new)
        assert copy.git("for-each-ref", "--contains", str(new)), "the landed commit is kept"
        shutil.rmtree(copy.path)
    raise AssertionError("an undo has more steps than expected")


def test_a_file_torn_by_a_killed_git_is_made_whole(template: Repo, tmp_path: Path, killed_at: KilledAt) -> None:
    """The machine went down while files were being written: one is half there, one is missing."""
    copy = template
    assert killed_at(0, lambda: lands(copy, tmp_path), only="refs/heads/main")
    assert copy.status() != ""
    (copy.path / "edited.txt").write_text("new content\n" * 3 + "new co")
    (copy.path / "added.txt").unlink(missing_ok=True)
    settle(copy)
    is_whole(copy, tmp_path)
    assert (copy.path / "edited.txt").read_text() == "new content\n" * 500


def test_what_a_person_wrote_after_the_crash_is_kept(template: Repo, tmp_path: Path, killed_at: KilledAt) -> None:
    copy = template
    assert killed_at(0, lambda: lands(copy, tmp_path), only="refs/heads/main")
    (copy.path / "edited.txt").write_text("a person's own words\n")
    settle(copy)
    assert (copy.path / "edited.txt").read_text() == "a person's own words\n"
    assert copy.status() == "M edited.txt" and Git(copy.path).ancestor("m1", "main")


def test_a_checkout_somebody_went_on_with_is_left_alone(template: Repo, tmp_path: Path, killed_at: KilledAt) -> None:
    """They deleted our index.lock, switched away and committed: their checkout is theirs again."""
    copy = template
    assert killed_at(0, lambda: lands(copy, tmp_path), only="refs/heads/main")
    (copy.path / ".git" / "index.lock").unlink()
    copy.git("checkout", "-q", "-f", "-b", "theirs")
    copy.commit("theirs.txt", "x")
    before = (copy.head("theirs"), copy.status())
    settle(copy)
    assert (copy.head("theirs"), copy.status()) == before
    assert not (copy.path / ".git" / "index.lock").exists()
