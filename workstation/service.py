"""The life of the service: ready, work, and leave, on request, on a signal, or when nothing is left to do.

Leaving never stops an agent: sessions run in hosts of their own (agents/host.py), and the next service adopts them. So
SIGTERM, a restart and SIGKILL differ only in manners.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Literal

from .. import __version__
from ..config import paths
from ..config.log import logger
from ..config.settings import Settings
from ..missions.entities import Author, Json, JsonObject
from ..missions.errors import Conflict, SoloUnicornError, TryAgain, UsageError
from ..workspace import operations, queries
from ..workspace.integrity.identity import is_a_copy
from .composition import Composition
from .control import ControlServer
from .status import figures

LONGEST_COMMAND = 200
"""Characters that are kept of a command that an agent was refused."""
LEAVE_SECONDS = 5.0
NEEDED_LOOK_SECONDS = 10.0
LONGER_FOR_CLIENTS = 20
"""Times the pause before leaving, once an MCP client was connected."""
State = Literal["starting", "running", "paused", "draining", "stopping"]


class Service:
    """One running service; `serve` returns when it has left."""

    def __init__(self, parts: Composition, stirred: asyncio.Event, *, stay: bool, started_at: str) -> None:
        """`stirred` is set when something changed that bears on whether the service is still needed."""
        self.stay = stay
        self.started_at = started_at
        self._parts = parts
        self._supervisor = parts.context.supervisor
        self._born = time.monotonic()
        self._control = ControlServer(paths.service_socket(), self._answer, stirred.set)
        self._stirred = stirred
        self._leaving: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._stopping = False
        self._problem_told = ""

    @classmethod
    async def open(cls, settings: Settings, *, stay: bool, started_at: str) -> Service:
        """Open the workspace and put the service together; raises what `Workspace.open` raises."""
        stirred = asyncio.Event()
        return cls(await Composition.open(settings, stirred.set), stirred, stay=stay, started_at=started_at)

    async def serve(self, ready: Callable[[], None]) -> None:
        """Serve until told to leave."""
        log, parts = logger("workstation"), self._parts
        try:
            self._listen_to_signals()
            if reason := parts.context.workspace.workspace.read_only:
                raise TryAgain("The service cannot work here", why=reason, todo="update solo-unicorn")
            if original := parts.context.workspace.workspace.original:
                raise is_a_copy(parts.context.workspace.path, original)
            parts.context.workspace.on_lost(self._lost)
            await self._control.open()
            parts.start()
            ready()
            log.info("service ready", extra={"version": __version__, "stay": self.stay, "pid": os.getpid()})
            self._supervisor.keep("idle watch", self._leave_when_idle)
            reason = await self._leaving
            log.info("service leaves", extra={"reason": reason, "sessions": len(parts.sessions)})
            await self._control.close(reason)
        finally:
            with contextlib.suppress(TimeoutError):  # whatever holds on to its end is cut off there, as by SIGKILL
                async with asyncio.timeout(LEAVE_SECONDS):
                    await self._control.close("stopped")
                    await parts.close()

    @property
    def state(self) -> State:
        """What it does now."""
        if self._leaving.done() or self._stopping:
            return "stopping"
        if self._parts.scheduler.draining:
            return "draining"
        return "paused" if self._parts.scheduler.paused else "running"

    def leave(self, reason: str) -> None:
        """Begin to leave: nothing new is taken up, what runs in session hosts goes on."""
        if not self._leaving.done():
            self._leaving.set_result(reason)

    def _lost(self, error: SoloUnicornError) -> None:
        """Leave at once: what is done from here on would be written where nobody looks."""
        logger("workstation").error("the workspace is lost", extra={"why": str(error)})
        print(error, file=sys.stderr)  # the log's folder may have gone too
        self._control.tell({"event": "problem", "problem": error.what})
        self.leave("the workspace was replaced, moved or upgraded by a newer version")

    def _listen_to_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.leave, "stopped")
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    # ---- how long it stays

    async def _leave_when_idle(self) -> None:
        while True:
            self._stirred.clear()
            self._tell_problem()
            if self._parts.scheduler.draining and not self._parts.busy and not self._stopping:
                self.leave("stopped")
            if self._needed():
                with contextlib.suppress(TimeoutError):  # clients of the MCP server come and go without a word
                    async with asyncio.timeout(NEEDED_LOOK_SECONDS):
                        await self._stirred.wait()
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.idle_seconds):
                    await self._stirred.wait()
                    continue
            if not self._needed():
                self.leave("idle")

    @property
    def idle_seconds(self) -> float:
        """Longer once an MCP client was here: agents come back, and a cold start is theirs to wait for."""
        seconds = self._parts.context.settings.workstation.idle_exit_seconds
        return seconds * LONGER_FOR_CLIENTS if self._parts.context.mcp.had_clients else seconds

    def _needed(self) -> bool:
        """A screen is open, something runs, or something will start by itself when its time comes."""
        parts = self._parts
        return (
            self.stay
            or self._control.holders > 0
            or parts.context.mcp.connections > 0
            or not parts.scheduler.settled
            or parts.busy
            or parts.scheduler.expects_work
        )

    # ---- what does not work

    @property
    def _problem(self) -> str:
        """What screens say of problems that do not pass by themselves; empty while there are none."""
        return ", ".join(f"{one.name} fails" for one in self._supervisor.problems if one.lasting)

    def _tell_problem(self) -> None:
        if self._problem != self._problem_told:
            self._problem_told = self._problem
            self._control.tell({"event": "problem", "problem": self._problem})

    # ---- the control socket

    async def _answer(self, op: str, request: JsonObject) -> JsonObject:
        parts = self._parts
        match op:
            case "hello" | "hold":
                pass
            case "wake":
                parts.context.wakeup.look()
            case "status":
                return await self._status()
            case "stay":
                self.stay = True
            case "pause" | "resume":
                await self._pause(op == "pause")
            case "drain":
                parts.scheduler.drain()
            case "refused":
                await self._note_refusal(request)
            case "stop":
                self._stop(request)
            case _:
                raise UsageError(f"The service knows no operation {op!r}", todo="update the older of the two programs")
        self._stirred.set()
        return self._hello()

    async def _pause(self, paused: bool) -> None:
        """Take no new work, or take it again; kept in the workspace, so the board shows it and a restart keeps it."""
        parts = self._parts
        await parts.context.workspace.run(operations.workstation.set_paused, paused)
        parts.scheduler.paused = paused
        if not paused:
            parts.scheduler.draining = False
        parts.context.wakeup.look()

    async def _note_refusal(self, request: JsonObject) -> None:
        """An agent was refused a command, and cannot write that down itself from within its sandbox."""
        match request:
            case {"session": str() as session, "command": str() as command}:
                one = await self._parts.context.workspace.read(queries.sessions.get, session)
                agent = Author("agent", one.agent_name, session)
                command = command[:LONGEST_COMMAND]
                await self._parts.context.workspace.write_as(agent, operations.dispatch.refused, session, command)

    def _stop(self, request: JsonObject) -> None:
        if request.get("if_idle") is True and (self._parts.busy or not self._parts.scheduler.settled):
            raise Conflict("The service is not idle", why="it runs a session or a landing")
        reason = str(request.get("reason", "stopped"))
        if request.get("force") is not True:
            self.leave(reason)
        elif not self._stopping:
            self._stopping = True
            self._supervisor.begin("forced stop", partial(self._stop_everything, reason))

    async def _stop_everything(self, reason: str) -> None:
        try:
            await self._parts.stop_sessions()
        finally:
            self.leave(reason)

    def _hello(self) -> JsonObject:
        return {
            "pid": os.getpid(),
            "version": __version__,
            "started_at": self.started_at,
            "state": self.state,
            "stay": self.stay,
            "busy": self._parts.busy,
            "sessions": len(self._parts.sessions),
            "mcp_port": self._parts.context.mcp.port,
            "problem": self._problem,
        }

    async def _status(self) -> JsonObject:
        next_at = self._parts.scheduler.next_at
        return (
            self._hello()
            | await figures(self._parts.context)
            | {
                "uptime_seconds": round(time.monotonic() - self._born, 1),
                "screens": self._control.holders,
                "next_at": next_at.isoformat().replace("+00:00", "Z") if next_at else None,
                "problems": list[Json](one.to_wire() for one in self._supervisor.problems),
            }
        )


def now_text() -> str:
    """Now, UTC, ISO 8601 with Z."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
