"""The hub's database: one closure is one transaction, on SQLite and on PostgreSQL alike.

Services are plain functions over a SQLAlchemy `Connection`; nothing awaits between BEGIN and COMMIT. On SQLite a
closure runs on one writing thread (BEGIN IMMEDIATE) or on one of a few reading threads, so a request costs one hop
whatever it asks. On PostgreSQL the same closure runs over asyncpg, and one that met a deadlock is run again.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection, delete, insert, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoneFree
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from ...missions.errors import SoloUnicornError, TryAgain, UsageError
from ..disk import disk_full
from ..errors import DatabaseUnusable
from .tables import hub_meta, metadata

__all__ = ["Database", "metadata", "open_database"]

T = TypeVar("T")
Work = Callable[[Connection], T]
RETRIES = 8
ANSWER_SECONDS = 5.0
"""For a connection to be made, or to become free."""
STATEMENT_SECONDS = 9.0
"""For one statement of PostgreSQL; the server itself ends it then."""
TRANSACTION_SECONDS = 10.0
"""For a whole transaction; a server that hangs is noticed by it."""


class Database(Protocol):
    """The database, as services read and write it."""

    url: URL
    shared: bool
    """Whether other processes are meant to write to it too: then nothing of it is remembered between requests."""
    full: bool
    """Whether the last write found its disk full."""

    async def read(self, work: Work[T], /) -> T:
        """Run a closure that only reads; each of its statements sees what is committed."""

    async def write(self, work: Work[T], /) -> T:
        """Run a closure in one transaction and commit it; durable when this returns. May run the closure again."""

    async def migrate(self, upgrade: Work[None], /) -> None:
        """Run a schema upgrade while no other process does."""

    async def close(self) -> None:
        """Close every connection."""


def open_database(url: str) -> Database:
    """The database at a URL; UsageError for one that is neither SQLite nor PostgreSQL."""
    try:
        parsed = make_url(url)
    except Exception as error:
        raise UsageError(
            "The database URL cannot be read", todo="use the form postgresql+asyncpg://user@host/name"
        ) from error
    match parsed.get_backend_name():
        case "sqlite":
            from .sqlite import SqliteDatabase

            return SqliteDatabase(parsed.set(drivername="sqlite+pysqlite"))
        case "postgresql":
            return PostgresDatabase(parsed.set(drivername="postgresql+asyncpg"))
    raise UsageError(
        f"{parsed.get_backend_name()} is not a supported database", todo="use sqlite:///file or postgresql+asyncpg://…"
    )


async def probe(database: Database) -> None:
    """Read from the database, and write to it where the last write found no room; raises what is wrong."""
    await database.read(lambda at: at.execute(text("SELECT 1")).scalar_one())
    if database.full:
        await database.write(_touch)


def _touch(at: Connection) -> None:
    at.execute(delete(hub_meta).where(hub_meta.c.key == "probe"))
    at.execute(insert(hub_meta).values(key="probe", value=secrets.token_hex(8)))


class PostgresDatabase:
    """A pool of asyncpg connections."""

    shared = True

    def __init__(self, url: URL) -> None:
        self.url = url
        self.full = False
        self._engine = create_async_engine(
            url,
            pool_size=10,
            max_overflow=10,
            pool_timeout=ANSWER_SECONDS,
            pool_recycle=1800,
            connect_args={
                "timeout": ANSWER_SECONDS,
                "server_settings": {"statement_timeout": str(int(STATEMENT_SECONDS * 1000))},
            },
        )
        self._reader = self._engine.execution_options(isolation_level="AUTOCOMMIT")

    async def read(self, work: Work[T], /) -> T:
        return await self._again(self._read, work)

    async def write(self, work: Work[T], /) -> T:
        return await self._again(self._write, work)

    async def migrate(self, upgrade: Work[None], /) -> None:
        """As `Database.migrate`; on a connection of its own, whose statements may take as long as they need."""
        engine = create_async_engine(self.url, connect_args={"timeout": ANSWER_SECONDS}, poolclass=NullPool)

        def alone(connection: Connection) -> None:
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(5427034)")
            upgrade(connection)

        async def run(work: Work[None]) -> None:
            async with engine.begin() as connection:
                await connection.run_sync(work)

        await self._again(run, alone)

    async def close(self) -> None:
        await self._engine.dispose()

    async def _read(self, work: Work[T]) -> T:
        with _Watched() as watched:
            async with self._reader.connect() as connection:
                return await connection.run_sync(watched.run, work)

    async def _write(self, work: Work[T]) -> T:
        with _Watched() as watched:
            async with self._engine.begin() as connection:
                result = await connection.run_sync(watched.run, work)
        self.full = False
        return result

    async def _again(self, run: Callable[[Work[T]], Any], work: Work[T]) -> T:
        for attempt in range(RETRIES):
            try:
                result: T = await run(work)
                return result
            except DBAPIError as error:
                state = getattr(error.orig, "sqlstate", None)
                if state in _AGAIN and attempt + 1 < RETRIES:
                    continue
                if full := disk_full(error, self.url.render_as_string(hide_password=True)):
                    self.full = True
                    raise full from error
                if state in _REFUSED:
                    raise refused(self.url.render_as_string(hide_password=True), error.orig or error) from error
                if state == _TOO_LONG:
                    raise TryAgain("The hub's database took too long", why=str(error.orig)) from error
                if error.connection_invalidated or state in _AWAY:
                    raise TryAgain("The hub's database does not answer", why="the connection was lost") from error
                raise
            except NoneFree as error:
                raise TryAgain("All connections to the hub's database are in use", todo="try again later") from error
            except (OSError, TimeoutError) as error:
                why = str(error) or f"no answer within {ANSWER_SECONDS:.0f} s"
                raise TryAgain("The hub's database does not answer", why=why) from error
            except Exception as error:  # of asyncpg itself, at a connection's beginning
                if not type(error).__module__.startswith("asyncpg"):
                    raise
                raise refused(self.url.render_as_string(hide_password=True), error) from error
        raise AssertionError("unreachable")


class _Watched:
    """Cuts the connection of a transaction that takes longer than TRANSACTION_SECONDS, its COMMIT with it.

    Whatever waits on the connection ends with an error then. asyncpg's own time limits ask the server to cancel the
    statement and wait for its answer: of a server that hangs, for ever.
    """

    def __init__(self) -> None:
        self._timer: asyncio.TimerHandle | None = None

    def run(self, connection: Connection, work: Work[T]) -> T:
        """Run a closure on a connection that is watched until the block ends."""
        driver: Any = connection.connection.driver_connection
        self._timer = asyncio.get_running_loop().call_later(TRANSACTION_SECONDS, driver.terminate)
        return work(connection)

    def __enter__(self) -> _Watched:
        return self

    def __exit__(self, *_: object) -> None:
        if self._timer:
            self._timer.cancel()


_TOO_LONG = "57014"
"""The server ended the statement after STATEMENT_SECONDS."""
_AGAIN = frozenset({"40P01", "40001"})
"""Deadlock, and a serialization that failed: nothing was done, the same closure may run again."""


def refused(shown: str, error: BaseException) -> SoloUnicornError:
    """What a database says when it does not do what a hub needs; `shown` is its URL without the password."""
    state = getattr(error, "sqlstate", None) or getattr(error, "sqlite_errorname", None)
    if full := disk_full(error, shown):
        return SoloUnicornError(
            f"The database {shown} cannot be written", why=full.why, todo="free some space on its disk, and try again"
        )
    why = str(error).strip().partition("\n")[0]
    if state in _AWAY:
        return TryAgain(f"The database {shown} does not answer", why=why, todo="start it, and try again")
    todo = _REFUSED.get(
        str(state), "correct --database-url or --data-dir; the file and its directory must be yours, and writable"
    )
    return DatabaseUnusable(f"The database {shown} cannot be used", why=why, todo=todo)


def of_file(error: BaseException) -> bool:
    """Whether SQLite says this of its file itself, so that another try would say the same; not when it is busy."""
    name = getattr(error, "sqlite_errorname", None)
    return name is not None and not name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))


_DAMAGED = "restore a backup: `solo-unicorn hub restore BACKUP`; the damaged file is kept beside it"
_REFUSED = {
    "28P01": "correct the user or the password in SOLO_UNICORN_HUB_DATABASE_URL",
    "28000": "correct the user in SOLO_UNICORN_HUB_DATABASE_URL, or allow it in pg_hba.conf",
    "3D000": "create the database (`createdb`), or correct its name in SOLO_UNICORN_HUB_DATABASE_URL",
    "42501": "make the hub's user the owner of the database",
    "SQLITE_NOTADB": _DAMAGED,
    "SQLITE_CORRUPT": _DAMAGED,
}
"""What to do where another try would meet the same."""
_AWAY = frozenset({"57P01", "57P02", "57P03", "53300", "08006", "08003", "08001"})
