"""The first commands on a machine, as programs of their own in a fresh home where nothing was prepared."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import Run

Program = Callable[..., "subprocess.CompletedProcess[str]"]
DEADLINE = 90.0


@pytest.fixture
def bare(tmp_path: Path, home: Path) -> Path:
    """A git repository without a commit, with a file that is staged."""
    path = tmp_path / "young"
    subprocess.run(["git", "init", "-q", "-b", "main", str(path)], check=True)
    (path / "notes.md").write_text("mine\n")
    subprocess.run(["git", "-C", str(path), "add", "."], check=True)
    return path


def git(path: Path, *words: str) -> str:
    return subprocess.run(["git", "-C", str(path), *words], check=True, capture_output=True, text=True).stdout.strip()


@pytest.mark.slow
def test_a_mission_of_the_first_commands_runs(program: Program, repository: Path) -> None:
    """Nobody has looked for agents when the mission names one, and the service looks at its first start too."""
    words = ("mission", "create", "Retry payments", "--agent", "rehearsal", "--ready", "--flow", "Quick fix")
    for command in (("project", "create", "demo"), ("repo", "add", "."), words):
        done = program(*command, cwd=repository)
        assert done.returncode == 0, done.stderr
    assert program("workstation", "start", "--background").returncode == 0
    try:
        end = time.monotonic() + DEADLINE
        while True:
            shown = json.loads(program("mission", "show", "M-1", "--json").stdout)["data"]
            if shown.get("reviewStatus") == "pending":
                break
            assert time.monotonic() < end, shown
            time.sleep(0.2)
    finally:
        program("workstation", "stop", "--force")


def test_agents_are_looked_for_once_and_a_second_look_leaves_them(run: Run, project: str) -> None:
    assert run("mission", "create", "One", "--agent", "rehearsal").code == 0
    assert run("mission", "ready", "M-1").out.startswith("M-1 is ready: No repository: ")
    assert "No repository" in run("mission", "queue").out
    assert "No repository" in run("mission", "show", "M-1").out
    assert "no repository" in run("mission", "list").out


def test_a_repository_without_a_commit_is_offered_its_first(
    run: Run, bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(bare)
    made = run("project", "create", "Young")
    assert made.code == 0 and "no commit yet: `solo-unicorn repo add -p young --first-commit`" in made.err
    assert run("mission", "create", "Early", "--ready").code == 0
    refused = run("repo", "add", ".")
    assert refused.code == 2 and "--first-commit" in refused.err
    assert run("repo", "list", "-q").out == ""
    assert run("repo", "add", ".", "--first-commit").code == 0
    assert git(bare, "log", "--format=%s") == "Start"
    assert git(bare, "ls-tree", "HEAD") == "" and git(bare, "status", "--porcelain") == "A  notes.md"
    early = run("mission", "show", "M-1", "--json").data
    assert early["projectRepositoryId"] and early["targetBranch"] == "main"  # the first repository takes it in


def test_a_person_at_a_terminal_is_asked(home: Path, bare: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "solo_unicorn", "project", "create", "Young"], check=True, capture_output=True
    )
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "solo_unicorn", "repo", "add", str(bare)]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=dict(os.environ)) as asked:
        os.close(theirs)
        said = b""
        while b"[y/N]" not in said:
            said += os.read(ours, 1024)
        os.write(ours, b"y\n")
        assert asked.wait(60) == 0
    os.close(ours)
    assert git(bare, "log", "--format=%s") == "Start"


@pytest.mark.parametrize("wrong", [("--flow", "Standrd"), ("--agent", "clod"), ("--blocked-by", "M-9")])
def test_no_project_is_made_for_a_mission_that_is_refused(
    run: Run, repository: Path, monkeypatch: pytest.MonkeyPatch, wrong: tuple[str, str]
) -> None:
    monkeypatch.chdir(repository)
    assert run("mission", "create", "Early", *wrong).code == 3
    assert run("project", "list", "-q").out == ""


def test_a_project_is_not_made_for_a_repository_that_cannot_be_used(run: Run, bare: Path) -> None:
    assert run("project", "create", "Young", "--repo", str(bare)).code == 2
    assert run("project", "list", "-q").out == ""
    assert run("project", "create", "Young", "--repo", str(bare), "--first-commit").code == 0
    assert run("repo", "list", "-q").out == "young\n"


def test_the_very_first_command_makes_the_project_of_this_repository(
    run: Run, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repository)
    made = run("mission", "create", "Retry payments", "--agent", "rehearsal", "--json")
    assert made.code == 0 and f"{repository} is linked to it" in made.err
    (linked,) = run("repo", "list", "--json").data
    assert made.data["projectRepositoryId"] == linked["id"] and linked["localPath"] == str(repository)
    assert run("mission", "create", "Another").err == ""
    assert run("project", "list", "-q").out == f"{repository.name}\n"


def test_the_first_command_outside_of_a_repository_says_what_to_do(
    run: Run, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    refused = run("mission", "create", "Where?")
    assert refused.code == 3 and "`solo-unicorn project create NAME`" in refused.err


def test_repo_add_is_a_first_command_too(run: Run, repository: Path) -> None:
    added = run("repo", "add", str(repository))
    assert added.code == 0 and "the first on this machine" in added.err
    assert run("repo", "list", "-q").out == f"{repository.name}\n"


def test_an_empty_repository_is_asked_about_once_and_linked_with_its_commit(home: Path, bare: Path) -> None:
    ours, theirs = pty.openpty()
    create = [sys.executable, "-m", "solo_unicorn", "mission", "create"]
    with subprocess.Popen([*create, "Early"], stdin=theirs, stdout=theirs, stderr=theirs, cwd=bare) as asked:
        os.close(theirs)
        said = b""
        while b"[y/N]" not in said:
            said += os.read(ours, 1024)
        os.write(ours, b"n\n")
        assert asked.wait(60) == 0
    os.close(ours)
    ours, theirs = pty.openpty()  # a terminal again, and nobody answers
    again = subprocess.run([*create, "Later"], stdin=theirs, stdout=theirs, stderr=theirs, cwd=bare, timeout=60)
    os.close(theirs)
    assert again.returncode == 0 and b"[y/N]" not in os.read(ours, 4096)
    os.close(ours)
    git(bare, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "-m", "mine")
    listed = [sys.executable, "-m", "solo_unicorn", "repo", "list", "-q"]
    assert subprocess.run(listed, cwd=bare, capture_output=True, text=True).stdout == "young\n"


def test_repo_add_of_an_empty_repository_is_done_by_itself_with_the_first_commit(run: Run, bare: Path) -> None:
    refused = run("repo", "add", str(bare))
    assert refused.code == 2 and "it will be linked to young by itself" in refused.err
    git(bare, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "-m", "mine")
    assert run("repo", "list", "-q").out == "young\n"
    assert run("repo", "remove", "young").code == 0
    assert run("repo", "list", "-q").out == ""


@pytest.mark.slow
def test_the_service_links_it_when_the_commit_is_there(program: Program, bare: Path) -> None:
    assert program("mission", "create", "Early", "--ready", "--flow", "Quick fix", cwd=bare).returncode == 0
    assert program("workstation", "start", "--background").returncode == 0
    try:
        git(bare, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "-m", "mine")
        end = time.monotonic() + DEADLINE
        while not json.loads(program("mission", "show", "M-1", "--json").stdout)["data"].get("projectRepositoryId"):
            assert time.monotonic() < end
            time.sleep(0.2)
    finally:
        program("workstation", "stop", "--force")
