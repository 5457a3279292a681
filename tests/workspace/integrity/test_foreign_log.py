"""A log that stands beside another file than the one it was written with is moved aside, and any other one is used."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from solo_unicorn.cli.machine import workspace_file
from solo_unicorn.workspace import operations, queries
from solo_unicorn.workspace.integrity import foreign_log
from solo_unicorn.workspace.workspace import Workspace

FILES = ("workspace.db", "workspace.db-wal")


def crashed(home: Path, *words: str) -> None:
    """A process writes, folds the log, and ends without closing anything."""
    if child := os.fork():
        assert os.waitpid(child, 0)[1] == 0
        return
    code = 1
    try:
        foreign_log._looked_at.clear()
        workspace = Workspace.open(home / "workspace.db")
        for word in words:
            if word == "fold":
                workspace.checkpoint()
            elif word == "part":
                workspace._store.connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
            else:
                workspace.write(operations.projects.create, word)
        code = 0
    finally:
        os._exit(code)


@pytest.fixture
def other(home: Path, tmp_path: Path) -> Path:
    """Another home."""
    (there := tmp_path / "other").mkdir(mode=0o700)
    return there


def names(home: Path) -> list[str]:
    """The projects, as the first program sees them that opens the workspace."""
    foreign_log._looked_at.clear()
    with Workspace.open(home / "workspace.db") as opened:
        assert opened.check() == [] and opened.touched() == []
        return sorted(one.name for one in opened.read(queries.projects.list_all))


def moved_aside(home: Path) -> bool:
    return foreign_log.kept(home / "workspace.db") != []


def test_the_log_of_a_crash_is_used(home: Path) -> None:
    crashed(home, "One", "fold", "Two", "Three")
    assert names(home) == ["One", "Three", "Two"] and not moved_aside(home)
    crashed(home, "Four", "part")
    crashed(home, "Five", "part", "Six")
    assert names(home) == ["Five", "Four", "One", "Six", "Three", "Two"] and not moved_aside(home)


def test_an_older_file_beside_a_newer_log_stays_as_it_is(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    crashed(home, "One", "fold", "Two", "fold")
    shutil.copy(home / "workspace.db", home.parent / "old.db")
    crashed(home, "Three", "fold", "Four")
    shutil.copy(home.parent / "old.db", home / "workspace.db")
    assert names(home) == ["One", "Two"] and moved_aside(home)
    said = {one.state: one.detail for one in workspace_file.workspace()}
    assert "the last 2 writes are missing" in said["error"] and "was moved aside" in said["warning"]


def test_a_newer_file_beside_an_older_log_stays_as_it_is(home: Path) -> None:
    crashed(home, "One", "fold", "Two")
    shutil.copy(home / "workspace.db-wal", home.parent / "old-wal")
    crashed(home, "Three", "fold", "Four", "fold")
    shutil.copy(home.parent / "old-wal", home / "workspace.db-wal")
    (home / "workspace.db-shm").unlink()
    assert names(home) == ["Four", "One", "Three", "Two"] and moved_aside(home)


def test_the_log_of_another_workspace_is_not_taken(home: Path, other: Path) -> None:
    crashed(home, "One", "fold", "Two")
    crashed(other, "Other", "fold", "Others")
    shutil.copy(other / "workspace.db-wal", home / "workspace.db-wal")
    assert names(home) == ["One"] and moved_aside(home)


def test_a_log_that_was_moved_with_its_file_is_used(home: Path, other: Path) -> None:
    crashed(home, "One", "fold", "Two", "part", "Three")
    crashed(other, "Other")
    for name in FILES:
        shutil.copy(home / name, other / name)
    (other / "workspace.db-shm").unlink()
    assert names(other) == ["One", "Three", "Two"] and not moved_aside(other)


def test_a_file_that_is_in_use_is_left_alone(home: Path) -> None:
    crashed(home, "One", "fold", "Two")
    shutil.copy(home / "workspace.db", home.parent / "old.db")
    reader = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys\nfrom solo_unicorn.workspace.workspace import Workspace\n"
            "opened = Workspace.open()\nprint('open', flush=True)\nsys.stdin.read()\nopened.close()",
        ],
        env=dict(os.environ),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert reader.stdout is not None and reader.stdout.readline() == b"open\n"
    crashed(home, "Three", "fold", "Four")
    shutil.copy(home.parent / "old.db", home / "workspace.db")
    foreign_log._looked_at.clear()
    assert foreign_log.put_aside(home / "workspace.db") is None
    reader.communicate()


def test_killed_at_any_moment_no_log_is_moved_aside(home: Path) -> None:
    for number in range(6):
        words = [
            word for one in range(6) for word in (f"P{number}-{one}", ("fold", "part", "part")[(number + one) % 3])
        ]
        crashed(home, *words[: number + 1])
    assert not moved_aside(home)
