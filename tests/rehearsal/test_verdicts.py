"""What it says is read as that of a code agent: each rehearsed trouble comes to the outcome it stands for."""

from __future__ import annotations

import pytest

from solo_unicorn.agents.events import Raw, SessionStarted, ToolCall, ToolResult
from solo_unicorn.agents.handle import HostOutcome
from solo_unicorn.agents.parsers import parser
from solo_unicorn.agents.verdict import Judgement, Verdict

from .conftest import Ran, Stage


def _judged(ran: Ran, *, stage_finished: bool = False, question: str | None = None) -> Judgement:
    read = parser("claude")
    verdict = Verdict()
    for line in ran.lines:
        for event in read(line):
            verdict.feed(event)
    host = HostOutcome(exit_code=ran.code if ran.code >= 0 else None, signal=-ran.code if ran.code < 0 else None)
    return verdict.decide(host, stage_finished=stage_finished, question=question)


@pytest.mark.parametrize(
    ("cue", "outcome", "hold"),
    [
        ("fail", "failed", None),
        ("limit 30", "rate_limited", "limit"),
        ("limit unknown", "unavailable", "requests"),
        ("signed-out", "auth_failed", "sign_in"),
        ("overloaded", "unavailable", "service"),
        ("no-credit", "unavailable", "credit"),
        ("crash", "failed", None),
        ("forget", "completed", None),
    ],
)
def test_a_trouble_comes_to_its_outcome(stage: Stage, cue: str, outcome: str, hold: str | None) -> None:
    judgement = _judged(stage.play(stage.mission("Greet", description=f"rehearsal: {cue}")))
    assert judgement.outcome == outcome
    assert judgement.hold == hold
    assert (judgement.reset_at is not None) is (cue == "limit 30")


def test_a_question_comes_to_needs_input(stage: Stage) -> None:
    mission = stage.mission("Greet", description="rehearsal: ask Formal?")
    ran = stage.play(mission)
    assert _judged(ran, question=stage.read(mission).question).outcome == "needs_input"


def test_no_line_is_strange_to_the_parser(stage: Stage) -> None:
    ran = stage.play(stage.mission("Greet"))
    read = parser("claude")
    events = [event for line in ran.lines for event in read(line)]
    assert [event for event in events if isinstance(event, Raw)] == []
    (started,) = [event for event in events if isinstance(event, SessionStarted)]
    assert started.conversation_id == ran.conversation
    assert [(server.name, server.connected) for server in started.mcp_servers] == [("solo", True)]
    calls = [event for event in events if isinstance(event, ToolCall)]
    answered = {event.id for event in events if isinstance(event, ToolResult)}
    assert {call.id for call in calls} == answered
    assert len(calls) == len(ran.tools)
