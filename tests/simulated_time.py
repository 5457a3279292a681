"""An event loop whose time jumps to the next timer as soon as nothing is under way.

What runs on it is the real thing, with its own timers, doorbells and threads; an hour of it takes as long as what it
does in that hour. Calls on other threads are waited for; the answer of another process gets `grace` real seconds.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class SimulatedLoop(asyncio.SelectorEventLoop):
    """`jumps` counts how often something was woken by time alone, `calls` what was done on other threads."""

    def __init__(self, grace: float = 0.0) -> None:
        self._selecting = _Jumping(self)
        self.grace = grace
        super().__init__(self._selecting)
        self.now = 1000.0
        self.jumps = 0
        self.calls = 0
        self.under_way = 0
        """Calls on other threads, and what a test says has to be waited for."""

    def time(self) -> float:
        """The simulated time, in seconds."""
        return self.now

    def run_in_executor(self, executor: Any, func: Callable[..., T], *args: Any) -> asyncio.Future[T]:  # type: ignore[override]
        """As every loop does; time stands still meanwhile."""
        self.under_way += 1
        self.calls += 1
        future = super().run_in_executor(executor, func, *args)
        future.add_done_callback(self._over)
        return future

    def _over(self, _: object) -> None:
        self.under_way -= 1


class _Jumping(selectors.DefaultSelector):
    def __init__(self, loop: SimulatedLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """What is ready; when nothing is, and nothing will be but by time, the time passes."""
        if timeout is not None and timeout <= 0:
            return super().select(0)
        if timeout is None or self._loop.under_way:
            return super().select(None)
        found = super().select(self._loop.grace)
        if not found and not self._loop.under_way:
            self._loop.now += timeout + 1e-6
            self._loop.jumps += 1
        return found


def simulated(main: Callable[[SimulatedLoop], Coroutine[Any, Any, T]], *, grace: float = 0.0) -> T:
    """Run a coroutine on a loop with simulated time."""
    made: list[SimulatedLoop] = []

    def loop() -> SimulatedLoop:
        made.append(SimulatedLoop(grace))
        return made[0]

    async def run() -> T:
        return await main(made[0])

    with asyncio.Runner(loop_factory=loop) as runner:
        return runner.run(run())
