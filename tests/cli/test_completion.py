"""Completion: what is suggested, and that the three shells offer it."""

from __future__ import annotations

import os
import pty
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from solo_unicorn.cli.machine import completion, manual
from solo_unicorn.cli.table import COMMANDS
from solo_unicorn.workspace import operations
from solo_unicorn.workspace.workspace import Workspace

from .conftest import Run

DEADLINE = 60.0
LINES = {"mission app": "approve", "mission show M-": "M-2"}
"""What is typed, and what the shell offers then."""


@pytest.fixture
def stocked(run: Run) -> None:
    """Two missions, a project and an actor with a blank in its name."""
    assert run("project", "create", "Shop").code == 0
    for title in ("Retry payments", "It's “done”: $HOME"):
        assert run("mission", "create", title, "-p", "shop").code == 0
    with Workspace.open() as workspace:
        workspace.write(operations.projects.create_actor, "Shop", "Careful tester")


def words(*typed: str) -> list[str]:
    return [word for word, _ in completion.suggestions(typed[:-1], typed[-1])]


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        (("mi",), ["mission"]),
        (("--v",), ["--version"]),
        (("mission", "ap"), ["approve"]),
        (("mission", "move", "M-1", "rev"), ["review"]),
        (("mission", "list", "--re"), ["--ready"]),
        (("mission", "show", "m-"), ["M-2", "M-1"]),
        (("mission", "ready", "M-1", "M-"), ["M-2", "M-1"]),
        (("mission", "create", "x", "--blocked-by", "M-1"), ["M-1"]),
        (("mission", "create", "x", "--flow", "q"), ["Quick fix"]),
        (("mission", "create", "x", "-p", "shop", "--actor", ""), ["Careful tester"]),
        (("-p", ""), ["shop"]),
        (("project", "show", "s"), ["shop"]),
        (("completion", "z"), ["zsh"]),
        (("config", "get", "ui.t"), ["ui.theme"]),
        (("nonsense", ""), []),
        (("mission", "create", "x", "--description", ""), []),
    ],
)
def test_what_may_come_next(stocked: None, typed: tuple[str, ...], found: list[str]) -> None:
    assert [word for word in words(*typed) if not word.startswith("--") or typed[-1].startswith("--")] == found


def test_a_suggestion_says_what_it_is(stocked: None) -> None:
    assert completion.suggestions(("mission", "show"), "M-1") == [("M-1", "Retry payments (todo)")]


def test_without_a_workspace_there_are_still_the_words_of_the_table(home: Path) -> None:
    assert words("mission", "show", "M") == []
    assert set(words("")) >= set(COMMANDS)
    assert not home.joinpath("workspace.db").exists()


@pytest.mark.slow
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_completes(stocked: None, shell: str, tmp_path: Path) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"no {shell} on this machine")
    environ = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "TERM": "xterm"}
    script = tmp_path / "script"
    script.write_text(completion.SCRIPTS[shell])
    if shell == "fish":
        for line, found in {
            "mission ap": "approve",
            "mission show M-": "M-2",
            "mission create x --flow Q": "Quick fix",
        }.items():
            asked = f"source {script}; complete -C 'solo-unicorn {line}'"
            done = subprocess.run([shell, "-c", asked], env=environ, capture_output=True, text=True, check=True)
            assert found in done.stdout, done
        return
    start = {"bash": ["bash", "--norc", "--noprofile", "-i"], "zsh": ["zsh", "-f", "-i"]}[shell]
    load = f"source {script}\n" if shell == "bash" else f"autoload -U compinit; compinit -u -D; source {script}\n"
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvpe(start[0], start, environ)
    said = b""

    def until(wanted: bytes) -> None:
        nonlocal said
        end = time.monotonic() + DEADLINE
        while wanted not in said:
            assert time.monotonic() < end, said
            if select.select([terminal], [], [], 0.1)[0]:
                said += os.read(terminal, 4096)

    os.write(terminal, (load + "PS1='$ '; echo rea''dy\n").encode())
    until(b"ready\r\n")
    for typed, found in {
        "mission app": "approve",
        "mission create x --flow Qu": "Quick\\ fix",
        "mission show M-": "M-2",
    }.items():
        said = b""
        os.write(terminal, f"solo-unicorn {typed}\t\t".encode())
        until(found.encode())
        os.write(terminal, b"\x15")
    os.write(terminal, b"\x15exit\n")
    os.waitpid(pid, 0)
    os.close(terminal)


def test_the_manual_names_every_command_and_option() -> None:
    page = manual.page()
    for noun, (_, verbs) in COMMANDS.items():
        for verb in verbs:
            assert f"solo\\-unicorn {f'{noun} {verb}'.rstrip().replace('-', chr(92) + '-')}" in page
    assert "\\fB\\-\\-priority\\fR" in page and all(line.isascii() for line in page.splitlines())


def test_the_manual_is_read_by_man(tmp_path: Path) -> None:
    if shutil.which("man") is None:
        pytest.skip("no man on this machine")
    page = tmp_path / "solo-unicorn.1"
    page.write_text(manual.page())
    environ = {**os.environ, "MANWIDTH": "100", "LC_ALL": "C.UTF-8"}
    said = subprocess.run(["man", "--warnings", "-l", page], env=environ, capture_output=True, text=True, check=True)
    assert said.stderr == ""
    assert "solo-unicorn mission create TITLE" in said.stdout and "75 try again" in said.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_is_printed_for_the_shell_that_is_named(run: Run, shell: str) -> None:
    printed = run("completion", shell)
    assert printed.code == 0 and "completion suggest" in printed.out
    assert run("completion", "tcsh").code == 2
