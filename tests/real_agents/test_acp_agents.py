"""Real agents over ACP, added by their command line: OpenCode and Gemini CLI code a mission in its worktree."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from solo_unicorn.agents import launch
from solo_unicorn.config import paths
from solo_unicorn.workspace import operations, queries

from .conftest import ASKED_FOR, Machine
from .installing import COPILOT, OPENCODE, QWEN, installed
from .scripted_model import Answer, Asked, Failure, Hang, ScriptedModel, Text, Use
from .worker import FILE, facts

pytestmark = [pytest.mark.real_agent, pytest.mark.timeout(300)]


def worker(machine: Machine) -> Callable[[Asked], Answer | Failure | Hang]:
    """Read the mission, write the file in the worktree and one beside it, commit, report."""

    def work(asked: Asked) -> Answer | Failure | Hang:
        if not asked.calls:
            return [Text("I read my mission first."), Use("solo_get_context")]
        context = asked.calls[0].result
        mission = facts(context[context.index("{") :])
        rework = mission.get("review") == "rejected"
        greeting, message = ("Hello, dear world\n", "Greet warmly") if rework else ("Hello, world\n", "Greet")
        beside: list[Answer] = [[Use("write", {"filePath": f"{machine.repository}/outside.txt", "content": "no"})]]
        steps: list[Answer] = [
            [Use("bash", {"command": f"git status --short {FILE}", "description": "Look"})],
            [Use("read", {"filePath": f"{mission['worktree']}/{FILE}"})],
            [Use("write", {"filePath": f"{mission['worktree']}/{FILE}", "content": greeting})],
            *([] if "refused" in asked.prompt else beside),
            [Use("bash", {"command": f"git add {FILE}", "description": "Stage"})],
            [Use("bash", {"command": f"git commit -m '{message}'", "description": "Commit"})],
            [Use("solo_complete_stage", {"summary": f"{message}: done.", "to_check": FILE})],
        ]
        place = len(asked.calls) - 1
        return steps[place] if place < len(steps) else [Text("My stage is finished.")]

    return work


def test_opencode_codes_a_mission_is_rejected_and_goes_on_with_its_conversation(
    home: Path, tmp_path: Path, machine: Machine, model: ScriptedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = installed(OPENCODE, ASKED_FOR)
    for name in [name for name in os.environ if name.startswith(("ANTHROPIC", "OPENCODE", "XDG_"))]:
        monkeypatch.delenv(name)
    options = {"baseURL": f"{model.url}/v1", "apiKey": "scripted"}
    provider = {"provider": {"anthropic": {"options": options}}, "model": "anthropic/claude-sonnet-4-5"}
    asks = {"permission": {"edit": "ask", "bash": "ask", "external_directory": "ask"}}
    own = tmp_path / "opencode"
    for name, value in {
        "OPENCODE_CONFIG_CONTENT": json.dumps(provider | asks),
        "OPENCODE_DISABLE_MODELS_FETCH": "1",
        "OPENCODE_DISABLE_AUTOUPDATE": "1",
        "OPENCODE_DISABLE_DEFAULT_PLUGINS": "1",
        "XDG_CONFIG_HOME": str(own),
        "XDG_DATA_HOME": str(own / "data"),
        "XDG_CACHE_HOME": str(own / "cache"),
        "XDG_STATE_HOME": str(own / "state"),
    }.items():
        monkeypatch.setenv(name, value)
    model.script = worker(machine)
    added = subprocess.run(
        [sys.executable, "-P", "-m", "solo_unicorn", "agent", "add", "oc", "--acp", f"{program} acp"],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert added.returncode == 0, added.stderr
    mission = machine.mission("Greet the world", "Quick fix", "oc")
    machine.start_service()
    coded = machine.in_review(mission, "code")
    worktree = Path(str(coded.worktree_path))
    assert (worktree / FILE).read_text() == "Hello, world\n"
    assert not (machine.repository / "outside.txt").exists()
    branch = str(coded.pr_branch_name)
    assert machine.git("log", "--format=%s", f"main..{branch}").splitlines() == ["Greet"]
    first = machine.sessions(mission)[-1]
    assert any("is outside the worktree. Nothing else is wrong" in asked.prompt for asked in model.asked)
    assert launch.attach(paths.run_dir(first.id)).parser == "acp"

    machine.workspace.write(operations.review.reject, mission.id, "Greet more warmly, please")
    machine.until(
        mission, lambda now: now.review_status == "pending" and now.stage_summary == "Greet warmly: done.", "rework"
    )
    machine.in_review(mission, "code")
    again = machine.sessions(mission)[-1]
    assert again.resumed and again.conversation_id == first.conversation_id
    assert len(model.asked[-1].prompts) >= 2, "what was said before is remembered"
    machine.workspace.write(operations.review.approve, mission.id)
    machine.until(mission, lambda now: now.list == "done", "landed")
    assert (machine.repository / FILE).read_text() == "Hello, dear world\n"


SOLO = ("mcp__solo__get_context", "mcp__solo__complete_stage")


def test_qwen_codes_a_mission_is_rejected_and_goes_on_with_its_conversation(
    home: Path, tmp_path: Path, machine: Machine, model: ScriptedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = installed(QWEN, ASKED_FOR)
    for name in [name for name in os.environ if name.startswith(("OPENAI", "QWEN", "DASHSCOPE", "GEMINI"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("OPENAI_API_KEY", "scripted")
    monkeypatch.setenv("OPENAI_BASE_URL", f"{model.url}/v1")
    monkeypatch.setenv("OPENAI_MODEL", "scripted")

    def work(asked: Asked) -> Answer | Failure | Hang:
        if SOLO[0] not in asked.tools:  # it offers the tools of servers only to who looks for them
            return [Use("tool_search", {"query": f"select:{','.join(SOLO)}"})]
        calls = [call for call in asked.calls if call.tool != "tool_search"]
        if not calls:
            return [Text("I read my mission first."), Use(SOLO[0])]
        context = calls[0].result
        mission = facts(context[context.index("{") :])
        rework = mission.get("review") == "rejected"
        greeting, message = ("Hello, dear world\n", "Greet warmly") if rework else ("Hello, world\n", "Greet")
        path = f"{mission['worktree']}/{FILE}"
        stage, commit = f"git add {FILE}", f"git commit -m '{message}'"
        reads: list[Answer] = [[Use("read_file", {"file_path": path})]] if rework else []
        steps: list[Answer] = [
            *reads,
            [Use("write_file", {"file_path": path, "content": greeting})],
            [Use("run_shell_command", {"command": stage, "is_background": False, "description": "Stage"})],
            [Use("run_shell_command", {"command": commit, "is_background": False, "description": "Commit"})],
            [Use(SOLO[1], {"summary": f"{message}: done.", "to_check": FILE})],
        ]
        place = len(calls) - 1
        return steps[place] if place < len(steps) else [Text("My stage is finished.")]

    model.script = work
    mission = machine.mission("Greet the world", "Quick fix", "qwen")
    machine.start_service()
    coded = machine.in_review(mission, "code")
    assert (Path(str(coded.worktree_path)) / FILE).read_text() == "Hello, world\n"
    first = machine.sessions(mission)[-1]
    machine.workspace.write(operations.review.reject, mission.id, "Greet more warmly, please")
    machine.until(
        mission, lambda now: now.review_status == "pending" and now.stage_summary == "Greet warmly: done.", "rework"
    )
    machine.in_review(mission, "code")
    again = machine.sessions(mission)[-1]
    assert again.resumed and again.conversation_id == first.conversation_id
    machine.workspace.write(operations.review.approve, mission.id)
    machine.until(mission, lambda now: now.list == "done", "landed")
    assert (machine.repository / FILE).read_text() == "Hello, dear world\n"


def test_copilot_without_an_account_is_found_signed_out(
    home: Path, tmp_path: Path, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = installed(COPILOT, ASKED_FOR)
    for name in ("GH_TOKEN", "GITHUB_TOKEN", "COPILOT_GITHUB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    mission = machine.mission("Greet the world", "Quick fix", "copilot")
    machine.start_service()
    machine.until(mission, lambda now: machine.sessions(mission) and machine.sessions(mission)[0].outcome, "ended")
    assert machine.sessions(mission)[0].outcome == "auth_failed"
    held = machine.until(mission, lambda now: now.agent_session_status == "INACTIVE", "held")
    assert "copilot is signed in again" in str(
        machine.workspace.read(queries.sessions.why_not, held.id, now=machine.workspace.now())
    )
