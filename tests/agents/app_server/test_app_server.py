"""Codex by its app server: recordings to events and outcomes, and the adapter beside an app server of our own."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from solo_unicorn.agents import catalogue, launch, parsers
from solo_unicorn.agents.app_server.approvals import read_by
from solo_unicorn.agents.events import (
    Event,
    Interrupted,
    LimitNear,
    LimitReached,
    MessageText,
    PermissionDenied,
    PlanStep,
    PlanUpdate,
    Result,
    Retrying,
    SessionStarted,
    ToolCall,
    ToolResult,
    UsageMeter,
)
from solo_unicorn.agents.verdict import Judgement, Verdict
from solo_unicorn.config import paths
from solo_unicorn.config.settings import AgentSettings, Settings
from solo_unicorn.missions.entities import CodeAgent, Usage
from solo_unicorn.missions.rules.permissions import PermissionRule

from ..conftest import RunningSession, eventually, recorded, recorded_end

SERVER = Path(__file__).with_name("codex_server.py")


def read(lines: list[str]) -> list[Event]:
    parse = parsers.parser("app_server")
    return [event for line in lines for event in parse(line)]


def judged(events: list[Event], name: str = "app_server/success_command_patch_refused") -> Judgement:
    verdict = Verdict()
    for event in events:
        verdict.feed(event)
    return verdict.decide(recorded_end(name), stage_finished=False)


@pytest.mark.parametrize(
    ("name", "outcome", "hold", "told"),
    [
        ("success_command_patch_refused", "completed", None, ""),
        ("error_401", "auth_failed", "sign_in", "Incorrect API key"),
        ("error_429", "unavailable", "requests", "429 Too Many Requests"),
        ("error_500", "unavailable", "service", "high demand"),
        ("error_503", "unavailable", "service", "overloaded"),
        ("usage_limit", "rate_limited", "limit", "hit your usage limit"),
        ("quota", "unavailable", "credit", "Quota exceeded"),
        ("credit", "unavailable", "credit", "Payment Required"),
    ],
)
def test_what_it_was_recorded_to_do(name: str, outcome: str, hold: str | None, told: str) -> None:
    found = judged(read(recorded(f"app_server/{name}")), f"app_server/{name}")
    assert (found.outcome, found.hold) == (outcome, hold)
    assert told in found.reason


def test_a_limit_resets_when_the_window_that_is_used_up_does() -> None:
    events = read(recorded("app_server/usage_limit"))
    assert next(one for one in events if isinstance(one, LimitReached)).reset_at == datetime.fromtimestamp(
        1796060000, UTC
    )
    assert any(isinstance(one, LimitNear) and one.used == 1.0 for one in events)


def test_a_recorded_turn_is_told_as_commands_changes_and_refusals() -> None:
    events = read(recorded("app_server/success_command_patch_refused"))
    assert next(one for one in events if isinstance(one, SessionStarted)).agent_version == "0.169.0"
    calls = [one for one in events if isinstance(one, ToolCall)]
    assert [(one.kind, one.summary) for one in calls if one.kind == "run"] == [
        ("run", "cat README.md"),
        ("run", "git add -A && git commit -q -m Greet"),
        ("run", "touch ../outside.txt"),
    ]
    changed = next(one for one in calls if one.kind == "edit")
    assert {(one.path.rpartition("/")[2], one.change, one.added) for one in changed.files} == {
        ("greeting.txt", "add", 1),
        ("README.md", "edit", 1),
    }
    refused = [one for one in events if isinstance(one, PermissionDenied)]
    assert [one.reason for one in refused] == [
        "commands are not run unasked",
        "/home/me/shop/outside.txt is outside the worktree",
    ]
    failed = {one.id for one in events if isinstance(one, ToolResult) and not one.ok}
    assert {one.call_id for one in refused} <= failed
    meter = UsageMeter()
    for event in events:
        meter.feed(event)
    assert meter.total == Usage(600, 60, 0)
    assert [one.text for one in events if isinstance(one, MessageText)] == ["I look first.", "Done."]


def line(method: str, **params: object) -> str:
    return json.dumps({"type": "codex", "method": method, "params": params})


@pytest.mark.parametrize(
    ("said", "event"),
    [
        (
            line(
                "turn/plan/updated",
                plan=[{"step": "Look", "status": "completed"}, {"step": "Do", "status": "inProgress"}],
            ),
            PlanUpdate((PlanStep("Look", "done"), PlanStep("Do", "active"))),
        ),
        (
            line("error", error={"message": "Reconnecting... 2/5", "additionalDetails": "reset"}, willRetry=True),
            Retrying(2, 5, 0.0, "reset"),
        ),
        (line("item/agentMessage/delta", itemId="m", delta="Hel"), MessageText("Hel", partial=True)),
        (json.dumps({"type": "result", "ok": False, "status": "interrupted", "error": None}), Interrupted()),
    ],
)
def test_one_line_is_one_event(said: str, event: Event) -> None:
    assert read([said])[0] == event


def test_our_server_that_did_not_start_ends_the_run_with_the_reason() -> None:
    failed = line("mcpServer/startupStatus/updated", name="solo", status="failed", error="no answer in 30 s")
    other = line("mcpServer/startupStatus/updated", name="linear", status="failed", error="signed out")
    verdict = Verdict()
    for event in read([json.dumps({"type": "session", "threadId": "t"}), other, failed]):
        verdict.feed(event)
    assert verdict.abort_reason == "it could not reach Solo Unicorn's tools (no answer in 30 s)"
    assert verdict.conversation_id == "t"


@pytest.mark.parametrize(
    ("command", "reads"),
    [
        ("cat README.md", [".", "README.md"]),
        ("sed -n '1,200p' src/pay.py | head -20", [".", "src/pay.py"]),
        ("git add -A && git commit -q -m 'feat(pay): retry'", ["."]),
        ("ls -la; git status --short", ["."]),
        ("cat a > b", None),
        ("cat a; rm b", None),
        ("sed -n 's/a/b/w x' f", None),
        ("sed -i s/a/b/ f", None),
        ("rg --pre=./run x", None),
        ("cat $(touch x)", None),
        ("cat `touch x`", None),
        ("git mv a b", None),
        ("git -c core.pager=x log", None),
        ("git diff --output=x", None),
        ("cat 'a", None),
        ("| cat", None),
        ("", None),
        ("cat a & rm b", None),
        ("cat s*/key", None),
    ],
)
def test_with_rules_only_what_plainly_reads_or_records_is_run_unasked(command: str, reads: list[str] | None) -> None:
    assert read_by(command) == reads


def test_it_is_started_in_its_plain_mode_where_a_person_wants_it_or_it_has_no_other() -> None:
    entry = catalogue.entry("codex")
    assert entry.turn.guard == "asks" and catalogue.door(entry, "0.169.0") is entry
    plain = catalogue.door(entry, "0.169.0", plain=True)
    assert (plain.parser, plain.transport, plain.turn.guard, plain.is_plain) == ("codex", "lines", "sandbox", True)
    assert plain.plain is None


# ---- the adapter, with an app server of our own


@pytest.fixture
def begin(home: Path, tmp_path: Path) -> Iterator[Callable[..., RunningSession]]:
    """Starts the agent as a session does, on a prompt that says what its app server does."""
    made: list[RunningSession] = []
    worktree = tmp_path / "worktree"
    worktree.mkdir()
    program = tmp_path / "codex"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} {SERVER} "$@"\n')
    program.chmod(0o755)

    def start(prompt: str, **given: object) -> RunningSession:
        run_dir = paths.run_dir(f"{len(made)}-{tmp_path.name[-20:]}")
        values: dict[str, object] = {
            "mcp": None,
            "resume": None,
            "settings": Settings(),
            "correlation": "c",
            "worktree": worktree,
        }
        agent = CodeAgent("codex", "codex", binary=str(program), agent_version="0.169.0", state="ready")
        launch.prepare(run_dir, agent, prompt=prompt, **(values | given))  # type: ignore[arg-type]
        made.append(RunningSession(run_dir))
        return made[-1].start()

    yield start
    for one in made:
        if one.handle.alive():
            one.handle.kill()
            one.ended()


Begin = Callable[..., RunningSession]


def asked(one: RunningSession) -> dict[str, dict[str, object]]:
    """What the app server was asked, by method, as it printed it to its standard error."""
    found = [json.loads(text) for text in one.lines("err") if text.startswith("{")]
    return {str(value["method"]): value.get("params", {}) for value in found}


@pytest.mark.slow
def test_it_begins_a_thread_whose_sandbox_has_the_network_and_ends_with_its_turn(begin: Begin) -> None:
    one = begin("say hello")
    assert one.ended().exit_code == 0
    started = asked(one)["thread/start"]
    assert (started["sandbox"], started["approvalPolicy"]) == ("workspace-write", "on-request")
    assert started["config"]["sandbox_workspace_write.network_access"] is True  # type: ignore[index]
    assert judged(read(one.lines())).words == "hello"


@pytest.mark.slow
def test_with_rules_it_asks_for_all_and_with_none_of_it_for_nothing(begin: Begin) -> None:
    rules = (PermissionRule(1, "p", "*", "migrations/*", datetime(2026, 5, 4, tzinfo=UTC), "deny", True),)
    ruled = begin("change migrations/1.sql", rules=rules)
    ruled.ended()
    assert asked(ruled)["thread/start"]["approvalPolicy"] == "untrusted"
    assert "a rule of the project denies it" in [
        one.reason for one in read(ruled.lines()) if isinstance(one, PermissionDenied)
    ]
    free = begin("say hello", settings=Settings(agents={"codex": AgentSettings(skip_permissions=True)}))
    free.ended()
    started = asked(free)["thread/start"]
    assert (started["sandbox"], started["approvalPolicy"]) == ("danger-full-access", "never")


@pytest.mark.slow
def test_a_change_inside_the_worktree_is_allowed_and_one_outside_is_not(begin: Begin, tmp_path: Path) -> None:
    one = begin("change notes.txt")
    one.ended()
    assert "decision accept" in one.lines("err")
    other = begin(f"change {tmp_path}/elsewhere.txt")
    other.ended()
    assert "decision decline" in other.lines("err")


@pytest.mark.slow
def test_what_is_said_steers_the_turn_and_counts_as_heard(begin: Begin) -> None:
    one = begin("wait")
    one.line('{"type":"session"')
    eventually(lambda: any("turn/started" in said for said in one.lines()), "the turn began")
    one.handle.say("hurry")
    assert one.ended().exit_code == 0
    assert judged(read(one.lines())).words == "heard hurry"
    assert [said for said in one.lines() if said == '{"type":"taken"}']


@pytest.mark.slow
def test_what_cannot_steer_the_turn_is_the_next_one(begin: Begin) -> None:
    one = begin("wait deaf")
    eventually(lambda: any("turn/started" in said for said in one.lines()), "the turn began")
    one.handle.say("say hello")
    assert one.ended().exit_code == 0
    assert [event.ok for event in read(one.lines()) if isinstance(event, Result)] == [True, True]
    assert judged(read(one.lines())).words == "hello"


@pytest.mark.slow
def test_it_is_broken_off_in_order_and_listens_on(begin: Begin) -> None:
    one = begin("wait")
    eventually(lambda: any("turn/started" in said for said in one.lines()), "the turn began")
    one.handle.interrupt()
    one.line('{"type":"result","ok":false,"status":"interrupted"')
    one.handle.say("say hello")
    assert one.ended().exit_code == 0
    assert judged(read(one.lines())).words == "hello"


@pytest.mark.slow
def test_a_conversation_it_does_not_know_is_told_as_such(begin: Begin) -> None:
    one = begin("say hello", resume="unknown")
    found = judged_at_end(one)
    assert found.outcome == "failed" and found.conversation_lost


def judged_at_end(one: RunningSession) -> Judgement:
    outcome = one.ended()
    verdict = Verdict()
    for event in read(one.lines()):
        verdict.feed(event)
    return verdict.decide(outcome, stage_finished=False)


@pytest.mark.slow
@pytest.mark.parametrize("prompt", ["die", "rubbish", "answer twice"])
def test_an_app_server_that_misbehaves_ends_in_a_clear_state(begin: Begin, prompt: str) -> None:
    found = judged_at_end(begin(prompt))
    if prompt == "die":
        assert (found.outcome, found.reason) == (
            "failed",
            "it reported an error (exit code 1): it ended in the middle of a turn",
        )
    else:
        assert found.outcome == "completed"


@pytest.mark.slow
def test_what_a_sub_agent_says_does_not_end_the_turn_and_is_told_below_its_call(begin: Begin) -> None:
    one = begin("delegate")
    assert one.ended().exit_code == 0
    calls = [event for event in read(one.lines()) if isinstance(event, ToolCall)]
    assert [(call.kind, call.within) for call in calls] == [("delegate", ""), ("run", calls[0].id)]
    assert judged(read(one.lines())).words == "all done"
