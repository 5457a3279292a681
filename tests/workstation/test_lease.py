"""A claim is a lease on the holder's own clock (domain.md, Running)."""

from __future__ import annotations

import asyncio
import time

import pytest

from solo_unicorn.missions.errors import TryAgain
from solo_unicorn.workstation.session.lease import ClaimLease, Superseded, waking_clock


class Hub:
    """The other side: counts renewals, and says what the test wants."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.asked = 0
        self.ours = True
        self.error: Exception | None = None
        self.takes = 0.0

    def clock(self) -> float:
        return self.now

    async def renew(self) -> bool:
        self.asked += 1
        self.now += self.takes
        if self.error is not None:
            raise self.error
        return self.ours


def lease(hub: Hub, seconds: float = 120.0) -> ClaimLease:
    return ClaimLease(hub.renew, seconds=seconds, since=hub.now, clock=hub.clock)


async def test_a_fresh_lease_needs_no_renewal() -> None:
    hub = Hub()
    held = lease(hub)
    await held.ensure()
    assert held.valid and hub.asked == 0


async def test_past_its_end_nothing_is_done_before_it_is_renewed() -> None:
    hub = Hub()
    held = lease(hub)
    hub.now += 120
    assert not held.valid
    await held.ensure()
    assert held.valid and hub.asked == 1


async def test_the_time_counts_from_before_the_request() -> None:
    hub = Hub()
    held = lease(hub)
    hub.now += 120
    hub.takes = 119
    await held.ensure()
    hub.now += 1
    assert not held.valid, "the answer took 119 of its 120 seconds"


async def test_a_lost_claim_is_final() -> None:
    hub = Hub()
    held = lease(hub)
    hub.now += 120
    hub.ours = False
    with pytest.raises(Superseded):
        await held.ensure()
    assert not held.valid


async def test_who_cannot_renew_makes_no_side_effect() -> None:
    hub = Hub()
    held = lease(hub)
    hub.now += 120
    hub.error = TryAgain("locked")
    with pytest.raises(TryAgain):
        await held.ensure()
    assert not held.valid
    hub.error = None
    await held.ensure()
    assert held.valid


async def test_it_is_kept_renewed_and_a_failed_renewal_is_tried_again() -> None:
    hub = Hub()
    held = lease(hub, seconds=0.04)
    renewed = asyncio.Event()

    async def renew() -> bool:
        hub.asked += 1
        if hub.asked == 1:
            raise TryAgain("locked")
        if hub.asked == 3:
            renewed.set()
        return True

    held = ClaimLease(renew, seconds=0.04, since=hub.now, clock=hub.clock)
    keeper = asyncio.create_task(held.keep())
    await asyncio.wait_for(renewed.wait(), 30)
    keeper.cancel()
    with pytest.raises(asyncio.CancelledError):
        await keeper


async def test_keeping_ends_when_the_claim_is_lost() -> None:
    hub = Hub()
    hub.ours = False
    held = lease(hub, seconds=0.01)
    with pytest.raises(Superseded):
        await asyncio.wait_for(held.keep(), 30)


def test_the_clock_never_goes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    before = waking_clock()
    monkeypatch.setattr(time, "time", lambda: 0.0)  # somebody sets the clock on the wall
    assert waking_clock() >= before
