"""Gemini CLI and OpenCode by their default door, ACP: found by the scan, nothing set but a key, course by course."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from solo_unicorn.agents import launch, transcript
from solo_unicorn.config import edit, paths
from solo_unicorn.missions.entities import Session
from solo_unicorn.workspace import operations, queries

from .conftest import ASKED_FOR, Machine
from .installing import GEMINI, OPENCODE, Package, installed
from .scripted_model import Answer, Asked, Failure, Hang, Script, ScriptedModel, Text, Use
from .worker import FILE, work_on_a_mission

pytestmark = [pytest.mark.real_agent, pytest.mark.timeout(300)]


@dataclass(frozen=True)
class Door:
    """What one agent calls its tools, and how a person has set it up."""

    package: Package
    solo: str
    tools: dict[str, tuple[str, dict[str, str]]]
    """By the worker's name of a tool: the agent's, and its names of the arguments."""
    environment: Callable[[Path, str], dict[str, str]]
    model: str
    """One that asks no other model first; empty: its own default."""

    def script(self, work: Script) -> Script:
        """A script in the worker's words, as this agent's model says it."""

        def spoken(asked: Asked) -> Answer | Failure | Hang:
            calls = tuple(replace(call, result=_plain(call.result)) for call in asked.calls)
            answer = work(replace(asked, calls=calls))
            if not isinstance(answer, list):
                return answer
            return [self._use(part) if isinstance(part, Use) else part for part in answer]

        return spoken

    def _use(self, part: Use) -> Use:
        if part.tool not in self.tools:
            return Use(part.tool.replace("mcp__solo__", self.solo), part.arguments)
        name, names = self.tools[part.tool]
        return Use(name, {names.get(key, key): value for key, value in part.arguments.items()})


def _plain(result: str) -> str:
    """A tool's words, without what an agent wraps them in."""
    try:
        match json.loads(result):
            case {"output": str() as text}:
                result = text
    except ValueError:
        pass
    return result[result.index("{") :] if "{" in result and not result.startswith("{") else result


def _opencode(own: Path, url: str) -> dict[str, str]:
    options = {"baseURL": f"{url}/v1", "apiKey": "scripted"}
    content = {"provider": {"anthropic": {"options": options}}, "model": "anthropic/claude-sonnet-4-5"}
    return {
        "OPENCODE_CONFIG_CONTENT": json.dumps(content),
        "OPENCODE_DISABLE_MODELS_FETCH": "1",
        "OPENCODE_DISABLE_AUTOUPDATE": "1",
        "OPENCODE_DISABLE_DEFAULT_PLUGINS": "1",
        **{f"XDG_{name}_HOME": str(own / name.lower()) for name in ("CONFIG", "DATA", "CACHE", "STATE")},
    }


DOORS = {
    "gemini": Door(
        GEMINI,
        "mcp_solo_",
        {"Bash": ("run_shell_command", {}), "Write": ("write_file", {}), "Read": ("read_file", {})},
        lambda own, url: {"GEMINI_CLI_HOME": str(own), "GEMINI_API_KEY": "scripted", "GOOGLE_GEMINI_BASE_URL": url},
        "gemini-2.5-pro",
    ),
    "opencode": Door(
        OPENCODE,
        "solo_",
        {
            "Bash": ("bash", {}),
            "Write": ("write", {"file_path": "filePath"}),
            "Read": ("read", {"file_path": "filePath"}),
        },
        _opencode,
        "",
    ),
}
OTHERS = ("ANTHROPIC", "OPENCODE", "GEMINI", "GOOGLE", "XDG_")


@pytest.fixture(params=DOORS)
def agent(
    request: pytest.FixtureRequest, home: Path, tmp_path: Path, model: ScriptedModel, monkeypatch: pytest.MonkeyPatch
) -> str:
    """The agent on the path, with a configuration of its own and the scripted model behind it."""
    name: str = request.param
    door = DOORS[name]
    program = installed(door.package, ASKED_FOR)
    for variable in [one for one in os.environ if one.startswith(OTHERS)]:
        monkeypatch.delenv(variable)
    own = tmp_path / name
    own.mkdir()
    for variable, value in door.environment(own, model.url).items():
        monkeypatch.setenv(variable, value)
    folders = [str(program.parent), str(Path(sys.executable).parent), os.environ["PATH"]]
    monkeypatch.setenv("PATH", os.pathsep.join(folders))
    if door.model:
        edit.set_value(f"agents.{name}.model", door.model)
    return name


def lines(session: Session) -> str:
    """The transcript as it is."""
    entries, _ = transcript.read(paths.run_dir(session.id), 0)
    return "\n".join(entry.line for entry in entries)


def test_a_quick_fix_is_rejected_goes_on_with_its_conversation_and_lands(
    agent: str, machine: Machine, model: ScriptedModel
) -> None:
    model.script = DOORS[agent].script(work_on_a_mission)
    mission = machine.mission("Greet the world", "Quick fix", agent)
    machine.start_service()
    coded = machine.in_review(mission, "code")
    assert (Path(str(coded.worktree_path)) / FILE).read_text() == "Hello, world\n"
    assert not (machine.repository / FILE).exists()
    first = machine.sessions(mission)[-1]
    assert launch.attach(paths.run_dir(first.id)).parser == "acp" and not first.unheld
    assert '"permission"' in lines(first), "it asked before it acted"

    machine.workspace.write(operations.review.reject, mission.id, "Greet more warmly, please")
    machine.until(mission, lambda now: now.stage_summary == "Greets more warmly.", "rework")
    machine.in_review(mission, "code")
    again = machine.sessions(mission)[-1]
    assert again.resumed and again.conversation_id == first.conversation_id
    assert lines(again).count("I read my mission first.") == 1, "its past is not told again"
    assert len(model.asked[-1].prompts) >= 2, "what was said before is remembered"
    machine.workspace.write(operations.review.approve, mission.id)
    machine.until(mission, lambda now: now.list == "done", "landed")
    assert (machine.repository / FILE).read_text() == "Hello, dear world\n"


def test_the_standard_course(agent: str, machine: Machine, model: ScriptedModel) -> None:
    model.script = DOORS[agent].script(work_on_a_mission)
    mission = machine.mission("Greet the world", "Standard", agent)
    machine.start_service()
    for stage in ("clarify", "plan", "code"):
        machine.in_review(mission, stage)
        machine.workspace.write(operations.review.approve, mission.id)
    machine.until(mission, lambda now: now.list == "done", "landed")
    assert (machine.repository / FILE).read_text() == "Hello, world\n"
    assert {one.outcome for one in machine.sessions(mission)} == {"completed"}


def test_a_question_waits_for_its_answer(agent: str, machine: Machine, model: ScriptedModel) -> None:
    """Over ACP Gemini CLI takes every tool away that is called `ask_user`: its question in words is shown."""
    if agent == "gemini":
        model.script = lambda asked: [Text("Formal or warm?")]
        mission = machine.mission("Greet the world", "Quick fix", agent)
        machine.start_service()
        asked = machine.until(mission, lambda now: now.attention and now.agent_session_status == "INACTIVE", "shown")
        assert "Formal or warm?" in str(asked.attention)
        assert "mcp_solo_get_context" in model.asked[0].tools and "mcp_solo_ask_user" not in model.asked[0].tools
        return

    def work(asked: Asked) -> Answer | Failure | Hang:
        if not any("Warm, as always" in prompt for prompt in asked.prompts):
            if asked.calls:
                return [Text("I wait for the answer.")]
            return [Use("mcp__solo__ask_user", {"question": "Formal or warm?"})]
        return work_on_a_mission(asked)

    model.script = DOORS[agent].script(work)
    mission = machine.mission("Greet the world", "Quick fix", agent)
    machine.start_service()
    machine.until(mission, lambda now: now.question and now.agent_session_status == "INACTIVE", "asked")
    machine.workspace.write(operations.review.answer, mission.id, "Warm, as always")
    machine.in_review(mission, "code")
    asking, finished = machine.sessions(mission)
    assert (asking.outcome, finished.outcome) == ("needs_input", "completed")
    assert finished.resumed and finished.conversation_id == asking.conversation_id


def test_stopped_it_goes_on_with_its_conversation(agent: str, machine: Machine, model: ScriptedModel) -> None:
    reached, go_on = threading.Event(), threading.Event()

    def work(asked: Asked) -> Answer | Failure | Hang:
        if len(asked.calls) == 1 and not go_on.is_set():
            reached.set()
            return Hang()
        return work_on_a_mission(asked)

    model.script = DOORS[agent].script(work)
    mission = machine.mission("Greet the world", "Quick fix", agent)
    machine.start_service()
    assert reached.wait(120)
    (session,) = machine.sessions(mission)
    machine.workspace.write(operations.workstation.request, "stop_session", mission=mission.id, session=session.id)
    machine.until(mission, lambda now: now.agent_session_status == "INACTIVE", "stopped")
    go_on.set()
    machine.workspace.write(operations.missions.set_ready, mission.id, True)
    machine.in_review(mission, "code")
    stopped, finished = machine.sessions(mission)
    assert (stopped.outcome, finished.outcome) == ("cancelled", "completed")
    if agent == "gemini":  # it keeps no conversation whose first turn was broken off
        assert "No previous sessions found" in lines(finished), "it is told what it has to know, and people that it was"
    else:
        assert finished.conversation_id == stopped.conversation_id


def test_a_rule_that_denies_a_file_holds(agent: str, machine: Machine, model: ScriptedModel) -> None:
    machine.workspace.write(operations.inbox.add_rule, machine.project.id, "Edit", FILE, "deny")
    told: list[str] = []

    def work(asked: Asked) -> Answer | Failure | Hang:
        told.extend(call.result for call in asked.calls if call.is_error or "denies" in call.result)
        told.extend(prompt for prompt in asked.prompts if "denies" in prompt)
        if told:
            return [Text("I may not write it.")]
        return work_on_a_mission(asked)

    model.script = DOORS[agent].script(work)
    mission = machine.mission("Greet the world", "Quick fix", agent)
    machine.start_service()
    machine.until(mission, lambda now: told and now.agent_session_status == "INACTIVE", "refused")
    worktree = machine.workspace.read(queries.missions.get, mission.id).worktree_path
    assert worktree is None or not (Path(worktree) / FILE).exists()
