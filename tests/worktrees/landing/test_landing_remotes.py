"""Landings with a remote, and what they do beside the merge itself."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from solo_unicorn.missions.errors import Conflict, InvalidValue, NotFound
from solo_unicorn.worktrees.git import GitError
from solo_unicorn.worktrees.landing.building import CheckFailed
from solo_unicorn.worktrees.landing.checkout import CheckoutInTheWay
from solo_unicorn.worktrees.landing.landing import Landed, PushRefused
from solo_unicorn.worktrees.landing.recovery import recover, undo_landing

from ..conftest import Landing, Repo
from .landings import leaves_nothing, with_remote


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
    with pytest.raises(PushRefused, match="Main is protected"):
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
    with pytest.raises(GitError, match="No ticket"):
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
        "rebase.backend=apply",
        "core.logAllRefUpdates=false",
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
