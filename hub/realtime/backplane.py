"""What carries messages between the processes of a hub, and keeps what a returning client asks for.

A backplane gives every message its number, delivers it to all processes in that order, keeps the last minutes of each
channel, and knows who is present. `Local` does it for one process; `postgres` and `redis` for several.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final, Protocol

from ...missions.entities import JsonObject
from ...missions.errors import TryAgain
from .envelopes import Message, Numbered

KEPT_SECONDS: Final = 300.0
KEPT_MESSAGES: Final = 500
"""Per channel, for clients that come back."""
ANSWER_SECONDS: Final = 2.0
"""For a server to take a connection, or to answer."""


class BusSilent(TryAgain):
    """The server that carries messages between the hub's processes cannot be used."""


@asynccontextmanager
async def answering(name: str, *errors: type[Exception]) -> AsyncIterator[None]:
    """What a server fails with, as BusSilent; OSError and TimeoutError always."""
    kinds: tuple[type[Exception], ...] = (OSError, TimeoutError, *errors)
    try:
        yield
    except kinds as error:
        why = str(error).strip() or f"no answer within {ANSWER_SECONDS} s"
        raise BusSilent(f"{name} does not answer", why=why, todo="try again in a moment") from error


@dataclass(frozen=True, slots=True)
class Batch:
    """What one process publishes at once: messages in order, and the newest change of each project."""

    messages: Sequence[Message] = ()
    changes: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Delivery:
    """What every process is given."""

    messages: Sequence[Numbered] = ()
    changes: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Replay:
    """What a channel kept after a number; `gap` when something in between is gone."""

    seq: int
    messages: Sequence[Numbered] = ()
    gap: bool = False


@dataclass(frozen=True, slots=True)
class Member:
    """One presence: whose, and what it says."""

    channel: str
    key: str
    meta: JsonObject


Deliver = Callable[[Delivery], None]


class Backplane(Protocol):
    """One of `Local`, `PostgresBackplane`, `RedisBackplane`."""

    async def start(self, deliver: Deliver, /) -> None:
        """Begin to receive; `deliver` is called on the event loop."""

    async def stop(self) -> None:
        """Stop receiving."""

    async def probe(self) -> None:
        """Raises what is wrong with it."""

    async def publish(self, batch: Batch, /) -> None:
        """Number, keep and deliver to every process, this one included."""

    async def replay(self, channel: str, after: int | None, /) -> Replay:
        """Messages after `after`; with None only the newest number."""

    async def present(self, channel: str, /) -> Sequence[Member]:
        """The members of a channel."""

    async def enter(self, member: Member, /) -> None:
        """Keep what a member says about itself, as of now."""

    async def leave(self, channel: str, key: str, /) -> bool:
        """Forget a member; False when it was not there."""

    async def expire(self, seconds: float, /) -> Sequence[Member]:
        """Forget members that said nothing for so long, and name them; each is named to one process only."""


def first_number() -> int:
    """Where a channel starts to count: past every number of an earlier start, so that old cursors show a gap."""
    return int(time.time() * 1000) * 1000


class _Log:
    """The last messages of one channel."""

    def __init__(self) -> None:
        self.seq = first_number()
        self.kept: deque[tuple[float, Numbered]] = deque(maxlen=KEPT_MESSAGES)


class Local:
    """One process: everything in memory."""

    def __init__(self) -> None:
        self._logs: dict[str, _Log] = {}
        self._present: dict[tuple[str, str], tuple[float, Member]] = {}
        self._deliver: Deliver = lambda delivery: None
        self._swept = time.monotonic()

    async def start(self, deliver: Deliver, /) -> None:
        self._deliver = deliver

    async def stop(self) -> None:
        """Nothing to let go."""

    async def probe(self) -> None:
        """Memory is well."""

    async def publish(self, batch: Batch, /) -> None:
        """Number and deliver."""
        now = time.monotonic()
        numbered = []
        for message in batch.messages:
            log = self._logs.setdefault(message.channel, _Log())
            log.seq += 1
            made = Numbered(message.channel, log.seq, message.type, message.payload)
            log.kept.append((now, made))
            numbered.append(made)
        self._sweep(now)
        self._deliver(Delivery(numbered, batch.changes))

    async def replay(self, channel: str, after: int | None, /) -> Replay:
        log = self._logs.setdefault(channel, _Log())
        return replayed([message for _, message in log.kept], log.seq, after)

    async def present(self, channel: str, /) -> Sequence[Member]:
        return [member for _, member in self._present.values() if member.channel == channel]

    async def enter(self, member: Member, /) -> None:
        self._present[member.channel, member.key] = (time.monotonic(), member)

    async def leave(self, channel: str, key: str, /) -> bool:
        return self._present.pop((channel, key), None) is not None

    async def expire(self, seconds: float, /) -> Sequence[Member]:
        """Those that were silent."""
        oldest = time.monotonic() - seconds
        gone = [member for seen, member in self._present.values() if seen < oldest]
        for member in gone:
            del self._present[member.channel, member.key]
        return gone

    def _sweep(self, now: float) -> None:
        """Channels that nobody used for the kept time give their memory back, once in that time."""
        if now - self._swept < KEPT_SECONDS:
            return
        self._swept = now
        for channel, log in list(self._logs.items()):
            while log.kept and log.kept[0][0] < now - KEPT_SECONDS:
                log.kept.popleft()
            if not log.kept:
                del self._logs[channel]


def replayed(kept: Sequence[Numbered], seq: int, after: int | None) -> Replay:
    """What of the kept messages follows `after`; a gap when the next one is gone or `after` is not ours."""
    if after is None or after == seq:
        return Replay(seq)
    following = [message for message in kept if message.seq > after]
    whole = after < seq and bool(following) and following[0].seq == after + 1
    return Replay(seq, following if whole else (), gap=not whole)
