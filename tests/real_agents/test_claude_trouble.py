"""What can go wrong with the real Claude Code: limits, a lost sign-in, a question, kills of agent and service."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from solo_unicorn.config import paths
from solo_unicorn.missions.entities import CodeAgent, Session
from solo_unicorn.workspace import operations, queries
from solo_unicorn.workstation import lock

from .conftest import Machine
from .scripted_model import Answer, Asked, Failure, Hang, ScriptedModel, Text, Use
from .worker import FILE, work_on_a_mission

pytestmark = [pytest.mark.real_agent, pytest.mark.timeout(300)]

RATE_LIMIT = "This request would exceed your account's rate limit"


class Once:
    """The worker's script, but for one answer: what a request after so many calls gets the first time."""

    def __init__(self, after_calls: int, instead: Failure | Hang) -> None:
        self.after_calls = after_calls
        self.instead = instead
        self.met = threading.Event()

    def __call__(self, asked: Asked) -> Answer | Failure | Hang:
        """As a script."""
        if len(asked.calls) == self.after_calls and not self.met.is_set():
            self.met.set()
            return self.instead
        return work_on_a_mission(asked)


def _claude(machine: Machine) -> CodeAgent | None:
    return next((agent for agent in machine.workspace.read(queries.workstation.agents) if agent.name == "claude"), None)


def _state(machine: Machine) -> str:
    agent = _claude(machine)
    return agent.state if agent else "not looked at yet"


def _agent_pid(session: Session) -> int:
    host = json.loads((paths.runs_dir() / session.id / "host.json").read_text())
    return int(host["agent_pid"])


def test_a_usage_limit_parks_the_agent_until_its_reset_and_resumes_the_conversation(
    claude: Path, machine: Machine, model: ScriptedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A subscription's limit: only a signed-in account gets these headers."""
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    monkeypatch.setenv("CLAUDE_CODE_OAUTH_TOKEN", "sk-ant-oat01-scripted")
    reset = int(time.time()) + 12
    headers = {
        "anthropic-ratelimit-unified-status": "rejected",
        "anthropic-ratelimit-unified-reset": str(reset),
        "anthropic-ratelimit-unified-representative-claim": "five_hour",
    }
    model.script = Once(2, Failure(429, "rate_limit_error", RATE_LIMIT, headers))
    mission = machine.mission("Greet the world", "Quick fix")
    machine.start_service()

    parked = machine.until(mission, lambda now: now.retry_at is not None, "parked")
    assert (parked.list, parked.ready, parked.attempts) == ("doing", True, 0)
    agent = _claude(machine)
    assert agent is not None
    assert agent.rate_limit_reset_at == datetime.fromtimestamp(reset, UTC)
    machine.in_review(mission, "code")
    limited, finished = machine.sessions(mission)
    assert (limited.outcome, finished.outcome) == ("rate_limited", "completed")
    assert finished.started_at.timestamp() >= reset
    assert finished.resumed
    assert finished.conversation_id == limited.conversation_id
    remembered = model.asked[-1].prompts
    assert "You build this mission" in remembered[0], "what was said before is remembered"
    assert "# M-1 Greet the world: go on" in remembered[-1]


def test_a_limit_without_a_reset_time_parks_the_agent_for_a_while(
    claude: Path, machine: Machine, model: ScriptedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAUDE_CODE_MAX_RETRIES", "0")
    model.script = lambda asked: Failure(429, "rate_limit_error", RATE_LIMIT)
    mission = machine.mission("Greet the world", "Quick fix")
    before = datetime.now(UTC)
    machine.start_service()
    parked = machine.until(mission, lambda now: now.retry_at is not None, "parked")
    assert parked.retry_at is not None
    assert parked.retry_at > before
    assert (parked.list, parked.ready, parked.attempts) == ("doing", True, 0)
    agent = _claude(machine)
    assert agent is not None
    assert agent.rate_limit_reset_at is not None
    assert agent.rate_limit_reset_at > before
    assert machine.sessions(mission)[0].outcome == "rate_limited"


def test_a_lost_sign_in_holds_the_agent(
    claude: Path, machine: Machine, model: ScriptedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAUDE_CODE_MAX_RETRIES", "0")
    model.script = lambda asked: Failure(401, "authentication_error", "invalid x-api-key")
    mission = machine.mission("Greet the world", "Quick fix")
    machine.start_service()
    machine.until(mission, lambda now: _state(machine) == "signed_out", "held")
    held = machine.until(mission, lambda now: now.agent_session_status == "INACTIVE", "ended")
    (session,) = machine.sessions(mission)
    assert session.outcome == "auth_failed"
    assert held.ready
    assert (
        machine.workspace.read(queries.sessions.why_not, mission.id, now=machine.workspace.now())
        == "wants claude, which is signed out"
    )


def test_a_question_parks_the_mission_and_the_answer_resumes_the_conversation(
    claude: Path, machine: Machine, model: ScriptedModel
) -> None:
    def script(asked: Asked) -> Answer | Failure | Hang:
        if len(asked.prompts) == 1:
            if asked.calls:
                return [Text("I wait for the answer.")]
            return [Use("mcp__solo__ask_user", {"question": "Formal or warm?"})]
        return work_on_a_mission(asked)

    model.script = script
    mission = machine.mission("Greet the world", "Quick fix")
    machine.start_service()
    machine.until(mission, lambda now: now.question and now.agent_session_status == "INACTIVE", "asked")
    machine.workspace.write(operations.review.answer, mission.id, "Warm, as always")
    machine.in_review(mission, "code")
    asking, finished = machine.sessions(mission)
    assert (asking.outcome, finished.outcome) == ("needs_input", "completed")
    assert finished.conversation_id == asking.conversation_id
    assert "Warm, as always" in model.asked[-1].prompt


def test_a_killed_agent_is_tried_again(
    claude: Path, machine: Machine, model: ScriptedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOLO_UNICORN_SESSIONS_RETRY_FIRST_SECONDS", "0.1")
    script = model.script = Once(2, Hang())
    mission = machine.mission("Greet the world", "Quick fix")
    machine.start_service()
    assert script.met.wait(60)
    os.kill(_agent_pid(machine.sessions(mission)[0]), signal.SIGKILL)
    done = machine.in_review(mission, "code")
    killed, finished = machine.sessions(mission)
    assert (killed.outcome, finished.outcome) == ("failed", "completed")
    assert "SIGKILL" in killed.reason
    assert (Path(str(done.worktree_path)) / FILE).exists()


def test_a_killed_service_costs_the_agent_nothing(claude: Path, machine: Machine, model: ScriptedModel) -> None:
    """The next service adopts the session, and the agent finds its tools where they were."""
    reached, go_on = threading.Event(), threading.Event()

    def script(asked: Asked) -> Answer | Failure | Hang:
        if len(asked.calls) == 3:
            reached.set()
            go_on.wait(60)
        return work_on_a_mission(asked)

    model.script = script
    mission = machine.mission("Greet the world", "Quick fix")
    machine.start_service()
    assert reached.wait(60)
    (session,) = machine.sessions(mission)
    agent = _agent_pid(session)
    owner = lock.owner(paths.service_lock())
    assert owner is not None
    os.kill(owner.pid, signal.SIGKILL)
    machine.start_service()
    machine.mcp_is_up()
    assert machine.workspace.read(queries.missions.get, mission.id).agent_session_status == "ACTIVE"
    assert _agent_pid(session) == agent
    go_on.set()
    machine.in_review(mission, "code")
    (adopted,) = machine.sessions(mission)
    assert (adopted.id, adopted.outcome) == (session.id, "completed")


def test_a_person_stops_a_session(claude: Path, machine: Machine, model: ScriptedModel) -> None:
    script = model.script = Once(1, Hang())
    mission = machine.mission("Greet the world", "Quick fix")
    machine.start_service()
    assert script.met.wait(60)
    (session,) = machine.sessions(mission)
    pid = _agent_pid(session)
    machine.workspace.write(operations.workstation.request, "stop_session", mission=mission.id, session=session.id)
    stopped = machine.until(mission, lambda now: now.agent_session_status == "INACTIVE", "stopped")
    assert not stopped.ready
    assert machine.sessions(mission)[0].outcome == "cancelled"
    assert not Path(f"/proc/{pid}").exists()
