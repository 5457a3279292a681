"""Which limit a request is under: 100 an hour for nobody in particular, 1,000 signed in, 5,000 for contributors.

Each is a bucket that may be used at once and fills again over the hour; some addresses have a narrower one beside it.
`rate_limits = "off"` takes them away, `rate_limit_anonymous` … set other numbers.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from starlette.requests import HTTPConnection

from .token_buckets import Allowance, Limits

HOUR: Final = 3600.0
RateTier: TypeAlias = Literal["anonymous", "user", "contributor"]
PER_HOUR: Final[dict[RateTier, int]] = {"anonymous": 100, "user": 1_000, "contributor": 5_000}
NARROWER: Final[tuple[tuple[str, str, int, float], ...]] = (
    ("POST", "/oauth/token", 60, 60),
    ("POST", "/oauth/register", 20, HOUR),
    ("POST", "/api/v1/auth/", 60, 60),
    ("GET", "/api/v1/public/projects/search", 60, 60),
)
"""Method, beginning of the path, how many in how many seconds, for one caller."""
FREE: Final = ("/healthz", "/readyz", "/metrics", "/uploads/", "/oauth/style.css", "/oauth/jwks", "/.well-known/")
"""Signed by themselves, or needed by whoever watches the hub."""

Who = Callable[[HTTPConnection], Awaitable[tuple[str, RateTier]]]


@dataclass(frozen=True, slots=True)
class LimitNotice:
    """What a caller is told of its limit."""

    allowed: bool
    limit: int
    remaining: int
    reset_seconds: int
    per: str

    def headers(self) -> list[tuple[bytes, bytes]]:
        """On every answer under a limit."""
        return [
            (b"x-ratelimit-limit", str(self.limit).encode()),
            (b"x-ratelimit-remaining", str(self.remaining).encode()),
            (b"x-ratelimit-reset", str(int(time.time()) + self.reset_seconds).encode()),
        ]


class RateLimits:
    """Which of the limits a request is under, and what is left of it."""

    def __init__(self, limits: Limits, who: Who, options: Mapping[str, str]) -> None:
        self._limits, self._who = limits, who
        self._off = options.get("rate_limits") == "off"
        self._per_hour = {tier: int(options.get(f"rate_limit_{tier}", count)) for tier, count in PER_HOUR.items()}

    async def ask(self, connection: HTTPConnection) -> LimitNotice | None:
        """Take one of the caller's requests; None where there is no limit."""
        path = connection.scope["path"]
        if self._off or path.startswith(FREE):
            return None
        name, tier = await self._who(connection)
        found = self._told(await self._limits.ask(name, self._per_hour[tier], HOUR), "an hour")
        for method, beginning, count, seconds in NARROWER:
            if connection.scope["method"] == method and path.startswith(beginning):
                narrow = await self._limits.ask(f"{beginning}:{name}", count, seconds)
                told = self._told(narrow, "a minute" if seconds == 60 else "an hour")
                if not told.allowed or told.remaining < found.remaining:
                    found = told if found.allowed else found
        return found

    @staticmethod
    def _told(allowance: Allowance, per: str) -> LimitNotice:
        return LimitNotice(allowance.allowed, allowance.limit, allowance.remaining, allowance.reset_seconds, per)
