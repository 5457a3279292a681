"""A served hub in memory, and one machine at it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from ..simulation.hub import SimulatedHub
from ..simulation.served import ServedHub
from .machines import PROJECT, Machine, Time, machine


@pytest.fixture
def served() -> Iterator[ServedHub]:
    with ServedHub(SimulatedHub(PROJECT["id"]), project=dict(PROJECT)) as hub:
        yield hub


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
async def ann(home: Path, tmp_path: Path, served: ServedHub, time: Time) -> AsyncIterator[Machine]:
    async with machine(tmp_path / "ann.db", served.url, clock=time) as made:
        yield made
