"""The real Claude Code wants to run a command on a mission: the inbox has it, a person answers, the mission goes on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from solo_unicorn.workspace import queries

from .conftest import Machine
from .scripted_model import Answer, Asked, Failure, Hang, ScriptedModel, Text, Use
from .worker import FILE, facts

pytestmark = [pytest.mark.real_agent, pytest.mark.timeout(300)]

BUILD = f"python3 -c \"open('{FILE}', 'w').write('built')\""


def builder(asked: Asked) -> Answer | Failure | Hang:
    """Read the mission, run a command that nobody allowed beforehand, commit, report."""
    if not asked.calls:
        return [Use("mcp__solo__get_context")]
    facts(asked.calls[0].result)
    steps: list[Answer] = [
        [Use("Bash", {"command": BUILD, "description": "Build"})],
        [Use("Bash", {"command": f"git add {FILE}", "description": "Stage"})],
        [Use("Bash", {"command": "git commit -m Built", "description": "Commit"})],
        [
            Use(
                "mcp__solo__complete_stage",
                {"summary": asked.calls[1].result[:60] if len(asked.calls) > 1 else "?", "to_check": FILE},
            )
        ],
    ]
    place = len(asked.calls) - 1
    return steps[place] if place < len(steps) else [Text("My stage is finished.")]


def cli(*arguments: str) -> str:
    """The command line, as a person uses it."""
    done = subprocess.run(
        [sys.executable, "-P", "-m", "solo_unicorn", *arguments], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_person_allows_a_command_from_the_inbox_and_a_rule_answers_the_next_one(
    claude: Path, machine: Machine, model: ScriptedModel
) -> None:
    model.script = builder
    first = machine.mission("Build it", "Quick fix")
    machine.start_service()
    machine.until(first, lambda _: machine.workspace.read(queries.inbox.items), "it asks")
    [asked] = machine.workspace.read(queries.inbox.items)
    assert (asked.tool, asked.input["command"]) == ("Bash", BUILD)
    assert "Bash" in cli("inbox", "list")
    cli("inbox", "answer", str(asked.id), "allow", "--always")
    done = machine.in_review(first, "code")
    assert (Path(str(done.worktree_path)) / FILE).read_text() == "built"

    second = machine.mission("Build it again", "Quick fix")
    built = machine.in_review(second, "code")
    assert (Path(str(built.worktree_path)) / FILE).read_text() == "built", "the rule answered; nobody was asked"
    assert machine.workspace.read(queries.inbox.items) == []


def writer(asked: Asked) -> Answer | Failure | Hang:
    """Write where a rule forbids it, then where nothing does, commit, report."""
    if not asked.calls:
        return [Use("mcp__solo__get_context")]
    worktree = facts(asked.calls[0].result)["worktree"]
    steps: list[Answer] = [
        [Use("Write", {"file_path": f"{worktree}/migrations/1.sql", "content": "drop table users"})],
        [Use("Write", {"file_path": f"{worktree}/{FILE}", "content": "written"})],
        [Use("Bash", {"command": f"git add {FILE}", "description": "Stage"})],
        [Use("Bash", {"command": "git commit -m Written", "description": "Commit"})],
        [
            Use(
                "mcp__solo__complete_stage",
                {"summary": asked.calls[1].result[:200] if len(asked.calls) > 1 else "?", "to_check": FILE},
            )
        ],
    ]
    place = len(asked.calls) - 1
    return steps[place] if place < len(steps) else [Text("My stage is finished.")]


def test_a_rule_that_denies_a_path_holds_for_edits_that_nobody_is_asked_about(
    claude: Path, machine: Machine, model: ScriptedModel
) -> None:
    model.script = writer
    cli("inbox", "rule", "deny", "*", "migrations/*")
    mission = machine.mission("Write it", "Quick fix")
    machine.start_service()
    done = machine.in_review(mission, "code")
    worktree = Path(str(done.worktree_path))
    assert (worktree / FILE).read_text() == "written", "the rest of the worktree is writable, unasked"
    assert not (worktree / "migrations").exists()
    assert "rule of the project denies it" in str(done.stage_summary)
    assert machine.workspace.read(queries.inbox.items) == []
