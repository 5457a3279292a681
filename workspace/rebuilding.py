"""A damaged workspace file: what can be read of it, put into a new one.

Every table is read from both of its ends up to what cannot be read. Indexes, the search and the proofs are made anew,
so damage in those alone loses nothing. The damaged file is kept beside the new one.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

from ..missions.errors import SoloUnicornError, TryAgain
from ..missions.records import record
from ..system.locks import is_held
from . import store
from .integrity import proof
from .integrity.acknowledged import Acknowledged
from .integrity.backup import check_database, put_aside
from .reindex import reindex

_MADE_ANEW: Final = ("proof", "passage")
_TABLES: Final = (
    "SELECT name, wr FROM pragma_table_list "
    "WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite^_%' ESCAPE '^'"
)


@record
class Rebuilt:
    """What came of it."""

    aside: Path
    """Where the damaged file is."""
    taken: int
    """Rows that could be read."""
    damaged: tuple[str, ...]
    """Tables of which something could not."""


def rebuild(path: Path, quarantine: Path, *, lock: Path) -> Rebuilt:
    """Put a new file in the place of the one at `path`; SoloUnicornError when nothing of it can be read.

    TryAgain while the service runs, which holds `lock`.
    """
    if is_held(lock):
        raise TryAgain(
            "The workstation service runs",
            why="it writes into the workspace that is to be replaced",
            todo="`solo-unicorn workstation stop --force`, close every board, then try again",
        )
    fresh = path.with_name("rebuilding.db")
    fresh.unlink(missing_ok=True)
    store.Store(fresh).close()
    try:
        with closing(sqlite3.connect(path)) as old, closing(sqlite3.connect(fresh, isolation_level=None)) as new:
            old.text_factory = lambda text: text.decode("utf-8", "replace")
            new.execute("BEGIN IMMEDIATE")
            taken, damaged = _copy(old, new)
            reindex(new)
            proof.seal(new)
            new.execute("COMMIT")
            new.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        if not taken:
            raise SoloUnicornError(
                f"Nothing of {path} can be read", why="its beginning is damaged", todo="`workspace restore DIR`"
            )
        check_database(fresh)
    except BaseException:
        _remove(fresh)
        raise
    aside = put_aside(path)
    Acknowledged(path).forget(quarantine)
    fresh.rename(path)
    _remove(fresh)
    return Rebuilt(aside, taken, damaged)


def _copy(old: sqlite3.Connection, new: sqlite3.Connection) -> tuple[int, tuple[str, ...]]:
    taken, damaged = 0, []
    virtual = {str(name) for (name,) in new.execute("SELECT name FROM sqlite_master WHERE sql LIKE 'CREATE VIRTUAL%'")}
    for name, without_rowid in new.execute(_TABLES).fetchall():
        if name in _MADE_ANEW or any(name.startswith(f"{one}_") for one in virtual):
            continue
        columns = [str(column) for (column,) in new.execute("SELECT name FROM pragma_table_info(?)", (name,))]
        key = [
            str(column)
            for (column,) in new.execute("SELECT name FROM pragma_table_info(?) WHERE pk ORDER BY pk", (name,))
        ]
        order = key if without_rowid else ["rowid"]
        new.execute(f"DELETE FROM {name}")
        insert = f"INSERT OR IGNORE INTO {name} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"
        whole = True
        for direction in ("ASC", "DESC"):
            by = ", ".join(f"{column} {direction}" for column in order)
            reading = _Reading(old, f"SELECT {', '.join(columns)} FROM {name} ORDER BY {by}")
            for row in reading:
                with suppress(sqlite3.Error):  # a row whose columns are damaged
                    taken += new.execute(insert, row).rowcount
            whole &= reading.whole
            if reading.whole:
                break
        if not whole:
            damaged.append(str(name))
    return taken, tuple(damaged)


class _Reading:
    """The rows of a query up to the first that cannot be read."""

    def __init__(self, connection: sqlite3.Connection, query: str) -> None:
        self._connection = connection
        self._query = query
        self.whole = False

    def __iter__(self) -> Iterator[tuple[object, ...]]:
        try:
            yield from self._connection.execute(self._query)
        except sqlite3.DatabaseError:
            return
        self.whole = True


def _remove(database: Path) -> None:
    for ending in ("", "-wal", "-shm"):
        database.with_name(database.name + ending).unlink(missing_ok=True)
    for beside in database.parent.glob(f"{database.stem}.*"):
        beside.unlink()
