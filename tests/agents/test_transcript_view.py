"""The transcript as the screen shows it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from solo_unicorn.agents import parsers, speech
from solo_unicorn.agents.events import FileChange, PlanStep
from solo_unicorn.agents.transcript import Stream, TranscriptEntry
from solo_unicorn.agents.transcript_view import TranscriptView, clean

from .conftest import recorded


def entries(lines: list[str], stream: Stream = "out", at: float = 100.0) -> list[TranscriptEntry]:
    return [TranscriptEntry(at + number, stream, line, number) for number, line in enumerate(lines)]


def calling(id_: str, name: str, **values: object) -> str:
    call = {"type": "tool_use", "id": id_, "name": name, "input": values}
    return json.dumps({"type": "assistant", "message": {"content": [call]}})


def answering(id_: str, text: str = "", *, failed: bool = False) -> str:
    result = {"type": "tool_result", "tool_use_id": id_, "content": text, "is_error": failed}
    return json.dumps({"type": "user", "message": {"content": [result]}})


@pytest.fixture
def view() -> TranscriptView:
    return TranscriptView(parsers.parser("claude"), worktree="/home/dev/wt")


def test_a_recorded_run_reads_as_a_story(view: TranscriptView) -> None:
    view.feed(entries(recorded("claude/success_mcp_bash_write")))
    assert [(entry.kind, entry.text) for entry in view.entries] == [
        ("started", "Started with claude-opus-5-5"),
        ("thinking", "hm"),
        ("message", "Looking."),
        ("tool", "mission_get M-1"),
        ("tool", "Run touch a.txt"),
        ("tool", "Edit w.txt"),
        ("message", "Done."),
        ("result", "Turn finished"),
    ]
    run, write = view.entries[4:6]
    assert (run.ok, run.tool, run.seconds) == (True, "run", 1.0)
    assert run.detail == "touch a.txt\n(Bash completed with no output)"
    assert write.files == (FileChange("w.txt", "add", 1, None, "+x"),)
    assert (write.added, write.removed) == (1, 0)
    assert view.usage.input_tokens == 55505


def test_reads_in_a_row_are_one_entry_and_the_screen_learns_which_changed(view: TranscriptView) -> None:
    assert view.feed(entries([calling("1", "Read", file_path="/home/dev/wt/src/a.py")])) == 0
    assert view.entries[0].text == "Read src/a.py"
    second = calling("2", "Read", file_path="/home/dev/wt/b.py")
    assert view.feed(entries([second, answering("1", "text"), answering("2", "x")])) == 0
    assert [entry.text for entry in view.entries] == ["Read 2 files"]
    assert view.entries[0].detail == "src/a.py\nb.py"
    assert view.entries[0].ok is True
    assert view.feed(entries([calling("3", "Bash", command="ls")])) == 1
    assert view.feed(entries([answering("3", "boom", failed=True)])) == 1
    assert view.entries[1].ok is False
    assert view.feed(entries([answering("9", "whose is this")])) == 2, "an answer to nothing changes nothing"


def test_what_a_person_said_is_shown_and_what_the_host_wrote_to_the_agent_is_not(view: TranscriptView) -> None:
    said = speech.message("claude", "use SQLite\nplease")
    view.feed(entries([said.strip(), speech.interruption().strip()], "in"))
    assert [(entry.kind, entry.text) for entry in view.entries] == [("you", "use SQLite\nplease")]


def test_plan_limit_retry_and_refusal_have_their_entries(view: TranscriptView) -> None:
    for name in ("retry_429_then_ok", "permission_denied", "usage_limit_five_hour", "usage_limit_warning"):
        view.feed(entries(recorded(f"claude/{name}")))
    view.feed(entries([calling("p", "mcp__solo__update_tasks", titles=["a", "b"], finished=1)]))
    shown = {entry.kind: entry for entry in view.entries}
    assert shown["retry"].text == "Its service refused (429 rate_limit), attempt 1 of 10"
    assert shown["permission"].text == "Was refused Bash"
    assert [entry.text for entry in view.entries if entry.kind == "limit"] == [
        "Usage limit reached, until 2026-11-22 18:18 UTC",
        "Usage limit is near, 92% used, until 2026-11-22 18:18 UTC",
    ]
    assert shown["plan"].text == "Plan: 1 of 2 done"
    assert shown["plan"].steps == (PlanStep("a", "done"), PlanStep("b", "active"))


def test_errors_of_the_program_and_unknown_lines_are_shown_raw(view: TranscriptView) -> None:
    view.feed(entries(["npm WARN deprecated", ""], "err"))
    view.feed(entries(["what is this?", '{"type":"brand new"}']))
    view.feed([TranscriptEntry(1, "out", "x" * 5000, 0, 1), TranscriptEntry(1, "out", "x" * 5000, 0, 2)])
    assert [entry.kind for entry in view.entries] == ["raw"] * 4
    assert view.entries[-1].text == "a line too long to be shown"
    assert len(view.entries[-1].detail) == 2000


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]52;c;aGk=\x07safe", "safe"),
        ("\x1b]0;title\x1b\\x", "x"),
        ("a\x00b\x9bc\x7f", "abc"),
        ("two\r\nlines\ttabs", "two\nlines\ttabs"),
        ("\x1b(B\x1bMup", "(Bup"),
        ("plain ünïcödé ✓", "plain ünïcödé ✓"),
    ],
)
def test_what_an_agent_prints_cannot_steer_the_terminal(text: str, shown: str) -> None:
    assert clean(text) == shown


def test_it_is_light() -> None:
    code = "import sys, solo_unicorn.agents.transcript_view, solo_unicorn.agents.handle; print(*sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"pydantic", "textual", "mcp", "httpx", "git", "keyring", "asyncio", "tomlkit"} & set(loaded)
