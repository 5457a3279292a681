"""Codex, Gemini CLI and OpenCode: their recordings to events and outcomes."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solo_unicorn.agents import parsers
from solo_unicorn.agents.events import (
    Event,
    FileChange,
    MessageText,
    PlanStep,
    PlanUpdate,
    Raw,
    SessionStarted,
    ToolCall,
    ToolResult,
    UsageMeter,
)
from solo_unicorn.agents.handle import HostOutcome
from solo_unicorn.agents.transcript import TranscriptEntry
from solo_unicorn.agents.transcript_view import TranscriptView
from solo_unicorn.agents.verdict import Judgement, Verdict
from solo_unicorn.missions.entities import Usage

from .conftest import RECORDINGS, recorded, recorded_end


def events_of(name: str) -> list[Event]:
    parse = parsers.parser(name.partition("/")[0])
    return [event for line in recorded(name) for event in parse(line)]


def judged(name: str) -> Judgement:
    verdict = Verdict()
    for event in events_of(name):
        verdict.feed(event)
    return verdict.decide(recorded_end(name), stage_finished=False)


@pytest.mark.parametrize(
    ("name", "outcome", "told"),
    [
        ("codex/success_mcp_exec_patch", "completed", ""),
        ("codex/mcp_tool_error", "completed", ""),
        ("codex/error_401", "auth_failed", "Incorrect API key"),
        ("codex/error_429", "unavailable", "429 Too Many Requests"),
        ("codex/error_500", "unavailable", "high demand"),
        ("codex/usage_limit", "rate_limited", "hit your usage limit"),
        ("codex/usage_limit_today", "rate_limited", "try again at 2:29 AM"),
        ("codex/usage_limit_days", "rate_limited", "try again at Nov 26th"),
        ("codex/not_in_the_plan", "unavailable", "upgrade to Plus"),
        ("gemini/success_mcp_shell_write", "completed", ""),
        ("gemini/mcp_tool_error", "completed", ""),
        ("gemini/error_400_key", "auth_failed", "API key not valid"),
        ("opencode/success_mcp_bash_write", "completed", ""),
        ("opencode/error_401", "auth_failed", "bad key"),
        ("opencode/error_429", "unavailable", "slow down"),
    ],
)
def test_what_each_was_recorded_to_do(name: str, outcome: str, told: str) -> None:
    found = judged(name)
    assert found.outcome == outcome
    assert told in found.reason
    assert (found.hold is None) == (outcome == "completed")


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Puts this machine into a time zone."""

    def put(name: str) -> None:
        monkeypatch.setenv("TZ", name)
        time.tzset()

    yield put
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("name", "reset"),
    [
        ("codex/usage_limit_today", datetime(2026, 11, 23, 2, 30, tzinfo=UTC)),
        ("codex/usage_limit_days", datetime(2026, 11, 26, 2, 0, tzinfo=UTC)),
        ("codex/usage_limit", None),
        ("codex/error_429", None),
    ],
)
def test_codex_tells_when_its_limit_resets(zone: Callable[[str], None], name: str, reset: datetime | None) -> None:
    """By the minute, on the clock of the machine: it was recorded at 01:59:28 UTC."""
    zone("UTC0")
    assert judged(name).reset_at == reset


@pytest.mark.parametrize(
    ("text", "at", "reset"),
    [
        ("try again at Nov 30th, 2026 8:59 PM.", "2026-11-23T02:00Z", "2026-12-01T02:00Z"),
        ("or try again at 11:05 PM.", "2026-11-24T01:00Z", "2026-11-24T04:06Z"),
        ("try again at 12:30 AM.", "2026-11-23T05:10Z", "2026-11-23T05:31Z"),
        ("Try again at 12:01 PM.", "2026-11-23T16:00Z", "2026-11-23T17:02Z"),
        ("try again at 7:00 PM.", "2026-11-24T01:00Z", None),  # that has passed
        ("try again at Feb 30th, 2027 7:00 PM.", "2026-11-24T01:00Z", None),
        ("try again at Nov 30th, 2036 7:00 PM.", "2026-11-24T01:00Z", None),
        ("try again at 77:00 PM.", "2026-11-24T01:00Z", None),
        ("try again later.", "2026-11-24T01:00Z", None),
    ],
)
def test_the_clock_of_a_reset_is_the_machines_own(
    zone: Callable[[str], None], text: str, at: str, reset: str | None
) -> None:
    zone("EST5")  # five hours behind UTC
    line = json.dumps({"type": "turn.failed", "error": {"message": f"You’ve hit your usage limit. {text}"}})
    verdict = Verdict()
    for event in parsers.parser("codex")(line):
        verdict.feed(event)
    ended = datetime.fromisoformat(at).timestamp()
    found = verdict.decide(HostOutcome(exit_code=1, ended=ended), stage_finished=False)
    assert (found.outcome, found.hold) == ("rate_limited", "limit")
    assert found.reset_at == (datetime.fromisoformat(reset) if reset else None)


@pytest.mark.parametrize(
    ("name", "conversation", "calls"),
    [
        (
            "codex/success_mcp_exec_patch",
            "01a20444-de8d-7203-80f7-50e366f0cc31",
            [
                ("mission_get", "mission", "M-1"),
                ("shell", "run", "touch a.txt"),
                ("apply_patch", "edit", "/home/dev/smp/wt-ddf6c0/w.txt"),
            ],
        ),
        (
            "gemini/success_mcp_shell_write",
            "6924140b-f95c-4914-8c55-8bee6d3f1243",
            [("mission_get", "mission", "M-1"), ("run_shell_command", "run", "touch a.txt")],
        ),
        (
            "opencode/success_mcp_bash_write",
            "ses_dfbbad818ffelZpLCsdEB6TKcz",
            [("mission_get", "mission", "M-1"), ("bash", "run", "touch a.txt")],
        ),
    ],
)
def test_a_good_run_is_told_alike(name: str, conversation: str, calls: list[tuple[str, str, str]]) -> None:
    found = events_of(name)
    assert isinstance(found[0], SessionStarted)
    assert found[0].conversation_id == conversation
    assert [(event.name, event.kind, event.summary) for event in found if isinstance(event, ToolCall)] == calls
    assert [event.text for event in found if isinstance(event, MessageText)] == ["Looking.", "Done."]
    results = [event for event in found if isinstance(event, ToolResult)]
    assert len(results) == len(calls)
    assert all(result.ok for result in results)
    view = TranscriptView(parsers.parser(name.partition("/")[0]))
    view.feed(TranscriptEntry(1.0, "out", line, 0) for line in recorded(name))
    assert [entry.kind for entry in view.entries].count("tool") == len(calls)
    assert view.entries[-1].text == "Turn finished"


def test_no_recording_has_a_line_that_is_not_understood() -> None:
    for agent in ("codex", "gemini", "opencode"):
        paths = list((RECORDINGS / agent).glob("*.jsonl"))
        assert paths, agent
        for path in paths:
            assert not [event for event in events_of(f"{agent}/{path.stem}") if isinstance(event, Raw)], path


@pytest.mark.parametrize(
    ("name", "used"),
    [
        ("codex/success_mcp_exec_patch", Usage(42264, 80)),
        ("gemini/success_mcp_shell_write", Usage(42506, 60)),
        ("opencode/success_mcp_bash_write", Usage(9106 + 9210 + 9287, 60, turns=3)),
    ],
)
def test_what_was_used(name: str, used: Usage) -> None:
    meter = UsageMeter()
    for event in events_of(name):
        meter.feed(event)
    assert meter.total == used


def test_a_resumed_codex_conversation_is_not_counted_twice() -> None:
    meter = UsageMeter(Usage(40_000, 50))
    for event in events_of("codex/success_mcp_exec_patch"):
        meter.feed(event)
    assert meter.total == Usage(2264, 30)


def test_a_tool_that_failed_is_told() -> None:
    for name in ("codex/mcp_tool_error", "gemini/mcp_tool_error"):
        [result] = [event for event in events_of(name) if isinstance(event, ToolResult)]
        assert result.ok is False
        assert "mission_get" in result.text


def test_codex_names_the_files_and_its_plan() -> None:
    files = [event.files for event in events_of("codex/success_mcp_exec_patch") if isinstance(event, ToolResult)]
    assert files[-1] == (FileChange("/home/dev/smp/wt-ddf6c0/w.txt", "add"),)
    items = [{"text": "a", "completed": True}, {"text": "b", "completed": False}]
    item = {"id": "i", "type": "todo_list", "items": items}
    [plan] = parsers.parser("codex")(json.dumps({"type": "item.updated", "item": item}))
    assert plan == PlanUpdate((PlanStep("a", "done"), PlanStep("b", "pending")))


JSON = st.recursive(
    st.none() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
KEYS = st.sampled_from(["item", "usage", "error", "part", "role", "content", "tool_id", "status", "stats"])
TYPES = st.sampled_from(["item.completed", "turn.failed", "turn.completed", "error", "result", "message", "tool_use"])


@given(st.sampled_from(["codex", "gemini", "opencode"]), TYPES, st.dictionaries(KEYS, JSON, max_size=4))
def test_no_shape_makes_a_parser_fail(name: str, type_: str, rest: dict[str, object]) -> None:
    parsers.parser(name)(json.dumps({"type": type_, **rest}))
