"""Rate limits: a bucket for each name, filled at a steady rate, so that a short burst is allowed and a flood is not."""

from __future__ import annotations

import ipaddress
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from starlette.requests import HTTPConnection

SUBSCRIBER_BITS: Final = 64
"""Of an IPv6 address, those that name whose it is (RFC 6177)."""
KEPT: Final = 100_000
"""Buckets in memory; full ones are forgotten first, because a new bucket is full too."""


@dataclass(slots=True)
class _Bucket:
    level: float
    at: float
    size: float
    per_second: float

    def now(self, moment: float) -> float:
        return min(self.size, self.level + (moment - self.at) * self.per_second)


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left of a limit, and how long until there is more."""

    allowed: bool
    limit: int
    remaining: int
    reset_seconds: int
    """Until the bucket is full again; for a refusal, until the next request is taken."""


class Limiter:
    """The buckets of one process."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._buckets: dict[str, _Bucket] = {}

    def take(self, name: str, count: int, seconds: float) -> bool:
        """Whether one more is allowed: `count` at once, and again as many in `seconds`."""
        return self.ask(name, count, seconds).allowed

    def ask(self, name: str, count: int, seconds: float, *, burst: int | None = None) -> Allowance:
        """Take one; `burst` is how many may come at once (`count` when it is not said)."""
        moment, size = self._clock(), float(burst or count)
        bucket = self._buckets.get(name)
        if bucket is None:
            if len(self._buckets) >= KEPT:
                self._forget(moment)
            bucket = self._buckets[name] = _Bucket(size, moment, size, count / seconds)
        bucket.level, bucket.at = bucket.now(moment), moment
        allowed = bucket.level >= 1
        if allowed:
            bucket.level -= 1
            wait = (bucket.size - bucket.level) / bucket.per_second
        else:
            wait = (1 - bucket.level) / bucket.per_second
        return Allowance(allowed, count, int(bucket.level), math.ceil(wait))

    def _forget(self, moment: float) -> None:
        """Drop full buckets; when none is full, the oldest half."""
        full = [name for name, bucket in self._buckets.items() if bucket.now(moment) >= bucket.size]
        for name in full or list(self._buckets)[: KEPT // 2]:
            del self._buckets[name]


def place_of(connection: HTTPConnection) -> str:
    """What limits count by: an IPv4 address, or the network of an IPv6 address, of which one customer has all."""
    host = connection.client.host if connection.client else ""
    try:
        found = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.IPv6Network((found, SUBSCRIBER_BITS), strict=False))


class Limits(Protocol):
    """Buckets wherever they are: of this process, or shared by several (shared_buckets.py)."""

    async def ask(self, name: str, count: int, seconds: float) -> Allowance:
        """Take one from a bucket: `count` at once, and again as many in `seconds`."""


class InProcess:
    """`Limits` of one process."""

    def __init__(self, limiter: Limiter) -> None:
        self._limiter = limiter

    async def ask(self, name: str, count: int, seconds: float) -> Allowance:
        return self._limiter.ask(name, count, seconds)
