"""Agents over ACP that are stopped, never answer, or send what has no meaning."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from solo_unicorn.agents.acp import conversation
from solo_unicorn.agents.events import MessageText, PermissionDenied, Raw, UsageMeter, UsageUpdate

from .acp_play import ALLOW, END, Nobody, Play, hello, request, update

ASKS = request(
    "session/request_permission", toolCall={"toolCallId": "c", "kind": "execute", "title": "ls"}, options=ALLOW
)


def test_a_stop_cancels_the_turn_and_answers_what_waits_for_a_person(
    play: Play, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversation, "Inbox", Nobody)
    (tmp_path / "mcp.json").write_text('{"url": "u", "token": "t"}')
    able: dict[str, Any] = {"sessionCapabilities": {"close": {}}}
    one = play(
        {
            "initialize": [hello(**able)],
            "session/prompt": [ASKS, {"wait": '"cancelled"'}, {"result": {"stopReason": "cancelled"}}],
            "session/close": [{"result": {}}],
        },
        stop_at='"asking"',
        mcp_file=tmp_path / "mcp.json",
    )
    assert one.answer()["result"] == {"outcome": {"outcome": "cancelled"}}
    methods = [line["method"] for line in one.heard if "method" in line]
    assert methods[-2:] == ["session/cancel", "session/close"] and one.code == 130


def test_a_request_that_the_agent_takes_back_is_answered_as_cancelled(
    play: Play, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversation, "Inbox", Nobody)
    (tmp_path / "mcp.json").write_text('{"url": "u", "token": "t"}')
    back = json.dumps({"jsonrpc": "2.0", "method": "$/cancel_request", "params": {"requestId": 99}})
    one = play({"session/prompt": [ASKS, back, {"wait": "-32800"}, END]}, mcp_file=tmp_path / "mcp.json")
    assert one.answer()["error"]["code"] == -32800 and one.judged.outcome == "completed"


def test_one_that_never_answers_is_left_in_bounded_time(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversation, "CANCEL_SECONDS", 0.05)
    one = play({"session/prompt": ["Loading…"]}, stop_at="Loading")
    assert one.code == 130 and one.asked("session/cancel")
    begun = play({"session/new": ["Loading…"]}, stop_at="Loading")
    assert begun.code == 130 and begun.asked("$/cancel_request") == [{"requestId": 2}]


# ---- bad manners -----------------------------------------------------------------------------------------------------

HUGE = update(sessionUpdate="agent_message_chunk", content={"type": "text", "text": "x" * 3_000_000})
BAD_MANNERS: dict[str, tuple[list[Any], str]] = {
    "lines that are not messages": (
        ["Loading…", "42", "[]", "null", '{"jsonrpc": "2.0"}', "{" * 5000, END],
        "completed",
    ),
    "answers twice": ([END, END], "completed"),
    "answers a request nobody made": (['{"jsonrpc": "2.0", "id": 4711, "result": {}}', END], "completed"),
    "asks what there is not": ([request("terminal/create", command="ls"), {"wait": "-32601"}, END], "completed"),
    "tells what there is not": (['{"method": "session/weather", "params": {"rain": 1}}', END], "completed"),
    "an update of no shape": (['{"method": "session/update", "params": {"update": 7}}', END], "completed"),
    "an update of a kind to come": ([update(sessionUpdate="weather", rain=True), END], "completed"),
    "a huge update": ([HUGE, END], "completed"),
    "NaN used": (
        ['{"id": $ID, "result": {"stopReason": "end_turn", "usage": {"inputTokens": NaN, "outputTokens": 1e999}}}'],
        "completed",
    ),
    "a turn without a reason": ([{"result": {}}], "failed"),
    "a turn that is no object": ([{"result": "done"}], "failed"),
    "an error without a code": (['{"id": $ID, "error": "no"}'], "failed"),
    "ends in the middle": ([{"exit": 7}], "failed"),
    "a limit": ([{"error": {"code": -32603, "message": "You've hit your usage limit"}}], "rate_limited"),
}


@pytest.mark.parametrize("manners", BAD_MANNERS)
def test_bad_manners_end_in_a_clear_state(play: Play, manners: str) -> None:
    steps, outcome = BAD_MANNERS[manners]
    one = play({"session/prompt": steps})
    assert one.judged.outcome == outcome, one.notes
    assert outcome == "completed" or one.judged.reason
    assert "Traceback" not in one.notes and '"type":"result"' in one.lines[-1]
    meter = UsageMeter()
    assert all(meter.feed(event) for event in one.of(UsageUpdate)) and meter.total.input_tokens == 0


def test_what_no_shape_knows_is_kept_and_shown(play: Play) -> None:
    told = play(
        {"session/prompt": [update(sessionUpdate="weather", rain=True), '{"method": "x/y", "params": {}}', END]}
    )
    assert len(told.of(Raw)) == 2 and not told.notes
    noted = play({"session/prompt": ["Loading…", END, END]}).notes
    assert "it wrote an invalid message: Loading…" in noted
    words = play({"session/prompt": [HUGE, END]}).of(MessageText)
    assert len(words[0].text) == 3_000_000


@pytest.mark.parametrize(
    ("options", "outcome"),
    [
        ([{"optionId": "maybe", "kind": "perhaps"}], {"outcome": "cancelled"}),
        ([{"kind": "allow_once"}, 7], {"outcome": "cancelled"}),
        ([], {"outcome": "cancelled"}),
        ([{"optionId": "maybe", "kind": "perhaps"}, *ALLOW], {"outcome": "selected", "optionId": "yes"}),
    ],
)
def test_options_that_nobody_knows_allow_nothing(play: Play, options: list[Any], outcome: dict[str, str]) -> None:
    call = {"toolCallId": "c", "kind": "edit", "title": "Edit", "locations": [{"path": "a.txt"}]}
    one = play(
        {"session/prompt": [request("session/request_permission", toolCall=call, options=options), {"wait": "99"}, END]}
    )
    assert one.answer()["result"] == {"outcome": outcome}
    assert bool(one.of(PermissionDenied)) == (outcome["outcome"] == "cancelled")


def test_a_permission_of_no_shape_is_refused_and_shown(play: Play) -> None:
    one = play({"session/prompt": [request("session/request_permission", toolCall=[]), {"wait": "-32602"}, END]})
    assert one.answer()["error"]["code"] == -32602 and len(one.of(Raw)) == 1


@pytest.mark.parametrize("answer", [{"result": {}}, {"result": []}, {"result": {"sessionId": 7}}])
def test_a_conversation_without_an_id_is_not_begun(play: Play, answer: dict[str, Any]) -> None:
    assert "without an id" in play({"session/new": [answer]}).judged.reason
