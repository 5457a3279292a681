"""Starting a session and getting hold of one that runs: the run directory and its session host.

`prepare` writes the run directory, `start` starts the host in it, `attach` gives a handle to whatever became of it,
by this process or by one before it. The host outlives whoever started it (DESIGN.md, "Sessions outlive everything").

    RUN_DIR (0700)   launch.json    what to start; the prompt                                     (prepare, 0600)
                     mcp.json       our MCP server's address and this run's token                 (prepare, 0600)
                     host.lock      held by the host for its life                                 (host)
                     host.json      process ids with start times, the path of its socket          (host)
                     transcript*    see transcript.py                                             (host)
                     outcome.json   how the process ended; whole or absent                        (host, or `seal`)
                     host.err       what went wrong with the host itself                          (host)
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import subprocess
import sys
import uuid
from dataclasses import dataclass, fields
from pathlib import Path
from shutil import which
from typing import Literal

from ..config import paths
from ..config.redaction import is_secret_name
from ..config.settings import Settings
from ..missions.entities import CodeAgent, Json, JsonObject
from ..missions.errors import InvalidValue, SoloUnicornError, TryAgain
from . import catalogue, mcp_files
from .session_host.durable import replace_file
from .session_host.processes import Process, end_processes, tagged

HOST = Path(__file__).parent / "host.py"
HANDSHAKE_SECONDS = 30.0
CONTROL_SECONDS = 5.0
AFTER_RESULT_SECONDS = 20.0
SESSION_VARIABLE = "SOLO_UNICORN_SESSION"
"""In the environment of the agent and all it starts: the name of its run directory."""


@dataclass(frozen=True, slots=True)
class McpEntry:
    """Our MCP server for this run alone."""

    url: str
    token: str


@dataclass(frozen=True, slots=True)
class Stop:
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
    stop: Stop | None = None
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


def prepare(
    run_dir: Path,
    agent: CodeAgent,
    *,
    prompt: str,
    worktree: Path | str,
    mcp: McpEntry | None,
    resume: str | None,
    settings: Settings,
    correlation: str,
    mission: str = "",
) -> None:
    """Write what the host needs to start the agent on a prompt; starts nothing.

    `mission` is shown to the agent's tools as SOLO_UNICORN_MISSION (M-42). The token goes into mcp.json alone: it is
    in no argument and in no environment variable. Raises NotFound for an unknown type of agent, InvalidValue when the
    agent has no program or the worktree is no directory.
    """
    entry = catalogue.entry(agent.type, own=paths.home() / "agents")
    wanted = settings.agent(agent.name)
    binary = wanted.command or agent.binary or (sys.executable if entry.command else "")
    if not binary:
        raise InvalidValue("binary", f"The agent {agent.name} has no program to start", why=agent.detail, todo=entry.install)
    if not Path(worktree).is_dir():
        raise InvalidValue("worktree", f"There is no directory {worktree}", todo="prepare the worktree again")
    run_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    turn = entry.turn
    mcp_file = run_dir / "mcp.json"
    if mcp is not None:
        replace_file(mcp_file, json.dumps(mcp_files.write(turn.mcp_format, mcp.url, mcp.token), indent=1).encode())
    values = {
        "conversation": resume or "",
        "model": wanted.model,
        "permission_mode": wanted.permission_mode or turn.default_permission_mode,
        "mcp_file": str(mcp_file) if mcp is not None else "",
        "run_dir": str(run_dir),
        "worktree": str(worktree),
    }
    arguments = [*catalogue.base_command(entry, binary), *turn.arguments]
    permissions = turn.skip_permissions if wanted.skip_permissions else turn.permission_mode
    for part in (permissions, turn.model, turn.resume, turn.mcp):
        arguments += catalogue.filled(part, values)
    environment = {name: " ".join(catalogue.filled([value], values)) for name, value in turn.environment.items()}
    if mcp is not None:
        environment |= {name: " ".join(catalogue.filled([value], values)) for name, value in turn.mcp_environment.items()}
    environment |= {
        "SOLO_UNICORN_MISSION": mission, "SOLO_UNICORN_CORRELATION": correlation, SESSION_VARIABLE: run_dir.name,
    }  # fmt: skip
    ours = [name for name in os.environ if name.startswith("SOLO_UNICORN_") and is_secret_name(name)]
    listen = turn.listens
    launch: JsonObject = {
        "argv": list[Json](arguments),
        "cwd": str(worktree),
        "environment": dict[str, Json](environment),
        "unset": list[Json]([*turn.unset, *ours]),
        "stdin": message(turn.prompt, prompt),
        "stdin_stays_open": listen,
        "message_format": turn.prompt,
        "interrupt": turn.interrupt,
        "parser": entry.parser,
        "result_types": list[Json](turn.result_types),
        "after_result_seconds": AFTER_RESULT_SECONDS if turn.result_types else None,
        "stall_seconds": settings.sessions.stall_minutes * 60,
        "stop_grace_seconds": settings.sessions.stop_grace_seconds,
        "socket": str(paths.runtime_dir() / f"{run_dir.name}.sock"),
    }
    replace_file(run_dir / "launch.json", json.dumps(launch, indent=1).encode())


def message(format_: str, text: str) -> str:
    """A person's words as the agent reads them on its standard input."""
    match format_:
        case "claude":
            content = {"role": "user", "content": [{"type": "text", "text": text}]}
            return json.dumps({"type": "user", "message": content}) + "\n"
        case _:
            return text if text.endswith("\n") else text + "\n"


def start(run_dir: Path, *, scope: bool = False) -> int:
    """Start the host of a prepared run directory; returns its process id once it holds its lock and listens.

    The host is nobody's child, in a session of its own, so it survives us and leaves no zombie. With `scope` it gets
    a systemd scope of its own where there is a user manager. A run directory is started once: the second call raises.
    """
    command = [sys.executable, "-I", "-S", str(HOST), str(run_dir)]
    if scope and (runner := _scope_runner()):
        command = [*runner, f"--unit=solo-unicorn-{run_dir.name}", "--", *command]
    try:
        starter = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=HANDSHAKE_SECONDS, cwd="/",
            start_new_session=True, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SoloUnicornError("The session host could not be started", why=str(error), todo="try again") from error
    words = starter.stdout.split()
    if starter.returncode != 0 or len(words) != 1:
        why = (starter.stderr or starter.stdout).decode("utf-8", "replace").strip().splitlines()
        raise SoloUnicornError(f"The session host of {run_dir.name} did not start", why=why[-1] if why else "")
    return int(words[0])


def attach(run_dir: Path) -> HostHandle:
    """A handle to the session of that run directory, whatever state it is in; never raises."""
    return HostHandle(run_dir)


def seal(run_dir: Path) -> bool:
    """Make sure that no agent is ever started from this run directory again.

    True: no host holds it, and an outcome (its own, or `sealed`) is there now. False: a host holds it, so it runs.
    """
    run_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (run_dir / "host.lock").open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        if not (run_dir / "outcome.json").exists():
            replace_file(run_dir / "outcome.json", b'{"sealed": true}')
        return True


class HostHandle:
    """One session: asks its files for what happened, and its host, while it lives, for what to do."""

    def __init__(self, run_dir: Path) -> None:
        self.run_dir = run_dir

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
        match _read(self.run_dir / "launch.json").get("parser"):
            case str() as name:
                return name
        return "raw"

    def alive(self) -> bool:
        """Whether a host holds the lock; the only proof there is, and a sufficient one."""
        try:
            with (self.run_dir / "host.lock").open("rb") as lock:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except OSError:
            return True
        return False

    def outcome(self) -> HostOutcome | None:
        """How the agent's process ended; None while it runs or when its host died without a word."""
        found = _read(self.run_dir / "outcome.json", missing=None)
        if found is None:
            return None
        known = {field.name for field in fields(HostOutcome)}
        values = {name: value for name, value in found.items() if name in known}
        match values.get("stop"):
            case {"reason": str() as reason, "signals": list() as signals}:
                values["stop"] = Stop(reason, tuple(str(name) for name in signals))  # type: ignore[assignment]
            case _:
                values["stop"] = None
        return HostOutcome(**values)  # type: ignore[arg-type]

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
                connection.sendall(json.dumps({"op": op, **values}).encode() + b"\n")
                with connection.makefile("rb") as answers:
                    answer = json.loads(answers.readline())
        except (OSError, ValueError) as error:
            raise TryAgain(f"The session {self.run_dir.name} cannot be reached", why="its agent has ended") from error
        if not isinstance(answer, dict) or answer.get("ok") is not True:
            why = str(answer.get("error", "")) if isinstance(answer, dict) else ""
            raise SoloUnicornError(f"The session {self.run_dir.name} refused to {op}", why=why)
        return answer

    def say(self, text: str) -> None:
        """Hand a person's words to the agent while it works; SoloUnicornError when this agent does not listen."""
        format_ = _read(self.run_dir / "launch.json").get("message_format")
        self.send("input", line=message(str(format_), text))

    def interrupt(self) -> None:
        """Break off what it does now; it stays there and listens, if it can."""
        if _read(self.run_dir / "launch.json").get("interrupt") == "claude":
            request = {"type": "control_request", "request_id": uuid.uuid4().hex, "request": {"subtype": "interrupt"}}
            self.send("input", line=json.dumps(request) + "\n", control=True)
        else:
            self.send("interrupt")

    def stop(self, reason: str = "stop", *, grace: float | None = None) -> None:
        """Ask it to end, then make it end: SIGINT, after the grace SIGTERM, then SIGKILL, to all it started."""
        self.send("stop", reason=reason, grace=grace)

    def kill(self, reason: str = "kill") -> None:
        """End it at once."""
        self.send("kill", reason=reason)

    def status(self) -> JsonObject:
        """Process ids, seconds since the last output, bytes written, whether the result came."""
        return self.send("status")

    def end_leftovers(self) -> int:
        """After the host died: end what the agent left behind, and only that; returns how many were signalled.

        Only processes that carry this session's name in their environment, or that the host wrote down with their
        start time, of our own user and since the same boot.
        """
        if self.alive():
            return 0
        recorded = [Process.from_json(item) for item in _list(self._host().get("processes"))]
        found = {process.pid: process for process in (*recorded, *tagged(SESSION_VARIABLE, self.run_dir.name)) if process}
        return end_processes(found.values(), grace=2.0)

    def _host(self) -> JsonObject:
        return _read(self.run_dir / "host.json")


def _scope_runner() -> list[str]:
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    if not runtime or not Path(runtime, "systemd").is_dir() or not (found := which("systemd-run")):
        return []
    return [found, "--user", "--scope", "--quiet", "--collect"]


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def _read(path: Path, missing: JsonObject | None = {}) -> JsonObject:  # noqa: B006 - never changed
    try:
        value = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return missing  # type: ignore[return-value]
    return value if isinstance(value, dict) else missing  # type: ignore[return-value]
