"""How turns of an agent over ACP end, and how one is added."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solo_unicorn.agents import catalogue
from solo_unicorn.agents.acp.rules import DENIED, inside, keeps_records, placed, ruling
from solo_unicorn.agents.session_host.processes import identify
from solo_unicorn.config import paths
from solo_unicorn.missions.rules.permissions import PermissionRule

from ..conftest import eventually
from .acp_turns import AGENT, Begin


def test_a_persons_words_and_the_interrupt_reach_it(begin: Begin) -> None:
    one = begin("wait")
    eventually(lambda: "waiting" in "".join(one.lines()), "it waits")
    one.handle.interrupt()
    eventually(lambda: [line for line in one.lines() if '"cancelled"' in line], "its turn is broken off")
    one.handle.say("and on")
    assert one.judged().outcome == "completed"
    assert "and on" in "".join(one.lines())


@pytest.mark.parametrize(
    ("prompt", "outcome", "reason"),
    [
        ("limit", "rate_limited", "usage limit"),
        ("decline", "failed", "the model stopped: refusal"),
        ("die", "failed", "it ended in the middle of a turn"),
    ],
)
def test_how_a_turn_may_end(begin: Begin, prompt: str, outcome: str, reason: str) -> None:
    found = begin(prompt).judged()
    assert found.outcome == outcome and reason in found.reason


def test_a_refusal_that_it_only_logs_is_told(begin: Begin) -> None:
    one = begin("grumble")
    assert one.judged().outcome == "completed"
    eventually(lambda: [line for line in one.lines() if '"retrying"' in line], "its log was read")


def test_an_agent_that_is_signed_out_says_so(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECHO_SIGNED_OUT", "1")
    assert begin("Hello").judged().outcome == "auth_failed"


@pytest.mark.slow
def test_modes_are_set_and_wrong_ones_are_named(begin: Begin, state: Path) -> None:
    assert begin("Hello", permission_mode="code").judged().outcome == "completed"
    assert (state / "mode").read_text() == "code"
    found = begin("Hello", permission_mode="fly").judged()
    assert found.outcome == "failed" and "no mode 'fly' (it has ask, code)" in found.reason
    assert "its model cannot be set to 'big'" in begin("Hello", model="big").judged().reason


@pytest.mark.slow
def test_stopped_it_ends_with_all_it_started(begin: Begin) -> None:
    one = begin("wait")
    eventually(lambda: "waiting" in "".join(one.lines()), "it waits")
    agent = one.handle.status()["agent_pid"]
    one.handle.stop(grace=5)
    assert one.judged().outcome == "cancelled"
    assert identify(int(str(agent))) is None


@pytest.mark.slow
def test_a_program_that_speaks_something_else_is_told(tmp_path: Path) -> None:
    check = [sys.executable, "-P", "-m", "solo_unicorn.agents.acp", "--check", "--"]
    ours = [*check, sys.executable, str(AGENT)]
    well = subprocess.run(ours, capture_output=True, text=True, timeout=60, cwd=tmp_path)
    assert (well.returncode, well.stdout) == (0, "echo 1.2.3\n")
    wrong = subprocess.run([*check, "/bin/echo", "hello"], capture_output=True, text=True, timeout=60, cwd=tmp_path)
    assert wrong.returncode == 1 and wrong.stderr and "Traceback" not in wrong.stderr


@pytest.mark.slow
def test_one_is_added_by_its_command_line(home: Path, state: Path) -> None:
    def add(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-P", "-m", "solo_unicorn", "agent", "add", name, "--acp", *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=120)

    line = shlex.join([sys.executable, str(AGENT), str(state)])
    added = add("parrot", line)
    assert added.returncode == 0 and "parrot added: ready" in added.stdout, added.stdout + added.stderr
    entry = catalogue.load(own=paths.agents_dir())["parrot"]
    assert (entry.transport, entry.binaries) == ("acp", (sys.executable,))
    assert entry.turn.arguments == (str(AGENT), str(state))
    assert "echo 1.2.3" in (paths.agents_dir() / "parrot.toml").read_text()
    for refused, code, words in (
        (add("parrot", line), 4, "already"),
        (add("claude", line), 4, "already in the catalogue"),
        (add("other", "/bin/echo hello"), 2, "does not speak ACP"),
        (add("other", "/no/such --acp"), 3, "no program"),
        (add("other", "an 'open quote"), 2, "is not a valid command line"),
        (add("other", line, "--type", "claude"), 2, "whole command line"),
    ):
        assert refused.returncode == code and words in refused.stderr, refused.stderr
    assert not (paths.agents_dir() / "other.toml").exists()


def test_an_entry_over_acp_needs_a_command_line_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text('title = "Mine"\ntransport = "acp"\nbinaries = ["mine"]\n')
    found = catalogue.read(tmp_path / "mine.toml")
    assert (found.parser, found.turn.prompt, found.turn.mcp_format) == ("acp", "claude", "plain")


@pytest.mark.parametrize(
    ("command", "allowed"),
    [
        ("git add a.txt", True),
        ("git commit -m 'It is done'", True),
        (["git", "status"], True),
        ("git commit -m x && rm -rf /", False),
        ("git -c core.pager=evil log", False),
        ("git push", False),
        ("git diff --output=/etc/passwd", False),
        ("git log $(evil)", False),
        ("git add a\nrm b", False),
        ("git", False),
        ("", False),
        ("git commit -m 'open", False),
        ("bash -c 'git add'", False),
    ],
)
def test_which_commands_are_gits_own_record_keeping(command: str | list[str], allowed: bool) -> None:
    assert keeps_records(command) is allowed


def test_our_own_tools_are_allowed_by_name_and_kind_alone(tmp_path: Path) -> None:
    for title in ("mcp__solo__get_context", "solo_get_context", "get_context (solo MCP Server)"):
        assert ruling({"toolCallId": "1", "kind": "other", "title": title}, tmp_path).allowed, title
        assert not ruling({"toolCallId": "1", "kind": "execute", "title": title}, tmp_path).allowed
    assert not ruling({"title": "solo_x; rm -rf /"}, tmp_path).allowed
    assert not ruling({"kind": "other", "title": "solo_x", "rawInput": {"command": "ls"}}, tmp_path).allowed
    assert not ruling({"kind": "edit", "title": "Edit"}, tmp_path).allowed, "no path, no leave"


@given(st.text(max_size=40))
def test_what_is_inside_stays_inside(text: str) -> None:
    root = Path(os.sep) / "solo-unicorn-no-such" / "worktree"
    if inside(text, root):
        assert os.path.normpath(root / text).startswith(str(root))


def test_relative_paths_are_meant_from_the_folder_in_which_an_agent_started(tmp_path: Path) -> None:
    start = tmp_path / "packages" / "app"
    start.mkdir(parents=True)
    rule = PermissionRule(1, "p", "Edit", "packages/app/secret/**", datetime(2026, 5, 4, tzinfo=UTC), "deny", True)
    call: Any = {"kind": "edit", "locations": [{"path": "secret/key"}], "rawInput": {"path": "../lib/x", "n": 1}}
    whole = placed(call, start)
    assert whole["rawInput"] == {"path": str(start / "../lib/x"), "n": 1}
    assert ruling(whole, tmp_path, [rule]).reason == DENIED
    assert ruling(placed({"kind": "edit", "locations": [{"path": "../lib/x"}]}, start), tmp_path, [rule]).allowed
    assert not ruling(placed({"kind": "edit", "locations": [{"path": "../../../x"}]}, start), tmp_path).allowed
