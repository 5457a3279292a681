"""Several processes over Redis: one script numbers, keeps and publishes a message, so their order is one for all."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, suppress
from random import Random
from typing import Any, Final

import orjson

from ...config.log import logger
from ...system.backoff import Backoff
from .backplane import (
    ANSWER_SECONDS,
    KEPT_MESSAGES,
    KEPT_SECONDS,
    Batch,
    Deliver,
    Delivery,
    Member,
    Replay,
    answering,
    first_number,
    replayed,
)
from .envelopes import Numbered

QUIET_SECONDS: Final = 5.0
"""Without news for so long the connection that hears is asked for a sign of life, for which it has as long again."""
SCHEMES: Final = ("redis://", "rediss://", "unix://")
PREFIX: Final = "solo-unicorn:realtime:"
PUBLISH: Final = """
for at = 1, #ARGV - 3, 3 do
  local channel, kind, payload = ARGV[at], ARGV[at + 1], ARGV[at + 2]
  local count, log = KEYS[1] .. 'seq:' .. channel, KEYS[1] .. 'log:' .. channel
  redis.call('SET', count, ARGV[#ARGV - 2], 'NX')
  local seq = redis.call('INCR', count)
  local text = cjson.encode({channel, string.format('%d', seq), kind, payload})
  redis.call('RPUSH', log, text)
  redis.call('LTRIM', log, -tonumber(ARGV[#ARGV - 1]), -1)
  redis.call('EXPIRE', log, ARGV[#ARGV])
  redis.call('EXPIRE', count, ARGV[#ARGV] * 2)
  redis.call('PUBLISH', KEYS[1] .. 'news', text)
end
"""
EXPIRE: Final = """
local gone = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', ARGV[1])
local told = {}
for _, place in ipairs(gone) do
  if redis.call('ZREM', KEYS[2], place) == 1 then
    table.insert(told, place)
    table.insert(told, redis.call('HGET', KEYS[1], place) or '{}')
    redis.call('HDEL', KEYS[1], place)
    local channel = string.match(place, '^(%S+) ')
    redis.call('SREM', KEYS[1] .. ':' .. channel, place)
  end
end
return told
"""


def connected(url: str) -> Any:
    """A client of a Redis, by its URL, that waits ANSWER_SECONDS for a connection or an answer and tries once more."""
    from redis.asyncio import Redis
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff

    return Redis.from_url(
        url,
        decode_responses=True,
        socket_connect_timeout=ANSWER_SECONDS,
        socket_timeout=ANSWER_SECONDS,
        retry=Retry(NoBackoff(), 1),
    )


def place_of(url: str) -> str:
    """Where a Redis is, without the password."""
    return url.rpartition("@")[2].removeprefix("redis://")


def _answering() -> AbstractAsyncContextManager[None]:
    import redis

    return answering("Redis", redis.RedisError)


class RedisBackplane:
    """By a URL: `redis://host:6379/0`."""

    def __init__(self, url: str) -> None:
        self._redis: Any = connected(url)
        self._publish = self._redis.register_script(PUBLISH)
        self._expire = self._redis.register_script(EXPIRE)
        self._deliver: Deliver = lambda delivery: None
        self._hearing: asyncio.Task[None] | None = None

    async def start(self, deliver: Deliver, /) -> None:
        """Hear what is published."""
        self._deliver = deliver
        ready = asyncio.Event()
        self._hearing = asyncio.create_task(self._hear(ready), name="realtime-redis")
        await ready.wait()

    async def stop(self) -> None:
        if self._hearing:
            self._hearing.cancel()
            with suppress(asyncio.CancelledError):
                await self._hearing
        await self._redis.aclose()

    async def probe(self) -> None:
        async with _answering():
            await self._redis.ping()

    async def publish(self, batch: Batch, /) -> None:
        """One script call for the messages, one message for the changes."""
        given: list[object] = []
        for message in batch.messages:
            given += [message.channel, message.type, orjson.dumps(message.payload).decode()]
        async with _answering():
            if given:
                await self._publish(keys=[PREFIX], args=[*given, first_number(), KEPT_MESSAGES, int(KEPT_SECONDS)])
            if batch.changes:
                await self._redis.publish(PREFIX + "news", orjson.dumps(batch.changes).decode())

    async def replay(self, channel: str, after: int | None, /) -> Replay:
        async with _answering(), self._redis.pipeline(transaction=True) as both:
            both.get(f"{PREFIX}seq:{channel}")
            both.lrange(f"{PREFIX}log:{channel}", 0, -1)
            seq, kept = await both.execute()
        if seq is None:
            return Replay(0, gap=bool(after))
        return replayed([_numbered(orjson.loads(text)) for text in kept], int(seq), after)

    async def present(self, channel: str, /) -> Sequence[Member]:
        async with _answering():
            places = sorted(await self._redis.smembers(f"{PREFIX}present:{channel}"))
            metas = await self._redis.hmget(f"{PREFIX}present", places) if places else []
        return [
            Member(channel, place.partition(" ")[2], orjson.loads(meta))
            for place, meta in zip(places, metas, strict=True)
            if meta is not None
        ]

    async def enter(self, member: Member, /) -> None:
        """What it says, and when."""
        place = f"{member.channel} {member.key}"
        async with _answering(), self._redis.pipeline(transaction=True) as all_of_it:
            all_of_it.hset(f"{PREFIX}present", place, orjson.dumps(member.meta).decode())
            all_of_it.sadd(f"{PREFIX}present:{member.channel}", place)
            all_of_it.zadd(f"{PREFIX}seen", {place: time.time()})
            await all_of_it.execute()

    async def leave(self, channel: str, key: str, /) -> bool:
        place = f"{channel} {key}"
        async with _answering(), self._redis.pipeline(transaction=True) as all_of_it:
            all_of_it.zrem(f"{PREFIX}seen", place)
            all_of_it.hdel(f"{PREFIX}present", place)
            all_of_it.srem(f"{PREFIX}present:{channel}", place)
            found = await all_of_it.execute()
        return bool(found[0])

    async def expire(self, seconds: float, /) -> Sequence[Member]:
        """The script names each to one process only."""
        async with _answering():
            told = await self._expire(keys=[f"{PREFIX}present", f"{PREFIX}seen"], args=[time.time() - seconds])
        found = []
        for place, meta in zip(told[::2], told[1::2], strict=True):
            channel, _, key = place.partition(" ")
            found.append(Member(channel, key, orjson.loads(meta)))
        return found

    async def _hear(self, ready: asyncio.Event) -> None:
        """For ever, again after a lost connection or one that gives no sign of life."""
        import redis

        pause = Backoff(0.5, 10.0, random=Random())
        while True:
            try:
                async with self._redis.pubsub() as news:
                    await news.subscribe(PREFIX + "news")
                    ready.set()
                    await self._deliver_from(news, pause)
            except (OSError, TimeoutError, redis.RedisError) as error:
                logger("hub.realtime").warning("not hearing Redis; trying again", extra={"why": str(error)})
            except Exception:  # what cannot be read, for one: the hub would hear of nothing any more
                logger("hub.realtime").exception("hearing Redis broke off; trying again")
            await asyncio.sleep(pause.next())

    async def _deliver_from(self, news: Any, pause: Backoff) -> None:
        """Until it gives no sign of life: TimeoutError."""
        asked = False
        while True:
            heard = await news.get_message(timeout=QUIET_SECONDS)
            if heard is None and asked:
                raise TimeoutError(f"no sign of life within {QUIET_SECONDS} s")
            asked = heard is None
            if heard is None:
                await news.ping()
                continue
            pause.reset()
            if heard["type"] == "message":
                self._deliver(_delivery(heard["data"]))


def _delivery(text: str) -> Delivery:
    """A list is a message, an object is changes."""
    found = orjson.loads(text)
    return Delivery((_numbered(found),)) if isinstance(found, list) else Delivery(changes=found)


def _numbered(found: list[str]) -> Numbered:
    channel, seq, kind, payload = found
    return Numbered(channel, int(seq), kind, orjson.loads(payload))
