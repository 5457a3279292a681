"""An idle hub, whole as it is served: what it does in a simulated hour in which nobody asks it for anything."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("sqlalchemy", reason="needs the extra solo-unicorn[hub]")

from solo_unicorn.hub.operating import starting
from solo_unicorn.hub.operating.starting import PATIENCE, SlowStart, wait_for
from solo_unicorn.hub.storage.sqlite import SqliteDatabase
from solo_unicorn.missions.errors import Offline

from ..simulated_time import SimulatedLoop, simulated
from .whole import whole

GRACE_SECONDS = 0.02
"""Real time in which sockets and threads may answer before time goes on, while the hub starts and ends."""


@pytest.fixture
def counts(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """`read` and `write` transactions; time stands still while one is under way."""
    counted: Counter[str] = Counter()
    for name in ("read", "write"):
        done = getattr(SqliteDatabase, name)

        async def waited_for(self: Any, *words: Any, _name: str = name, _done: Any = done) -> Any:
            loop = asyncio.get_running_loop()
            assert isinstance(loop, SimulatedLoop)
            counted[_name] += 1
            loop.under_way += 1
            try:
                return await _done(self, *words)
            finally:
                loop.under_way -= 1

        monkeypatch.setattr(SqliteDatabase, name, waited_for)
    return counted


def test_an_idle_hub_does_its_housekeeping_and_no_more(tmp_path: Path, counts: Counter[str]) -> None:
    async def main(loop: SimulatedLoop) -> Counter[str]:
        async with whole(tmp_path):
            await asyncio.sleep(5)
            loop.grace = 0.0
            await asyncio.sleep(600)
            counts.clear()
            jumps = loop.jumps
            await asyncio.sleep(3600)
            done = Counter(counts)
            done["wake-ups"] = loop.jumps - jumps
            loop.grace = GRACE_SECONDS
            return done

    done = simulated(main, grace=GRACE_SECONDS)
    assert done["write"] <= 6
    assert done["read"] <= 3 * 720 + 6, "it looks for work every five seconds, in three places"
    assert done["wake-ups"] <= 6000


def test_what_a_hub_needs_and_does_not_answer_is_named_and_given_up_after_half_a_minute() -> None:
    said = list[str]()

    async def main(loop: SimulatedLoop) -> float:
        async def refused() -> None:
            raise OSError("connection refused")

        began = loop.time()
        with pytest.raises(Offline, match="Redis at r does not answer.*it was tried 6 times"):
            await wait_for("Redis at r", refused, "start it", said.append)
        return loop.time() - began

    assert 5 < simulated(main) < 60
    assert len(said) == PATIENCE - 1 and "waiting for Redis at r: connection refused (try 1 of 6" in said[0]


async def test_a_slow_start_says_what_it_waits_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """It was silent, and looked as if it hung."""
    monkeypatch.setattr(starting, "SLOW_SECONDS", 0.01)
    told, said = threading.Event(), list[str]()

    def say(line: str) -> None:
        said.append(line)
        told.set()

    async def hangs() -> None:
        assert await asyncio.to_thread(told.wait, 30)

    with SlowStart(say) as slow:
        await wait_for("Redis at r", hangs, "start it", say, lambda step: setattr(slow, "step", step))
    assert said[0] == "still starting: waiting for Redis at r"
