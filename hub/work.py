"""What a service needs of whoever asks: the hub, an open transaction, and the caller with their rights."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy import Connection

from ..config.correlation import correlation
from ..missions.entities import JsonObject
from .hub import Hub
from .identity import Caller


@dataclass(slots=True, kw_only=True)
class Work:
    """Something done for a caller in one transaction: a request, an agent's call, a web hook, housekeeping."""

    hub: Hub
    at: Connection
    caller: Caller
    now: float = field(default_factory=time.time)
    """Seconds since the epoch."""
    key: str = ""
    """The caller's own name for this piece of work, by which a repetition is known; empty when it has none."""
    correlation: str = field(default_factory=correlation.get)
    after: list[Callable[[], None]] = field(default_factory=list)
    """What to do once this is committed: hints for the bus, caches to forget."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What a service tells: JSON that is sent as it is, and the version of what it shows."""

    body: bytes
    version: int | str | None = None


Check = Callable[[int, str | JsonObject], None]
"""Gets the version and the JSON of what is about to be replaced; refuses when the caller has seen another one."""
