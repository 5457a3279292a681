"""A session that was started, by this process or by one before it: what became of it, and what it is told.

Its files answer for what happened, its host, while it lives, for what to do.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, get_args

from ..missions.entities import Json, JsonObject
from ..missions.errors import SoloUnicornError, TryAgain, from_wire
from ..system import strict_json
from ..system.locks import is_held
from .events import ErrorKind
from .session_host.processes import Process, end_processes, host_of, is_alive, tagged
from .speech import interruption, message

CONTROL_SECONDS = 5.0
SESSION_VARIABLE = "SOLO_UNICORN_SESSION"
"""In the environment of the agent and all it starts: the name of its run directory."""


@dataclass(frozen=True, slots=True)
class HostStop:
    """Why the host ended the agent; None in an outcome means that it ended by itself."""

    reason: str
    """stop, kill, stall, after_result, shutdown, total_time, or what the caller of `HostHandle.stop` gave."""
    signals: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HostOutcome:
    """How the process ended, as the host saw it; what it means is said by verdict.py."""

    exit_code: int | None = None
    signal: int | None = None
    started: float | None = None
    ended: float | None = None
    stop: HostStop | None = None
    start_error: str = ""
    """Why the agent could not be started at all."""
    sealed: bool = False
    """No agent was ever started from this run directory, and none can be."""
    lines: int = 0
    bytes: int = 0
    left_out_bytes: int = 0
    long_lines: int = 0
    lost_lines: int = 0
    """Lines that could not be written because the disk was full."""
    leftovers_ended: int = 0
    """Processes the agent had left behind, ended by the host."""
    stderr_tail: str = ""
    exit_meaning: ErrorKind | None = None
    """What the agent's exit code stands for, where its catalogue entry says so."""


class HostHandle:
    """One session: asks its files for what happened, and its host, while it lives, for what to do."""

    def __init__(self, run_dir: Path) -> None:
        self.run_dir = run_dir
        self._elsewhere: Process | None = None

    @property
    def pid(self) -> int | None:
        """The host's process id as it wrote it down; whether that process lives is said by `alive`."""
        match self._host().get("pid"):
            case int() as pid:
                return pid
        return None

    @property
    def parser(self) -> str:
        """Which parser reads this agent's lines."""
        match self._launch().get("parser"):
            case str() as name:
                return name
        return "raw"

    def alive(self) -> bool:
        """Whether its host lives: it holds the lock; or, before it has said how its agent ended, it is found by name.

        A run directory may be moved away or replaced by a copy while its host works. Such a host ends its agent by
        itself; until then the session runs.
        """
        if is_held(self.run_dir / "host.lock"):
            return True
        if self._elsewhere is None and not (self.run_dir / "outcome.json").exists():
            self._elsewhere = host_of(self.run_dir.name)
        return self._elsewhere is not None and is_alive(self._elsewhere)

    def outcome(self) -> HostOutcome | None:
        """How the agent's process ended; None while it runs or when its host died without a word."""
        found = _read(self.run_dir / "outcome.json")
        if found is None:
            return None
        known = {field.name for field in fields(HostOutcome)}
        values: dict[str, Any] = {name: value for name, value in found.items() if name in known}
        match values.get("stop"):
            case {"reason": str() as reason, "signals": list() as signals}:
                values["stop"] = HostStop(reason, tuple(str(name) for name in signals))
            case _:
                values["stop"] = None
        values["exit_meaning"] = self._meaning(values.get("exit_code"))
        return HostOutcome(**values)

    def state(self) -> Literal["running", "ended", "lost", "never_started"]:
        """Running: adopt it. Ended: finish it late. Lost: its host died. Never started: seal it and start anew."""
        if self.alive():
            return "running"
        outcome = self.outcome()
        if outcome is not None:
            return "never_started" if outcome.sealed else "ended"
        return "lost" if (self.run_dir / "host.json").exists() else "never_started"

    def send(self, op: str, **values: Json) -> JsonObject:
        """Ask the host; its answer. Raises TryAgain when nobody listens (it ended, or is about to)."""
        address = self._host().get("socket")
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(CONTROL_SECONDS)
                connection.connect(str(address or ""))
                connection.sendall(strict_json.dumps({"op": op, **values}).encode() + b"\n")
                with connection.makefile("rb") as answers:
                    answer = strict_json.loads(answers.readline())
        except (OSError, ValueError) as error:
            raise TryAgain(f"The session {self.run_dir.name} cannot be reached", why="its agent has ended") from error
        if not isinstance(answer, dict) or answer.get("ok") is not True:
            raise _refusal(answer.get("error") if isinstance(answer, dict) else answer)
        return answer

    def say(self, text: str) -> None:
        """Hand a person's words to the agent while it works; SoloUnicornError when this agent does not listen."""
        format_ = self._launch().get("message_format")
        self.send("input", line=message(str(format_), text))

    def interrupt(self) -> None:
        """Break off what it does now; it stays there and listens, if it can."""
        if self._launch().get("interrupt") == "claude":
            self.send("input", line=interruption(), control=True)
        else:
            self.send("interrupt")

    def stop(self, reason: str = "stop", *, grace: float | None = None) -> None:
        """Ask it to end, then make it end: SIGINT, after the grace SIGTERM, then SIGKILL, to all it started."""
        self.send("stop", reason=reason, grace=grace)

    def kill(self, reason: str = "kill") -> None:
        """End it at once."""
        self.send("kill", reason=reason)

    def wait(self, seconds: float) -> None:
        """It is busy: do not end it for its silence, nor its input after its result, for so long; 0 takes it back."""
        self.send("wait", seconds=seconds)

    def status(self) -> JsonObject:
        """Process ids, seconds since the last output, bytes written, whether the result came."""
        return self.send("status")

    def end_leftovers(self) -> bool:
        """After the host died: end what the agent left behind, and only that; True when nothing of it lives.

        Only processes that carry this session's name in their environment, or that the host wrote down with their
        start time, of our own user and since the same boot.
        """
        if self.alive():
            return False
        match self._host().get("socket"):
            case str() as address:
                Path(address).unlink(missing_ok=True)
        recorded = [Process.from_json(item) for item in _list(self._host().get("processes"))]
        found = [*recorded, *tagged(SESSION_VARIABLE, self.run_dir.name)]
        return end_processes({process.pid: process for process in found if process}.values(), grace=2.0)

    def _meaning(self, exit_code: int | None) -> ErrorKind | None:
        codes = self._launch().get("exit_codes")
        found = codes.get(str(exit_code)) if isinstance(codes, dict) else None
        return next((kind for kind in get_args(ErrorKind) if kind == found), None)

    def _host(self) -> JsonObject:
        return _read(self.run_dir / "host.json") or {}

    def _launch(self) -> JsonObject:
        return _read(self.run_dir / "launch.json") or {}


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def _read(path: Path) -> JsonObject | None:
    """The object in that file; None when it is not there or not whole."""
    try:
        value = strict_json.heard(path.read_bytes())
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None


def _refusal(error: object) -> SoloUnicornError:
    """The error in a host's answer; a host of an earlier version sends its reason as text."""
    return SoloUnicornError("The session refused it", why=error) if isinstance(error, str) else from_wire(error)
