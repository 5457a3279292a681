"""Which file a workspace is: told apart from what took its place, and from a copy of it.

Two things name it. Device and inode say whether the path still leads to the file that was opened; one `stat` shows it.
`store.instance`, in the file, is drawn when it is made and goes with every move, backup and copy; `store.path` says
where it stands, so that of two files of one instance the one that stands elsewhere is known as the copy.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from ...missions.errors import Conflict, SoloUnicornError

INSTANCE: Final = "store.instance"
PLACE: Final = "store.path"
START_ANEW: Final = "close this program and start it again, to open the present workspace"


class StoreReplaced(SoloUnicornError):
    """The path leads to another file than the one that was opened, or to none."""

    code = "replaced"

    @classmethod
    def at(cls, path: Path) -> StoreReplaced:
        """The error for a path, by what is there now."""
        if path.exists():
            why = "another file replaced it while this program had it open"
            todo = START_ANEW
        else:
            why = "it was moved or removed while this program had it open"
            todo = f"put it back, or set SOLO_UNICORN_HOME to its new place, then {START_ANEW}"
        return cls(
            f"Nothing is saved any more: the workspace {path} is not the one that was opened", why=why, todo=todo
        )


File = tuple[int, int]
"""Device and inode."""


def file_at(path: Path) -> File | None:
    """The file that a path leads to; None when there is none."""
    try:
        found = os.stat(path)  # noqa: PTH116 (once a second, and in every write)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def instance_of(connection: sqlite3.Connection) -> str | None:
    """The instance id in an open workspace."""
    row = connection.execute("SELECT value FROM meta WHERE key = ?", (INSTANCE,)).fetchone()
    return None if row is None else str(row[0])


def take_place(connection: sqlite3.Connection, path: Path) -> None:
    """Note that the workspace stands at `path` now."""
    connection.execute(
        "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        (PLACE, os.path.realpath(path)),
    )


def original_of(connection: sqlite3.Connection, path: Path) -> Path | None:
    """Where the workspace stands that the one at `path` is a copy of; None when it is not a copy, or was moved."""
    row = connection.execute("SELECT value FROM meta WHERE key = ?", (PLACE,)).fetchone()
    if row is None or row[0] == os.path.realpath(path):
        return None
    other = Path(row[0])
    try:
        if not other.is_file() or other.samefile(path):
            return None
        with closing(sqlite3.connect(f"{other.as_uri()}?mode=ro", uri=True)) as there:
            return other if instance_of(there) == instance_of(connection) else None
    except (OSError, sqlite3.Error):  # what cannot be read is not used by anybody either
        return None


def is_a_copy(path: Path, original: Path) -> Conflict:
    """The error for what a copy may not do beside its original."""
    return Conflict(
        f"{path.parent} is a copy of {original.parent}",
        why="both have the same identity, so that agents of each would work on the same missions",
        todo="`solo-unicorn workspace identity --new` here makes it a separate one; or remove one of the two",
    )
