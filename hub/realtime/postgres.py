"""Several processes over PostgreSQL: numbers and the last minutes in two unlogged tables, delivery by NOTIFY.

A batch is one transaction on a dedicated connection, so no request waits for NOTIFY's commit lock. The row of a
channel is locked until its numbers are committed: every process hears them in order, without holes.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Final

import orjson

from ...config.log import logger
from ...missions.entities import JsonObject
from ...system.backoff import Backoff
from .backplane import (
    ANSWER_SECONDS,
    KEPT_SECONDS,
    Batch,
    BusSilent,
    Deliver,
    Delivery,
    Member,
    Replay,
    answering,
    first_number,
    replayed,
)
from .envelopes import Numbered

if TYPE_CHECKING:
    import asyncpg

NOTIFY: Final = "solo_unicorn_realtime"
PAYLOAD_BYTES: Final = 7_500
"""PostgreSQL takes 8,000 bytes; what is larger is read from the table."""
PRUNE_SECONDS: Final = 30.0
STATEMENT_SECONDS: Final = 10.0
QUIET_SECONDS: Final = 5.0
"""Without notices for so long the connection that listens is asked for a sign of life."""

TABLES: Final = """
CREATE UNLOGGED TABLE IF NOT EXISTS realtime_channels (
    name text PRIMARY KEY, seq bigint NOT NULL, at double precision NOT NULL);
CREATE UNLOGGED TABLE IF NOT EXISTS realtime_log (
    channel text NOT NULL, seq bigint NOT NULL, at double precision NOT NULL, type text NOT NULL, payload text NOT NULL,
    PRIMARY KEY (channel, seq));
CREATE INDEX IF NOT EXISTS realtime_log_at ON realtime_log (at);
CREATE UNLOGGED TABLE IF NOT EXISTS realtime_presence (
    channel text NOT NULL, key text NOT NULL, meta text NOT NULL, at double precision NOT NULL,
    PRIMARY KEY (channel, key));
"""
LOCK: Final = 0x534F4C4F
"""Two processes that start together make the tables one after the other."""
NUMBER: Final = """
INSERT INTO realtime_channels (name, seq, at) VALUES ($1, $2::bigint + $3, $4)
ON CONFLICT (name) DO UPDATE SET seq = realtime_channels.seq + $3, at = $4 RETURNING seq
"""


class PostgresBackplane:
    """Two connections of its own: one hears, one publishes and reads."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._deliver: Deliver = lambda delivery: None
        self._pool: asyncpg.Pool[asyncpg.Record] | None = None
        self._hearing: asyncio.Task[None] | None = None
        self._pruner: asyncio.Task[None] | None = None
        self._heard: asyncio.Queue[str] = asyncio.Queue()

    async def start(self, deliver: Deliver, /) -> None:
        """Make the tables, then hear."""
        import asyncpg

        self._deliver = deliver
        self._pool = await asyncpg.create_pool(self._dsn, min_size=1, max_size=3, timeout=ANSWER_SECONDS)
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(f"SELECT pg_advisory_xact_lock({LOCK})")
            await connection.execute(TABLES)
        ready = asyncio.Event()
        self._hearing = asyncio.create_task(self._hear(ready), name="realtime-listen")
        self._pruner = asyncio.create_task(self._prune(), name="realtime-prune")
        await ready.wait()

    async def stop(self) -> None:
        """Close both connections."""
        for task in (self._hearing, self._pruner):
            if task:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
        if self._pool:
            await self._pool.close()

    async def probe(self) -> None:
        async with self._connection() as connection:
            await connection.execute("SELECT 1")

    async def publish(self, batch: Batch, /) -> None:
        """Number, keep, notify: one transaction."""
        by_channel: dict[str, list[tuple[str, JsonObject]]] = {}
        for message in batch.messages:
            by_channel.setdefault(message.channel, []).append((message.type, message.payload))
        now = time.time()
        async with self._connection() as connection, connection.transaction():
            rows: list[tuple[str, int, float, str, str]] = []
            for channel in sorted(by_channel):  # one order for everybody: no deadlock
                said = by_channel[channel]
                last: int = await connection.fetchval(NUMBER, channel, first_number(), len(said), now)
                for number, (kind, payload) in enumerate(said, last - len(said) + 1):
                    rows.append((channel, number, now, kind, orjson.dumps(payload).decode()))
            if rows:
                await connection.executemany("INSERT INTO realtime_log VALUES ($1, $2, $3, $4, $5)", rows)
            for text in _notices(rows, batch.changes):
                await connection.execute("SELECT pg_notify($1, $2)", NOTIFY, text)

    async def replay(self, channel: str, after: int | None, /) -> Replay:
        async with self._connection() as connection, connection.transaction(isolation="repeatable_read"):
            seq = await connection.fetchval("SELECT seq FROM realtime_channels WHERE name = $1", channel)
            if seq is None:
                return Replay(0, gap=bool(after))
            if after is None:
                return Replay(seq)
            rows = await connection.fetch(
                "SELECT seq, type, payload FROM realtime_log WHERE channel = $1 AND seq > $2 ORDER BY seq LIMIT 1000",
                channel,
                after,
            )
        kept = [Numbered(channel, row["seq"], row["type"], orjson.loads(row["payload"])) for row in rows]
        return replayed(kept, seq, after) if len(kept) < 1000 else Replay(seq, gap=True)

    async def present(self, channel: str, /) -> Sequence[Member]:
        async with self._connection() as connection:
            rows = await connection.fetch("SELECT key, meta FROM realtime_presence WHERE channel = $1", channel)
        return [Member(channel, row["key"], orjson.loads(row["meta"])) for row in rows]

    async def enter(self, member: Member, /) -> None:
        async with self._connection() as connection:
            await connection.execute(
                "INSERT INTO realtime_presence VALUES ($1, $2, $3, $4) "
                "ON CONFLICT (channel, key) DO UPDATE SET meta = $3, at = $4",
                member.channel,
                member.key,
                orjson.dumps(member.meta).decode(),
                time.time(),
            )

    async def leave(self, channel: str, key: str, /) -> bool:
        async with self._connection() as connection:
            gone = await connection.execute(
                "DELETE FROM realtime_presence WHERE channel = $1 AND key = $2", channel, key
            )
        return str(gone) != "DELETE 0"

    async def expire(self, seconds: float, /) -> Sequence[Member]:
        """A row is deleted, and so named, by one process only."""
        async with self._connection() as connection:
            rows = await connection.fetch(
                "DELETE FROM realtime_presence WHERE at < $1 RETURNING channel, key, meta", time.time() - seconds
            )
        return [Member(row["channel"], row["key"], orjson.loads(row["meta"])) for row in rows]

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
        """One of the pool; BusSilent when it does not answer in time, and then it is cut."""
        import asyncpg

        if self._pool is None:
            raise RuntimeError("the backplane has not been started")
        async with (
            answering("PostgreSQL", asyncpg.PostgresError, asyncpg.InterfaceError),
            self._pool.acquire(timeout=ANSWER_SECONDS) as connection,
        ):
            # its own time limits wait for the server to take the statement back
            cut = asyncio.get_running_loop().call_later(STATEMENT_SECONDS, connection.terminate)
            try:
                yield connection
            finally:
                cut.cancel()

    async def _hear(self, ready: asyncio.Event) -> None:
        """Listen for ever, again after a lost connection; what was lost meanwhile is a gap that a client can see."""
        import asyncpg

        pause = Backoff(0.5, 10.0, random=random.Random())
        while True:
            try:
                connection = await asyncpg.connect(self._dsn, timeout=ANSWER_SECONDS)
                try:
                    lost = asyncio.Event()
                    connection.add_termination_listener(lambda _, lost=lost: lost.set())
                    async with asyncio.timeout(ANSWER_SECONDS):
                        await connection.add_listener(NOTIFY, lambda *given: self._heard.put_nowait(given[3]))
                    ready.set()
                    pause.reset()
                    await self._deliver_until(lost, connection)
                finally:
                    connection.terminate()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError, BusSilent) as error:
                logger("hub.realtime").warning("not hearing PostgreSQL; trying again", extra={"why": str(error)})
            except Exception:  # what cannot be read, for one: the hub would hear of nothing any more
                logger("hub.realtime").exception("hearing PostgreSQL broke off; trying again")
            await asyncio.sleep(pause.next())

    async def _deliver_until(self, lost: asyncio.Event, connection: asyncpg.Connection[asyncpg.Record]) -> None:
        """Until the connection is lost, or gives no sign of life: TimeoutError."""
        ended = asyncio.ensure_future(lost.wait())
        try:
            while not ended.done():
                heard = asyncio.ensure_future(self._heard.get())
                await asyncio.wait({ended, heard}, timeout=QUIET_SECONDS, return_when=asyncio.FIRST_COMPLETED)
                if heard.done():
                    self._deliver(await self._delivery(heard.result()))
                    continue
                heard.cancel()
                if not ended.done():
                    async with asyncio.timeout(ANSWER_SECONDS):
                        await connection.execute("SELECT 1")
        finally:
            ended.cancel()

    async def _delivery(self, text: str) -> Delivery:
        """A notice carries its messages, or (large ones) where they stand."""
        notice = orjson.loads(text)
        messages = [Numbered(*one) for one in notice.get("m", ())]
        for channel, first, last in notice.get("r", ()):
            async with self._connection() as connection:
                rows = await connection.fetch(
                    "SELECT seq, type, payload FROM realtime_log "
                    "WHERE channel = $1 AND seq BETWEEN $2 AND $3 ORDER BY seq",
                    channel,
                    first,
                    last,
                )
            messages += [Numbered(channel, row["seq"], row["type"], orjson.loads(row["payload"])) for row in rows]
        return Delivery(messages, notice.get("c", {}))

    async def _prune(self) -> None:
        """Old messages go; a channel's number stays as long as its newest message might be asked for."""
        while True:
            await asyncio.sleep(random.uniform(PRUNE_SECONDS / 2, PRUNE_SECONDS * 1.5))
            oldest = time.time() - KEPT_SECONDS
            try:
                async with self._connection() as connection:
                    await connection.execute("DELETE FROM realtime_log WHERE at < $1", oldest)
                    await connection.execute("DELETE FROM realtime_channels WHERE at < $1", oldest - KEPT_SECONDS)
            except BusSilent as error:
                logger("hub.realtime").warning("could not prune the kept messages; trying again", exc_info=error)
            except Exception:
                logger("hub.realtime").exception("could not prune the kept messages; trying again")


def _notices(rows: Sequence[tuple[str, int, float, str, str]], changes: dict[str, int]) -> list[str]:
    """The payloads of a batch: its messages in order, as many in one as fit; a message too large goes by its place."""
    notices: list[dict[str, list[object]]] = []
    size = PAYLOAD_BYTES
    for channel, seq, _, kind, payload in rows:
        part: object = [channel, seq, kind, orjson.Fragment(payload)]
        name, length = "m", len(channel) + len(kind) + len(payload.encode()) + 40
        if length > PAYLOAD_BYTES:
            part, name, length = [channel, seq, seq], "r", len(channel) + 60
        if size + length > PAYLOAD_BYTES or name not in notices[-1]:
            notices.append({name: []})
            size = 20
        notices[-1][name].append(part)
        size += length
    texts = [orjson.dumps(notice).decode() for notice in notices]
    items = sorted(changes.items())
    texts += [orjson.dumps({"c": dict(items[at : at + 150])}).decode() for at in range(0, len(items), 150)]
    return texts
