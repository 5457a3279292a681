"""A write-ahead log that was not written with the workspace file beside which it stands.

SQLite compares a log with itself alone: the first program that opens a file folds into it whatever log stands beside
it. After a crash the log stays, and who then puts a copy of the file in its place gets a mixture of two states. So
before a file is opened that nobody has open, its count of writes and its instance are compared with those in the log. A
log begins with the write after those in the file, or the file has a part of what it says; any other one is moved aside,
and both are as they were.
"""

from __future__ import annotations

import fcntl
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from time import time_ns
from typing import Final

from ...missions.records import record
from . import identity, proof

_HEADER, _FRAME_HEADER = 32, 24
_MAGIC: Final = (0x377F0682, 0x377F0683)
_IN_USE: Final = 128
"""The byte of the `-shm` that SQLite locks (shared) in every connection."""
_WRITES: Final = rb"(?s)\x03\x25(.)store\.writes(\d+)"
_INSTANCE: Final = rb"(?s)\x03\x29(.)store\.instance([0-9A-Za-z]+)"
"""A row of `meta` as SQLite writes it: the length of its header, the types of key and value, both texts."""
_looked_at: set[Path] = set()


@record
class _Told:
    """What a log says."""

    first: int
    """The count of writes after its first transaction."""
    last: int
    instances: frozenset[str]
    pages: tuple[tuple[int, bytes], ...]
    """Every page with the count, with its number."""


def put_aside(database: Path) -> Path | None:
    """Move the log beside a file away if it belongs to another one; to where, None when it stays.

    The log stays where anything is in doubt. Only the first call of a process looks: closing a file takes away what
    this process has locked in it, so nothing of ours may be open.
    """
    if database in _looked_at:
        return None
    _looked_at.add(database)
    log, index = (database.with_name(f"{database.name}{ending}") for ending in ("-wal", "-shm"))
    with suppress(OSError, sqlite3.Error):
        if not _is_free(index):
            return None
        before = _stamps(database, log)
        if not before[1] or before[1][0] <= _HEADER or not _is_of_another(database, log):
            return None
        with index.open("ab") as held:
            fcntl.lockf(held, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, _IN_USE)
            if _stamps(database, log) != before:
                return None
            aside = log.with_name(f"{log.name}.kept-{time_ns()}")
            log.rename(aside)
            index.unlink()
            return aside
    return None


def kept(database: Path) -> list[Path]:
    """The logs that were moved aside, oldest first."""
    return sorted(database.parent.glob(f"{database.name}-wal.kept-*"))


def _is_free(index: Path) -> bool:
    """Whether no process has the database open."""
    try:
        with index.open("r+b") as held:
            fcntl.lockf(held, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, _IN_USE)
    except FileNotFoundError:
        return True
    except BlockingIOError:
        return False
    return True


def _stamps(*files: Path) -> list[tuple[int, ...]]:
    """Which files these are, and when they changed."""
    found: list[tuple[int, ...]] = []
    for file in files:
        try:
            facts = file.stat()
        except FileNotFoundError:
            found.append(())
        else:
            found.append((facts.st_size, facts.st_ino, facts.st_mtime_ns))
    return found


def _is_of_another(database: Path, log: Path) -> bool:
    told = _told(log)
    if told is None:
        return False
    with closing(sqlite3.connect(f"{database.resolve().as_uri()}?mode=ro&immutable=1", uri=True)) as alone:
        names = (identity.INSTANCE, proof.WRITES)
        if not all(proof.is_as_written(alone, "meta", name) for name in names):
            return False  # damaged, or the log was being folded in when the machine stopped
        instance, writes = identity.instance_of(alone), proof.position(alone).writes
    if told.instances and instance not in told.instances:
        return True
    if not told.first - 1 <= writes <= told.last:
        return True
    # with the first count the file may also stand before the log, which begins with a change that was not counted
    return writes > told.first and not any(_page(database, number, len(page)) == page for number, page in told.pages)


def _page(database: Path, number: int, size: int) -> bytes:
    with database.open("rb") as file:
        file.seek((number - 1) * size)
        return file.read(size)


def _told(log: Path) -> _Told | None:
    """What the committed part of a log says of the count of writes; None when it says nothing."""
    counts: list[int] = []
    instances: set[str] = set()
    pages: list[tuple[int, bytes]] = []
    for number, page in frames(log):
        if found := _values(_WRITES, page):
            counts.append(max(map(int, found)))
            pages.append((number, page))
        instances |= {one.decode() for one in _values(_INSTANCE, page)}
    return _Told(counts[0], counts[-1], frozenset(instances), tuple(pages)) if counts else None


def _values(row: bytes, page: bytes) -> list[bytes]:
    """The values of a row of `meta` in a page; also former ones, where its room was not used again."""
    sizes = ((found, (found[1][0] - 13) // 2) for found in re.finditer(row, page))
    return [found[2][:size] for found, size in sizes if 0 < size <= len(found[2])]


def frames(log: Path) -> Iterator[tuple[int, bytes]]:
    """The pages of a log with their numbers, up to the last commit. Raises OSError."""
    with log.open("rb") as file:
        header = file.read(_HEADER)
        size = int.from_bytes(header[8:12], "big")
        if int.from_bytes(header[:4], "big") not in _MAGIC or not 512 <= size <= 65536:
            return
        open_: list[tuple[int, bytes]] = []
        while len(frame := file.read(_FRAME_HEADER + size)) == _FRAME_HEADER + size:
            if frame[8:16] != header[16:24]:  # of an earlier use of the log
                return
            open_.append((int.from_bytes(frame[:4], "big"), frame[_FRAME_HEADER:]))
            if frame[4:8] != b"\0\0\0\0":
                yield from open_
                open_ = []
