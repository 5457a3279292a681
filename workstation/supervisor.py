"""The owner of every task of the service: it starts again what breaks off, and says what does not work.

What breaks off is started again after a pause that doubles: up to half a minute where the cause passes by itself (a
locked file, a full disk), up to a quarter of an hour where it is a fault of the program, which is a few times an hour.
A job for one mission is not repeated for ever: after `TRIES` faults in a row it is given up, and a person is asked.

What breaks off and has not worked since is a `Problem`, shown by `workstation status`, `doctor` and the screens.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from ..config.log import logger
from ..missions.errors import SoloUnicornError
from ..system.backoff import Backoff
from .problems import Problem

T = TypeVar("T")
FIRST_SECONDS, LONGEST_SECONDS, LONGEST_PASSING_SECONDS = 2.0, 900.0, 30.0
TRIES = 4

Work = Callable[[], Awaitable[float | None]]
"""One round of something; returns the seconds until its next round, or None when it is done."""


class _Trouble:
    def __init__(self) -> None:
        self.since = datetime.now(UTC)
        self.pause = Backoff(FIRST_SECONDS, LONGEST_SECONDS)
        self.faults = 0
        self.why = ""
        self.again_at: datetime | None = None
        self.passed = False
        """It works at the moment; one that breaks off soon after is the same trouble."""


class Supervisor:
    """Owns tasks; `on_change` is called when a problem comes or goes."""

    def __init__(self, on_change: Callable[[], None] = lambda: None) -> None:
        self._on_change = on_change
        self._tasks: set[asyncio.Task[object]] = set()
        self._troubles: dict[str, _Trouble] = {}
        self._log = logger("workstation")

    @property
    def problems(self) -> list[Problem]:
        """What does not work now, oldest first."""
        return [
            Problem(name, one.why, one.pause.tries, one.since, one.again_at)
            for name, one in self._troubles.items()
            if not one.passed
        ]

    def keep(
        self, name: str, work: Work, *, give_up: Callable[[str], Awaitable[None]] | None = None
    ) -> asyncio.Task[None]:
        """Do it in a task until it is done, which may be never; as `until_done`."""
        return self._own(name, self.until_done(name, work, give_up=give_up))

    def begin(self, name: str, work: Callable[[], Awaitable[object]]) -> asyncio.Task[bool]:
        """Do it once, in a task; the result is whether it worked. When it breaks off, that is a problem."""
        return self._own(name, self.tried(name, work))

    async def until_done(
        self, name: str, work: Work, *, give_up: Callable[[str], Awaitable[None]] | None = None
    ) -> None:
        """Do it until it is done, after each round and each failure with the pause that is due.

        With `give_up`, that takes its place after `TRIES` faults in a row, with the reason as the end of a sentence.
        Without it, a round that goes on for `LONGEST_SECONDS` counts as one that works.
        """
        loop = asyncio.get_running_loop()
        while True:
            goes_on = give_up is None and name in self._troubles
            steady = loop.call_later(LONGEST_SECONDS, self.well, name) if goes_on else None
            try:
                pause = await work()
            except Exception as error:
                pause = self._broke_off(name, error, again=True)
                if give_up is not None and self._troubles[name].faults >= TRIES:
                    work, give_up = _given_up(give_up, f"it failed {TRIES} times in a row: {reason(error)}"), None
            else:
                self.well(name)
            finally:
                if steady is not None:
                    steady.cancel()
            if pause is None:
                return
            await asyncio.sleep(pause)

    async def tried(self, name: str, work: Callable[[], Awaitable[object]]) -> bool:
        """Do it once; False, and a problem, when it breaks off."""
        try:
            await work()
        except Exception as error:
            self._broke_off(name, error, again=False)
            return False
        self.well(name)
        return True

    def met(self, name: str, error: Exception) -> float:
        """Something else than a task of ours does not work now; the seconds until it should be tried again."""
        return self._broke_off(name, error, again=True)

    def works(self, name: str) -> None:
        """Note that it does its work at the moment; its count goes on until it is `well`."""
        trouble = self._troubles.get(name)
        if trouble is not None and not trouble.passed:
            trouble.passed = True
            self._log.info(f"{name} works again")
            self._on_change()

    def well(self, name: str) -> None:
        """Note that it works again; its count starts anew."""
        self.works(name)
        self._troubles.pop(name, None)

    async def close(self) -> None:
        """Let go of every task."""
        while self._tasks:
            tasks = list(self._tasks)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _own(self, name: str, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _broke_off(self, name: str, error: Exception, *, again: bool) -> float:
        """Note it; the seconds until it should be tried again."""
        while isinstance(error, ExceptionGroup) and len(error.exceptions) == 1:
            error = error.exceptions[0]
        trouble = self._troubles.setdefault(name, _Trouble())
        passing = isinstance(error, (SoloUnicornError, OSError))
        pause = min(trouble.pause.next(), LONGEST_PASSING_SECONDS if passing else LONGEST_SECONDS)
        trouble.faults += not passing
        if trouble.passed:
            trouble.passed, trouble.since = False, datetime.now(UTC)
        trouble.why = reason(error)
        trouble.again_at = datetime.now(UTC) + timedelta(seconds=pause) if again else None
        if passing:
            self._log.warning(f"{name} failed", extra={"why": trouble.why, "times": trouble.pause.tries})
        else:
            self._log.error(f"{name} failed", extra={"times": trouble.pause.tries}, exc_info=error)
        self._on_change()
        return pause


def reason(error: Exception) -> str:
    """Why something broke off, for a person."""
    if isinstance(error, (SoloUnicornError, OSError)):
        return str(error)
    return f"unexpected {type(error).__name__}: {error}".rstrip(": ")


def _given_up(give_up: Callable[[str], Awaitable[None]], why: str) -> Work:
    async def work() -> None:
        await give_up(why)

    return work
