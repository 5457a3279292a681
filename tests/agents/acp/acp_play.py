"""An agent over ACP that plays what a test wrote down."""

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
from solo_unicorn.agents.adapter import Wanted
from solo_unicorn.agents.events import Event
from solo_unicorn.agents.handle import HostOutcome
from solo_unicorn.agents.speech import message
from solo_unicorn.agents.verdict import Judgement, Verdict

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


def option(id_: str, category: str, *values: Any) -> dict[str, Any]:
    return {"id": id_, "name": id_, "category": category, "type": "select", "currentValue": "", "options": list(values)}


class Nobody(Inbox):
    """A person who never answers."""

    def __init__(self, _: Path) -> None:
        pass

    async def ask(self, call: Any, about: str = "") -> tuple[bool, str]:
        await asyncio.Event().wait()
        raise AssertionError
