"""A damaged workspace file: what can be read of it, put into a new one.

Every table is read from both of its ends up to what cannot be read. Indexes, the search and the proofs are made anew,
so damage in those alone loses nothing. SQLite reads nothing of a file that was cut off, and deletes the log of an empty
one: such a file is copied, put together with its log, and filled up. The damaged file is kept beside the new one.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

from ..missions.errors import SoloUnicornError, TryAgain
from ..missions.records import record
from ..system.locks import is_held
from . import store
from .integrity import foreign_log, proof
from .integrity.acknowledged import Acknowledged
from .integrity.backup import check_database, put_aside
from .reindex import reindex

_HEADER_BYTES, _WAL_OR_NOT = 100, 18
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
    whole = path.with_name("rebuilding.whole.db")
    try:
        source = _filled_up(path, whole) if _is_cut_off(path) else path
        with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(fresh, isolation_level=None)) as new:
            old.text_factory = lambda text: text.decode("utf-8", "replace")
            old.execute("PRAGMA writable_schema = ON")  # what can be read of a schema is used
            _refuse_newer(path, old)
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
    finally:
        _remove(whole)
    aside = put_aside(path)
    Acknowledged(path).forget(quarantine)
    fresh.rename(path)
    _remove(fresh)
    return Rebuilt(aside, taken, damaged)


def _refuse_newer(path: Path, old: sqlite3.Connection) -> None:
    """This program knows nothing of what else a newer one keeps in the file."""
    with suppress(sqlite3.DatabaseError):
        (version,) = old.execute("PRAGMA user_version").fetchone()
        if version > store.latest_format():
            raise TryAgain(
                f"Nothing was repaired: {path} was written by a newer version of the program",
                why=f"its format is {version}; this one knows {store.latest_format()}",
                todo="update solo-unicorn, then try again",
            )


def _is_cut_off(path: Path) -> bool:
    """Whether a file is shorter than its first page says."""
    with path.open("rb") as file:
        page_size, pages = _sizes(file.read(_HEADER_BYTES))
    return path.stat().st_size < max(1, pages) * page_size


def _filled_up(path: Path, to: Path) -> Path:
    """A copy of a file with the pages in its log, and empty ones in place of those that are missing."""
    shutil.copyfile(path, to)
    with to.open("r+b") as file:
        with suppress(FileNotFoundError):
            for number, page in foreign_log.frames(path.with_name(f"{path.name}-wal")):
                file.seek((number - 1) * len(page))
                file.write(page)
        file.seek(0)
        page_size, pages = _sizes(file.read(_HEADER_BYTES))
        if file.seek(0, 2) < pages * page_size:
            file.truncate(pages * page_size)
        file.seek(_WAL_OR_NOT)
        file.write(b"\x01\x01")
    return to


def _sizes(header: bytes) -> tuple[int, int]:
    """Of a page, and how many there are, by the header of a database (sqlite.org/fileformat2.html)."""
    size = int.from_bytes(header[16:18], "big")
    return (65536 if size == 1 else max(size, 512)), int.from_bytes(header[28:32], "big")


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
