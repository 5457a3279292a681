"""A landing that has to wait is not begun again and again."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from solo_unicorn.missions.errors import TryAgain
from solo_unicorn.workstation.landing.landings import BUSY_SECONDS, Due, Landings
from solo_unicorn.workstation.supervisor import Supervisor

from ..simulated_time import SimulatedLoop, simulated

if TYPE_CHECKING:
    from solo_unicorn.workstation.context import ServiceContext
    from solo_unicorn.workstation.landing.pull_requests import PullRequests


class Queue:
    """A workspace in which one landing stays due."""

    def __init__(self) -> None:
        mission = SimpleNamespace(id="m", number=1, target_branch="main")
        self.due = Due(cast("Any", mission), cast("Any", None), None, None, "")

    async def run(self, _: object) -> list[Due]:
        return [self.due]

    async def write_as(self, *_: object) -> None:
        """It is being landed."""


def test_a_landing_whose_repository_is_busy_is_tried_a_few_times_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """It began again two to four times a second, with a transaction each time."""
    tries: list[float] = []

    async def main(loop: SimulatedLoop) -> None:
        async def busy(self: Landings, due: Due) -> None:
            tries.append(loop.time())
            raise TryAgain("The repository is in use")

        monkeypatch.setattr(Landings, "_bring", busy)
        supervisor, rung = Supervisor(), asyncio.Event()
        context = SimpleNamespace(workspace=Queue(), supervisor=supervisor, wakeup=SimpleNamespace(look=rung.set))
        landings = Landings(cast("ServiceContext", context), cast("PullRequests", None))

        async def passes() -> None:
            while True:
                await landings.begin()
                await rung.wait()
                rung.clear()

        looking = asyncio.create_task(passes())
        await asyncio.sleep(60)
        looking.cancel()
        await supervisor.close()

    simulated(main)
    assert 60 / BUSY_SECONDS - 1 <= len(tries) <= 60 / BUSY_SECONDS + 1
