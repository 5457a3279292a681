"""Buckets that several processes share, in Redis or in the hub's PostgreSQL: one step there takes one request.

A store that does not answer must not take the hub with it: for a while each process counts by itself then.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from typing import Any, Final, Protocol

from sqlalchemy import Connection, text

from ...config.log import logger
from ...missions.errors import UsageError
from ..realtime.redis import SCHEMES, connected
from ..storage.database import Database
from .token_buckets import Allowance, InProcess, Limiter, Limits

ANSWER_SECONDS: Final = 0.5
"""For a store to answer."""
ALONE_SECONDS: Final = 30.0
"""How long a process counts by itself after a store did not."""
PRUNE_SECONDS: Final = 600.0
KEPT_SECONDS: Final = 3_600.0
"""A bucket of PostgreSQL that was not asked for so long is full, because none takes longer than an hour to fill."""
PREFIX: Final = "solo-unicorn:limit:"
_TAKE_REDIS: Final = """
local moment = redis.call('TIME')
local now = moment[1] + moment[2] / 1000000
local size, per_second = tonumber(ARGV[1]), tonumber(ARGV[2])
local kept = redis.call('HMGET', KEYS[1], 'level', 'at')
local level = size
if kept[1] then level = math.min(size, tonumber(kept[1]) + math.max(0, now - tonumber(kept[2])) * per_second) end
local allowed = 0
if level >= 1 then level, allowed = level - 1, 1 end
redis.call('HSET', KEYS[1], 'level', string.format('%.6f', level), 'at', string.format('%.6f', now))
redis.call('EXPIRE', KEYS[1], math.ceil((size - level) / per_second) + 1)
return {allowed, string.format('%.6f', level)}
"""
_NOW: Final = "extract(epoch from clock_timestamp())::float8"
_SIZE: Final = "CAST(:size AS float8)"
_FILLED: Final = f"least({_SIZE}, b.level + greatest(0, {_NOW} - b.at) * CAST(:per_second AS float8))"
_TAKE_POSTGRES: Final = text(
    f"INSERT INTO rate_buckets AS b (name, level, at, allowed) VALUES (:name, {_SIZE} - 1, {_NOW}, true) "
    f"ON CONFLICT (name) DO UPDATE SET at = {_NOW}, allowed = {_FILLED} >= 1, "
    f"level = CASE WHEN {_FILLED} >= 1 THEN {_FILLED} - 1 ELSE {_FILLED} END RETURNING level, allowed"
)
_PRUNE: Final = text(f"DELETE FROM rate_buckets WHERE at < {_NOW} - CAST(:kept AS float8)")


class BucketStore(Protocol):
    """Where the buckets are kept."""

    async def take(self, name: str, size: float, per_second: float, /) -> tuple[bool, float]:
        """Take one from a bucket, made full where there is none: whether there was one, and what is left."""

    async def close(self) -> None:
        """Let go of the connection."""


class RedisStore:
    """Buckets in Redis, by a URL such as `redis://host:6379/0`."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._redis: Any = connected(url)
        self._take = self._redis.register_script(_TAKE_REDIS)

    async def take(self, name: str, size: float, per_second: float, /) -> tuple[bool, float]:
        """As `BucketStore.take`; forgotten by Redis once it is full."""
        allowed, level = await self._take(keys=[PREFIX + name], args=[size, per_second])
        return bool(allowed), float(level)

    async def probe(self) -> None:
        """Raises what is wrong with the store."""
        await self._redis.ping()

    async def close(self) -> None:
        await self._redis.aclose()


class PostgresStore:
    """A table of the hub's own database that is not logged: a crash of the server makes every bucket full."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.monotonic) -> None:
        self._database, self._clock = database, clock
        self._pruned_at = clock()

    async def take(self, name: str, size: float, per_second: float, /) -> tuple[bool, float]:
        prune = self._clock() - self._pruned_at > PRUNE_SECONDS
        if prune:
            self._pruned_at = self._clock()

        def work(at: Connection) -> tuple[bool, float]:
            if prune:
                at.execute(_PRUNE, {"kept": KEPT_SECONDS})
            row = at.execute(_TAKE_POSTGRES, {"name": name[:300], "size": size, "per_second": per_second}).one()
            return bool(row.allowed), float(row.level)

        return await self._database.write(work)

    async def close(self) -> None:
        """The database is the hub's."""


class Shared:
    """`Limits` of all processes together, and a `Part` of the hub."""

    def __init__(self, store: BucketStore, clock: Callable[[], float] = time.monotonic) -> None:
        self.store, self._clock = store, clock
        self._alone = InProcess(Limiter(clock))
        self._alone_until = 0.0

    async def start(self) -> None:
        """Nothing: the first request connects."""

    async def stop(self) -> None:
        await self.store.close()

    async def ask(self, name: str, count: int, seconds: float) -> Allowance:
        if self._clock() < self._alone_until:
            return await self._alone.ask(name, count, seconds)
        size, per_second = float(count), count / seconds
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                allowed, level = await self.store.take(name, size, per_second)
        except Exception as error:  # whatever it is: limits are no reason to refuse requests
            self._alone_until = self._clock() + ALONE_SECONDS
            logger("hub").warning("rate limits are counted by this process alone for a while", exc_info=error)
            return await self._alone.ask(name, count, seconds)
        wait = (size - level if allowed else 1 - level) / per_second
        return Allowance(allowed, count, int(level), math.ceil(wait))


def limits(url: str, bus_url: str, database: Database) -> Limits:
    """By the settings: `redis://…`, `postgresql` (the hub's own), `process`; unset: Redis where that is the bus."""
    chosen = url or (bus_url if bus_url.startswith(SCHEMES) else "process")
    if chosen.startswith(SCHEMES):
        return Shared(RedisStore(chosen))
    if chosen == "postgresql" and database.url.get_backend_name() == "postgresql":
        return Shared(PostgresStore(database))
    if chosen == "process":
        return InProcess(Limiter())
    raise UsageError(
        f"Rate limits cannot be kept at {chosen.partition(':')[0]!r}",
        why="SOLO_UNICORN_HUB_RATE_LIMIT_URL takes a Redis, or `postgresql` where that is the hub's database",
        todo="redis://host:6379/0, postgresql or process",
    )
