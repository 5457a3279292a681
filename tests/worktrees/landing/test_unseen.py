"""What no diff shows: hidden changes, replaced objects, a target that was moved where no log has it."""

from __future__ import annotations

from pathlib import Path

import pytest

from solo_unicorn.worktrees.git import Git
from solo_unicorn.worktrees.landing.proofs import note_told
from solo_unicorn.worktrees.pool.hidden import hidden
from solo_unicorn.worktrees.pool.setup_files import noting

from ..conftest import MakeRepo
from .landings import Work, asked_of

MARKS = ("--assume-unchanged", "--skip-worktree")


@pytest.fixture
def work(make_repo: MakeRepo, tmp_path: Path) -> Work:
    return Work.begun(make_repo(), tmp_path)


@pytest.mark.parametrize("mark", MARKS)
def test_a_change_that_git_was_told_not_to_look_at_goes_back_to_the_agent(work: Work, mark: str) -> None:
    work.here.git("update-index", mark, "readme.md")
    work.here.commit("a.txt", "a")
    assert work.prove(), "the mark alone hides nothing"
    work.here.write("readme.md", "hidden")
    refused = asked_of(work)
    assert refused.by_agent and "readme.md is hidden from git" in str(refused)
    work.here.git("update-index", mark.replace("--", "--no-"), "readme.md")
    assert work.main.show(f"{work.prove().commit}:readme.md") == "hidden"


@pytest.mark.parametrize("mark", MARKS)
def test_what_the_setup_script_hides_is_no_work_of_the_agents(work: Work, mark: str) -> None:
    with noting(work.path):
        work.here.write("readme.md", "for this machine")
        work.here.git("update-index", mark, "readme.md")
    assert work.prove().commit == work.base
    work.here.write("readme.md", "of the agent now")
    assert asked_of(work).by_agent


def test_links_and_deleted_files_are_compared_as_git_has_them(work: Work) -> None:
    (work.path / "link").symlink_to("readme.md")
    work.here.commit("gone.txt", "gone")
    work.here.git("update-index", "--assume-unchanged", "link", "gone.txt", "readme.md")
    assert hidden(work.path) == set()
    (work.path / "gone.txt").unlink()
    (work.path / "link").unlink()
    (work.path / "link").symlink_to("gone.txt")
    assert hidden(work.path) == {"link", "gone.txt"} and hidden(work.path, {"link"}) == {"link"}


def test_an_object_shown_in_place_of_another_goes_back_to_the_agent(work: Work) -> None:
    shown = work.here.commit("a.txt", "harmless")
    work.here.write("a.txt", "harmful")
    work.here.git("commit", "-qa", "--amend", "-m", "a")
    committed = work.here.head()
    work.here.git("replace", committed, shown)
    assert work.here.show("HEAD:a.txt") == "harmless"
    refused = asked_of(work)
    assert refused.by_agent and committed[:10] in str(refused)
    work.here.git("replace", "-d", committed)
    assert work.prove().commit == committed


@pytest.mark.parametrize("how", ["plumbing", "the logs deleted", "a worktree that is gone again"])
def test_commits_on_the_target_that_no_checkout_made_are_told_once(work: Work, how: str) -> None:
    if how == "plumbing":
        made = work.here.git("commit-tree", "-p", "main", "-m", "Sneaked", "main^{tree}")
        work.here.git("update-ref", "refs/heads/main", made)
    elif how == "the logs deleted":
        work.here.git("switch", "-q", "main")
        work.here.commit("a.txt", "a")
        work.here.git("switch", "-q", "-")
        work.here.git("reflog", "expire", "--expire=now", "--all")
    else:
        other = work.path.with_name("other")
        work.here.git("worktree", "add", "-q", str(other), "main")
        work.here.git("commit", "-q", "--allow-empty", "-m", "Elsewhere", cwd=other)
        work.here.git("worktree", "remove", str(other))
    assert "main got a commit while the agent worked" in str(asked_of(work))
    note_told(Git(work.main.path), work.common, "01M")
    assert work.prove()


def test_a_persons_commits_on_the_target_are_their_own(work: Work, tmp_path: Path) -> None:
    work.main.git("switch", "-q", "main")
    for number in range(3):
        work.main.commit("theirs.txt", str(number))
    assert work.prove(), "in their checkout"
    work.main.git("clone", "-q", "--bare", ".", str(tmp_path / "origin.git"))
    work.main.git("remote", "add", "origin", str(tmp_path / "origin.git"))
    work.main.git("switch", "-q", "mine")
    theirs = work.main.git("commit-tree", "-p", "main", "-m", "Pushed", "main^{tree}")
    work.main.git("push", "-q", "origin", f"{theirs}:refs/heads/main")
    work.main.git("fetch", "-q", "origin", "main:main")
    assert work.main.head("main") == theirs and work.prove(), "fetched"


def test_nothing_is_said_where_the_persons_checkout_keeps_no_log(work: Work) -> None:
    work.main.git("config", "core.logAllRefUpdates", "false")
    (work.common / "logs" / "HEAD").unlink()
    work.main.git("switch", "-q", "main")
    work.main.commit("theirs.txt", "x")
    assert work.prove()


def test_what_an_agent_makes_is_logged_whatever_the_persons_setting(make_repo: MakeRepo, tmp_path: Path) -> None:
    """Worktrees of ours are made with a log of HEAD; git goes on with one that is there."""
    repo = make_repo()
    repo.git("config", "core.logAllRefUpdates", "false")
    Git(repo.path).run("worktree", "add", "-q", "-b", "m1", str(tmp_path / "m1"))
    repo.git("commit", "-q", "--allow-empty", "-m", "Made", cwd=tmp_path / "m1")
    assert "Made" in (repo.path / ".git" / "worktrees" / "m1" / "logs" / "HEAD").read_text()


def test_a_file_that_git_does_not_take_goes_back_to_the_agent(work: Work) -> None:
    work.here.git("config", "filter.broken.clean", "false")
    work.here.git("config", "filter.broken.required", "true")
    work.here.write(".gitattributes", "*.broken filter=broken\n")
    work.here.write("a.broken", "x")
    refused = asked_of(work)
    assert refused.by_agent and "a.broken" in str(refused)
