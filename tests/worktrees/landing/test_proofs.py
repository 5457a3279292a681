"""What was reviewed is what lands: each proof, against a worktree left in each way that agents leave one."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

import pytest

from solo_unicorn.worktrees.git import Git
from solo_unicorn.worktrees.landing.landing import land
from solo_unicorn.worktrees.landing.proofs import Proven, Unproven, check_reviewed, forget, leftovers, note_reviewed
from solo_unicorn.worktrees.pool.setup_files import excluding, noting

from ..conftest import KilledAt, MakeRepo, Repo
from .landings import OWN, Work, asked_of


@pytest.fixture
def work(make_repo: MakeRepo, tmp_path: Path) -> Work:
    return Work.begun(make_repo(), tmp_path)


def test_work_on_its_own_branch_holds(work: Work) -> None:
    head = work.here.commit("a.txt", "a")
    assert work.prove() == work.prove() == Proven(OWN, head)


def test_a_branch_that_the_agent_made_becomes_the_missions(work: Work) -> None:
    work.here.git("switch", "-qc", "feat/own")
    head = work.here.commit("a.txt", "a")
    proven = work.prove()
    assert (proven.branch, proven.commit) == ("feat/own", head)
    assert "feat/own" in proven.told[0] and OWN in proven.told[0]


def test_a_branch_that_the_agent_renamed_becomes_the_missions(work: Work) -> None:
    work.here.commit("a.txt", "a")
    work.here.git("branch", "-m", "feat/renamed")
    work.here.write("b.txt", "left uncommitted")
    proven = work.prove()
    assert proven.branch == "feat/renamed" and work.main.show(f"{proven.commit}:b.txt") == "left uncommitted"


@pytest.mark.parametrize("deleted", [False, True])
def test_work_on_no_branch_goes_onto_the_missions(work: Work, deleted: bool) -> None:
    work.here.git("switch", "-q", "--detach")
    head = work.here.commit("a.txt", "a")
    if deleted:
        work.here.git("branch", "-qD", OWN)
    assert work.prove().commit == head
    assert work.here.git("symbolic-ref", "--short", "HEAD") == OWN and work.main.head(OWN) == head


@pytest.mark.parametrize("where", [["--detach", "HEAD~1"], ["-c", "looked", "HEAD~1"], ["theirs"]])
def test_a_worktree_left_where_the_agent_looked_goes_back(work: Work, where: list[str]) -> None:
    work.main.git("branch", "theirs", "main")
    work.begin()
    head = work.here.commit("a.txt", "a")
    work.here.git("switch", "-q", *where)
    assert work.prove().commit == head
    assert (work.path / "a.txt").exists() and work.here.git("symbolic-ref", "--short", "HEAD") == OWN


def test_work_on_two_branches_asks_a_person_and_names_both(work: Work) -> None:
    work.here.commit("a.txt", "a")
    work.here.git("switch", "-qc", "second", "HEAD~1")
    work.here.commit("b.txt", "b")
    with pytest.raises(Unproven, match=f"second.*{OWN}") as asked:
        work.prove()
    assert not asked.value.by_agent and "git merge second" in asked.value.todo


def test_a_branch_that_was_there_before_is_not_taken_over(work: Work) -> None:
    work.main.git("branch", "theirs", "main")
    work.begin()
    work.here.git("switch", "-q", "theirs")
    work.here.commit("a.txt", "a")
    with pytest.raises(Unproven, match="theirs"):
        work.prove()


def test_a_history_of_its_own_is_not_taken_for_the_missions(work: Work) -> None:
    work.here.git("switch", "-q", "--orphan", "fresh")
    work.here.commit("a.txt", "a")
    work.here.git("branch", "-qD", OWN)
    with pytest.raises(Unproven, match="fresh"):
        work.prove()


@pytest.mark.parametrize(
    "how",
    [
        [["switch", "-q", "main"], ["commit", "-qm", "on main"]],
        [["commit", "-qm", "work"], ["push", "-q", ".", "HEAD:main"]],
        [["commit", "-qm", "work"], ["branch", "-f", "main", "HEAD"]],
    ],
)
def test_a_target_that_the_session_moved_is_told(work: Work, how: list[list[str]]) -> None:
    work.here.write("a.txt", "a")
    work.here.git("add", "a.txt")
    for command in how:
        work.here.git(*command)
    with pytest.raises(Unproven, match="put a commit on main itself"):
        work.prove()


def test_a_target_that_somebody_else_moved_is_not(work: Work) -> None:
    work.main.git("switch", "-q", "main")
    work.main.commit("theirs.txt", "x")
    work.here.git("merge", "-q", "main")
    work.here.commit("a.txt", "a")
    assert work.prove().branch == OWN


def test_the_same_commit_that_another_mission_landed_was_not_put_there_by_the_session(work: Work) -> None:
    """Two agents make the same change in the same second, so that it is the same commit."""
    head = work.here.commit("a.txt", "a")
    work.main.git("branch", "m2", head)
    land(work.main.path, branch="m2", target="main", strategy="merge", message="M", scratch_root=work.path.parent)
    assert work.prove() == Proven(OWN, head)
    work.here.git("push", "-q", ".", f"{work.here.commit('b.txt', 'b')}:refs/heads/other")
    work.main.git("update-ref", "refs/heads/main", "other")
    assert "main" in str(asked_of(work))


def test_a_target_that_was_moved_back_is_told(work: Work) -> None:
    work.main.git("switch", "-q", "main")
    work.main.commit("theirs.txt", "x")
    work.begin()
    work.main.git("switch", "-q", "mine")
    work.here.git("branch", "-qf", "main", work.base)
    with pytest.raises(Unproven, match="main no longer contains"):
        work.prove()


def test_a_rebase_that_was_left_goes_back_to_the_agent(work: Work) -> None:
    work.here.commit("readme.md", "a")
    work.here.git("switch", "-qc", "other", "HEAD~1")
    work.here.commit("readme.md", "b")
    work.here.git("switch", "-q", OWN)
    work.here.git("rebase", "other", check=False)
    with pytest.raises(Unproven, match="in the middle of a rebase") as asked:
        work.prove()
    assert asked.value.by_agent


@pytest.mark.parametrize("committed", [False, True])
def test_a_repository_inside_goes_back_to_the_agent(work: Work, committed: bool) -> None:
    work.here.git("init", "-q", "inner")
    Repo(work.path / "inner").commit("lost.txt", "x")
    if committed:
        work.here.git("-c", "advice.addEmbeddedRepo=false", "add", "inner")
        work.here.git("commit", "-qm", "inner")
    with pytest.raises(Unproven, match="inner is a separate repository") as asked:
        work.prove()
    assert asked.value.by_agent


def test_a_worktree_that_is_gone_or_another_asks_a_person(work: Work) -> None:
    work.here.commit("a.txt", "a")
    shutil.rmtree(work.path)
    gone = str(asked_of(work))
    assert "is gone" in gone and "start the mission again" in gone and OWN in gone
    work.main.git("init", "-q", str(work.path))
    with pytest.raises(Unproven, match="not a worktree of its repository"):
        work.prove()


def hook(repo: Repo, name: str, text: str) -> None:
    path = repo.path / ".git" / "hooks" / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def test_a_hook_refuses_what_the_agent_left_and_the_agent_is_told_what_it_said(work: Work) -> None:
    hook(
        work.main, "pre-commit", "git diff --cached | grep -q SECRET && echo 'a secret was found' >&2 && exit 1; exit 0"
    )
    work.here.write("config.ini", "SECRET")
    refused = asked_of(work)
    assert refused.by_agent and "A secret was found" in str(refused)
    assert work.here.head() == work.base, "nothing was committed past the hook"
    work.here.write("config.ini", "harmless")
    assert work.main.show(f"{work.prove().commit}:config.ini") == "harmless"


def test_what_a_hook_puts_right_is_committed(work: Work) -> None:
    """As formatters do: change the file, refuse once."""
    hook(work.main, "pre-commit", "grep -q tidy a.txt || { echo tidy >> a.txt; exit 1; }")
    work.here.write("a.txt", "a\n")
    assert work.main.show(f"{work.prove().commit}:a.txt") == "a\ntidy"


def test_a_hook_that_complains_after_the_commit_loses_nothing(work: Work) -> None:
    hook(work.main, "post-commit", "exit 1")
    work.here.write("a.txt", "a")
    assert work.main.show(f"{work.prove().commit}:a.txt") == "a"


def test_hooks_run_in_the_persons_locale(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    hook(work.main, "pre-commit", '[ "$LC_ALL" = C.UTF-8 ]')
    work.here.write("a.txt", "a")
    assert work.prove().commit != work.base


def furnish(work: Work) -> None:
    """A setup script that links node_modules, which `.gitignore` names as a directory, and writes a file."""
    (work.main.path / "node_modules").mkdir()
    with noting(work.path):
        (work.path / "node_modules").symlink_to(work.main.path / "node_modules")
        work.here.write("made [1].txt", "made")


def test_what_the_setup_script_made_is_no_work(work: Work) -> None:
    furnish(work)
    assert work.prove() == Proven(OWN, work.base)
    work.here.write("a.txt", "a")
    assert work.here.git("ls-tree", "-r", "--name-only", work.prove().commit).split() == ["a.txt", "readme.md"]


def test_what_a_setup_script_made_before_it_was_killed_is_no_work(work: Work, killed_at: KilledAt) -> None:
    def killed() -> None:
        with noting(work.path):
            (work.path / "linked").symlink_to(work.main.path)
            os.kill(os.getpid(), signal.SIGKILL)

    assert killed_at(99, killed)
    furnish(work)
    assert work.prove() == Proven(OWN, work.base)


def test_a_file_of_the_setup_script_that_the_agent_changed_is(work: Work) -> None:
    furnish(work)
    work.here.write("made [1].txt", "the agent's")
    assert work.main.show(f"{work.prove().commit}:made [1].txt") == "the agent's"


def test_an_agents_own_add_leaves_it_out_and_a_forced_one_goes_back(
    work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    (work.main.path.parent / "home" / ".config" / "git").mkdir(parents=True)
    (work.main.path.parent / "home" / ".config" / "git" / "ignore").write_text("*.own\n")
    furnish(work)
    with monkeypatch.context() as patched:
        for name, value in excluding(work.path).items():
            patched.setenv(name, value)
        work.here.write("x.own", "ignored by the person's own rules")
        work.here.write("a.txt", "a")
        work.here.git("add", "-A")
        assert work.here.git("diff", "--cached", "--name-only") == "a.txt"
        work.here.git("add", "-f", "node_modules")
        work.here.git("commit", "-qm", "all of it")
    refused = asked_of(work)
    assert refused.by_agent and "node_modules was committed" in str(refused)


def test_line_ends_that_nobody_changed_are_no_work(work: Work) -> None:
    work.here.git("config", "core.autocrlf", "false")
    work.here.commit("dos.txt", b"a\r\nb\r\n")
    work.here.write(".gitattributes", "*.txt text\n")
    work.here.git("add", ".gitattributes")
    work.here.git("commit", "-qm", "Attributes")
    head = work.here.head()
    (work.path / "dos.txt").unlink()
    work.here.git("checkout", "-q", "dos.txt")
    (work.path / "dos.txt").touch()
    assert "dos.txt" in work.here.status(), "git itself shows it as changed"
    assert work.prove().commit == head
    work.here.write("a.txt", "a")
    assert work.here.git("diff", "--name-only", head, work.prove().commit) == "a.txt"


def test_work_that_was_taken_away_after_its_review_is_asked_about_once(work: Work) -> None:
    reviewed = work.here.commit("a.txt", "a")
    git = Git(work.main.path)
    note_reviewed(git, "01M", reviewed)
    work.here.commit("more.txt", "more is fine")
    check_reviewed(git, "01M", OWN)
    work.here.git("reset", "-q", "--hard", work.base)
    work.here.commit("b.txt", "b")
    with pytest.raises(Unproven, match=f"no longer contains {reviewed[:10]}"):
        check_reviewed(git, "01M", OWN)
    check_reviewed(git, "01M", OWN)
    assert work.main.git("for-each-ref", "--contains", reviewed), "what was reviewed is kept"


def test_a_history_put_in_order_is_as_reviewed(work: Work) -> None:
    note_reviewed(Git(work.main.path), "01M", work.here.commit("a.txt", "a"))
    work.here.git("commit", "-q", "--amend", "-m", "said better")
    check_reviewed(Git(work.main.path), "01M", OWN)


def test_what_lies_elsewhere_is_named_and_a_landing_forgets_all_notes(work: Work) -> None:
    work.here.git("switch", "-qc", "aside")
    work.here.commit("a.txt", "a")
    work.here.git("switch", "-q", OWN)
    work.here.write("readme.md", "put away")
    work.here.git("stash", "-q")
    assert leftovers(Git(work.path), work.common, work.claimed) == "aside, refs/stash"
    note_reviewed(Git(work.main.path), "01M", work.base)
    forget(Git(work.main.path), work.common, "01M")
    assert not work.main.git("for-each-ref", "refs/solo-unicorn/reviewed")
    assert leftovers(Git(work.path), work.common, work.claimed) == ""
