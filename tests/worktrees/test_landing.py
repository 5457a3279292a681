"""Landing: merge, squash, rebase; the remote; the person's checkout; conflicts, checks and undo."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import pytest

from solo_unicorn.missions.entities import MergeStrategy
from solo_unicorn.missions.errors import Conflict, InvalidValue, NotFound
from solo_unicorn.worktrees.git import GitError
from solo_unicorn.worktrees.landing.building import CheckFailed, Conflicted
from solo_unicorn.worktrees.landing.checkout import CheckoutInTheWay
from solo_unicorn.worktrees.landing.landing import Diverged, Landed, PushRefused, land
from solo_unicorn.worktrees.landing.recovery import recover, undo_landing

from .conftest import Landing, Repo


@pytest.fixture
def work(repo: Repo) -> Repo:
    """A branch `m1` with two commits; the checkout is on main."""
    repo.git("switch", "-qc", "m1")
    repo.commit("a.txt", "one\n")
    repo.commit("dir/b.txt", "two\n", "Second")
    repo.git("switch", "-q", "main")
    return repo


@pytest.fixture
def landing(tmp_path: Path) -> Landing:
    def run(repo: Repo, branch: str = "m1", strategy: MergeStrategy = "merge", **options: Any) -> Landed | Conflicted:
        options.setdefault("scratch_root", tmp_path / "worktrees")
        options.setdefault("message", "M-1: Pay")
        return land(repo.path, branch=branch, target=options.pop("target", "main"), strategy=strategy, **options)

    return run


def with_remote(repo: Repo, tmp_path: Path) -> Repo:
    """Give the repository a bare `origin` that has main; returns the bare one."""
    repo.git("clone", "-q", "--bare", "--branch", "main", str(repo.path), str(tmp_path / "origin.git"))
    repo.git("remote", "add", "origin", str(tmp_path / "origin.git"))
    repo.git("fetch", "-q")
    return type(repo)(tmp_path / "origin.git")


def leaves_nothing(repo: Repo, tmp_path: Path) -> bool:
    scratch = tmp_path / "worktrees" / ".landing"
    ours = repo.path / ".git" / "solo-unicorn" / "landing"
    return (
        not (scratch.exists() and any(scratch.iterdir()))
        and not (ours.exists() and any(ours.glob("*.json")))
        and "landing" not in repo.git("for-each-ref", "--format=%(refname)").replace("refs/heads/", "")
        and len(repo.git("worktree", "list").splitlines()) == 1
        and not (repo.path / ".git" / "index.lock").exists()
        and not list((repo.path / ".git").glob("solo-unicorn-*"))
    )


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
def test_landing_twice_is_landing_once(work: Repo, landing: Landing, strategy: MergeStrategy) -> None:
    """The service was killed after the landing and before it wrote it down: it asks again."""
    first = landing(work, strategy=strategy)
    work.commit("later.txt", "x")
    tip = work.head("main")
    again = landing(work, strategy=strategy)
    assert again.commit == first.commit and again.note == "it had landed before" and work.head("main") == tip


@pytest.fixture
def rewrites(work: Repo) -> Repo:
    """The branch changes readme.md as well, and removes other.txt."""
    work.commit("other.txt", "other\n")
    work.git("switch", "-q", "m1")
    work.git("merge", "-q", "main")
    work.git("rm", "-q", "other.txt")
    work.commit("readme.md", "of the mission\n")
    work.git("switch", "-q", "main")
    return work


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
    with pytest.raises(Diverged, match="gone different ways") as caught:
        landing(work)
    assert "1 commits the remote lacks" in caught.value.why and work.head("main") == mine


def test_a_remote_that_cannot_be_reached_leaves_it_local_with_a_note(
    work: Repo, landing: Landing, tmp_path: Path
) -> None:
    work.git("remote", "add", "origin", str(tmp_path / "nowhere.git"))
    landed = landing(work)
    assert landed.commit == work.head("main") and not landed.pushed and "could not be reached" in landed.note


def test_a_remote_that_refuses_the_push_changes_nothing(work: Repo, landing: Landing, tmp_path: Path) -> None:
    origin = with_remote(work, tmp_path)
    hook = origin.write("hooks/pre-receive", "#!/bin/sh\necho main is protected >&2\nexit 1\n")
    hook.chmod(0o755)
    before = work.head("main")
    with pytest.raises(PushRefused, match="main is protected"):
        landing(work)
    assert work.head("main") == before == origin.head("main") and leaves_nothing(work, tmp_path)


def test_a_first_push_of_the_target_branch(work: Repo, landing: Landing, tmp_path: Path) -> None:
    work.git("init", "-q", "--bare", str(tmp_path / "empty.git"))
    work.git("remote", "add", "origin", str(tmp_path / "empty.git"))
    landed = landing(work)
    assert landed.pushed and type(work)(tmp_path / "empty.git").head("refs/heads/main") == landed.commit


def test_a_target_only_the_remote_has(work: Repo, landing: Landing, tmp_path: Path) -> None:
    with_remote(work, tmp_path)
    work.git("push", "-q", "origin", "main:release")
    landed = landing(work, target="release")
    assert landed.pushed and work.head("refs/heads/release") == landed.commit == work.head("origin/release")


def test_the_hook_of_the_person_may_refuse(work: Repo, landing: Landing, tmp_path: Path) -> None:
    hook = work.write(".git/hooks/commit-msg", "#!/bin/sh\necho no ticket >&2\nexit 1\n")
    hook.chmod(0o755)
    before = work.head("main")
    with pytest.raises(GitError, match="no ticket"):
        landing(work, strategy="squash")
    assert work.head("main") == before and leaves_nothing(work, tmp_path)


def test_a_check_that_fails_lands_nothing(work: Repo, landing: Landing, tmp_path: Path) -> None:
    before = work.head("main")
    with pytest.raises(CheckFailed, match="did not pass") as caught:
        landing(work, check_command="echo 3 tests failed; ls; exit 7")
    assert "3 tests failed" in caught.value.why and "a.txt" in caught.value.why and "code 7" in caught.value.why
    assert caught.value.result.log.read_text().startswith("3 tests failed")
    assert work.head("main") == before and leaves_nothing(work, tmp_path)


def test_the_check_of_the_target_branch_counts_not_the_missions(repo: Repo, landing: Landing) -> None:
    """An agent that rewrites the check does not get around it."""
    repo.commit(".solo-unicorn.toml", '[landing]\ncheck = "test -e proof"\n')
    repo.git("switch", "-qc", "m1")
    repo.commit(".solo-unicorn.toml", '[landing]\ncheck = "true"\n')
    repo.git("switch", "-q", "main")
    with pytest.raises(CheckFailed):
        landing(repo)
    repo.git("switch", "-q", "m1")
    repo.commit("proof", "x")
    repo.git("switch", "-q", "main")
    assert landing(repo).commit == repo.head("main")


def test_work_the_check_could_overtake(rewrites: Repo, landing: Landing) -> None:
    """The checkout became dirty while the check ran: noticed before anything moves."""
    before = rewrites.head("main")
    with pytest.raises(CheckoutInTheWay):
        landing(rewrites, check_command=f"echo busy > {rewrites.path}/readme.md")
    assert rewrites.head("main") == before and (rewrites.path / "readme.md").read_text() == "busy\n"


def test_without_an_identity_it_still_lands(work: Repo, landing: Landing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    landing(work)
    assert work.git("log", "-1", "--format=%an", "main") == "Solo Unicorn"


@pytest.mark.parametrize(
    "setting",
    [
        "merge.ff=only",
        "rebase.autoStash=true",
        "rebase.rebaseMerges=true",
        "diff.submodule=log",
        "push.followTags=true",
        "push.recurseSubmodules=only",
        "i18n.commitEncoding=latin1",
        "core.askPass=/no/such/program",
        "merge.log=true",
        "rebase.updateRefs=true",
        "commit.verbose=true",
        "core.splitIndex=true",
        "feature.manyFiles=true",
    ],
)
def test_the_persons_git_settings_do_not_get_in_the_way(work: Repo, landing: Landing, setting: str) -> None:
    name, value = setting.split("=")
    work.git("config", name, value)
    m1 = work.head("m1")
    work.commit("main.txt", "x")
    assert landing(work, strategy="rebase").commit and work.head("m1") == m1
    assert work.status() == ""


def test_a_file_swaps_with_a_folder_and_a_link_with_a_file(work: Repo, landing: Landing) -> None:
    work.commit("thing", "a file")
    work.commit("folder/inner", "in a folder")
    (work.path / "link").symlink_to("thing")
    work.git("add", "link")
    work.git("commit", "-qm", "Link")
    work.git("switch", "-q", "m1")
    work.git("merge", "-q", "main")
    work.git("rm", "-rq", "thing", "folder", "link")
    work.write("thing/inner", "in a folder now")
    work.write("link", "a file now")
    (work.path / "folder").symlink_to("/etc")
    work.git("add", "-A")
    work.git("commit", "-qm", "Swap")
    work.git("switch", "-q", "main")
    assert landing(work).commit and work.status() == ""
    assert (work.path / "thing" / "inner").is_file() and not (work.path / "link").is_symlink()
    assert (work.path / "folder").is_symlink()


def test_two_landings_on_one_branch_wait_for_each_other(work: Repo, landing: Landing) -> None:
    work.git("branch", "m2", "main")
    work.git("switch", "-q", "m2")
    work.commit("c.txt", "x")
    work.git("switch", "-q", "main")
    found: list[object] = []
    threads = [threading.Thread(target=lambda b=b: found.append(landing(work, b))) for b in ("m1", "m2")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [type(one) for one in found] == [Landed, Landed]
    assert {"a.txt", "c.txt"} <= set(work.git("ls-tree", "--name-only", "main").split())
    assert work.status() == ""


def test_wrong_requests(work: Repo, landing: Landing) -> None:
    with pytest.raises(NotFound, match="no branch nothing"):
        landing(work, "nothing")
    with pytest.raises(NotFound, match="no branch release"):
        landing(work, target="release")
    with pytest.raises(InvalidValue):
        landing(work, "main")


def test_undo_takes_the_last_landing_back(work: Repo, landing: Landing, tmp_path: Path) -> None:
    old = work.head("main")
    landed = landing(work)
    assert undo_landing(work.path, target="main").new == landed.commit
    assert work.head("main") == old and work.status() == "" and not (work.path / "a.txt").exists()
    assert work.git("for-each-ref", "--contains", landed.commit), "the landed commit is kept"
    assert leaves_nothing(work, tmp_path)
    assert landing(work).commit == work.head("main"), "and it can land again"


def test_undo_is_refused_when_it_would_take_something_from_somebody(
    work: Repo, landing: Landing, tmp_path: Path
) -> None:
    with pytest.raises(NotFound):
        undo_landing(work.path, target="main")
    landing(work)
    work.write("a.txt", "dirty")
    with pytest.raises(CheckoutInTheWay):
        undo_landing(work.path, target="main")
    work.git("commit", "-qam", "On top")
    with pytest.raises(Conflict, match="has moved on"):
        undo_landing(work.path, target="main")


def test_undo_is_refused_once_it_is_published(work: Repo, landing: Landing, tmp_path: Path) -> None:
    with_remote(work, tmp_path)
    landing(work)
    with pytest.raises(Conflict, match="published"):
        undo_landing(work.path, target="main")


def test_recover_has_nothing_to_do_after_a_landing(work: Repo, landing: Landing) -> None:
    landing(work)
    assert recover(work.path) == []
