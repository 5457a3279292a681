"""The real Codex takes a mission through a stage in a worktree, by our tools, and goes on with its conversation."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from solo_unicorn.agents import launch
from solo_unicorn.config import edit, paths
from solo_unicorn.workspace import operations

from .conftest import Machine
from .scripted_model import Answer, Asked, Failure, Hang, ScriptedModel, Text, Use
from .worker import FILE, facts

pytestmark = [pytest.mark.real_agent, pytest.mark.timeout(300)]

SOLO = "mcp__solo."


def work(asked: Asked) -> Answer | Failure | Hang:
    """Read the mission, write the file by the shell, commit, report."""
    if not asked.calls:
        return [Text("I read my mission first."), Use(f"{SOLO}get_context")]
    mission = facts(asked.calls[0].result[asked.calls[0].result.index("{") :])
    rework = mission.get("review") == "rejected"
    greeting, message = ("Hello, dear world", "Greet more warmly") if rework else ("Hello, world", "Greet the world")
    steps: list[Answer] = [
        [_shell(f"echo '{greeting}' > {FILE}")],
        [_shell(f"git add {FILE} && git commit -q -m '{message}'")],
        [_shell("touch ../../../outside.txt; touch $(git rev-parse --git-common-dir)/hooks/pre-commit; true")],
        [Use(f"{SOLO}complete_stage", {"summary": f"{message}: done.", "to_check": FILE})],
    ]
    place = len(asked.calls) - 1
    return steps[place] if place < len(steps) else [Text("My stage is finished.")]


def _shell(command: str) -> Use:
    return Use("exec_command", {"cmd": command})


@pytest.mark.parametrize("door", ["app_server", "codex"])
def test_it_codes_in_its_worktree_is_rejected_resumed_and_landed(
    codex: Path, machine: Machine, model: ScriptedModel, door: str
) -> None:
    """By its app server, and in its plain mode."""
    if door == "codex":
        edit.set_value("agents.codex.plain_mode", "yes")
    model.script = work
    mission = machine.mission("Greet the world", "Quick fix", "codex")
    machine.start_service()
    coded = machine.in_review(mission, "code")
    worktree = Path(str(coded.worktree_path))
    assert (worktree / FILE).read_text() == "Hello, world\n"
    assert not (machine.repository / FILE).exists()
    branch = str(coded.pr_branch_name)
    assert machine.git("log", "--format=%s", f"main..{branch}").splitlines() == ["Greet the world"]
    first = machine.sessions(mission)[-1]
    started = json.loads((paths.run_dir(first.id) / "launch.json").read_text())
    assert f"{paths.run_dir(first.id)}/mcp.json" in " ".join(started["argv"])
    assert not list(paths.home().rglob("outside.txt"))
    assert not (machine.repository / ".git/hooks/pre-commit").exists()

    machine.workspace.write(operations.review.reject, mission.id, "Greet more warmly, please")
    machine.until(
        mission,
        lambda now: now.review_status == "pending" and now.stage_summary == "Greet more warmly: done.",
        "rework",
    )
    machine.in_review(mission, "code")
    again = machine.sessions(mission)[-1]
    assert again.resumed and again.conversation_id == first.conversation_id
    assert "Greet more warmly, please" in model.asked[-1].prompt
    assert len(model.asked[-1].prompts) == 2, "what was said before is remembered"
    machine.workspace.write(operations.review.approve, mission.id)
    machine.until(mission, lambda now: now.list == "done", "landed")
    assert (machine.repository / FILE).read_text() == "Hello, dear world\n"
    assert [one.outcome for one in machine.sessions(mission)] == ["completed", "completed"]
    assert not list(paths.runs_dir().glob("*/mcp.json")), "no token is left behind"
    assert launch.attach(paths.run_dir(again.id)).parser == door
