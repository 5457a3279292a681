"""The command line, the standard input, conversations, and the price of a start."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest

from .conftest import DEADLINE, Stage, finish, next_event

COMMAND = [sys.executable, "-P", "-m", "solo_unicorn.agents.rehearsal"]


def _message(text: str) -> bytes:
    block = {"type": "text", "text": text}
    return json.dumps({"type": "user", "message": {"role": "user", "content": [block]}}).encode() + b"\n"


def test_a_prompt_may_be_plain_text_or_a_user_message(stage: Stage) -> None:
    for prompt in ("Please work.\nThank you.", _message("Please work.\nThank you.").decode()):
        ran = stage.play(stage.mission("Greet"), prompt=prompt)
        assert ran.code == 0
        assert _kept(ran.conversation)["turns"][0]["prompt"] == "Please work.\nThank you."


def test_with_stream_json_it_stays_for_more_prompts_until_its_input_is_closed(stage: Stage) -> None:
    _, agent = stage.start(stage.mission("Greet"), "--input-format", "stream-json")
    assert agent.stdin
    agent.stdin.write(_message("Work on it."))
    agent.stdin.flush()
    next_event(agent, lambda event: event["type"] == "result")
    agent.stdin.write(_message("Are you sure?"))
    agent.stdin.flush()
    said = next_event(agent, lambda event: event["type"] == "result")
    assert "'Are you sure?'" in said["result"]
    assert agent.poll() is None
    agent.stdin.close()
    assert agent.wait(DEADLINE) == 0


def test_control_requests_are_answered(stage: Stage) -> None:
    _, agent = stage.start(stage.mission("Greet"), "--input-format", "stream-json")
    assert agent.stdin
    agent.stdin.write(b'{"type":"control_request","request_id":"r7","request":{"subtype":"initialize"}}\n')
    agent.stdin.flush()
    answered = next_event(agent, lambda event: event["type"] == "control_response")
    assert answered["response"] == {"subtype": "success", "request_id": "r7", "response": {}}


def test_no_prompt_is_a_usage_error(stage: Stage) -> None:
    mission = stage.mission("Greet")
    _, agent = stage.start(mission)
    ran = finish(agent)
    assert (ran.code, ran.lines) == (2, [])
    assert "no prompt" in ran.stderr


def test_an_unknown_conversation_is_refused_as_claude_refuses_it(stage: Stage) -> None:
    unknown = str(uuid.uuid4())
    _, agent = stage.start(stage.mission("Greet"), "--resume", unknown)
    ran = finish(agent, "go")
    assert ran.code == 1
    assert ran.stderr == f"No conversation found with session ID: {unknown}\n"
    assert ran.result["subtype"] == "error_during_execution"
    assert ran.result["errors"] == [f"No conversation found with session ID: {unknown}"]


def test_a_conversation_may_be_given_its_id(stage: Stage) -> None:
    chosen = str(uuid.uuid4())
    ran = stage.play(stage.mission("Greet"), "--session-id", chosen)
    assert ran.conversation == chosen
    assert _kept(chosen)["turns"][0]["outcome"] == "completed"


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ("", "No such file"),
        ("{not json", "cannot be read"),
        ('{"mcpServers":{}}', "names no http server"),
        ('{"mcpServers":{"solo":{"type":"http"}}}', "cannot be read"),
        ("[]", "No such file"),
    ],
)
def test_a_wrong_mcp_config_is_a_usage_error(home: Path, tmp_path: Path, config: str, words: str) -> None:
    done = subprocess.run(
        [*COMMAND, "--mcp-config", config or "nowhere.json"], input="go", capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("pace", ["quick", "-1", "nan"])
def test_a_wrong_pace_is_a_usage_error(home: Path, tmp_path: Path, pace: str) -> None:
    server = '{"mcpServers":{"solo":{"type":"http","url":"http://127.0.0.1:9/mcp"}}}'
    environment = os.environ | {"SOLO_UNICORN_REHEARSAL_PACE": pace}
    done = subprocess.run(
        [*COMMAND, "--mcp-config", server], input="go", capture_output=True, text=True, env=environment, cwd=tmp_path
    )
    assert done.returncode == 2
    assert "SOLO_UNICORN_REHEARSAL_PACE is" in done.stderr


def test_a_worktree_cannot_put_its_own_modules_in_the_way(home: Path, tmp_path: Path) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit('taken over')")
    done = subprocess.run([*COMMAND, "--version"], capture_output=True, text=True, cwd=tmp_path)
    assert done.stdout.endswith("(Solo Unicorn, rehearsal (no model))\n")


def test_it_needs_the_standard_library_alone(home: Path, tmp_path: Path) -> None:
    """What a start costs is its imports."""
    loaded = _packages_after("import solo_unicorn.agents.rehearsal.__main__")
    assert loaded - _packages_after("pass") - sys.stdlib_module_names == {"solo_unicorn"}


def _packages_after(statement: str) -> set[str]:
    """Top-level packages in memory after a statement in a fresh interpreter."""
    code = f"{statement}\nimport sys\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def _kept(conversation: str) -> dict[str, Any]:
    file = Path(os.environ["SOLO_UNICORN_HOME"]) / "rehearsal" / f"{conversation}.json"
    kept: dict[str, Any] = json.loads(file.read_text())
    assert kept["label"] == "rehearsal (no model)"
    return kept
