"""A transcript read in pieces, or anew by another service, comes to the same state."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from solo_unicorn.agents import transcript
from solo_unicorn.agents.handle import HostOutcome
from solo_unicorn.workstation.session.transcript_fold import TranscriptFold


def write(run_dir: Path, lines: list[str]) -> None:
    """A transcript of what an agent printed."""
    with (run_dir / transcript.HEAD).open("a") as file:
        for number, line in enumerate(lines):
            file.write(json.dumps({"t": 1000.0 + number, "s": "out", "l": line}) + "\n")


LINES = [
    json.dumps({"type": "system", "subtype": "init", "session_id": "conversation-1", "mcp_servers": [], "tools": []}),
    "not json at all",
    json.dumps(
        {
            "type": "assistant",
            "message": {
                "id": "1",
                "content": [{"type": "text", "text": "Working"}],
                "usage": {"input_tokens": 10, "output_tokens": 2},
            },
        }
    ),
    json.dumps(
        {
            "type": "result",
            "subtype": "success",
            "is_error": False,
            "result": "Done",
            "num_turns": 1,
            "usage": {"input_tokens": 12, "output_tokens": 5},
        }
    ),
]


def test_pieces_come_to_what_the_whole_comes_to(tmp_path: Path) -> None:
    pieces = TranscriptFold(tmp_path, "claude")
    for line in LINES:
        write(tmp_path, [line])
        assert pieces.take()
        assert not pieces.take(), "nothing is taken twice"
    whole = TranscriptFold(tmp_path, "claude")
    whole.take_all()
    assert (whole.offset, whole.usage, whole.activity) == (pieces.offset, pieces.usage, pieces.activity)
    assert whole.offset == transcript.end(tmp_path)
    assert whole.verdict.conversation_id == "conversation-1"
    assert (whole.usage.input_tokens, whole.usage.output_tokens) == (12, 5)
    assert whole.last_at is not None


def test_a_line_that_is_being_written_is_left_for_later(tmp_path: Path) -> None:
    write(tmp_path, LINES[:1])
    with (tmp_path / transcript.HEAD).open("a") as file:
        file.write('{"t": 1, "s": "out", "l": "ha')
        file.flush()
        reading = TranscriptFold(tmp_path, "claude")
        assert reading.take()
        before = reading.offset
        assert not reading.take()
        file.write('lf"}\n')
    assert reading.take()
    assert reading.offset > before


@pytest.mark.parametrize("finished", [True, False])
def test_what_the_workspace_knows_decides(tmp_path: Path, finished: bool) -> None:
    write(tmp_path, LINES)
    reading = TranscriptFold(tmp_path, "claude")
    reading.take_all()
    judgement = reading.verdict.decide(None, stage_finished=finished)
    assert judgement.outcome == ("completed" if finished else "unknown")
    assert reading.verdict.decide(HostOutcome(exit_code=0), stage_finished=False).outcome == "completed"
