"""The hub's database: one closure is one transaction, on SQLite and on PostgreSQL alike.

Services are plain functions over a SQLAlchemy `Connection`; nothing awaits between BEGIN and COMMIT. On SQLite a
closure runs on one writing thread (BEGIN IMMEDIATE) or on one of a few reading threads, so a request costs one hop
whatever it asks. On PostgreSQL the same closure runs over asyncpg, and one that met a deadlock is run again.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.ext.asyncio import create_async_engine

from ..missions.errors import TryAgain, UsageError
from .tables import metadata

__all__ = ["Database", "metadata", "open_database"]

T = TypeVar("T")
Work = Callable[[Connection], T]
READERS = 4
GROUP = 32
"""Closures in one transaction of SQLite."""
RETRIES = 8
BUSY_MILLISECONDS = 10_000


class Database(Protocol):
    """Where services read and write."""

    url: URL

    async def read(self, work: Work[T], /) -> T:
        """Run a closure that only reads; each of its statements sees what is committed."""

    async def write(self, work: Work[T], /) -> T:
        """Run a closure in one transaction and commit it; durable when this returns. May run the closure again."""

    async def migrate(self, upgrade: Work[None], /) -> None:
        """Run a schema upgrade while no other process does."""

    async def close(self) -> None:
        """Let go of every connection."""


def open_database(url: str) -> Database:
    """The database at a URL; UsageError for one that is neither SQLite nor PostgreSQL."""
    try:
        parsed = make_url(url)
    except Exception as error:
        raise UsageError("The database URL cannot be read", todo="as in postgresql+asyncpg://user@host/name") from error
    match parsed.get_backend_name():
        case "sqlite":
            return SqliteDatabase(parsed.set(drivername="sqlite+pysqlite"))
        case "postgresql":
            return PostgresDatabase(parsed.set(drivername="postgresql+asyncpg"))
    raise UsageError(
        f"{parsed.get_backend_name()} is no database of the hub", todo="use sqlite:///file or postgresql+asyncpg://…"
    )


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A closure that waits for the writing thread."""

    work: Work[Any]
    loop: asyncio.AbstractEventLoop
    outcome: asyncio.Future[Any]

    def tell(self, result: object, failure: BaseException | None) -> None:
        """What became of it, on its own loop; a caller that has gone is not told."""
        with suppress(RuntimeError):  # the loop is closed
            self.loop.call_soon_threadsafe(self._set, result, failure)

    def _set(self, result: object, failure: BaseException | None) -> None:
        if self.outcome.done():
            return
        if failure is not None:
            self.outcome.set_exception(failure)
        else:
            self.outcome.set_result(result)


class SqliteDatabase:
    """One file, WAL, one writing thread."""

    def __init__(self, url: URL) -> None:
        self.url = url
        if url.database:
            Path(url.database).parent.mkdir(parents=True, exist_ok=True)
        self._engine = create_engine(url, connect_args={"check_same_thread": False}, pool_size=READERS + 2)
        event.listen(self._engine, "connect", _prepare_sqlite)
        self._writing = ThreadPoolExecutor(1, "hub-writer")
        self._reading = ThreadPoolExecutor(READERS, "hub-reader")
        self._own = threading.local()
        self._waiting: deque[_Wanted] = deque()

    async def read(self, work: Work[T], /) -> T:
        """As `Database.read`."""
        return await asyncio.get_running_loop().run_in_executor(self._reading, self._read, work)

    async def write(self, work: Work[T], /) -> T:
        """As `Database.write`. What waits together is committed together: one sync of the disk for all of it."""
        loop = asyncio.get_running_loop()
        outcome: asyncio.Future[T] = loop.create_future()
        self._waiting.append(_Wanted(work, loop, outcome))
        self._writing.submit(self._write_waiting)
        return await outcome

    async def migrate(self, upgrade: Work[None], /) -> None:
        """As `Database.migrate`."""
        await asyncio.get_running_loop().run_in_executor(self._writing, self._write, upgrade)

    async def close(self) -> None:
        """As `Database.close`."""
        self._reading.shutdown(wait=True)
        self._writing.shutdown(wait=True)
        self._engine.dispose()

    def _connection(self) -> Connection:
        """The thread's own connection, kept open."""
        found: Connection | None = getattr(self._own, "connection", None)
        if found is None:
            found = self._own.connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        return found

    def _read(self, work: Work[T]) -> T:
        return work(self._connection())

    def _write_waiting(self) -> None:
        """One transaction for the closures that wait, each in a savepoint of its own; told when it is committed."""
        group: list[_Wanted] = []
        while self._waiting and len(group) < GROUP:
            group.append(self._waiting.popleft())
        if not group:
            return
        outcomes: list[tuple[Any, BaseException | None]] = []

        def work(connection: Connection) -> None:
            plain: Any = connection.connection.driver_connection
            for one in group:
                plain.execute("SAVEPOINT one")
                try:
                    outcomes.append((one.work(connection), None))
                except BaseException as error:
                    plain.execute("ROLLBACK TO one")
                    outcomes.append((None, error))
                plain.execute("RELEASE one")

        try:
            self._write(work)
        except BaseException as error:
            outcomes = [(None, error)] * len(group)
        for one, (result, failure) in zip(group, outcomes, strict=True):
            one.tell(result, failure)

    def _write(self, work: Work[T]) -> T:
        connection = self._connection()
        try:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        except OperationalError as error:
            raise TryAgain("The hub's database is busy", why=str(error.orig)) from error
        try:
            result = work(connection)
        except BaseException:
            connection.exec_driver_sql("ROLLBACK")
            raise
        connection.exec_driver_sql("COMMIT")
        return result


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


class PostgresDatabase:
    """A pool of asyncpg connections."""

    def __init__(self, url: URL) -> None:
        self.url = url
        self._engine = create_async_engine(url, pool_size=10, max_overflow=10, pool_pre_ping=False, pool_recycle=1800)
        self._reader = self._engine.execution_options(isolation_level="AUTOCOMMIT")

    async def read(self, work: Work[T], /) -> T:
        """As `Database.read`."""
        return await self._again(self._read, work)

    async def write(self, work: Work[T], /) -> T:
        """As `Database.write`."""
        return await self._again(self._write, work)

    async def migrate(self, upgrade: Work[None], /) -> None:
        """As `Database.migrate`."""

        def alone(connection: Connection) -> None:
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(5427034)")
            upgrade(connection)

        await self._write(alone)

    async def close(self) -> None:
        """As `Database.close`."""
        await self._engine.dispose()

    async def _read(self, work: Work[T]) -> T:
        async with self._reader.connect() as connection:
            return await connection.run_sync(work)

    async def _write(self, work: Work[T]) -> T:
        async with self._engine.begin() as connection:
            return await connection.run_sync(work)

    async def _again(self, run: Callable[[Work[T]], Any], work: Work[T]) -> T:
        for attempt in range(RETRIES):
            try:
                result: T = await run(work)
                return result
            except DBAPIError as error:
                state = getattr(error.orig, "sqlstate", None)
                if state in _AGAIN and attempt + 1 < RETRIES:
                    continue
                if error.connection_invalidated or state in _AWAY:
                    raise TryAgain("The hub's database does not answer", why=type(error.orig).__name__) from error
                raise
            except (OSError, TimeoutError) as error:
                raise TryAgain("The hub's database does not answer", why=type(error).__name__) from error
        raise AssertionError("unreachable")


_AGAIN = frozenset({"40P01", "40001"})
"""Deadlock, and a serialization that failed: nothing was done, the same closure may run again."""
_AWAY = frozenset({"57P01", "57P02", "57P03", "53300", "08006", "08003", "08001"})
