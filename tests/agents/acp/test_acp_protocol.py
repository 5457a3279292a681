"""The Agent Client Protocol as agents speak it, well and badly: an agent that follows a book, behind the real adapter.

The adapter runs in this process and the agent in one of its own, so that a hundred bad manners take seconds.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from solo_unicorn.agents.acp.questions import question
from solo_unicorn.agents.events import (
    ContextUsed,
    Notice,
    QuestionAsked,
    SessionStarted,
    ToolCall,
    ToolResult,
    UsageMeter,
)
from solo_unicorn.missions.entities import JsonObject

from .acp_play import ALLOW, END, NEW, Play, Told, hello, option, request, update


def test_a_conversation_is_resumed_where_that_is_announced_else_loaded(play: Play) -> None:
    both: dict[str, Any] = {"loadSession": True, "sessionCapabilities": {"resume": {}}}
    book = {"session/resume": [{"result": {}}], "session/load": [{"result": None}], "session/prompt": [END]}
    one = play({"initialize": [hello(**both)], **book}, resume="s1")
    assert one.asked("session/resume")[0]["sessionId"] == "s1" and not one.asked("session/load")
    loaded = play({"initialize": [hello(loadSession=True)], **book}, resume="s1")
    assert loaded.asked("session/load") and not loaded.asked("session/resume")
    del book["session/resume"]  # announced, but not there
    assert play({"initialize": [hello(**both)], **book}, resume="s1").asked("session/load")
    assert all(told.judged.outcome == "completed" for told in (one, loaded))


@pytest.mark.parametrize(
    ("capabilities", "why"),
    [
        ({"loadSession": True}, "session/load failed: No such session: it was deleted"),
        ({}, "it cannot go on with an earlier conversation"),
    ],
)
def test_a_lost_conversation_begins_anew_with_all_that_has_to_be_known(
    play: Play, capabilities: dict[str, Any], why: str
) -> None:
    lost = {"error": {"code": -32002, "message": "No such session", "data": "it was deleted"}}
    book = {"initialize": [hello(**capabilities)], "session/load": [lost], "session/prompt": [END]}
    one = play(book, resume="s0", fresh="All of it")
    assert one.judged.outcome == "completed"
    assert one.asked("session/prompt")[0] == {"sessionId": "s1", "prompt": [{"type": "text", "text": "All of it"}]}
    assert [started.conversation_id for started in one.of(SessionStarted)] == ["s1"]
    assert why in one.of(Notice)[0].text
    without = play(book, resume="s0").judged
    assert (without.outcome, without.conversation_lost) == ("failed", True)


def test_another_version_of_the_protocol_is_refused_by_its_number(play: Play) -> None:
    one = play({"initialize": [hello(2)]})
    assert one.asked("initialize")[0]["protocolVersion"] == 1 and not one.asked("session/new")
    assert "it speaks version 2 of the Agent Client Protocol" in one.judged.reason
    assert "no version it names" in play({"initialize": [{"result": {}}]}).judged.reason


def test_it_is_signed_in_by_a_key_of_the_environment_and_by_nothing_else(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    ways = [
        {"id": "browser", "name": "Log in with the browser"},
        {"id": "by-key", "name": "A key", "description": "Requires PLAYER_API_KEY"},
    ]
    first = hello()
    first["result"]["authMethods"] = ways
    wants = [{"error": {"code": -32000, "message": "Authentication required"}}]
    book = {"initialize": [first], "session/new": wants, "session/new#2": [NEW], "session/prompt": [END]}
    signed_out = play(book)
    assert not signed_out.asked("authenticate")
    found = signed_out.judged
    assert (found.outcome, found.hold) == (
        "auth_failed",
        "sign_in",
    ) and "Log in with the browser, A key" in found.reason
    monkeypatch.setenv("PLAYER_API_KEY", "k")
    signed_in = play({**book, "authenticate": [{"result": {}}]})
    assert signed_in.asked("authenticate") == [{"methodId": "by-key"}] and signed_in.judged.outcome == "completed"
    told = play({**book, "authenticate": [{"result": {}}]}, sign_in=(("PLAYER_API_KEY", "browser"),))
    assert told.asked("authenticate") == [{"methodId": "browser"}], "the catalogue knows better"
    refused = play({**book, "authenticate": [{"error": {"code": 1, "message": "Wrong key"}}]})
    assert refused.judged.outcome == "auth_failed" and "by-key failed: Wrong key" in refused.judged.reason


def test_more_directories_and_images_go_only_to_who_takes_them(play: Play, tmp_path: Path) -> None:
    picture = tmp_path / "a.png"
    picture.write_bytes(b"png")
    able: dict[str, Any] = {"promptCapabilities": {"image": True}, "sessionCapabilities": {"additionalDirectories": {}}}
    one = play({"initialize": [hello(**able)], "session/prompt": [END]}, images=(picture,), directory="/files")
    assert one.asked("session/new")[0]["additionalDirectories"] == ["/files"]
    assert [block["type"] for block in one.asked("session/prompt")[0]["prompt"]] == ["text", "image"]
    plain = play({"session/prompt": [END]}, images=(picture,), directory="/files")
    assert "additionalDirectories" not in plain.asked("session/new")[0]
    assert [block["type"] for block in plain.asked("session/prompt")[0]["prompt"]] == ["text"]


def test_model_effort_and_mode_are_chosen_among_what_there_is(play: Play) -> None:
    group = {"group": "g", "name": "G", "options": [{"value": "p/big", "name": "Big"}]}
    models, modes = option("m", "model", group), option("x", "mode", {"value": "ask", "name": "Ask"})
    efforts = option("think", "thought_level", {"value": "high", "name": "High"})
    answer = {"result": {"configOptions": [models, modes, efforts]}}
    book = {
        "session/new": [{"result": {"sessionId": "s1", "configOptions": [models, modes]}}],
        "session/set_config_option": [answer],
        "session/prompt": [END],
    }
    one = play(book, model="big", effort="high", mode="ask")  # the effort is there only with that model
    chosen = [(call["configId"], call["value"]) for call in one.asked("session/set_config_option")]
    assert chosen == [("m", "p/big"), ("think", "high"), ("x", "ask")]
    assert "it has no model 'small' (it has p/big)" in play(book, model="small").judged.reason
    assert "its effort cannot be set to 'high'" in play(book, effort="high").judged.reason
    older = {
        "sessionId": "s1",
        "models": {"availableModels": [{"modelId": "flash", "name": "Flash"}]},
        "modes": {"availableModes": [{"id": "plan", "name": "Plan"}]},
    }
    methods = {"session/set_model": [{"result": {}}], "session/set_mode": [{"result": {}}], "session/prompt": [END]}
    two = play({"session/new": [{"result": older}], **methods}, model="Flash", mode="plan")
    assert (
        two.asked("session/set_model")[0]["modelId"] == "flash" and two.asked("session/set_mode")[0]["modeId"] == "plan"
    )


# ---- what it tells ---------------------------------------------------------------------------------------------------


def spent(amount: float) -> str:
    cost = {"amount": amount, "currency": "USD"}
    return update(sessionUpdate="usage_update", used=900, size=1000, cost=cost)


def test_its_cost_is_counted_once_and_its_context_known(play: Play) -> None:
    def total(told: Told) -> float | None:
        meter = UsageMeter()
        for event in told.events:
            meter.feed(event)
        return meter.total.cost_usd

    one = play({"session/prompt": [spent(0.25), spent(0.75), END]})
    assert total(one) == 0.75 and one.of(ContextUsed)[-1] == ContextUsed(900, 1000, 0.75)
    load = {"initialize": [hello(loadSession=True)], "session/load": [spent(2.0), {"result": None}]}
    assert total(play({**load, "session/prompt": [spent(2.5), END]}, resume="s1")) == 0.5, "the rest was paid before"
    load["session/load"] = [{"result": None}]
    assert total(play({**load, "session/prompt": [spent(2.5), spent(3.0), END]}, resume="s1")) == 0.5, "never twice"


def test_a_call_whose_input_is_still_written_is_told_once_it_is_known(play: Play) -> None:
    begun = update(
        sessionUpdate="tool_call",
        toolCallId="c1",
        title="bash",
        kind="execute",
        status="pending",
        rawInput={"cwd": "/w"},
    )
    named = {"toolCallId": "c1", "status": "in_progress", "rawInput": {"command": "npm test"}}
    over = update(sessionUpdate="tool_call_update", toolCallId="c1", status="completed")
    one = play({"session/prompt": [begun, update(sessionUpdate="tool_call_update", **named), over, END]})
    assert [(call.summary, call.kind) for call in one.of(ToolCall)] == [("npm test", "run")]
    assert [result.ok for result in one.of(ToolResult)] == [True]
    assert [call.name for call in play({"session/prompt": [begun, END]}).of(ToolCall)] == ["bash"], "nothing is lost"


def test_a_permission_is_asked_about_the_call_as_it_is_known(play: Play, tmp_path: Path) -> None:
    """What the request leaves empty was told before; a command that is in no input is the title."""
    place = [{"path": str(tmp_path / "a.txt")}]
    begun = update(sessionUpdate="tool_call", toolCallId="c", title="read", kind="read", locations=place)
    bare = {"toolCallId": "c", "kind": "read", "title": "read", "locations": [], "rawInput": {}}
    asks = request("session/request_permission", toolCall=bare, options=ALLOW)
    one = play({"session/prompt": [begun, asks, {"wait": "99"}, END]})
    assert one.answer()["result"]["outcome"] == {"outcome": "selected", "optionId": "yes"}
    for title, chosen in (("git add a.txt", "yes"), ("git add a.txt…", "no"), ("git push", "no")):
        call = {"toolCallId": "c", "kind": "execute", "title": title, "locations": []}
        asks = request("session/request_permission", toolCall=call, options=ALLOW)
        two = play({"session/prompt": [asks, {"wait": "99"}, END]})
        assert two.answer()["result"]["outcome"]["optionId"] == chosen, title


def test_a_question_in_words_ends_the_turn_and_is_for_the_person(play: Play) -> None:
    fields = {"way": {"type": "string", "title": "Strategy", "enum": ["bold", "careful"]}, "more": {"type": "boolean"}}
    form = request("elicitation/create", mode="form", message="Which way?", requestedSchema={"properties": fields})
    one = play({"session/prompt": [form, {"wait": "session/cancel"}, {"result": {"stopReason": "cancelled"}}]})
    assert one.answer()["result"] == {"action": "cancel"}
    assert [event.text for event in one.of(QuestionAsked)] == [
        "Which way?\n- Strategy (bold | careful)\n- more (yes | no)"
    ]
    found = one.judged
    assert (found.outcome, one.code) == ("needs_input", 0) and str(found.question).startswith("Which way?")
    assert one.asked("initialize")[0]["clientCapabilities"] == {"elicitation": {"form": {}}}
    url = play(
        {
            "session/prompt": [
                request("elicitation/create", mode="url", url="http://x", message="m"),
                {"wait": "99"},
                END,
            ]
        }
    )
    assert url.answer()["error"]["code"] == -32602, "a mode that was not announced"


def test_a_form_may_be_anything() -> None:
    assert question({}) and question({"message": "m", "requestedSchema": {"properties": {"a": 1}}}) == "m"
    many: JsonObject = {"type": "array", "description": "Which", "items": {"anyOf": [{"const": 1, "title": "One"}, 2]}}
    assert question({"message": "m", "requestedSchema": {"properties": {"a": many}}}) == "m\n- Which (One)"


# ---- broken off ------------------------------------------------------------------------------------------------------
