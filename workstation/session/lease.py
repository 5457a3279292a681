"""A claim is a lease: held for a time, renewed well before it ends (domain.md, Running).

Time is the holder's own, counted from before the renewal was asked for, on a clock that goes on while the machine
sleeps: a laptop that wakes up after eight hours knows that its lease has passed. A holder past its lease makes no
shared side effect until it has renewed; one that is told that somebody else holds the mission stops for good.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from ...config.log import logger
from ...missions.errors import SoloUnicornError

RENEWALS_PER_LEASE = 4
Clock = Callable[[], float]


def waking_clock() -> float:
    """Seconds that never jump and count the time the machine slept, where the system can tell."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


class Superseded(SoloUnicornError):
    """Somebody else holds the mission now: this session stops and changes nothing more."""

    code = "superseded"


class ClaimLease:
    """One claim; `renew` answers False when the claim is no longer ours."""

    def __init__(
        self, renew: Callable[[], Awaitable[bool]], *, seconds: float, since: float, clock: Clock = waking_clock
    ) -> None:
        """`since`: the clock before the claim was asked for."""
        self._renew = renew
        self._seconds = seconds
        self._clock = clock
        self._until = since + seconds
        self._lost = False

    @property
    def valid(self) -> bool:
        """Whether shared side effects may be made now."""
        return not self._lost and self._clock() < self._until

    async def ensure(self) -> None:
        """Return once the lease is valid, renewed if it had passed; raises Superseded, or what the renewal raises."""
        if not self.valid:
            await self._ask()

    async def keep(self) -> None:
        """Renew until cancelled. Raises Superseded; a renewal that fails otherwise is tried again, sooner."""
        pause = self._seconds / RENEWALS_PER_LEASE
        while True:
            await asyncio.sleep(pause)
            try:
                await self._ask()
                pause = self._seconds / RENEWALS_PER_LEASE
            except Superseded:
                raise
            except SoloUnicornError as error:
                logger("workstation.lease").warning("renewal failed", extra={"why": str(error)})
                pause = self._seconds / RENEWALS_PER_LEASE / 4

    async def _ask(self) -> None:
        asked = self._clock()
        if not await self._renew():
            self._lost = True
            raise Superseded("Another session took over the mission", todo="nothing; the work is kept in the worktree")
        self._until = asked + self._seconds
