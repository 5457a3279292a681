"""uvicorn without its clock: a server that nobody asks anything sleeps, instead of looking ten times a second."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import uvicorn

DATE_SECONDS = 1.0


class Server(uvicorn.Server):
    """Stops as soon as `should_exit` is set, from any thread or signal; the `date` of answers is right to a second.

    Without a date (`date_header=False`) nothing is done while nothing comes in.
    """

    _leaving = False
    _loop: asyncio.AbstractEventLoop | None = None
    _told: asyncio.Event

    @property
    def should_exit(self) -> bool:
        """Whether it was told to stop."""
        return self._leaving

    @should_exit.setter
    def should_exit(self, leaving: bool) -> None:
        self._leaving = leaving
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._told.set)

    async def main_loop(self) -> None:
        """Until told to stop; uvicorn's own looks ten times a second."""
        self._told, self._loop = asyncio.Event(), asyncio.get_running_loop()
        seconds = DATE_SECONDS if self.config.date_header else None
        ticks = 0
        while not await self.on_tick(ticks):
            ticks += 10  # uvicorn's tenths of a second: each of these is a whole one
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._told.wait()
            self._told.clear()
