"""What an agent is given, told and asked for by a person: files, words, its conversation in a terminal."""

from __future__ import annotations

from pathlib import Path

import pytest

from solo_unicorn.cli.main import main
from solo_unicorn.config import paths
from solo_unicorn.workspace import operations, queries
from solo_unicorn.workstation import client

from .conftest import Shop, until
from .scripted import Scripted

pytestmark = pytest.mark.slow
WORK = "echo done > done.txt && git add . && git commit -qm Done"


def test_words_that_an_agent_does_not_take_while_it_works_come_with_its_next_turn(
    shop: Shop, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """And a person goes on with its conversation in its own interface, and gives it back."""
    agent = Scripted(tmp_path, "sleep 600")
    picture = tmp_path / "sketch.png"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n")
    mission = shop.mission("Payments", code_agent_type="scripted", ready=False)
    operations.attachments.attach(shop.workspace, mission.id, picture)
    shop.workspace.write(operations.missions.set_ready, mission.id, True)
    client.ensure_running()
    session = shop.running(mission)
    until(lambda: shop.workspace.read(queries.sessions.get, session.id).conversation_id, "its conversation is known")
    placed = paths.runs_dir() / session.id / "files" / "sketch.png"
    assert placed.read_bytes() == picture.read_bytes()
    assert f"sketch.png (image/png, 8 bytes): `{placed}`" in agent.prompts[0]

    assert main(["mission", "say", "M-1", "mind the gap"]) == 0
    assert "kept for its next turn, because it accepts no input" in capfd.readouterr().out

    agent.rewrite(WORK)
    assert main(["mission", "open", "M-1", "--agent"]) == 0
    how, where = agent.opened
    worktree = shop.now(mission).worktree_path
    assert (how, where) == (f"--open {shop.sessions(mission)[0].conversation_id}", worktree or where)
    shop.done(mission)
    kinds = [event.kind for event in shop.workspace.read(queries.missions.history, mission.id)]
    assert kinds.index("taken_over") < kinds.index("handed_back")
    first, second = shop.sessions(mission)
    assert (first.outcome, second.resumed) == ("cancelled", True)
    assert "Messages from a person in the meantime" in agent.prompts[1] and "mind the gap" in agent.prompts[1]


def test_a_conversation_that_begins_anew_knows_who_was_there_before(shop: Shop, tmp_path: Path) -> None:
    agent = Scripted(tmp_path, WORK)
    mission = shop.mission("Payments", flow="Quick fix", rehearsal="fail")
    shop.workspace.write(operations.missions.add_note, mission.id, "decision", "Prices are in cents")
    client.ensure_running()
    shop.until(mission, lambda now: now.attempts >= 1, "the first agent failed")
    shop.workspace.write(operations.missions.edit, mission.id, {"code_agent_type": "scripted", "description": "x"})
    shop.until(mission, lambda now: now.list == "review", "the other agent finished")
    (prompt,) = agent.prompts
    assert "rehearsal worked at the stage code (failed: " in prompt
    assert "Decisions so far" in prompt and "Prices are in cents" in prompt
