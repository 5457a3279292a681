"""What is not as it was written, and what is missing of what was acknowledged, is found and named."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from solo_unicorn.cli import main as cli
from solo_unicorn.cli.machine import findings, workspace_file
from solo_unicorn.missions.entities import Mission, Project
from solo_unicorn.missions.errors import SoloUnicornError
from solo_unicorn.missions.rules.creating import MissionDraft
from solo_unicorn.workspace import operations, queries
from solo_unicorn.workspace.integrity import backup
from solo_unicorn.workspace.integrity.proof import CHANGED, DOUBTFUL, FOREIGN, MISSING
from solo_unicorn.workspace.workspace import Workspace

from . import flips

WRITE = (
    "import os, sys\n"
    "from solo_unicorn.missions.rules.creating import MissionDraft\n"
    "from solo_unicorn.workspace import operations\n"
    "from solo_unicorn.workspace.workspace import Workspace\n"
    "workspace = Workspace.open()\n"
    "project = workspace.write(operations.projects.create, 'Shop')\n"
    "workspace.checkpoint()\n"
    "for number in range(int(sys.argv[1])):\n"
    "    workspace.write(operations.missions.create, project.id, MissionDraft(title=f'Mission {number}'))\n"
    "os._exit(0)"
)


def past_the_program(home: Path, *statements: str) -> None:
    connection = sqlite3.connect(home / "workspace.db")
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def told() -> list[str]:
    """The details of the errors that `doctor --deep` finds in the workspace."""
    found = [one for look in (workspace_file.workspace, workspace_file.proved) for one in findings.found(look)]
    assert all(one.todo for one in found if one.state == "error")
    return [one.detail for one in found if one.state == "error"]


@pytest.fixture
def filled(workspace: Workspace, project: Project, mission: Mission) -> Mission:
    workspace.write(operations.missions.add_note, mission.id, "decision", "Three times")
    workspace.write(operations.memory.append, project.id, "index", "Money is integers.")
    return mission


CHANGES: dict[str, tuple[str, str, str]] = {
    "a title": ("UPDATE mission SET doc = replace(doc, 'Retry', 'Retrz')", "mission", CHANGED),
    "a place in the list": ("UPDATE mission SET list_order = list_order + 1e-12", "mission", CHANGED),
    "a note": ("UPDATE event SET note = 'Four times' WHERE note <> ''", "event", CHANGED),
    "an event is gone": ("DELETE FROM event WHERE note <> ''", "event", MISSING),
    "an event was added": (
        "INSERT INTO event (project_id, mission_id, kind, author_kind, author_name, at, changes, note, correlation_id) "
        "SELECT project_id, mission_id, kind, 'user', '', at, changes, 'I never said it', '' FROM event LIMIT 1",
        "event",
        FOREIGN,
    ),
    "memory": ("UPDATE memory SET text = replace(text, 'integers', 'floats')", "memory", CHANGED),
    "an older version of it": ("DELETE FROM memory_version", "memory_version", MISSING),
    "a setting": ("UPDATE meta SET value = '77' WHERE key = 'mission.number'", "meta", CHANGED),
    "the schema": ("DROP INDEX mission_board", "sqlite_master", MISSING),
    "what is searched": ("UPDATE passage SET place = 9", "passage", CHANGED),
}


@pytest.mark.parametrize("what", CHANGES)
def test_what_another_program_changed_is_named(
    workspace: Workspace, filled: Mission, home: Path, what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert workspace.touched() == [] and told() == []
    statement, place, why = CHANGES[what]
    past_the_program(home, statement)
    assert {(one.place, one.why) for one in workspace.touched()} == {(place, why)}
    assert any(why in line for line in told())


ODD_PROOFS = {
    "the digest of an event is a text": "UPDATE proof SET digest = CAST(digest AS TEXT) WHERE place = 'event'",
    "the digest of a row is a number": "UPDATE proof SET digest = 7 WHERE place = 'mission'",
    "the number of an event is a text": "UPDATE proof SET key = key || 'x' WHERE place = 'event'",
    "the count of writes is gone": "DELETE FROM meta WHERE key = 'store.writes'",
    "the count of writes is not a number": "UPDATE meta SET value = 'x' WHERE key = 'store.writes'",
    "the table has another name for it": "PRAGMA writable_schema = ON; "
    "UPDATE sqlite_master SET sql = replace(sql, 'digest', 'digesp') WHERE name = 'proof'",
    "the number of a mission is a text": "UPDATE mission SET number = 'x'",
}


@pytest.mark.parametrize("what", ODD_PROOFS)
def test_a_proof_of_another_kind_is_told_and_stops_no_write(
    workspace: Workspace, filled: Mission, home: Path, what: str
) -> None:
    past_the_program(home, *ODD_PROOFS[what].split("; "))
    assert told()
    with suppress(SoloUnicornError):
        workspace.write(operations.projects.create, "Another")
        workspace.write(operations.missions.add_note, filled.id, "decision", "Four times")
    assert told()


def test_the_mission_is_named_until_a_person_accepts_it(
    workspace: Workspace, filled: Mission, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    past_the_program(home, CHANGES["a title"][0])
    assert told() == [f"M-1 Retry payments: mission {filled.id}: {CHANGED}"]
    workspace.write(operations.missions.edit, filled.id, {"priority": 5})
    assert told() == [f"M-1 Retrz payments: mission {filled.id}: {DOUBTFUL}"], "a write covers it up"
    assert cli.main(["doctor", "--repair", "--yes", "--json"]) == 0
    (accepted,) = json.loads(capsys.readouterr().out)["data"]["accepted"]
    assert DOUBTFUL in accepted and told() == []
    workspace.write(operations.missions.edit, filled.id, {"priority": 4})
    assert told() == []


def test_a_removed_project_leaves_the_chain_whole(
    workspace: Workspace, filled: Mission, capsys: pytest.CaptureFixture[str]
) -> None:
    other = workspace.write(operations.projects.create, "Other")
    workspace.write(operations.missions.create, other.id, MissionDraft(title="Stays"))
    workspace.write(operations.projects.delete, filled.project_id)
    workspace.write(operations.missions.create, other.id, MissionDraft(title="Comes later"))
    assert told() == []


def test_a_lost_log_is_told_with_its_missions(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    subprocess.run([sys.executable, "-c", WRITE, "3"], check=True, env=dict(os.environ))
    (home / "workspace.db-wal").unlink()
    (home / "workspace.db-shm").unlink()
    (loss,) = [one.detail for one in workspace_file.workspace() if one.state == "error"]  # an ordinary look tells, too
    assert "the last 3 writes are missing" in loss and "M-1, M-2, M-3" in loss
    with Workspace.open() as opened:
        for name in ("One", "Two", "Three"):
            opened.write(operations.projects.create, name)
    assert len(told()) == 1, "as many writes of another history cover the loss up"
    assert cli.main(["doctor", "--repair", "--yes"]) == 0
    assert told() == []


def test_an_older_copy_in_its_place_is_told(
    workspace: Workspace, filled: Mission, home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace.checkpoint()
    shutil.copy(home / "workspace.db", tmp_path)
    workspace.write(operations.missions.edit, filled.id, {"title": "Retry payments twice"})
    workspace.close()
    shutil.copy(tmp_path / "workspace.db", home)
    (told_of,) = told()
    assert "the last write is missing although they had been saved here: they concerned M-1" in told_of


def test_a_file_that_is_gone_is_told_and_not_begun_anew_by_a_look(
    workspace: Workspace, filled: Mission, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace.close()
    (home / "workspace.db").unlink()
    assert cli.main(["doctor"]) == 1
    assert "is missing: what was saved there is gone with it" in capsys.readouterr().out
    assert not (home / "workspace.db").exists()


def test_a_backup_that_is_put_back_is_older_on_purpose(
    workspace: Workspace, filled: Mission, home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    backup.back_up(home, tmp_path / "copy")
    workspace.write(operations.missions.edit, filled.id, {"title": "Retry payments twice"})
    workspace.close()
    backup.restore(home, tmp_path / "copy", lock=tmp_path / "lock")
    assert told() == []
    with Workspace.open() as opened:
        opened.write(operations.missions.edit, filled.id, {"title": "Again"})
    assert told() == []


def test_what_was_written_before_there_were_proofs_is_taken_as_it_is(
    workspace: Workspace, filled: Mission, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace.close()
    past_the_program(home, "DROP TABLE proof", "DELETE FROM meta WHERE key = 'store.writes'", "PRAGMA user_version = 9")
    with Workspace.open() as opened:
        assert opened.touched() == []
        opened.write(operations.missions.edit, filled.id, {"title": "Retry payments twice"})
    assert all("writes are missing" in line for line in told()), "what the file beside it knows counts still"


def test_an_attached_file_that_changed_is_named(
    workspace: Workspace, filled: Mission, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "notes.txt").write_text("as it was")
    attached = operations.attachments.attach(workspace, filled.id, tmp_path / "notes.txt")
    place = queries.attachments.content_path(attached)
    place.chmod(0o600)
    place.write_text("another")
    assert ["not as it was attached" in line for line in told()] == [True]
    place.unlink()
    assert ["missing" in line for line in told()] == [True]


def test_a_search_that_cannot_be_checked_is_not_called_damaged(workspace: Workspace, filled: Mission) -> None:
    workspace._store.connection.execute("PRAGMA query_only = ON")
    with pytest.raises(SoloUnicornError, match="cannot be written"):
        workspace.touched()


def test_a_damaged_text_stops_no_list(workspace: Workspace, filled: Mission, home: Path) -> None:
    past_the_program(home, "UPDATE mission SET title = CAST(x'52e28274' AS TEXT)")
    (card,) = workspace.read(queries.board.cards, filled.project_id, "todo")
    assert card.title.startswith("R\ufffd")


@pytest.mark.slow
def test_no_flipped_bit_changes_an_answer_in_silence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOLO_UNICORN_HOME", str(tmp_path / "home"))
    seen = list(flips.run(tmp_path, stores=2, flips=100, seed=11))
    assert [one for one in seen if one.silent or one.fault] == []
    assert sum(bool(one.changed) for one in seen) > 10, "the flips meet nothing that is asked for"
