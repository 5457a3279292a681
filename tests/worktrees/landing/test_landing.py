"""Landing: merge, squash, rebase; the remote; the person's checkout; conflicts, checks and undo."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from solo_unicorn.missions.entities import MergeStrategy
from solo_unicorn.worktrees.landing.building import Conflicted
from solo_unicorn.worktrees.landing.checkout import CheckoutInTheWay
from solo_unicorn.worktrees.landing.landing import Diverged, Landed

from ..conftest import Landing, Repo
from .landings import leaves_nothing, with_remote


@pytest.mark.parametrize(("strategy", "commits", "parents"), [("merge", 3, 2), ("squash", 1, 1), ("rebase", 2, 1)])
def test_each_strategy_lands_the_work_and_fast_forwards_a_clean_checkout(
    work: Repo, landing: Landing, tmp_path: Path, strategy: MergeStrategy, commits: int, parents: int
) -> None:
    work.commit("main.txt", "went on")
    old = work.head("main")
    landed = landing(work, strategy=strategy)
    assert isinstance(landed, Landed) and landed.commit == work.head("main") and not landed.pushed
    assert work.status() == "" and (work.path / "dir" / "b.txt").read_text() == "two\n"
    assert len(work.git("rev-list", f"{old}..main").splitlines()) == commits
    assert len(work.git("rev-list", "--parents", "-1", "main").split()) == parents + 1
    assert work.git("log", "-1", "--format=%s", "main") == ("Second" if strategy == "rebase" else "M-1: Pay")
    assert leaves_nothing(work, tmp_path)
    assert work.git("fsck", "--strict") == ""


def test_the_checkout_on_another_branch_is_not_touched(work: Repo, landing: Landing, tmp_path: Path) -> None:
    work.git("switch", "-qc", "mine")
    work.write("readme.md", "half an idea")
    work.write("untracked.txt", "x")
    before = work.status()
    landed = landing(work)
    assert landed.commit == work.head("main") and work.status() == before
    assert work.git("symbolic-ref", "--short", "HEAD") == "mine" and leaves_nothing(work, tmp_path)


@pytest.mark.parametrize("strategy", ["merge", "squash", "rebase"])
def test_a_conflict_changes_nothing_and_names_the_files(
    work: Repo, landing: Landing, tmp_path: Path, strategy: MergeStrategy
) -> None:
    work.commit("a.txt", "other\n")
    work.commit("ü b.txt", "unrelated\n")
    before = (work.head("main"), work.head("m1"), work.status())
    found = landing(work, strategy=strategy)
    assert found == Conflicted(("a.txt",), before[0])
    assert (work.head("main"), work.head("m1"), work.status()) == before
    assert leaves_nothing(work, tmp_path)


def test_nothing_to_land(repo: Repo, landing: Landing, tmp_path: Path) -> None:
    repo.git("branch", "m1")
    assert landing(repo) == Landed(None, False, "there was nothing to land")
    assert leaves_nothing(repo, tmp_path)


@pytest.mark.parametrize("strategy", ["merge", "squash", "rebase"])
@pytest.mark.parametrize("how", ["empty", "taken back"])
def test_commits_that_change_nothing_are_nothing_to_land(
    repo: Repo, landing: Landing, tmp_path: Path, strategy: MergeStrategy, how: str
) -> None:
    repo.git("switch", "-qc", "m1")
    if how == "empty":
        repo.git("commit", "-q", "--allow-empty", "-m", "chore: nothing")
    else:
        repo.commit("a.txt", "a")
        repo.git("revert", "--no-edit", "HEAD")
    repo.git("switch", "-q", "main")
    tip = repo.commit("later.txt", "x")
    assert landing(repo, strategy=strategy) == Landed(None, False, "there was nothing to land")
    assert repo.head("main") == tip and leaves_nothing(repo, tmp_path)


@pytest.mark.parametrize("strategy", ["merge", "squash", "rebase"])
def test_landing_twice_is_landing_once(work: Repo, landing: Landing, strategy: MergeStrategy) -> None:
    """The service was killed after the landing and before it wrote it down: it asks again."""
    first = landing(work, strategy=strategy)
    work.commit("later.txt", "x")
    tip = work.head("main")
    again = landing(work, strategy=strategy)
    assert again.commit == first.commit and again.note == "it had landed before" and work.head("main") == tip


@pytest.mark.parametrize("name", ["readme.md", "other.txt"])
@pytest.mark.parametrize("mark", ["", "staged", "--assume-unchanged", "--skip-worktree"])
def test_a_change_of_the_persons_in_a_file_that_moves_stops_it(
    rewrites: Repo, landing: Landing, tmp_path: Path, name: str, mark: str
) -> None:
    if mark.startswith("--"):
        rewrites.git("update-index", mark, name)
    rewrites.write(name, "not committed")
    if mark == "staged":
        rewrites.git("add", name)
    before = rewrites.head("main")
    with pytest.raises(CheckoutInTheWay, match="has it checked out") as caught:
        landing(rewrites)
    assert name in caught.value.why and caught.value.exit_code == 4
    assert rewrites.head("main") == before and (rewrites.path / name).read_text() == "not committed"
    assert leaves_nothing(rewrites, tmp_path)


def test_changes_in_other_files_stay_as_they_are(work: Repo, landing: Landing, tmp_path: Path) -> None:
    work.commit("staged.txt", "1\n")
    work.commit("gone.txt", "1\n")
    work.commit("kept.txt", "1\n")
    work.git("update-index", "--assume-unchanged", "kept.txt")
    work.write("kept.txt", "mine")
    work.write("readme.md", "not committed")
    work.write("staged.txt", "staged")
    work.write("new.txt", "new")
    work.git("add", "staged.txt", "new.txt")
    work.write("staged.txt", "staged, then changed")
    (work.path / "gone.txt").unlink()
    before = work.status()
    assert landing(work).commit == work.head("main")
    assert work.status() == before and work.show(":staged.txt") == "staged"
    assert (work.path / "kept.txt").read_text() == "mine" and (work.path / "a.txt").exists()
    assert work.git("ls-files", "-v", "kept.txt") == "h kept.txt"
    assert leaves_nothing(work, tmp_path)


def test_a_file_that_is_held_back_and_as_stored_moves(rewrites: Repo, landing: Landing) -> None:
    rewrites.git("update-index", "--assume-unchanged", "readme.md")
    landing(rewrites)
    assert (rewrites.path / "readme.md").read_text() == "of the mission\n"


def test_untracked_files_stay_and_stop_it_only_when_they_are_in_the_way(
    work: Repo, landing: Landing, tmp_path: Path
) -> None:
    work.write("mine.txt", "untracked")
    work.write("dir/b.txt", "also untracked, and in the way")
    with pytest.raises(CheckoutInTheWay, match=r"untracked file dir/b\.txt"):
        landing(work)
    assert (work.path / "dir" / "b.txt").read_text() == "also untracked, and in the way"
    (work.path / "dir" / "b.txt").unlink()
    assert landing(work).commit
    assert work.status() == "?? mine.txt" and leaves_nothing(work, tmp_path)


def test_an_ignored_file_in_the_way_stops_it(work: Repo, landing: Landing) -> None:
    work.write(".git/info/exclude", "a.txt\n")
    work.write("a.txt", "only copy")
    with pytest.raises(CheckoutInTheWay, match=r"a\.txt"):
        landing(work)
    assert (work.path / "a.txt").read_text() == "only copy"


def test_files_become_directories_and_back(repo: Repo, landing: Landing) -> None:
    repo.commit("x", "file")
    repo.commit("d/y", "in a directory")
    repo.commit("gone/deep/z", "z")
    repo.git("switch", "-qc", "m1")
    repo.git("rm", "-rq", "x", "d", "gone")
    repo.write("x/inner", "now a directory")
    repo.write("d", "now a file")
    (repo.path / "link").symlink_to("d")
    repo.commit("run.sh", "#!/bin/sh\n")
    (repo.path / "run.sh").chmod(0o755)
    repo.git("commit", "-qam", "mode")
    repo.git("switch", "-q", "main")
    assert landing(repo).commit == repo.head("main")
    assert repo.status() == "" and (repo.path / "x" / "inner").read_text() == "now a directory"
    assert (repo.path / "d").read_text() == "now a file" and not (repo.path / "gone").exists()
    assert (repo.path / "link").is_symlink() and os.access(repo.path / "run.sh", os.X_OK)


def test_a_checkout_in_the_middle_of_a_rebase_of_the_target_stops_it(work: Repo, landing: Landing) -> None:
    work.commit("a.txt", "mine\n")
    work.git("-c", "sequence.editor=sed -i s/pick/edit/", "rebase", "-qi", "HEAD~1")
    with pytest.raises(CheckoutInTheWay, match="in the middle of a rebase"):
        landing(work)


def test_it_is_pushed_when_there_is_a_remote(work: Repo, landing: Landing, tmp_path: Path) -> None:
    origin = with_remote(work, tmp_path)
    landed = landing(work)
    assert landed.pushed and origin.head("main") == landed.commit == work.head("main") == work.head("origin/main")


def test_commits_others_pushed_are_landed_upon(work: Repo, landing: Landing, tmp_path: Path) -> None:
    origin = with_remote(work, tmp_path)
    work.git("clone", "-q", str(origin.path), str(tmp_path / "other"))
    other = type(work)(tmp_path / "other")
    other.commit("theirs.txt", "x")
    other.git("push", "-q")
    landed = landing(work)
    assert landed.pushed and work.head("main") == landed.commit and (work.path / "theirs.txt").exists()


def test_a_remote_that_moves_while_it_lands_is_landed_upon_again(work: Repo, landing: Landing, tmp_path: Path) -> None:
    origin = with_remote(work, tmp_path)
    work.git("clone", "-q", str(origin.path), str(tmp_path / "other"))
    other = type(work)(tmp_path / "other")
    other.commit("theirs.txt", "x")
    once = tmp_path / "once"
    landed = landing(
        work, check_command=f"test -e {once} || {{ touch {once}; env -u GIT_DIR git -C {other.path} push -q; }}"
    )
    assert landed.pushed and origin.head("main") == landed.commit and "theirs.txt" in work.git("ls-tree", "main")
    assert leaves_nothing(work, tmp_path)


def test_branches_that_went_different_ways_are_the_persons_to_bring_together(
    work: Repo, landing: Landing, tmp_path: Path
) -> None:
    origin = with_remote(work, tmp_path)
    work.git("clone", "-q", str(origin.path), str(tmp_path / "other"))
    other = type(work)(tmp_path / "other")
    other.commit("theirs.txt", "x")
    other.git("push", "-q")
    mine = work.commit("mine.txt", "y")
    with pytest.raises(Diverged, match="diverged") as caught:
        landing(work)
    assert "1 commits that the remote lacks" in caught.value.why and work.head("main") == mine
