"""A landing that has to wait is not begun again and again."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from solo_unicorn.missions.errors import TryAgain
from solo_unicorn.workspace import operations
from solo_unicorn.workstation.landing.landings import BUSY_SECONDS, WAITS, Due, Landings
from solo_unicorn.workstation.supervisor import Supervisor
from solo_unicorn.worktrees.github.answers import RateLimited

from ..simulated_time import SimulatedLoop, simulated

if TYPE_CHECKING:
    from solo_unicorn.workstation.context import ServiceContext
    from solo_unicorn.workstation.landing.pull_requests import PullRequests


class Queue:
    """A workspace in which one landing stays due."""

    def __init__(self) -> None:
        mission = SimpleNamespace(id="m", number=1, target_branch="main")
        self.due = Due(cast("Any", mission), cast("Any", None), None, None, "")
        self.failed: list[str] = []

    async def run(self, _: object) -> list[Due]:
        return [self.due]

    async def write_as(self, _by: object, operation: object, *given: object) -> None:
        """It is being landed, or a person is asked."""
        if operation is operations.landing.failed:
            self.failed.append(str(given[-1]))


def busy_for(seconds: float, error: TryAgain, monkeypatch: pytest.MonkeyPatch) -> tuple[int, list[str]]:
    """How often a landing that meets the error is begun, and what a person is asked."""
    tries: list[float] = []
    queue = Queue()

    async def main(loop: SimulatedLoop) -> None:
        async def busy(self: Landings, due: Due) -> None:
            tries.append(loop.time())
            raise error

        monkeypatch.setattr(Landings, "_bring", busy)
        supervisor, rung = Supervisor(), asyncio.Event()
        context = SimpleNamespace(workspace=queue, supervisor=supervisor, wakeup=SimpleNamespace(look=rung.set))
        landings = Landings(cast("ServiceContext", context), cast("PullRequests", None))

        async def passes() -> None:
            while True:
                await landings.begin()
                await rung.wait()
                rung.clear()

        looking = asyncio.create_task(passes())
        await asyncio.sleep(seconds)
        looking.cancel()
        await supervisor.close()

    simulated(main)
    return len(tries), queue.failed


def test_a_landing_whose_repository_is_busy_is_tried_a_few_times_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """It began again two to four times a second, with a transaction each time."""
    tries, asked = busy_for(60, TryAgain("The repository is in use"), monkeypatch)
    assert 60 / BUSY_SECONDS - 1 <= tries <= 60 / BUSY_SECONDS + 1 and not asked


def test_a_lock_that_stays_is_left_to_a_person(monkeypatch: pytest.MonkeyPatch) -> None:
    """An agent left `refs/heads/main.lock`: its landing was begun again for ever, and nobody heard of it."""
    _, asked = busy_for((WAITS + 2) * BUSY_SECONDS, TryAgain("main.lock exists"), monkeypatch)
    assert asked[0].startswith("main.lock exists")


def test_a_forge_that_asks_for_a_pause_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not busy_for(3 * WAITS * BUSY_SECONDS, RateLimited("GitHub asks for a pause"), monkeypatch)[1]
