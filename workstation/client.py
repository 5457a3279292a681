"""Reaching the workstation service from the board, the command line and the MCP bridge. Standard library only.

    info = ensure_running()          starts it when absent; returns once it answers
    keeper = Keeper(report).start()  an open screen: the service stays while this lives, and is brought back if it dies

The protocol is one JSON object a line, over the service's Unix socket, one answer per request:
{"op": "hello" | "status" | "wake" | "refused" | "hold" | "pause" | "resume" | "drain" | "stay" | "stop", …}
-> {"ok": true, …}
or {"ok": false, "error": {"code", "what", "why", "todo", "exitCode", …}}. A connection that sent `hold` also hears
{"event": "problem", "problem": …} when something of the service no longer works, or works again (empty), and
{"event": "bye", "reason": …} when it leaves.
"""

from __future__ import annotations

import select
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Literal

from .. import __version__
from ..config import paths
from ..missions.entities import JsonObject
from ..missions.errors import SoloUnicornError, TryAgain
from ..system import locks
from ..system.backoff import Backoff
from .connection import ANSWER_SECONDS, ControlConnection, NotRunning, request
from .starting import kill_holder, silent, start

__all__ = [
    "ControlConnection",
    "Keeper",
    "NotRunning",
    "ServiceInfo",
    "ensure_running",
    "request",
    "restart",
    "status",
    "stop",
]

START_SECONDS = 15.0
OUTDATED_LOOK_SECONDS = 20.0
Left = Literal["stopped", "replaced"]
"""Why a service said goodbye: a person (or a signal) stopped it, or a newer one takes its place."""


@dataclass(frozen=True, slots=True)
class ServiceInfo:
    """What a running service says of itself."""

    pid: int
    version: str
    started_at: str
    state: str
    """starting, running, paused, draining or stopping."""
    sessions: int
    busy: bool
    """Whether a session or a landing runs, so that a restart would be felt."""
    stay: bool
    mcp_port: int | None
    """None until the MCP server is up."""
    problem: str = ""
    """What of the service does not work, in a few words; empty while all is well."""
    notice: str = ""
    """What a screen should tell the person; empty when all is well."""


def ensure_running(timeout: float = START_SECONDS, *, stay: bool = False) -> ServiceInfo:
    """The running service, started when there is none, replaced when it is older than we are and idle.

    `stay` keeps it running when nothing is left to do. Raises SoloUnicornError with the service's own reason when it
    cannot start, TryAgain naming the holder when it does not answer in time.
    """
    deadline = time.monotonic() + timeout
    started = False
    while True:
        try:
            info = _greet(timeout=max(0.1, deadline - time.monotonic()))
        except NotRunning:
            info = None
        if info is not None and info.state != "stopping":
            if not _older(info.version, __version__) or info.busy or started:
                if stay and not info.stay:
                    request("stay")
                return _with_notice(info)
            stay = stay or info.stay
            with suppress(SoloUnicornError):  # it may have begun to work, or left, since it answered
                request("stop", {"if_idle": True, "reason": "replaced"})
        if locks.is_held(paths.service_lock()):
            _wait(0.02, deadline)
        else:
            start(deadline, stay)
            started = True


def status() -> JsonObject:
    """All figures of the running service; raises NotRunning."""
    return request("status")


def stop(*, force: bool = False, timeout: float = START_SECONDS) -> bool:
    """Stop the service and wait until it is gone: sessions go on in their hosts, or are stopped too with `force`.

    Returns False when none ran. Raises TryAgain when it is still there after `timeout` seconds; with `force` a service
    that does not answer is killed instead, which loses nothing: the next one takes up what it finds.
    """
    deadline = time.monotonic() + timeout
    try:
        request("stop", {"force": force}, timeout=timeout)
    except NotRunning:
        if not locks.is_held(paths.service_lock()):
            return False
        if force:
            kill_holder()
    while locks.is_held(paths.service_lock()):
        try:
            _wait(0.02, deadline)
        except TryAgain:
            if not force:
                raise
            kill_holder()
            deadline = time.monotonic() + ANSWER_SECONDS
    return True


def restart() -> ServiceInfo:
    """Stop the service and start it anew; sessions go on meanwhile, and what was started to stay, stays."""
    try:
        stay = status().get("stay") is True
    except NotRunning:
        stay = False
    stop()
    return ensure_running(stay=stay)


class Keeper:
    """An open screen's side: keeps the service there while the screen is.

    Runs in a thread of its own. `report` is called in it with the ServiceInfo after each connection, with the error
    when none could be made, and with None when a person stopped the service: then it is not brought back until `wake`.
    """

    def __init__(self, report: Callable[[ServiceInfo | SoloUnicornError | None], None]) -> None:
        self._report = report
        self._ear, self._mouth = socket.socketpair()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="service keeper", daemon=True)

    def start(self) -> Keeper:
        self._thread.start()
        return self

    def wake(self) -> None:
        """Try again now: the person asked for the service after it was stopped."""
        with suppress(OSError):
            self._mouth.send(b"!")

    def close(self) -> None:
        """The screen closes."""
        self._closing = True
        self.wake()
        self._thread.join(2)
        self._mouth.close()

    def _run(self) -> None:
        pause = Backoff(0.2, 5.0)
        while not self._closing:
            try:
                info = ensure_running()
                with ControlConnection() as connection:
                    connection.ask("hold")
                    pause.reset()
                    self._report(info)
                    left = self._stay_until_gone(connection, info)
            except SoloUnicornError as error:
                left = None
                if not self._closing:
                    self._report(error)
            if self._closing:
                break
            if left == "stopped":
                self._report(None)
                select.select([self._ear], [], [])
                self._ear.recv(64)
            elif left is None and select.select([self._ear], [], [], pause.next())[0]:
                self._ear.recv(64)
        self._ear.close()

    def _stay_until_gone(self, connection: ControlConnection, info: ServiceInfo) -> Left | None:
        """Wait until the service says goodbye (why) or vanishes (None); an older one is replaced once it is idle."""
        older = _older(info.version, __version__)
        while True:
            look = OUTDATED_LOOK_SECONDS if older else None
            ready, _, _ = select.select([connection.fileno(), self._ear.fileno()], [], [], look)
            if not ready:
                ensure_running()
            if self._ear.fileno() in ready:
                self._ear.recv(64)
                if self._closing:
                    return None
            if connection.fileno() in ready:
                try:
                    said = connection.read()
                except (OSError, ValueError):
                    return None
                match said:
                    case {"event": "problem", "problem": str(problem)}:
                        self._report(replace(info, problem=problem, notice=""))
                    case {"event": "bye", "reason": "stopped"}:
                        return "stopped"
                    case {"event": "bye", "reason": "replaced"}:
                        return "replaced"
                    case None:
                        return None


def _greet(timeout: float) -> ServiceInfo:
    match request("hello", {"version": __version__}, timeout=min(timeout, ANSWER_SECONDS)):
        case {"pid": int(pid), "version": str(version), "started_at": str(started_at), **rest}:
            port = rest.get("mcp_port")
            sessions = rest.get("sessions")
            return ServiceInfo(
                pid=pid,
                version=version,
                started_at=started_at,
                state=str(rest.get("state", "running")),
                sessions=sessions if isinstance(sessions, int) else 0,
                busy=rest.get("busy") is True,
                stay=rest.get("stay") is True,
                mcp_port=port if isinstance(port, int) else None,
                problem=str(rest.get("problem", "")),
            )
        case answer:
            raise SoloUnicornError("The workstation service gave an unknown answer", why=repr(answer)[:200])


def _with_notice(info: ServiceInfo) -> ServiceInfo:
    if info.version == __version__:
        return info
    if _older(info.version, __version__):
        running = "1 session" if info.sessions == 1 else f"{info.sessions} sessions"
        notice = (
            f"The service is version {info.version} and runs {running}: it will "
            f"be replaced by {__version__} when it is idle."
        )
    else:
        notice = f"The service is version {info.version}, newer than this program ({__version__}): update this one."
    return replace(info, notice=notice)


def _older(one: str, other: str) -> bool:
    return _numbers(one) < _numbers(other)


def _numbers(version: str) -> tuple[int, ...]:
    parts = []
    for part in version.split("+")[0].split("."):
        digits = "".join(character for character in part if character.isdigit())
        parts.append(int(digits or 0))
    return tuple(parts)


def _wait(seconds: float, deadline: float) -> None:
    if time.monotonic() + seconds > deadline:
        raise silent()
    time.sleep(seconds)
