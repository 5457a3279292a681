"""What the hub is measured beside: its rows, served by bare SQL and orjson from one Starlette route.

    python bench/hub_bare.py DATABASE_URL PORT PAGE

No sign-in, no permissions, no versions, no events, no limits. A change is one transaction, committed and as durable as
the hub's (the same journal mode, `synchronous = FULL`) before it is answered, and reads decode and encode each row.
"""

from __future__ import annotations

import asyncio
import sqlite3
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


class Rows(Protocol):
    """Where they are."""

    async def read(self, sql: str, *given: object) -> list[tuple[Any, ...]]:
        """What a query finds; parameters are `?`."""

    async def change(self, mission: str, priority: int) -> bytes:
        """A mission with another priority, as JSON."""


class Sqlite:
    """Four reading threads, one that writes: as the hub has them."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._own = threading.local()
        self._reading, self._writing = ThreadPoolExecutor(4), ThreadPoolExecutor(1)

    async def read(self, sql: str, *given: object) -> list[tuple[Any, ...]]:
        """As `Rows.read`."""
        return await asyncio.get_running_loop().run_in_executor(self._reading, self._read, sql, given)

    async def change(self, mission: str, priority: int) -> bytes:
        """As `Rows.change`."""
        return await asyncio.get_running_loop().run_in_executor(self._writing, self._change, mission, priority)

    def _connection(self) -> sqlite3.Connection:
        if not hasattr(self._own, "connection"):
            opened = self._own.connection = sqlite3.connect(self._path, isolation_level=None)
            for pragma in ("journal_mode = WAL", "synchronous = FULL", "busy_timeout = 10000", "cache_size = -32768"):
                opened.execute(f"PRAGMA {pragma}")
            opened.execute("PRAGMA mmap_size = 268435456")
        found: sqlite3.Connection = self._own.connection
        return found

    def _read(self, sql: str, given: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        return self._connection().execute(sql, given).fetchall()

    def _change(self, mission: str, priority: int) -> bytes:
        connection = self._connection()
        connection.execute("BEGIN IMMEDIATE")
        doc = orjson.loads(connection.execute("SELECT doc FROM missions WHERE id = ?", (mission,)).fetchone()[0])
        doc["priority"] = priority
        text = orjson.dumps(doc)
        connection.execute("UPDATE missions SET priority = ?, doc = ? WHERE id = ?", (priority, text.decode(), mission))
        connection.execute("COMMIT")
        return text


class Postgres:
    """A pool like the hub's."""

    def __init__(self, url: str) -> None:
        self._url = url.replace("+asyncpg", "")
        self._pool: Any = None

    async def read(self, sql: str, *given: object) -> list[tuple[Any, ...]]:
        """As `Rows.read`."""
        for number in range(1, len(given) + 1):
            sql = sql.replace("?", f"${number}", 1)
        return [tuple(row) for row in await (await self._opened()).fetch(sql, *given)]

    async def change(self, mission: str, priority: int) -> bytes:
        """As `Rows.change`."""
        async with (await self._opened()).acquire() as connection, connection.transaction():
            found = await connection.fetchval("SELECT doc FROM missions WHERE id = $1 FOR UPDATE", mission)
            doc = orjson.loads(found)
            doc["priority"] = priority
            text = orjson.dumps(doc)
            sql = "UPDATE missions SET priority = $1, doc = $2 WHERE id = $3"
            await connection.execute(sql, priority, text.decode(), mission)
        return text

    async def _opened(self) -> Any:
        if self._pool is None:
            import asyncpg

            self._pool = await asyncpg.create_pool(self._url, min_size=10, max_size=20)
        return self._pool


def application(rows: Rows, page: int) -> Starlette:
    """The one route."""
    listing = f"SELECT doc FROM missions WHERE project_id = ? AND deleted = false ORDER BY id LIMIT {page}"

    async def serve(request: Request) -> Response:
        kind, identifier = request.path_params["kind"], request.path_params["id"]
        if request.method == "PATCH":
            body = orjson.loads(await request.body())
            return Response(await rows.change(identifier, body["priority"]), media_type="application/json")
        if kind == "projects":
            found = [orjson.loads(row[0]) for row in await rows.read(listing, identifier)]
            return Response(orjson.dumps({"items": found}), media_type="application/json")
        one = await rows.read("SELECT doc FROM missions WHERE id = ?", identifier)
        return Response(orjson.dumps(orjson.loads(one[0][0])), media_type="application/json")

    here = "/api/v1/{kind}/{id}"
    return Starlette(routes=[Route(here, serve, methods=["GET", "PATCH"]), Route(here + "/missions", serve)])


def main() -> None:
    """Serve until told to stop."""
    url, port, page = sys.argv[1:]
    rows: Rows = Sqlite(url.removeprefix("sqlite:///")) if url.startswith("sqlite") else Postgres(url)
    uvicorn.run(application(rows, int(page)), host="127.0.0.1", port=int(port), log_level="error", access_log=False)


if __name__ == "__main__":
    main()
