"""The Agent Client Protocol as agents speak it, well and badly: an agent that follows a book, behind the real adapter.

The adapter runs in this process and the agent in one of its own, so that a hundred bad manners take seconds.
"""

from __future__ import annotations

import asyncio
import io
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar

import pytest

from solo_unicorn.agents import parsers
from solo_unicorn.agents.acp import conversation
from solo_unicorn.agents.acp.inbox import Inbox
from solo_unicorn.agents.acp.opening import Wanted
from solo_unicorn.agents.acp.questions import question
from solo_unicorn.agents.events import (
    ContextUsed,
    Event,
    MessageText,
    Notice,
    PermissionDenied,
    QuestionAsked,
    Raw,
    SessionStarted,
    ToolCall,
    ToolResult,
    UsageMeter,
    UsageUpdate,
)
from solo_unicorn.agents.handle import HostOutcome
from solo_unicorn.agents.speech import message
from solo_unicorn.agents.verdict import Judgement, Verdict
from solo_unicorn.missions.entities import JsonObject

T = TypeVar("T")
PLAYER = Path(__file__).with_name("acp_playbook.py")
END = {"result": {"stopReason": "end_turn"}}
NEW = {"result": {"sessionId": "s1"}}


def hello(version: int = 1, **capabilities: Any) -> dict[str, Any]:
    info = {"name": "player", "version": "3.1"}
    return {"result": {"protocolVersion": version, "agentCapabilities": capabilities, "agentInfo": info}}


def update(**values: Any) -> str:
    params = {"sessionId": "s1", "update": values}
    return json.dumps({"jsonrpc": "2.0", "method": "session/update", "params": params})


def request(method: str, **params: Any) -> str:
    return json.dumps({"jsonrpc": "2.0", "id": 99, "method": method, "params": {"sessionId": "s1", **params}})


ALLOW = [
    {"optionId": "yes", "name": "Yes", "kind": "allow_once"},
    {"optionId": "no", "name": "No", "kind": "reject_once"},
]


class Told:
    """What came of a session: its lines, and what the agent heard."""

    def __init__(self, code: int, out: str, err: str, heard: list[dict[str, Any]]) -> None:
        self.code = code
        self.lines = out.splitlines()
        self.notes = err
        self.heard = heard
        parse = parsers.parser("acp")
        self.events: list[Event] = [event for line in self.lines for event in parse(line)]

    def of(self, kind: type[T]) -> list[T]:
        return [event for event in self.events if isinstance(event, kind)]

    def asked(self, method: str) -> list[dict[str, Any]]:
        """The parameters of each call of that method."""
        return [line["params"] for line in self.heard if line.get("method") == method]

    def answer(self) -> dict[str, Any]:
        """What the agent's own request 99 was answered."""
        return next(line for line in self.heard if line.get("id") == 99 and "method" not in line)

    @property
    def judged(self) -> Judgement:
        verdict = Verdict()
        for event in self.events:
            verdict.feed(event)
        return verdict.decide(HostOutcome(exit_code=self.code), stage_finished=False)


Play = Callable[..., Told]


@pytest.fixture
def play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Play:
    """Holds a session with an agent that follows the book; `stop_at`: it is stopped once that is printed."""

    def run(book: dict[str, list[Any]], *, images: tuple[Path, ...] = (), stop_at: str = "", **wanted: Any) -> Told:
        (tmp_path / "book.json").write_text(json.dumps({"initialize": [hello()], "session/new": [NEW], **book}))
        heard = tmp_path / "heard.jsonl"
        heard.unlink(missing_ok=True)
        reading, writing = os.pipe()
        os.write(writing, message("claude", "Go on", images).encode())
        if not stop_at:
            os.close(writing)
        command = (sys.executable, "-ISu", str(PLAYER), str(tmp_path / "book.json"), str(heard))
        out, err = Printed(stop_at), Printed(stop_at)
        with monkeypatch.context() as patched, os.fdopen(reading, "rb", buffering=0) as stdin:
            patched.setattr("sys.stdin", SimpleNamespace(buffer=stdin))
            patched.setattr("sys.stdout", out)
            patched.setattr("sys.stderr", err)
            code = asyncio.run(_held(Wanted(command, tmp_path, **wanted), out, err))
        if stop_at:
            os.close(writing)
        return Told(code, out.getvalue(), err.getvalue(), [json.loads(line) for line in heard.read_text().splitlines()])

    return run


class Printed(io.StringIO):
    """What is printed; once the word is, what `then` does is done."""

    def __init__(self, word: str) -> None:
        super().__init__()
        self._word = word
        self.then: Callable[[], object] = lambda: None

    def write(self, text: str) -> int:
        if self._word and self._word in text:
            self.then()
        return super().write(text)


async def _held(wanted: Wanted, *printed: Printed) -> int:
    task = asyncio.ensure_future(conversation.held(wanted))
    for one in printed:
        one.then = task.cancel
    try:
        return await task
    except asyncio.CancelledError:
        return 130


# ---- its conversation ------------------------------------------------------------------------------------------------


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


def option(id_: str, category: str, *values: Any) -> dict[str, Any]:
    return {"id": id_, "name": id_, "category": category, "type": "select", "currentValue": "", "options": list(values)}


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
    assert "it cannot be asked for the effort 'high'" in play(book, effort="high").judged.reason
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

ASKS = request(
    "session/request_permission", toolCall={"toolCallId": "c", "kind": "execute", "title": "ls"}, options=ALLOW
)


class Nobody(Inbox):
    """A person who never answers."""

    def __init__(self, _: Path) -> None:
        pass

    async def ask(self, call: Any, about: str = "") -> tuple[bool, str]:
        await asyncio.Event().wait()
        raise AssertionError


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
    assert "it wrote what is not a message: Loading…" in noted
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
