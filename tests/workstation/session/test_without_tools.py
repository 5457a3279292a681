"""An agent that works without our tools is stopped; one that comes to them late is not."""

from __future__ import annotations

import json
from pathlib import Path

from solo_unicorn.agents import transcript
from solo_unicorn.config import paths
from solo_unicorn.workstation.session.outcome_policy import TOOLS_SECONDS, works_in_vain
from solo_unicorn.workstation.session.transcript_fold import TranscriptFold

LATE = 1000.0 + TOOLS_SECONDS


def used(tool: str) -> dict[str, object]:
    return {"type": "tool_use", "id": f"call-{tool}", "name": tool, "input": {"command": "npm test"}}


def reading(run_dir: Path, *said: tuple[float, dict[str, object]]) -> TranscriptFold:
    """What the agent said at these seconds."""
    with (run_dir / transcript.HEAD).open("w") as file:
        for at, block in said:
            line = {"type": "assistant", "message": {"id": str(at), "content": [block]}}
            file.write(json.dumps({"t": at, "s": "out", "l": json.dumps(line)}) + "\n")
    found = TranscriptFold(run_dir, "claude")
    found.take_all()
    return found


def test_it_is_stopped_three_minutes_after_it_began_to_act(home: Path) -> None:
    run_dir = paths.run_dir("S1")
    acts = reading(run_dir, (1000.0, used("Bash")), (1100.0, used("Edit")))
    assert not works_in_vain("S1", acts, LATE - 1)
    assert works_in_vain("S1", acts, LATE)
    paths.tools_reached("S1").touch()
    assert not works_in_vain("S1", acts, LATE), "its first request came late, but it came"


def test_one_that_only_thinks_is_given_time(home: Path) -> None:
    """It starts slowly, or its model does: it may still connect with its first call of ours."""
    thinks = reading(paths.run_dir("S1"), (1000.0, {"type": "text", "text": "Let me see."}))
    assert not works_in_vain("S1", thinks, LATE + 3600)
    late = reading(paths.run_dir("S2"), (1000.0, used("mcp__solo__get_context")), (LATE, used("Bash")))
    assert not works_in_vain("S2", late, LATE + 1)
    assert works_in_vain("S2", late, LATE + TOOLS_SECONDS)
