"""An idle board: what it does in ten simulated minutes in which nothing changes."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import Counter
from pathlib import Path

import pytest
from textual import _time
from textual.screen import Screen

from solo_unicorn.workspace import store

from ...simulated_time import SimulatedLoop, simulated
from ..conftest import Story, ready

GRACE_SECONDS = 0.02
"""Real time in which threads may answer before time goes on, while the board opens."""


@pytest.fixture
def counts(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """`writes` to the workspace, `reads` of it, and `layouts` of a screen."""
    counted: Counter[str] = Counter()
    connect, refresh = store._connect, Screen._refresh_layout

    def note(sql: str) -> None:
        counted.update(writes=sql.startswith("BEGIN IMMEDIATE"), reads=sql.startswith("SELECT"))

    def traced(path: Path) -> sqlite3.Connection:
        connection = connect(path)
        connection.set_trace_callback(note)
        return connection

    def laid_out(self: Screen[object], *words: object, **more: object) -> None:
        counted["layouts"] += 1
        refresh(self, *words, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(store, "_connect", traced)
    monkeypatch.setattr(Screen, "_refresh_layout", laid_out)
    return counted


def test_an_idle_board_writes_nothing_and_sleeps(
    story: Story, counts: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main(loop: SimulatedLoop) -> Counter[str]:
        monkeypatch.setattr(_time, "get_time", loop.time)
        async with story.app().run_test(size=(160, 45)) as pilot:
            await ready(pilot)
            loop.grace = 0.0
            await asyncio.sleep(120)
            counts.clear()
            jumps = loop.jumps
            await asyncio.sleep(600)
            done = Counter(counts)
            done["wake-ups"] = loop.jumps - jumps
            loop.grace = GRACE_SECONDS
            return done

    done = simulated(main, grace=GRACE_SECONDS)
    assert done["writes"] == done["reads"] == done["layouts"] == 0
    assert done["wake-ups"] <= 1600, "600 of them look whether the workspace is still the file that was opened"
