"""The hub on SQLite: one file in WAL mode, four reading threads and one that writes.

What waits to be written together is committed together: one sync of the disk for all of it, and each closure in a
savepoint of its own, so that it succeeds or fails by itself. Nobody is told before the commit.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.engine import URL

from ...missions.errors import TryAgain
from ..disk import DiskFull, disk_full

T = TypeVar("T")
Work = Callable[[Connection], T]
READERS = 4
GROUP = 32
"""Closures in one transaction."""
BUSY_MILLISECONDS = 10_000


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A closure that waits for the writing thread."""

    work: Work[Any]
    loop: asyncio.AbstractEventLoop
    outcome: asyncio.Future[Any]

    def tell(self, result: object, failure: BaseException | None) -> None:
        """What became of it; to be called on its own loop. A caller that has gone is not told."""
        if self.outcome.done():
            return
        if failure is not None:
            self.outcome.set_exception(failure)
        else:
            self.outcome.set_result(result)


class SqliteDatabase:
    """One file, WAL, one writing thread."""

    shared = False

    def __init__(self, url: URL) -> None:
        self.url = url
        if url.database:
            Path(url.database).parent.mkdir(parents=True, exist_ok=True)
            _own(Path(url.database))
        self._engine = create_engine(url, connect_args={"check_same_thread": False}, pool_size=READERS + 2)
        event.listen(self._engine, "connect", _prepare_sqlite)
        self._writing = ThreadPoolExecutor(1, "hub-writer")
        self._reading = ThreadPoolExecutor(READERS, "hub-reader")
        self._own = threading.local()
        self._waiting: deque[_Wanted] = deque()
        self.full = False
        self._file: tuple[int, int] | None = None
        """`_identity` of the file that is open."""
        self._called = threading.Lock()
        """Held while the writing thread is called and has not yet looked at what waits."""

    async def read(self, work: Work[T], /) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._reading, self._read, work)

    async def write(self, work: Work[T], /) -> T:
        loop = asyncio.get_running_loop()
        outcome: asyncio.Future[T] = loop.create_future()
        self._waiting.append(_Wanted(work, loop, outcome))
        if self._called.acquire(blocking=False):
            try:
                self._writing.submit(self._write_waiting)
            except RuntimeError:  # closed
                self._called.release()
                raise
        return await outcome

    async def migrate(self, upgrade: Work[None], /) -> None:
        await asyncio.get_running_loop().run_in_executor(self._writing, self._write, upgrade)

    async def close(self) -> None:
        self._reading.shutdown(wait=True)
        self._writing.shutdown(wait=True)
        self._engine.dispose()

    def _connection(self) -> Connection:
        """The thread's own connection, kept open; TryAgain once its file was deleted or replaced.

        What is written to a file that has no name any more would end with the hub.
        """
        if self._file is not None and _identity(self.url) != self._file:
            raise TryAgain(
                "The hub's database was deleted or replaced while the hub was running",
                why=f"{self.url.database} is not the file that it opened",
                todo="stop the hub, put the database or a backup in its place, and start it again",
            )
        found: Connection | None = getattr(self._own, "connection", None)
        if found is None:
            found = self._own.connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            self._file = self._file or _identity(self.url)
        return found

    def _read(self, work: Work[T]) -> T:
        connection = self._connection()
        try:
            return work(connection)
        except Exception as error:
            if told := self._told(error):
                raise told from error
            raise

    def _write_waiting(self) -> None:
        """All that waits, a group at a time."""
        self._called.release()  # whoever comes after this calls again
        while self._waiting:
            self._write_group([self._waiting.popleft() for _ in range(min(len(self._waiting), GROUP))])

    def _write_group(self, group: list[_Wanted]) -> None:
        """One transaction for these closures, each in a savepoint of its own; told when it is committed."""
        outcomes: list[tuple[Any, BaseException | None]] = []

        def work(connection: Connection) -> None:
            plain: Any = connection.connection.driver_connection
            for one in group:
                plain.execute("SAVEPOINT one")
                try:
                    outcomes.append((one.work(connection), None))
                except BaseException as error:
                    if not plain.in_transaction:
                        raise  # SQLite has taken all of it back itself: the disk takes no more
                    plain.execute("ROLLBACK TO one")
                    outcomes.append((None, self._told(error) or error))
                plain.execute("RELEASE one")

        try:
            self._write(work)
        except BaseException as error:
            outcomes = [(None, error)] * len(group)
        self.full = self.full or any(isinstance(failure, DiskFull) for _, failure in outcomes)
        told = list(zip(group, outcomes, strict=True))
        for loop in {one.loop for one in group}:
            with suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(_tell, [each for each in told if each[0].loop is loop])

    def _write(self, work: Work[T]) -> T:
        """One transaction; whatever happens, none is open afterwards."""
        connection = self._connection()
        plain: Any = connection.connection.driver_connection
        changes = plain.total_changes
        try:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            result = work(connection)
            connection.exec_driver_sql("COMMIT")
        except BaseException as error:
            if plain.in_transaction:
                plain.execute("ROLLBACK")
            if told := self._told(error):
                raise told from error
            raise
        if plain.total_changes != changes:
            self.full = False
        return result

    def _told(self, error: BaseException) -> TryAgain | None:
        """What an error of SQLite means to the caller; None: it is passed on as it is."""
        found = getattr(error, "orig", None) or error
        if str(getattr(found, "sqlite_errorname", None)).startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            return TryAgain("The hub's database is busy", why=str(found))
        return disk_full(found, self.url.database or "")


def _own(file: Path) -> None:
    """Readable for the hub's user only, whatever its directory allows; SQLite gives -wal and -shm the same mode."""
    with suppress(OSError):  # of another user, or not to be made: SQLite says what is wrong
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.fchmod(descriptor, 0o600)
        finally:
            os.close(descriptor)


def _identity(url: URL) -> tuple[int, int] | None:
    """Device and inode of the file that has the name of the database now."""
    try:
        found = Path(url.database or "").stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _tell(told: list[tuple[_Wanted, tuple[Any, BaseException | None]]]) -> None:
    for one, (result, failure) in told:
        one.tell(result, failure)


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None
    for pragma in (
        f"busy_timeout = {BUSY_MILLISECONDS}",
        "journal_mode = WAL",
        "synchronous = FULL",
        "cache_size = -32768",
        "mmap_size = 268435456",
        "temp_store = MEMORY",
    ):
        connection.execute(f"PRAGMA {pragma}")
