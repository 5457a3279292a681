"""What the store promises about its file."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from solo_unicorn.missions.entities import Project
from solo_unicorn.missions.errors import TryAgain
from solo_unicorn.missions.rules.creating import MissionDraft
from solo_unicorn.workspace import failures, operations, queries, store
from solo_unicorn.workspace.failures import StoreDamaged, StoreFull
from solo_unicorn.workspace.store import Store, migrations
from solo_unicorn.workspace.workspace import Workspace


def test_a_new_workspace_is_private_and_in_wal_mode(home: Path) -> None:
    Workspace.open().close()
    path = home / "workspace.db"
    assert path.stat().st_mode & 0o077 == 0
    assert sqlite3.connect(path).execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    assert [entry.name for entry in home.iterdir() if entry.name.startswith(".workspace")] == []


def test_twelve_processes_that_start_together_make_one_workspace(home: Path) -> None:
    program = (
        "from solo_unicorn.workspace import operations\n"
        "from solo_unicorn.workspace.workspace import Workspace\n"
        "with Workspace.open() as ws: print(ws.write(operations.projects.create, 'P').slug)"
    )
    started = [
        subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(12)
    ]
    outputs = [process.communicate(timeout=60) for process in started]
    assert [process.returncode for process in started] == [0] * 12, outputs
    with Workspace.open() as workspace:
        assert len({project.slug for project in workspace.read(queries.projects.list_all)}) == 12


@pytest.mark.parametrize("content", [b"not a database at all" * 300, b"\0" * 8192])
def test_a_damaged_file_is_named_and_left_alone(home: Path, content: bytes) -> None:
    path = home / "workspace.db"
    path.write_bytes(content)
    with pytest.raises(StoreDamaged, match="damaged"):
        Workspace.open()
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ("unicode61", "unicmde61"),
        ("content = 'passage'", "body< content = 'passage'"),
        ("CREATE TABLE seen_state", 'CREATE TABLE "seen;state"'),
    ],
)
def test_a_damaged_schema_is_a_damaged_workspace(workspace: Workspace, project: Project, was: str, now: str) -> None:
    workspace.write(operations.missions.create, project.id, MissionDraft(title="Retry payments"))
    workspace.close()
    connection = sqlite3.connect(workspace.path)
    connection.execute("PRAGMA writable_schema = ON")
    changed = connection.execute(
        "UPDATE sqlite_master SET sql = replace(sql, ?1, ?2), name = iif(?2 LIKE '%seen;%', 'seen;state', name), "
        "tbl_name = iif(?2 LIKE '%seen;%', 'seen;state', tbl_name) WHERE sql LIKE '%' || ?1 || '%'",
        (was, now),
    )
    assert changed.rowcount == 1
    connection.commit()
    connection.close()
    with pytest.raises(StoreDamaged), Workspace.open() as opened:
        opened.read(queries.missions.search, "payments", project.id)
        opened.write(operations.missions.create, project.id, MissionDraft(title="Refund payments"))


def test_an_empty_file_is_not_taken_for_a_new_workspace(home: Path) -> None:
    (home / "workspace.db").touch()
    with pytest.raises(StoreDamaged, match="empty"):
        Workspace.open()


def test_another_programs_database_is_refused(home: Path) -> None:
    path = home / "workspace.db"
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE theirs (x)")
    other.commit()
    other.close()
    with pytest.raises(StoreDamaged):
        Workspace.open()


def test_a_newer_workspace_opens_read_only_with_a_reason(workspace: Workspace) -> None:
    workspace.write(operations.projects.create, "Kept")
    raw = sqlite3.connect(workspace.path)
    raw.execute(f"PRAGMA user_version = {migrations()[-1][0] + 1}")
    raw.close()
    with Workspace.open(workspace.path) as newer:
        assert newer.read_only is not None and "newer version" in newer.read_only
        assert [project.name for project in newer.read(queries.projects.list_all)] == ["Kept"]
        with pytest.raises(TryAgain, match="Update solo-unicorn") as refused:
            newer.write(operations.projects.create, "Not made")
        assert refused.value.exit_code == 75


def test_a_locked_workspace_says_try_again(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failures, "BUSY_MILLISECONDS", 50)
    holder = sqlite3.connect(workspace.path, isolation_level=None)
    with Workspace.open(workspace.path) as second:
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(TryAgain, match="locked"):
            second.write(operations.projects.create, "Later")
        holder.execute("ROLLBACK")
        assert second.write(operations.projects.create, "Now").name == "Now"


def test_a_full_disk_refuses_the_change_and_keeps_what_was_there(workspace: Workspace) -> None:
    project = workspace.write(operations.projects.create, "P")
    connection = workspace._store.connection
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreFull, match="disk is full"):
        workspace.write(operations.missions.create, project.id, MissionDraft(title="Big", description="x" * 200_000))
    assert workspace.read(queries.missions.page, project.id).total == 0
    connection.execute("PRAGMA max_page_count = 1000000")
    assert workspace.write(operations.missions.create, project.id, MissionDraft(title="Fits")).number == 1


def test_every_migration_has_a_number_of_its_own() -> None:
    assert [number for number, _ in migrations()] == list(range(1, len(migrations()) + 1))


def test_a_workspace_that_was_migrated_is_like_a_new_one(home: Path) -> None:
    """From the first format that was given out, whose schema is kept beside this file and never edited."""

    def schema(opened: Store) -> list[tuple[object, ...]]:
        tables = opened.connection.execute("SELECT type, name, tbl_name FROM sqlite_master ORDER BY 1, 2").fetchall()
        columns = [
            (name, *column)
            for kind, name, _ in tables
            if kind == "table"
            for column in opened.connection.execute("SELECT * FROM pragma_table_xinfo(?) ORDER BY name", (name,))
        ]
        return [*tables, *((table, *rest) for table, _place, *rest in columns)]

    first = sqlite3.connect(home / "old.db")
    first.execute("PRAGMA journal_mode = WAL")
    first.executescript(Path(__file__).with_name("first_format.sql").read_text(encoding="utf-8"))
    first.execute("PRAGMA user_version = 1")
    first.execute(f"PRAGMA application_id = {store.APPLICATION_ID}")
    first.close()
    old, new = Store(home / "old.db"), Store(home / "new.db")
    assert schema(old) == schema(new)
    for opened in (old, new):
        opened.close()


def test_a_migration_keeps_a_copy_and_runs_once(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = home / "workspace.db"
    with Workspace.open() as workspace:
        workspace.write(operations.projects.create, "Before")
    later = [*migrations(), (migrations()[-1][0] + 1, "CREATE TABLE added (x);\nINSERT INTO added VALUES (1);")]
    monkeypatch.setattr(store, "migrations", lambda: later)
    for _ in range(2):
        migrated = Store(path)
        assert migrated.connection.execute("SELECT count(*) FROM added").fetchone()[0] == 1
        migrated.close()
    (copy,) = (home / "backups").iterdir()
    kept = sqlite3.connect(copy)
    assert kept.execute("SELECT name FROM project").fetchall() == [("Before",)]
    assert kept.execute("SELECT count(*) FROM sqlite_master WHERE name = 'added'").fetchone()[0] == 0


def test_an_error_that_ends_a_transaction_by_itself_is_told_and_hides_behind_no_other(workspace: Workspace) -> None:
    def failing(connection: store.Connection) -> None:
        connection.execute("ROLLBACK")  # as SQLite does where it cannot read on
        raise sqlite3.OperationalError("disk I/O error")

    with pytest.raises(StoreFull, match="cannot be written"):
        workspace.read(failing)


def test_a_migration_that_fails_leaves_the_old_format(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = home / "workspace.db"
    Workspace.open().close()
    before = migrations()
    monkeypatch.setattr(
        store,
        "migrations",
        lambda: [*before, (before[-1][0] + 1, "CREATE TABLE half (x);\nINSERT INTO half VALUES (1, 2);")],
    )
    with pytest.raises(sqlite3.OperationalError):
        Store(path)
    raw = sqlite3.connect(path)
    assert raw.execute("PRAGMA user_version").fetchone()[0] == before[-1][0]
    assert raw.execute("SELECT count(*) FROM sqlite_master WHERE name = 'half'").fetchone()[0] == 0


KILLED = """
import os, sys
from solo_unicorn.missions.rules.creating import MissionDraft
from solo_unicorn.workspace import operations, queries
from solo_unicorn.workspace.workspace import Workspace
ws = Workspace.open()
project = ws.read(queries.projects.list_all)[0].id
while True:
    print(ws.write(operations.missions.create, project, MissionDraft(title="x")).number, flush=True)
"""


def test_what_was_acknowledged_survives_a_kill(workspace: Workspace) -> None:
    project = workspace.write(operations.projects.create, "P")
    acknowledged = 0
    for _ in range(3):
        writer = subprocess.Popen([sys.executable, "-c", KILLED], stdout=subprocess.PIPE, text=True)
        assert writer.stdout
        for _ in range(20):
            acknowledged = max(acknowledged, int(writer.stdout.readline()))
        os.kill(writer.pid, 9)
        rest, _ = writer.communicate()
        acknowledged = max([acknowledged, *(int(line) for line in rest.split() if line)])
    assert workspace.read(queries.missions.page, project.id, limit=1).total >= acknowledged
    events = [event for event in workspace.read(queries.missions.events_since, 0, 10_000) if event.kind == "created"]
    assert len(events) == workspace.read(queries.missions.page, project.id, limit=1).total


def test_what_a_hub_said_is_in_one_table_after_a_migration(home: Path) -> None:
    old = sqlite3.connect(home / "old.db")
    for number, script in migrations()[:2]:
        old.executescript(script)
        old.execute(f"PRAGMA user_version = {number}")
    old.execute(f"PRAGMA application_id = {store.APPLICATION_ID}")
    old.executescript(
        "INSERT INTO project VALUES ('P', 'p', 'P', 'active', '{}');"
        "INSERT INTO mirror (project_id, account, hub) VALUES ('P', 'a', 'h');"
        "INSERT INTO base VALUES ('M', 'P', 7, 0, 3, '{\"title\":\"x\"}');"
        "INSERT INTO part_base VALUES ('F', 'P', 'flow', 5, 1, '{\"name\":\"y\"}');"
        "INSERT INTO shared_note VALUES ('N', 'P'); INSERT INTO shared_file VALUES ('A', 'P');"
    )
    old.close()
    opened = Store(home / "old.db")
    assert opened.connection.execute("SELECT * FROM base ORDER BY id").fetchall() == [
        ("file", "A", "P", 0, 0, 0, "{}"),
        ("flow", "F", "P", 5, 1, 0, '{"name":"y"}'),
        ("mission", "M", "P", 7, 0, 3, '{"title":"x"}'),
        ("note", "N", "P", 0, 0, 0, "{}"),
    ]
    opened.close()
