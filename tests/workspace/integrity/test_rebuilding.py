"""A file with a damaged page: what can be read of it is kept in a new one."""

from __future__ import annotations

import json
import os
import sqlite3
from pathlib import Path

import pytest

from solo_unicorn.cli import main as cli
from solo_unicorn.missions.entities import Project
from solo_unicorn.missions.rules.creating import MissionDraft
from solo_unicorn.workspace import operations, queries
from solo_unicorn.workspace.integrity import backup
from solo_unicorn.workspace.workspace import Workspace

MISSIONS = 60


def zeroed(database: Path, of: str, which: float) -> None:
    """One page of a table or an index is all zeros, as after a bad sector."""
    connection = sqlite3.connect(database)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    pages = connection.execute("SELECT pageno FROM dbstat WHERE name = ? AND pagetype = 'leaf' ORDER BY path", (of,))
    found = [number for (number,) in pages.fetchall()]
    (size,) = connection.execute("PRAGMA page_size").fetchone()
    connection.close()
    with database.open("r+b") as file:
        file.seek((found[int(which * (len(found) - 1))] - 1) * size)
        file.write(bytes(size))


@pytest.fixture
def filled(workspace: Workspace, project: Project) -> Project:
    for number in range(MISSIONS):
        draft = MissionDraft(title=f"Mission {number}", description="Ask again. " * 60)
        workspace.write(operations.missions.create, project.id, draft)
    workspace.write(operations.memory.append, project.id, "index", "Money is integers.")
    workspace.close()
    return project


@pytest.mark.parametrize(
    ("of", "least"), [("passage_kind", MISSIONS), ("sqlite_autoindex_mission_1", MISSIONS), ("mission", MISSIONS - 12)]
)
def test_a_damaged_page_costs_what_was_on_it(
    filled: Project, home: Path, of: str, least: int, capsys: pytest.CaptureFixture[str]
) -> None:
    zeroed(home / "workspace.db", of, 0.5)
    assert cli.main(["doctor", "--repair", "--yes", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["data"]
    assert Path(told["kept"][0]).exists() and told["incomplete"] == (["mission"] if of == "mission" else [])
    with Workspace.open() as opened:
        page = opened.read(queries.missions.page, filled.id, limit=500).items
        assert least <= len(page) <= MISSIONS and opened.check() == [] and opened.touched() == []
        assert opened.loss() is None, "it is less on purpose"
        assert opened.read(queries.missions.search, "integers", filled.id) is not None
        made = opened.write(operations.missions.create, filled.id, MissionDraft(title="Next"))
        assert made.number == MISSIONS + 1
    assert list(home.glob("rebuilding*")) == []


@pytest.mark.parametrize(("left", "least"), [(0.9, MISSIONS - 12), (0.6, 1), (0.0, 1)])
def test_a_file_that_was_cut_off_keeps_what_is_left_of_it_and_of_its_log(
    filled: Project, home: Path, left: float, least: int, capsys: pytest.CaptureFixture[str]
) -> None:
    database, log = home / "workspace.db", home / "workspace.db-wal"
    with Workspace.open() as opened:
        if not left:  # the log has all that is needed to read it
            opened._store.connection.execute("VACUUM")
        opened.write(operations.missions.create, filled.id, MissionDraft(title="In the log"))
        kept = log.read_bytes()
    size = database.stat().st_size
    log.write_bytes(kept)
    os.truncate(database, int(size * left))
    assert cli.main(["doctor", "--repair", "--yes", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["data"]
    assert told["incomplete"] or not left
    with Workspace.open() as opened:
        titles = [one.title for one in opened.read(queries.missions.page, filled.id, limit=500).items]
        assert least <= len(titles) and opened.check() == [] and opened.touched() == []
    assert list(home.glob("rebuilding*")) == []


def test_the_log_of_an_empty_file_is_not_deleted(filled: Project, home: Path) -> None:
    (home / "workspace.db-wal").write_bytes(b"what is left")
    os.truncate(home / "workspace.db", 0)
    for command in (["doctor", "--repair", "--yes"], ["workspace", "backup", str(home / "copy")], ["doctor", "--deep"]):
        assert cli.main(command) == 1
    assert (home / "workspace.db-wal").read_bytes() == b"what is left"


def test_what_a_newer_version_wrote_is_not_repaired(
    filled: Project, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    connection = sqlite3.connect(home / "workspace.db")
    connection.execute("PRAGMA user_version = 99")
    connection.execute("CREATE TABLE newer (what)")
    connection.close()
    assert cli.main(["doctor", "--repair", "--yes"]) == 75
    assert "update solo-unicorn" in capsys.readouterr().err
    os.truncate(home / "workspace.db", (home / "workspace.db").stat().st_size - 4096)
    assert cli.main(["doctor", "--repair", "--yes"]) == 75
    assert list(home.glob("*before*")) == []


def test_a_damaged_workspace_leaves_no_directory_that_looks_like_a_backup(filled: Project, home: Path) -> None:
    zeroed(home / "workspace.db", "mission", 0.5)
    with pytest.raises(Exception, match="damaged|not a workspace"):
        backup.back_up(home, home / "copy")
    assert not (home / "copy").exists() and list(home.glob(".copy*")) == []
