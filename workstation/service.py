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
from ..config.settings import Settings
from ..missions.entities import JsonObject
from ..missions.errors import Conflict, TryAgain, UsageError
from ..workspace import operations
from .context import ServiceContext
from .control import ControlServer
from .scheduler import Scheduler
from .status import figures

LEAVE_SECONDS = 5.0
NEEDED_LOOK_SECONDS = 10.0
State = Literal["starting", "running", "paused", "draining", "stopping"]


class Service:
    """one running service; `serve` returns when it has left."""

    def __init__(self, settings: Settings, *, stay: bool) -> None:
        self.stay = stay
        self.started_at = now_text()
        self._settings = settings
        self._born = time.monotonic()
        self._control = ControlServer(paths.service_socket(), self._answer, self._stir)
        self._stirred = asyncio.Event()
        self._leaving: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._work: Scheduler | None = None
        self._stopping: asyncio.Task[None] | None = None

    async def serve(self, ready: Callable[[], None]) -> None:
        """Serve until told to leave. Raises what opening the workspace raises."""
        log = logger("workstation")
        self._listen_to_signals()
        context = await ServiceContext.open(self._settings)
        work = self._work = Scheduler(context, self._stir)
        try:
            if reason := context.workspace.workspace.read_only:
                raise TryAgain("The service cannot work here", why=reason, todo="update solo-unicorn")
            await self._control.open()
            work.start()
            ready()
            log.info("service ready", extra={"version": __version__, "stay": self.stay, "pid": os.getpid()})
            idle = asyncio.create_task(self._leave_when_idle(), name="idle watch")
            reason = await self._leaving
            idle.cancel()
            log.info("service leaves", extra={"reason": reason, "sessions": work.sessions})
            await self._control.close(reason)
        finally:
            with contextlib.suppress(TimeoutError):  # whatever holds on to its end is cut off there, as by SIGKILL
                async with asyncio.timeout(LEAVE_SECONDS):
                    await self._control.close("stopped")
                    await work.close()

    @property
    def state(self) -> State:
        """What it does now."""
        if self._leaving.done() or self._stopping is not None:
            return "stopping"
        if self._work is not None and self._work.draining:
            return "draining"
        return "paused" if self._work is not None and self._work.paused else "running"

    def leave(self, reason: str) -> None:
        """Begin to leave: nothing new is taken up, what runs in session hosts goes on."""
        if not self._leaving.done():
            self._leaving.set_result(reason)

    def _listen_to_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.leave, "stopped")
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    # ---- how long it stays

    def _stir(self) -> None:
        """Something changed that bears on whether the service is still needed."""
        self._stirred.set()

    async def _leave_when_idle(self) -> None:
        while True:
            self._stirred.clear()
            if self._work and self._work.draining and not self._work.busy and self._stopping is None:
                self.leave("stopped")
            if self._needed():
                with contextlib.suppress(TimeoutError):  # clients of the MCP server come and go without a word
                    async with asyncio.timeout(NEEDED_LOOK_SECONDS):
                        await self._stirred.wait()
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._idle_seconds):
                    await self._stirred.wait()
                    continue
            if not self._needed():
                self.leave("idle")

    @property
    def _idle_seconds(self) -> float:
        context = self._work.context if self._work else None
        return (context.settings if context else self._settings).workstation.idle_exit_seconds

    def _needed(self) -> bool:
        """A screen is open, something runs, or something will start by itself when its time comes."""
        work = self._work
        assert work is not None
        return (
            self.stay
            or self._control.holders > 0
            or work.context.mcp.connections > 0
            or not work.settled
            or work.busy
            or work.expects_work
        )

    # ---- the control socket

    async def _answer(self, op: str, request: JsonObject) -> JsonObject:
        work = self._work
        assert work is not None
        match op:
            case "hello" | "hold":
                pass
            case "wake":
                work.look()
            case "status":
                return await self._status(work)
            case "stay":
                self.stay = True
            case "pause" | "resume":
                await self._pause(work, op == "pause")
            case "drain":
                work.drain()
            case "stop":
                self._stop(work, request)
            case _:
                raise UsageError(f"The service knows no operation {op!r}", todo="update the older of the two programs")
        self._stir()
        return self._hello(work)

    async def _pause(self, work: Scheduler, paused: bool) -> None:
        """Take no new work, or take it again; kept in the workspace, so the board shows it and a restart keeps it."""
        await work.context.workspace.run(operations.workstation.set_paused, paused)
        work.paused = paused
        if not paused:
            work.draining = False
        work.look()

    def _stop(self, work: Scheduler, request: JsonObject) -> None:
        if request.get("if_idle") is True and (work.busy or not work.settled):
            raise Conflict("The service is not idle", why="it runs a session or a landing")
        reason = str(request.get("reason", "stopped"))
        if request.get("force") is not True:
            self.leave(reason)
        elif self._stopping is None:
            self._stopping = asyncio.create_task(self._stop_everything(work, reason), name="forced stop")

    async def _stop_everything(self, work: Scheduler, reason: str) -> None:
        try:
            await work.stop_sessions()
        finally:
            self.leave(reason)

    def _hello(self, work: Scheduler) -> JsonObject:
        return {
            "pid": os.getpid(),
            "version": __version__,
            "started_at": self.started_at,
            "state": self.state,
            "stay": self.stay,
            "busy": work.busy,
            "sessions": work.sessions,
            "mcp_port": work.context.mcp.port,
        }

    async def _status(self, work: Scheduler) -> JsonObject:
        return (
            self._hello(work)
            | await figures(work.context)
            | {
                "uptime_seconds": round(time.monotonic() - self._born, 1),
                "screens": self._control.holders,
                "next_at": work.next_at.isoformat().replace("+00:00", "Z") if work.next_at else None,
                "problem": work.problem,
            }
        )


def now_text() -> str:
    """Now, UTC, ISO 8601 with Z."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
