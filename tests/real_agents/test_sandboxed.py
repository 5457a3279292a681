"""Real agents do a mission's work in the strict sandbox; `guard`, the default, holds them in all other tests here."""

from __future__ import annotations

from pathlib import Path

import pytest

from solo_unicorn.config import edit
from solo_unicorn.workspace import operations

from .conftest import Machine
from .scripted_model import ScriptedModel
from .test_codex_mission import work as work_as_codex
from .worker import FILE, work_on_a_mission

pytestmark = [pytest.mark.real_agent, pytest.mark.timeout(300)]


def lands(machine: Machine, agent: str) -> None:
    """One stage, approved and landed, in the strict sandbox."""
    edit.set_value(f"agents.{agent}.sandbox", "strict")
    mission = machine.mission("Greet the world", "Quick fix", agent)
    machine.start_service()
    machine.in_review(mission, "code")
    assert machine.sessions(mission)[-1].sandbox.startswith("strict")
    machine.workspace.write(operations.review.approve, mission.id)
    machine.until(mission, lambda now: now.list == "done", "landed")
    assert (machine.repository / FILE).read_text() == "Hello, world\n"


def test_claude_code(claude: Path, machine: Machine, model: ScriptedModel) -> None:
    model.script = work_on_a_mission
    lands(machine, "claude")


def test_codex(codex: Path, machine: Machine, model: ScriptedModel) -> None:
    model.script = work_as_codex
    lands(machine, "codex")
