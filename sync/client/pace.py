"""How often a hub is asked: back-off with chance in it, what the server itself asks for, and a breaker.

Pure: time is passed in, in seconds that never jump; chance is a `Random` of the owner.
"""

from __future__ import annotations

from random import Random

from ...system.backoff import Backoff
from ..replica.messages import LONGEST_WAIT

FIRST, LONGEST = 0.5, 25.0
ANY = (0.0, 1.0)
"""Of a pause: anything up to it, so that many machines do not come back at once."""
BREAKS_AFTER = 5
OPEN_FIRST, OPEN_LONGEST = 10.0, 25.0
"""A hub that comes back is noticed within half a minute."""
POLL_SECONDS, POLL_WITH_SOCKET = 3.0, 60.0
"""How often a project is read when no socket nudges, and for certainty when one does."""
HOURLY_LIMIT, POLLING_SHARE = 5000, 0.4
"""Requests an hour that a hub allows a person where it does not say, and the part of them that one machine polls with:
people have more than one machine."""
AT_ONCE = 60
"""So many readings a burst of nudges may ask for."""
SUSPECT_FAILURES, SUSPECT_OTHERS = 8, 3
SUSPECT_AGAIN = 3600.0
STUCK_AFTER = 120.0


def poll_interval(projects: int, limit: int = HOURLY_LIMIT, *, socket: bool) -> float:
    """Seconds between two readings of an account's projects, which are one request each; `limit` is the hub's."""
    return max(POLL_WITH_SOCKET if socket else POLL_SECONDS, projects * 3600 / _polls_an_hour(limit))


class SendAllowance:
    """Readings that nudges ask for: some at once, and over time what the hub's limit has room for."""

    def __init__(self) -> None:
        self._left, self._at = float(AT_ONCE), 0.0

    def ready(self, requests: int, limit: int) -> float:
        """When so many requests may be made."""
        return self._at + max(0.0, min(requests, AT_ONCE) - self._left) * 3600 / _polls_an_hour(limit)

    def spend(self, now: float, limit: int) -> None:
        """Count one request."""
        self._left = min(AT_ONCE, self._left + (now - self._at) * _polls_an_hour(limit) / 3600) - 1
        self._at = now


def _polls_an_hour(limit: int) -> float:
    return max(1.0, limit * POLLING_SHARE)


class Pace:
    """One host: when it may be asked next."""

    def __init__(self, random: Random) -> None:
        self._pause = Backoff(FIRST, LONGEST, random=random, between=ANY)
        self._breaker = Backoff(OPEN_FIRST, OPEN_LONGEST, random=random, between=(0.5, 1.0))
        self._until = 0.0
        self.open = False
        """The breaker: too many failures in a row, so only a probe goes out now and then."""

    def wait(self, now: float) -> float:
        """Seconds until the host may be asked; 0 for now."""
        return max(0.0, self._until - now)

    def answered(self) -> None:
        """The host answered."""
        self._pause.reset()
        self._breaker.reset()
        self._until = 0.0
        self.open = False

    def failed(self, now: float, retry_after: float | None = None) -> None:
        """It did not answer, or could not do it."""
        pause = self._pause.next()
        if self._pause.tries >= BREAKS_AFTER:
            self.open = True
            pause = max(pause, self._breaker.next())
        if retry_after is not None:
            pause = max(pause, min(retry_after, LONGEST_WAIT))
        self._until = now + pause

    def probe(self) -> None:
        """A person wants it now: one try is always allowed."""
        self._until = 0.0


class Attempts:
    """Rows of the outbox that failed: when each goes again, which one is poison, and whether they are stuck."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._failed: dict[int, Backoff] = {}
        self._held: dict[int, Backoff] = {}
        self._next: dict[int, float] = {}
        self._since: dict[int, float] = {}
        self._others = 0

    def ready(self, seq: int, now: float) -> bool:
        """Whether a row may go out."""
        self._since.setdefault(seq, now)
        return self._next.get(seq, 0.0) <= now

    def soonest(self, since: float) -> float | None:
        """When the next row may go of those that could not go at `since`."""
        return min((moment for moment in self._next.values() if moment > since), default=None)

    def over(self, seq: int) -> None:
        """A row is done, parked or a conflict."""
        self._others += 1
        self._forget(seq)

    def failed(self, seq: int, now: float) -> bool:
        """A row failed; True when it is suspected to be the reason itself: others pass and it never does."""
        if not self._failed:
            self._others = 0
        pause = self._failed.setdefault(seq, Backoff(FIRST, LONGEST, random=self._random, between=ANY))
        self._next[seq] = now + pause.next()
        return pause.tries >= SUSPECT_FAILURES and self._others >= SUSPECT_OTHERS

    def held(self, seq: int, now: float) -> None:
        """A row cannot go out for a reason that is not its own: the hub is full, or asks to wait."""
        pause = self._held.setdefault(seq, Backoff(FIRST, LONGEST, random=self._random, between=ANY))
        self._next[seq] = max(self._next.get(seq, 0.0), now + pause.next())

    def stuck(self, waiting: set[int], files: set[int], now: float) -> bool:
        """Whether something has waited for two minutes while the host answers; asked anew, it counts from then.

        `files` may take longer. What waits no more and was not sent says nothing about the host: it is forgotten.
        """
        for seq in (self._since.keys() | self._failed.keys()) - waiting - files:
            self._forget(seq)
        asked = self._since.keys() & waiting
        found = any(now - self._since[seq] > STUCK_AFTER for seq in asked)
        for seq in asked if found else ():
            self._since[seq] = now
            self._next.pop(seq, None)
        return found

    def _forget(self, seq: int) -> None:
        for known in (self._failed, self._held, self._next, self._since):
            known.pop(seq, None)
