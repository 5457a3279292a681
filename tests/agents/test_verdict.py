"""Outcomes: an exit code alone proves nothing, a limit is not a failure (domain.md, Running)."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from solo_unicorn.agents import parsers
from solo_unicorn.agents.acp.refusals import refused
from solo_unicorn.agents.events import (
    Failure,
    Interrupted,
    LimitReached,
    MessageText,
    QuestionAsked,
    Result,
    Retrying,
    SessionStarted,
    ToolCall,
)
from solo_unicorn.agents.handle import HostOutcome, HostStop
from solo_unicorn.agents.verdict import ENDLESS_RETRIES, Judgement, Verdict

from .conftest import recorded, recorded_end

RESET = datetime.fromtimestamp(1795371511, UTC)
WELL = HostOutcome(exit_code=0)


def judged(name: str, *, stage_finished: bool = False) -> Judgement:
    verdict = Verdict()
    parse = parsers.parser(name.split("/")[0])
    for line in recorded(name):
        for event in parse(line):
            verdict.feed(event)
    return verdict.decide(recorded_end(name), stage_finished=stage_finished)


@pytest.mark.parametrize(
    ("name", "outcome", "reason"),
    [
        ("claude/success_mcp_bash_write", "completed", ""),
        ("claude/retry_429_then_ok", "completed", ""),
        ("claude/usage_limit_warning", "completed", ""),
        ("claude/mcp_tool_error", "completed", ""),
        ("claude/permission_denied", "completed", ""),
        ("claude/structured_output", "completed", ""),
        ("claude/mcp_failed", "failed", "could not reach Solo Unicorn's tools (failed)"),
        ("claude/error_429_api_key", "unavailable", "made too many requests: API Error: Request rejected (429)"),
        ("claude/usage_limit_five_hour", "rate_limited", "You've hit your 5-hour limit"),
        ("claude/error_400_credit", "unavailable", "no credit: Credit balance is too low"),
        ("claude/error_401", "auth_failed", "signed out: Invalid API key"),
        ("claude/error_403", "auth_failed", "signed out"),
        ("claude/not_logged_in", "auth_failed", "signed out: Not logged in"),
        ("claude/error_529", "unavailable", "service did not answer: API Error: 529 Overloaded"),
        ("claude/max_turns", "failed", "used up the turns"),
        ("claude/resume_unknown", "failed", "does not know the conversation"),
        ("claude/sigint_in_tool", "cancelled", "interrupted"),
        ("claude/sigterm_in_tool", "failed", "ended without a result (exit code 143)"),
    ],
)
def test_what_claude_code_was_recorded_to_do(name: str, outcome: str, reason: str) -> None:
    found = judged(name)
    assert found.outcome == outcome
    assert reason in found.reason
    assert bool(found.reason) == (outcome != "completed")


def test_the_limit_carries_its_reset_time_and_a_plain_429_has_none() -> None:
    limit, plain = judged("claude/usage_limit_five_hour"), judged("claude/error_429_api_key")
    assert (limit.reset_at, limit.hold) == (RESET, "limit")
    assert (plain.reset_at, plain.hold) == (None, "requests")
    assert judged("claude/usage_limit_warning").hold is None


@pytest.mark.parametrize(
    ("name", "hold"),
    [
        ("claude/error_400_credit", "credit"),
        ("claude/error_401", "sign_in"),
        ("claude/error_529", "service"),
        ("codex/usage_limit", "limit"),
        ("codex/not_in_the_plan", "credit"),
        ("codex/error_429", "requests"),
        ("codex/error_500", "service"),
        ("codex/error_401", "sign_in"),
        ("gemini/error_400_key", "sign_in"),
        ("opencode/error_429", "requests"),
        ("opencode/error_401", "sign_in"),
        ("claude/max_turns", None),
        ("claude/sigterm_in_tool", None),
    ],
)
def test_limit_requests_credit_service_and_sign_in_are_told_apart(name: str, hold: str | None) -> None:
    assert judged(name).hold == hold


def test_an_agent_whose_model_never_answered_had_no_chance() -> None:
    """OpenCode tries again in silence while its provider refuses it, until the silence counts as a stall."""
    stalled = HostOutcome(signal=15, stop=HostStop("stall", ("SIGINT",)))
    verdict = Verdict()
    verdict.feed(SessionStarted("c"))
    refused = verdict.decide(stalled, stage_finished=False)
    assert (refused.outcome, refused.hold, refused.answered) == ("unavailable", "service", False)
    verdict.feed(ToolCall("1", "bash"))
    silent = verdict.decide(stalled, stage_finished=False)
    assert (silent.outcome, silent.hold, silent.answered) == ("timeout", None, True)


def test_its_last_words_are_kept_whole() -> None:
    verdict = Verdict()
    for event in (MessageText("Let me see."), ToolCall("1", "bash"), MessageText("Which ", partial=True)):
        verdict.feed(event)
    verdict.feed(MessageText("port?", partial=True))
    assert verdict.decide(WELL, stage_finished=False).words == "Which port?"
    verdict.feed(Result(True, "Which port, then?"))
    assert verdict.decide(WELL, stage_finished=False).words == "Which port, then?"


def test_an_error_that_the_agent_got_over_holds_nothing() -> None:
    verdict = Verdict()
    for event in (SessionStarted("c"), Failure("overloaded", "503"), MessageText("Going on.")):
        verdict.feed(event)
    assert verdict.decide(HostOutcome(exit_code=0, stop=HostStop("stop")), stage_finished=False).hold is None


def test_a_limit_after_the_stage_was_finished_parks_the_agent_and_completes_the_session() -> None:
    found = judged("claude/usage_limit_five_hour", stage_finished=True)
    assert (found.outcome, found.hold, found.reset_at) == ("completed", "limit", RESET)


def test_a_conversation_that_is_gone_is_to_be_begun_anew() -> None:
    assert judged("claude/resume_unknown").conversation_lost is True
    assert judged("claude/error_529").conversation_lost is False


@pytest.mark.parametrize("code", [0, 1, 143])
def test_an_exit_code_alone_is_no_success(code: int) -> None:
    assert Verdict().decide(HostOutcome(exit_code=code), stage_finished=False).outcome == "failed"


def test_a_finished_stage_is_success_whatever_became_of_the_process() -> None:
    for host in (
        None,
        HostOutcome(signal=9),
        HostOutcome(exit_code=1),
        HostOutcome(exit_code=0, stop=HostStop("stall")),
    ):
        assert Verdict().decide(host, stage_finished=True).outcome == "completed"


def test_what_nothing_proves_is_unknown() -> None:
    verdict = Verdict()
    verdict.feed(Result(True, "Done."))
    assert verdict.decide(None, stage_finished=False).outcome == "unknown"
    assert verdict.decide(HostOutcome(sealed=True), stage_finished=False).outcome == "unknown"


@pytest.mark.parametrize(
    ("reason", "outcome"),
    [
        ("stop", "cancelled"),
        ("kill", "cancelled"),
        ("cancel", "cancelled"),
        ("superseded", "cancelled"),
        ("stall", "timeout"),
        ("total_time", "timeout"),
        ("mcp", "failed"),
        ("shutdown", "unknown"),
        ("budget of the day", "cancelled"),
    ],
)
def test_who_stopped_it_decides(reason: str, outcome: str) -> None:
    found = Verdict().decide(HostOutcome(signal=15, stop=HostStop(reason, ("SIGINT", "SIGTERM"))), stage_finished=False)
    assert found.outcome == outcome
    assert found.reason


def test_a_hang_after_the_result_does_not_spoil_it() -> None:
    verdict = Verdict()
    verdict.feed(Result(True, "Done."))
    host = HostOutcome(signal=15, stop=HostStop("after_result", ("SIGINT", "SIGTERM")))
    assert verdict.decide(host, stage_finished=False).outcome == "completed"
    verdict.feed(Result(False, "no", "limit"))
    assert verdict.decide(host, stage_finished=False).outcome == "rate_limited"


def test_a_crash_after_the_result_is_told() -> None:
    verdict = Verdict()
    verdict.feed(Result(True, "Done."))
    found = verdict.decide(HostOutcome(signal=11, stderr_tail="Segmentation fault\n"), stage_finished=False)
    assert found.outcome == "failed"
    assert "SIGSEGV" in found.reason
    assert "Segmentation fault" in found.reason


def test_a_question_waits_for_its_answer_unless_a_person_stopped_it() -> None:
    verdict = Verdict()
    verdict.feed(Result(True, "I asked."))
    asked = verdict.decide(WELL, stage_finished=False, question="Which database?")
    assert (asked.outcome, asked.question) == ("needs_input", "Which database?")
    assert verdict.decide(HostOutcome(stop=HostStop("stop")), stage_finished=False, question="?").outcome == "cancelled"
    live = Verdict()
    live.feed(QuestionAsked("1", "Which port?"))
    assert live.decide(WELL, stage_finished=False).question == "Which port?"


def test_an_agent_that_could_not_be_started_failed() -> None:
    found = Verdict().decide(HostOutcome(start_error="/x/claude cannot be started: gone"), stage_finished=False)
    assert (found.outcome, found.reason) == ("failed", "/x/claude cannot be started: gone")


def test_an_exit_code_that_its_agent_gives_a_meaning_is_read_when_no_line_says_more() -> None:
    host = HostOutcome(exit_code=41, exit_meaning="signed_out", stderr_tail="Invalid auth method selected.")
    found = Verdict().decide(host, stage_finished=False)
    assert (found.outcome, found.reason) == ("auth_failed", "it is signed out: Invalid auth method selected.")
    verdict = Verdict()
    verdict.feed(Result(False, "quota", "limit"))
    assert verdict.decide(host, stage_finished=False).outcome == "rate_limited"


def test_a_later_good_turn_forgets_an_earlier_limit() -> None:
    verdict = Verdict()
    for event in (LimitReached(RESET, "five_hour"), Failure("limit"), Result(False, "limit", "limit"), Result(True)):
        verdict.feed(event)
    found = verdict.decide(WELL, stage_finished=False)
    assert (found.outcome, found.hold, found.reset_at) == ("completed", None, None)


def test_an_interrupt_while_the_model_was_waited_for_leaves_no_result_and_is_no_failure() -> None:
    verdict = Verdict()
    verdict.feed(Interrupted())
    assert verdict.decide(WELL, stage_finished=False).outcome == "cancelled"


def test_a_missing_tool_server_asks_to_stop_at_once() -> None:
    verdict = Verdict()
    parse = parsers.parser("claude")
    assert verdict.abort_reason is None
    verdict.feed(parse(recorded("claude/mcp_failed")[0])[0])
    assert verdict.abort_reason == "it could not reach Solo Unicorn's tools (failed)"
    found = verdict.decide(HostOutcome(signal=2, stop=HostStop("mcp")), stage_finished=False)
    assert (found.outcome, found.reason, found.no_chance) == ("failed", verdict.abort_reason, True)


def test_what_refused_its_work_is_told_before_the_tools_it_never_reached() -> None:
    verdict = Verdict()
    for line in recorded("claude/error_529"):
        for event in parsers.parser("claude")(line):
            verdict.feed(event)
    found = verdict.decide(HostOutcome(signal=2, stop=HostStop("mcp")), stage_finished=False)
    assert (found.outcome, found.hold, found.no_chance) == ("unavailable", "service", False)


def test_the_conversation_is_known_from_the_first_line() -> None:
    verdict = Verdict()
    verdict.feed(parsers.parser("claude")(recorded("claude/error_401")[0])[0])
    assert verdict.conversation_id == "8dbdf94a-f01b-4139-888d-ee3e94b88892"


def test_an_agent_that_tries_for_ever_to_reach_its_service_is_given_up() -> None:
    """Recorded: Codex without a network says it tries again, later and later, and never ends."""
    verdict, parse = Verdict(), parsers.parser("codex")
    seen = []
    for line in recorded("codex/unreachable"):
        for event in parse(line):
            verdict.feed(event)
        seen.append(verdict.abort_reason)
    assert seen[:7] == [None] * 7, "a short outage is waited out"
    assert seen[7] == (
        "its service cannot be reached: Reconnecting... waiting for network (Connection failed: error sending request)"
    )
    found = verdict.decide(HostOutcome(exit_code=1, stop=HostStop("mcp")), stage_finished=False)
    assert (found.outcome, found.hold) == ("unavailable", "service")
    assert "waiting for network" in found.reason


def test_a_service_that_comes_back_is_not_given_up() -> None:
    verdict = Verdict()
    for _ in range(5):
        verdict.feed(Retrying(0, 0, 0.0, "away"))
    verdict.feed(MessageText("back"))
    verdict.feed(Retrying(0, 0, 0.0, "away"))
    assert verdict.abort_reason is None


@pytest.mark.parametrize(
    ("line", "outcome", "hold"),
    [
        (
            "[2026-11-30T18:34:18.062Z] [WARN] Attempt 6 failed with status 503. Retrying with backoff... _ApiError: "
            '{"error":{"status":"UNAVAILABLE","message":"The model is overloaded.","code":503}}',
            "unavailable",
            "service",
        ),
        (
            "[2026-11-30T18:34:18.062Z] [WARN] Attempt 2 failed: You exceeded the rate limit. Retrying after 30000ms",
            "unavailable",
            "requests",
        ),
        (
            "[2026-11-30T18:34:18.062Z] [WARN] Attempt 2 failed: You exceeded your current quota, check your plan "
            "and billing details. Please retry in 20s.. Retrying after 20871ms...",
            "unavailable",
            "requests",
        ),
        (
            'timestamp=2026-11-30T18:34:18.062Z level=ERROR run=4b1b8c6a message="stream error" providerID=anthropic '
            "modelID=claude-sonnet-4-5 session.id=ses_1 small=false agent=build mode=primary "
            'error.error="AI_APICallError: This request would exceed your account\'s rate limit"',
            "unavailable",
            "requests",
        ),
    ],
)
@pytest.mark.parametrize("stop", ["mcp", "stall"])
def test_an_agent_over_acp_that_its_service_refuses_is_held(line: str, outcome: str, hold: str, stop: str) -> None:
    """Gemini CLI and OpenCode try again in silence; their logs alone say so. Long pauses meet the stall time."""
    words = refused(line)
    assert words
    verdict = Verdict()
    parse = parsers.parser("acp")
    for number in range(ENDLESS_RETRIES if stop == "mcp" else 1):
        assert verdict.abort_reason is None, number
        for event in parse(json.dumps({"type": "retrying", "error": words})):
            verdict.feed(event)
    assert (verdict.abort_reason is not None) == (stop == "mcp")
    found = verdict.decide(HostOutcome(exit_code=130, stop=HostStop(stop)), stage_finished=False)
    assert (found.outcome, found.hold) == (outcome, hold)


def test_what_an_agent_says_beside_the_protocol_is_no_refusal() -> None:
    repeated = "Attempt 1 failed with status 503. Retrying with backoff..."  # when it ends, beside its log
    for line in (repeated, "Ripgrep is not available.", "  status: 503", "level=ERROR message=other"):
        assert refused(line) is None


@pytest.mark.parametrize("text", ["API key not valid. Please pass a valid API key.", "invalid x-api-key"])
def test_a_key_that_is_refused_over_acp_holds_the_agent(text: str) -> None:
    """The words of Google and Anthropic, as Gemini CLI and OpenCode tell them: both were failures, tried again."""
    verdict = Verdict()
    line = {"type": "result", "ok": False, "error": {"code": -32603, "message": "Internal error", "data": text}}
    for event in parsers.parser("acp")(json.dumps(line)):
        verdict.feed(event)
    found = verdict.decide(HostOutcome(exit_code=1), stage_finished=False)
    assert (found.outcome, found.hold) == ("auth_failed", "sign_in")
