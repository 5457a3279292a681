"""The real Codex reaches our stdio server, as a person sets it up."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from solo_unicorn.workspace import queries

from .conftest import ASKED_FOR, Machine
from .installing import CODEX, installed
from .scripted_model import Answer, Asked, Failure, Hang, ScriptedModel, Text, Use

pytestmark = [pytest.mark.real_agent, pytest.mark.timeout(300)]


@pytest.fixture
def codex(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Codex with a configuration of its own."""
    program = installed(CODEX, ASKED_FOR)
    own = tmp_path / "codex"
    own.mkdir()
    for name in [name for name in os.environ if name.startswith(("CODEX", "OPENAI"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("CODEX_HOME", str(own))
    monkeypatch.setenv("SCRIPTED_KEY", "scripted")
    return program


def _run(program: Path, *arguments: str, cwd: Path) -> str:
    done = subprocess.run(
        [str(program), *arguments], cwd=cwd, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_codex_calls_our_tools_over_stdio(codex: Path, machine: Machine, model: ScriptedModel) -> None:
    """With no service running: the bridge starts it."""

    def script(asked: Asked) -> Answer | Failure | Hang:
        if asked.calls:
            return [Text("Written down.")]
        return [Use("mcp__solo.create_mission", {"title": "Written by Codex over stdio"})]

    model.script = script
    ours = str(Path(sys.executable).parent / "solo-unicorn")
    environment = [f"--env={name}={os.environ[name]}" for name in ("SOLO_UNICORN_HOME", "SOLO_UNICORN_RUNTIME_DIR")]
    _run(codex, "mcp", "add", "solo", *environment, "--", ours, "mcp", cwd=machine.repository)
    provider = f'{{name="scripted",base_url="{model.url}/v1",env_key="SCRIPTED_KEY",wire_api="responses"}}'
    settings = {
        "model": '"gpt-5.5-codex"',
        "model_provider": '"scripted"',
        "model_providers.scripted": provider,
        "approval_policy": '"never"',
        "mcp_servers.solo.required": "true",
    }
    flags = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
    said = _run(codex, "exec", *flags, "--json", "Note it", cwd=machine.repository)
    events: list[dict[str, Any]] = [json.loads(line) for line in said.splitlines()]
    (call,) = [
        event["item"]
        for event in events
        if event["type"] == "item.completed" and event["item"]["type"] == "mcp_tool_call"
    ]
    assert (call["tool"], call["status"]) == ("create_mission", "completed")
    assert model.strange == []
    (found,) = machine.workspace.read(queries.missions.page, machine.project.id).items
    assert found.title == "Written by Codex over stdio"
