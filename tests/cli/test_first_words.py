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


def test_a_project_is_not_made_for_a_repository_that_cannot_be_used(run: Run, bare: Path) -> None:
    assert run("project", "create", "Young", "--repo", str(bare)).code == 2
    assert run("project", "list", "-q").out == ""
    assert run("project", "create", "Young", "--repo", str(bare), "--first-commit").code == 0
    assert run("repo", "list", "-q").out == "young\n"
