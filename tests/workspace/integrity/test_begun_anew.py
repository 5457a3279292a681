"""Moving a workspace file away and beginning anew damages neither the new file nor the old one."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from solo_unicorn.workspace import operations, queries
from solo_unicorn.workspace.failures import StoreDamaged
from solo_unicorn.workspace.workspace import Workspace

CRASH = (
    "import os\n"
    "from solo_unicorn.workspace import operations\n"
    "from solo_unicorn.workspace.workspace import Workspace\n"
    "workspace = Workspace.open()\n"
    "for number in range(20): workspace.write(operations.projects.create, f'Old {number}')\n"
    "os._exit(0)"
)


def test_a_file_begun_anew_is_sound_and_the_old_one_loses_nothing(home: Path, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", CRASH], check=True, env=dict(os.environ))
    path = home / "workspace.db"
    assert (home / "workspace.db-wal").stat().st_size > 0
    path.rename(tmp_path / "old.db")
    with Workspace.open() as anew:
        assert anew.read(queries.projects.list_all) == [] and anew.check() == []
        anew.write(operations.projects.create, "New")
    with Workspace.open() as again:
        assert [one.name for one in again.read(queries.projects.list_all)] == ["New"] and again.check() == []
    (kept,) = home.glob("workspace.db-wal.kept-*")
    kept.rename(tmp_path / "old.db-wal")
    with sqlite3.connect(tmp_path / "old.db") as old:
        assert old.execute("SELECT count(*) FROM project").fetchone() == (20,)
    old.close()


def test_a_damaged_file_names_all_that_has_to_be_moved(home: Path) -> None:
    (home / "workspace.db").write_bytes(b"not a database" * 400)
    with pytest.raises(StoreDamaged) as told:
        Workspace.open()
    for part in ("workstation stop", "workspace restore", "workspace.db-wal", "workspace.db-shm", "backups"):
        assert part in told.value.todo
