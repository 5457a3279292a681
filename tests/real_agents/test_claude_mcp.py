"""The real Claude Code reaches our stdio server, as a person sets it up."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from solo_unicorn.workspace import queries

from .conftest import Machine
from .scripted_model import Answer, Asked, Failure, Hang, ScriptedModel, Text, Use

pytestmark = [pytest.mark.real_agent, pytest.mark.timeout(300)]


def _claude(program: Path, *arguments: str, cwd: Path) -> str:
    done = subprocess.run(
        [str(program), *arguments], cwd=cwd, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def ours() -> str:
    """The installed command."""
    return str(Path(sys.executable).parent / "solo-unicorn")


def test_claude_mcp_list_reports_our_stdio_server_as_connected(claude: Path, machine: Machine, ours: str) -> None:
    """With no service running: the bridge starts it."""
    _claude(claude, "mcp", "add", "solo-unicorn", "--", ours, "mcp", cwd=machine.repository)
    listed = _claude(claude, "mcp", "list", cwd=machine.repository)
    line = next(line for line in listed.splitlines() if line.startswith("solo-unicorn:"))
    assert "Connected" in line
    assert "Failed" not in line


def test_claude_lists_and_calls_our_tools_over_stdio(
    claude: Path, machine: Machine, model: ScriptedModel, ours: str
) -> None:
    machine.start_service()

    def script(asked: Asked) -> Answer | Failure | Hang:
        if asked.calls:
            return [Text(f"Written down: {asked.calls[-1].result}")]
        return [Use("mcp__solo-unicorn__create_mission", {"title": "Written by Claude over stdio"})]

    model.script = script
    # alwaysLoad: else Claude Code begins its turn without waiting for the server
    server = json.dumps({"type": "stdio", "command": ours, "args": ["mcp"], "alwaysLoad": True})
    _claude(claude, "mcp", "add-json", "solo-unicorn", server, cwd=machine.repository)
    said = _claude(claude, "-p", "Note it", "--allowedTools", "mcp__solo-unicorn", cwd=machine.repository)
    assert "Written down: {" in said
    (found,) = machine.workspace.read(queries.missions.page, machine.project.id).items
    assert found.title == "Written by Claude over stdio"
    assert not found.ready
