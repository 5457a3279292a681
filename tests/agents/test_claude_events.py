"""Claude Code's lines, from recordings of the real program, to events."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solo_unicorn.agents import parsers
from solo_unicorn.agents.events import (
    Event,
    Failure,
    FileChange,
    Interrupted,
    LimitNear,
    LimitReached,
    McpServer,
    MessageText,
    PermissionAsked,
    PermissionDenied,
    PlanStep,
    PlanUpdate,
    QuestionAsked,
    Raw,
    Result,
    Retrying,
    SessionStarted,
    Thinking,
    ToolCall,
    ToolResult,
    UsageMeter,
    activity,
)

from .conftest import RECORDINGS, recorded

parse = parsers.parser("claude")


def events_of(name: str) -> list[Event]:
    return [event for line in recorded(name) for event in parse(line)]


def kinds(found: list[Event], *wanted: type) -> list[Event]:
    return [event for event in found if isinstance(event, wanted)]


def test_a_good_run_is_told_in_order() -> None:
    found = events_of("claude/success_mcp_bash_write")
    assert found[0] == SessionStarted(
        "f55f5514-8af8-4c7c-a3eb-8d69a9b08282", "claude-opus-5-5", "2.1.330", (McpServer("solo", True, "connected"),)
    )
    told = kinds(found, Thinking, MessageText, ToolCall, ToolResult, Result)
    calls = [(call.name, call.kind, call.summary) for call in told if isinstance(call, ToolCall)]
    assert calls == [("mission_get", "mission", "M-1"), ("Bash", "run", "touch a.txt"), ("Write", "edit", "w.txt")]
    results = [event for event in told if isinstance(event, ToolResult)]
    assert all(result.ok for result in results)
    assert results[-1].files == (FileChange("w.txt", "add", 1, None, "+x"),)
    assert [event.text for event in told if isinstance(event, MessageText)] == ["Looking.", "Done."]
    assert told[-1] == Result(True, "Done.")
    assert not kinds(found, Raw)


def test_no_recording_has_a_line_that_is_not_understood() -> None:
    paths = sorted((RECORDINGS / "claude").glob("*.jsonl"))
    assert len(paths) > 10
    for path in paths:
        if path.stem != "control_session":
            assert not kinds(events_of(f"claude/{path.stem}"), Raw), path.name


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("error_429_api_key", "requests"),
        ("error_401", "signed_out"),
        ("error_403", "signed_out"),
        ("error_529", "overloaded"),
        ("usage_limit_five_hour", "requests"),
        ("max_turns", "turns"),
        ("sigint_in_tool", "interrupted"),
        ("resume_unknown", "conversation_unknown"),
    ],
)
def test_an_error_that_calls_itself_success_is_an_error(name: str, error: str) -> None:
    [result] = kinds(events_of(f"claude/{name}"), Result)
    assert isinstance(result, Result)
    assert (result.ok, result.error) == (False, error)


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("error_400_credit", "billing"),
        ("not_logged_in", "signed_out"),
        ("error_401", "signed_out"),
        ("error_529", "overloaded"),
    ],
)
def test_the_failed_message_says_what_kind_of_error_it_was(name: str, error: str) -> None:
    [failure] = kinds(events_of(f"claude/{name}"), Failure)
    assert isinstance(failure, Failure)
    assert failure.error == error


def test_the_reset_time_comes_from_the_event_and_a_warning_is_no_limit() -> None:
    assert kinds(events_of("claude/usage_limit_five_hour"), LimitReached) == [
        LimitReached(datetime.fromtimestamp(1795371511, UTC), "five_hour")
    ]
    warned = events_of("claude/usage_limit_warning")
    assert kinds(warned, LimitReached) == []
    assert kinds(warned, LimitNear) == [LimitNear(0.92, datetime.fromtimestamp(1795371511, UTC), "five_hour")]


@pytest.mark.parametrize("reset", [None, "soon", 0, -1, 1e30, True])
def test_a_limit_without_a_usable_time_is_still_a_limit(reset: object) -> None:
    line = json.dumps({"type": "rate_limit_event", "rate_limit_info": {"status": "rejected", "resetsAt": reset}})
    [limit] = parse(line)
    assert isinstance(limit, LimitReached)
    assert limit.reset_at is None or reset is True


def test_a_limit_while_extra_usage_is_bought_stops_nothing() -> None:
    info = {"status": "rejected", "resetsAt": 1795371511, "isUsingOverage": True}
    assert parse(json.dumps({"type": "rate_limit_event", "rate_limit_info": info})) == ()


def test_its_own_retries_are_told() -> None:
    [retry] = kinds(events_of("claude/retry_429_then_ok"), Retrying)
    assert retry == Retrying(1, 10, 1.052, "429 rate_limit")
    assert activity(retry) == "waiting for its service, attempt 1 of 10"


def test_a_refused_tool_call_is_told_and_counted() -> None:
    found = events_of("claude/permission_denied")
    [denied] = kinds(found, PermissionDenied)
    assert isinstance(denied, PermissionDenied)
    assert denied.tool == "Bash"
    [result] = kinds(found, Result)
    assert isinstance(result, Result)
    assert (result.ok, result.denials) == (True, 1)
    [answer] = kinds(found, ToolResult)
    assert isinstance(answer, ToolResult)
    assert not answer.ok


def test_a_broken_off_turn_says_so() -> None:
    assert len(kinds(events_of("claude/sigint_in_tool"), Interrupted)) == 1


def test_a_tool_server_that_does_not_answer_is_told_at_the_start() -> None:
    [started] = kinds(events_of("claude/mcp_failed"), SessionStarted)
    assert isinstance(started, SessionStarted)
    assert started.mcp_servers == (McpServer("solo", False, "failed"),)


def test_what_it_asks_a_person_in_a_control_session() -> None:
    lines = [json.loads(line) for line in recorded("claude/control_session")]
    found = [event for line in lines if line["dir"] == "<" for event in parse(json.dumps(line["msg"]))]
    asked = [event for event in kinds(found, PermissionAsked) if isinstance(event, PermissionAsked)]
    assert [(event.tool, event.summary.rpartition("/")[2]) for event in asked] == [
        ("Bash", "touch ok.txt"),
        ("Write", "no.txt"),
        ("Bash", "python3 -c 'import time; time.sleep(25)'"),
    ]
    [question] = kinds(found, QuestionAsked)
    assert isinstance(question, QuestionAsked)
    assert question.text == "Which DB?"
    results = [event for event in kinds(found, Result) if isinstance(event, Result)]
    assert [(result.ok, result.error) for result in results] == [(True, None), (True, None), (False, "interrupted")]
    assert not kinds(found, Raw)
    meter = UsageMeter()
    for event in found:
        meter.feed(event)
    assert meter.total.cost_usd == pytest.approx(0.36379, abs=1e-4), "three turns, not running totals"
    assert meter.total.input_tokens == 44900 + 30243 + 15205


def test_usage_counts_while_a_turn_goes_on_and_is_exact_when_it_ended() -> None:
    meter, totals = UsageMeter(), []
    for event in events_of("claude/success_mcp_bash_write"):
        if meter.feed(event):
            totals.append(meter.total)
    assert totals[0].input_tokens == 13723
    assert [total.input_tokens for total in totals] == sorted(total.input_tokens for total in totals)
    assert (totals[-1].input_tokens, totals[-1].output_tokens, totals[-1].turns) == (55505, 80, 4)
    assert totals[-1].cost_usd == pytest.approx(0.22362)


def test_pieces_of_a_message_do_not_repeat_it() -> None:
    found = kinds(events_of("claude/partial_messages"), MessageText)
    assert [event.text for event in found if isinstance(event, MessageText)] == ["hello"]


def test_an_edit_is_shown_as_the_lines_that_change() -> None:
    values = {"file_path": "pay.py", "old_string": "a\nb\nc\nd", "new_string": "a\nb\nX\nY\nd"}
    call = {"type": "tool_use", "id": "t", "name": "Edit", "input": values}
    [event] = parse(json.dumps({"type": "assistant", "message": {"content": [call]}}))
    assert isinstance(event, ToolCall)
    assert event.kind == "edit"
    assert event.files == (FileChange("pay.py", "edit", 2, 1, " a\n b\n-c\n+X\n+Y\n d"),)
    assert activity(event) == "editing pay.py"


@pytest.mark.parametrize(
    ("name", "values"),
    [
        (
            "TodoWrite",
            {
                "todos": [
                    {"content": "one", "status": "completed"},
                    {"content": "two", "status": "in_progress"},
                    {"content": "three", "status": "pending"},
                ]
            },
        ),
        ("mcp__solo__update_tasks", {"titles": ["one", "two", "three"], "finished": 1}),
    ],
)
def test_its_plan_is_told_whichever_tool_it_uses(name: str, values: object) -> None:
    call = {"type": "tool_use", "id": "t", "name": name, "input": values}
    found = parse(json.dumps({"type": "assistant", "message": {"content": [call]}}))
    [plan] = [event for event in found if isinstance(event, PlanUpdate)]
    assert plan.steps == (PlanStep("one", "done"), PlanStep("two", "active"), PlanStep("three", "pending"))


STRANGE = ["not json", "[1]", "3", "null", '{"type":"new thing"}', '{"no":"type"}', "{" * 100_000, '"x"']


@pytest.mark.parametrize("line", STRANGE)
def test_a_line_nobody_knows_is_kept(line: str) -> None:
    assert parse(line) == (Raw(line),)


def test_blank_lines_are_nothing() -> None:
    assert parse("") == parse("  \r") == ()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
TYPES = st.sampled_from(["system", "assistant", "user", "result", "rate_limit_event", "control_request"])
KEYS = st.sampled_from(["message", "content", "subtype", "rate_limit_info", "request", "mcp_servers", "usage"])
WHOLE = [line for name in ("claude/success_mcp_bash_write", "claude/error_401") for line in recorded(name)]


@given(TYPES, st.dictionaries(KEYS, JSON, max_size=4))
def test_no_shape_makes_the_parser_fail(type_: str, rest: dict[str, object]) -> None:
    parse(json.dumps({"type": type_, **rest}))


@given(st.sampled_from(WHOLE), st.data())
def test_no_cut_line_makes_the_parser_fail(line: str, data: st.DataObject) -> None:
    parse(line[: data.draw(st.integers(0, len(line)))])
