"""The runner: what its errors say, its time limit, its patience with git's own locks."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from solo_unicorn.missions.errors import TryAgain
from solo_unicorn.worktrees.git import Git, GitError, GitLocked, GitTimeout, environment, identity
from solo_unicorn.worktrees.locks import hold

from .conftest import Repo


def test_an_error_names_path_command_and_remedy(repo: Repo) -> None:
    with pytest.raises(GitError) as caught:
        Git(repo.path).run("switch", "nowhere")
    text = str(caught.value)
    assert str(repo.path) in text and "git switch nowhere" in text and "invalid reference: nowhere" in text
    assert caught.value.todo


def test_a_directory_that_is_gone_is_an_error_and_not_our_own_directory(
    repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repo.path)
    with pytest.raises(GitError, match="cannot change to"):
        Git(repo.path / "gone").run("status")


def test_passwords_in_urls_stay_out_of_errors(repo: Repo) -> None:
    with pytest.raises(GitError) as caught:
        Git(repo.path).run("fetch", "http://me:hunter2@127.0.0.1:1/x.git")
    assert "hunter2" not in str(caught.value) and "hunter2" not in str(caught.value.command)


def test_a_command_that_does_not_end_is_stopped_with_its_children(repo: Repo) -> None:
    repo.git("config", "alias.hang", "!sleep 600")
    with pytest.raises(GitTimeout) as caught:
        Git(repo.path).run("hang", timeout=0.3)
    assert "0.3 s" in caught.value.why


def test_a_lock_of_another_git_is_waited_for(repo: Repo) -> None:
    lock = repo.path / ".git" / "index.lock"
    lock.touch()
    threading.Timer(0.2, lock.unlink).start()
    repo.write("a.txt", "x")
    Git(repo.path).run("add", "a.txt", tries=8)
    assert repo.status() == "A  a.txt"


def test_a_lock_that_stays_says_try_again(repo: Repo) -> None:
    (repo.path / ".git" / "index.lock").touch()
    with pytest.raises(GitLocked) as caught:
        Git(repo.path).run("add", "-A", tries=2)
    assert caught.value.exit_code == 75 and isinstance(caught.value, TryAgain)


def test_git_never_asks_and_speaks_english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    monkeypatch.setenv("GIT_INDEX_FILE", "/elsewhere")
    found = environment()
    assert found["GIT_TERMINAL_PROMPT"] == "0" and found["LC_ALL"] == "C" and "GIT_INDEX_FILE" not in found


def test_the_persons_identity_is_used_when_there_is_one(repo: Repo) -> None:
    assert identity(Git(repo.path)) == {}


def test_without_an_identity_ours_is_named(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    assert identity(Git(repo.path))["GIT_COMMITTER_NAME"] == "Solo Unicorn"


def test_one_holder_of_a_lock_at_a_time(repo: Repo) -> None:
    common = repo.path / ".git"
    with (
        hold(common, "worktrees"),
        pytest.raises(TryAgain, match="Another process holds"),
        hold(common, "worktrees", timeout=0.05),
    ):
        raise AssertionError("two holders")
    with hold(common, "worktrees", timeout=0):
        pass


def test_paths_that_are_not_utf8_come_back_as_they_are(repo: Repo) -> None:
    raw = b"caf\xe9.txt"
    (Path(repo.path) / raw.decode("utf-8", "surrogateescape")).write_text("x")
    [found] = Git(repo.path).list("ls-files", "-z", "--others")
    assert found.encode("utf-8", "surrogateescape") == raw
