"""The life of the service: ready, work, and leave, on request, on a signal, or when nothing is left to do.

Leaving never stops an agent: sessions run in hosts of their own (agents/host.py), and the next service adopts them. So
SIGTERM, a restart and SIGKILL differ only in manners.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Literal

from .. import __version__
from ..config import paths
from ..config.log import logger
from ..missions.entities import JsonObject
from ..missions.errors import Conflict, UsageError
from .control import ControlServer

State = Literal["starting", "running", "paused", "draining", "stopping"]


class Service:
    """One running service; `run` returns when it has left."""

    def __init__(self, *, stay: bool, idle_seconds: float) -> None:
        self.state: State = "starting"
        self.stay = stay
        self.started_at = now_text()
        self._born = time.monotonic()
        self._idle_seconds = idle_seconds
        self._control = ControlServer(paths.service_socket(), self._answer, self.stir)
        self._stirred = asyncio.Event()
        self._leaving: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def run(self, ready: Callable[[], None]) -> None:
        """Serve until told to leave."""
        log = logger("workstation")
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.leave, "stopped")
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        await self._control.open()
        try:
            ready()
            log.info("service ready", extra={"version": __version__, "stay": self.stay})
            self.state = "running"
            idle = asyncio.create_task(self._leave_when_idle(), name="idle watch")
            try:
                reason = await self._leaving
            finally:
                idle.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await idle
            log.info("service leaves", extra={"reason": reason})
            await self._control.close(reason)
        finally:
            await self._control.close("stopped")

    def leave(self, reason: str) -> None:
        """Begin to leave: nothing new is taken up, what runs in session hosts goes on."""
        if not self._leaving.done():
            self.state = "stopping"
            self._leaving.set_result(reason)

    def stir(self) -> None:
        """Something changed that bears on whether the service is still needed."""
        self._stirred.set()

    @property
    def busy(self) -> bool:
        """Whether a session or a landing runs."""
        return False

    async def _leave_when_idle(self) -> None:
        while True:
            self._stirred.clear()
            if not self._needed():
                try:
                    await asyncio.wait_for(self._stirred.wait(), self._idle_seconds)
                except TimeoutError:
                    if not self._needed():
                        self.leave("idle")
                        return
            else:
                await self._stirred.wait()

    def _needed(self) -> bool:
        return self.stay or self._control.holders > 0 or self.busy

    async def _answer(self, op: str, request: JsonObject) -> JsonObject:
        match op:
            case "hello" | "hold" | "wake":
                pass
            case "status":
                return self._status()
            case "stay":
                self.stay = True
                self.stir()
            case "stop":
                if request.get("if_idle") is True and self.busy:
                    raise Conflict("The service is not idle", why="it runs a session or a landing")
                self.leave(str(request.get("reason", "stopped")))
            case _:
                raise UsageError(f"The service knows no operation {op!r}", todo="update the older of the two programs")
        return self._hello()

    def _hello(self) -> JsonObject:
        return {
            "pid": os.getpid(),
            "version": __version__,
            "started_at": self.started_at,
            "state": self.state,
            "stay": self.stay,
            "busy": self.busy,
            "sessions": 0,
            "mcp_port": None,
        }

    def _status(self) -> JsonObject:
        return self._hello() | {"uptime_seconds": time.monotonic() - self._born, "screens": self._control.holders}


def now_text() -> str:
    """Now, UTC, ISO 8601 with Z."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
