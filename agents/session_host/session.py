"""One session: reads the agent, obeys the control socket, watches the clocks, says at last how it ended."""

from __future__ import annotations

import json
import os
import signal
import time
from contextlib import suppress
from pathlib import Path
from selectors import EVENT_READ, EVENT_WRITE, DefaultSelector

from ...missions.errors import Conflict, TryAgain, UsageError
from ...system import strict_json
from ...system.files import ReservedFile, replace
from .control import Control
from .ending import Ending
from .home import HomeGuard
from .plan import Launch
from .processes import Process, any_younger, identify
from .starting import start, why_not_started
from .tape import Tape, TapeLines, entry

CHUNK = 1 << 16
DRAIN_SECONDS = 0.5
INPUT_CAP = 16 << 20
STDERR_TAIL = 4096
HOLD_SECONDS = 300.0
NOT_TOLD = "The agent was not told"


class HostSession:
    """The host of one agent. Everything happens in one thread, in `run`."""

    def __init__(self, run_dir: Path, launch: Launch) -> None:
        self._run_dir = run_dir
        self._launch = launch
        self._selector = DefaultSelector()
        self._outcome = ReservedFile(run_dir / "outcome.json")
        self._tape = Tape(run_dir)
        self._ending = Ending(grace=launch.stop_grace_seconds, clock=time.monotonic)
        self._lines = {"out": TapeLines(launch.line_cap), "err": TapeLines(launch.line_cap)}
        self._streams: dict[str, int] = {}
        self._input = bytearray(launch.stdin.encode())
        self._stdin: int | None = None
        self._close_stdin_when_written = not launch.stdin_stays_open
        self._messages = 1
        self._results = 0
        self._hold_until: float | None = None
        self._wait_until: float | None = None
        self._seen_at_work: float = 0.0
        self._started = time.time()
        self._began = self._heard = time.monotonic()
        self._exit: tuple[int | None, int | None] | None = None
        self._start_error = ""
        self._drain_until: float | None = None
        self._counts = {"lines": 0, "bytes": 0, "long_lines": 0}
        self._stderr_tail = b""
        self._listen_to_signals()
        self._home = HomeGuard(run_dir.parents[1] / "workspace.db", self._began)
        self._control = Control(Path(launch.socket), self._selector, self._answer, run_dir.parent)
        self._write_host_json(None)

    def run(self) -> None:
        """Start the agent, stay with it until it and all it started are gone, write the outcome."""
        try:
            self._start()
        except OSError as error:
            self._start_error = why_not_started(error, self._launch)
        else:
            while not self._is_over():
                for key, _ in self._selector.select(self._timeout()):
                    key.data()
                self._look_at_the_clocks()
            self._read_the_rest()
        self._control.close()
        self._finish()

    # ---- the agent ------------------------------------------------------------------------------------------------

    def _start(self) -> None:
        self._agent = start(self._launch)
        assert self._agent.stdin and self._agent.stdout and self._agent.stderr
        process = identify(self._agent.pid) or Process(self._agent.pid, "", "")
        self._ending.agent = process
        self._write_host_json(process)
        with suppress(OSError):  # when memory runs out, the agent goes before the one who tells of it
            Path(f"/proc/{self._agent.pid}/oom_score_adj").write_text("500")
        for name, pipe in (("out", self._agent.stdout), ("err", self._agent.stderr)):
            os.set_blocking(pipe.fileno(), False)
            self._streams[name] = pipe.fileno()
            self._selector.register(pipe, EVENT_READ, lambda name=name: self._read(name))
        self._stdin = self._agent.stdin.fileno()
        os.set_blocking(self._stdin, False)
        self._note_input(self._launch.stdin)
        self._write_input()

    def _read(self, name: str) -> bool:
        """Take in one chunk; False when there was none now or the stream is at its end."""
        try:
            data = os.read(self._streams[name], CHUNK)
        except BlockingIOError:
            return False
        except OSError:
            data = b""
        if data:
            self._heard = time.monotonic()
            self._take_in(name, list(self._lines[name].feed(data)), len(data))
            return True
        self._selector.unregister(self._streams.pop(name))
        self._take_in(name, list(self._lines[name].flush()), 0)
        return False

    def _take_in(self, name: str, lines: list[tuple[bytes, int]], size: int) -> None:
        self._counts["bytes"] += size
        if not lines:
            return
        at = time.time()
        self._tape.write(b"".join(entry(at, name, line, part) for line, part in lines), at, self._heard)
        self._counts["lines"] += sum(part <= 1 for _, part in lines)
        self._counts["long_lines"] += sum(part == 1 for _, part in lines)
        if name == "err":
            self._stderr_tail = b"\n".join((self._stderr_tail, *(line for line, _ in lines[-50:])))[-STDERR_TAIL:]
        elif self._launch.result_types:
            for line, part in lines:
                if part == 0 and self._is_result(line):
                    self._result_came()

    def _is_result(self, line: bytes) -> bool:
        if b'"type"' not in line or not any(f'"{name}"'.encode() in line for name in self._launch.result_types):
            return False
        try:
            value = strict_json.heard(line)
        except ValueError:
            return False
        return isinstance(value, dict) and value.get("type") in self._launch.result_types

    def _result_came(self) -> None:
        """The turn is over. An agent that listens would wait for more: unless more was said, its input ends now."""
        self._results += 1
        self._end_input_after_result()

    def _end_input_after_result(self) -> None:
        if self._results >= self._messages and self._hold_until is None and self._wait_until is None:
            self._close_stdin_when_written = True
            self._write_input()

    # ---- its input ------------------------------------------------------------------------------------------------

    def _write_input(self) -> None:
        if self._stdin is None:
            return
        try:
            while self._input:
                del self._input[: os.write(self._stdin, self._input[:CHUNK])]
        except BlockingIOError:
            with suppress(KeyError):
                self._selector.register(self._stdin, EVENT_WRITE, self._write_input)
            return
        except OSError:
            self._close_stdin()
            return
        with suppress(KeyError):
            self._selector.unregister(self._stdin)
        if self._close_stdin_when_written:
            self._close_stdin()

    def _close_stdin(self) -> None:
        if self._stdin is not None:
            with suppress(KeyError):
                self._selector.unregister(self._stdin)
            self._stdin = None
            self._input.clear()
            assert self._agent.stdin
            with suppress(OSError):
                self._agent.stdin.close()

    def _note_input(self, text: str) -> None:
        at = time.time()
        lines = text.encode().splitlines()
        self._tape.write(b"".join(entry(at, "in", line) for line in lines), at, time.monotonic())

    # ---- the control socket ---------------------------------------------------------------------------------------

    def _answer(self, request: dict[str, object]) -> dict[str, object]:
        if self._exit is not None:
            raise TryAgain("The session cannot be reached", why="its agent has ended")
        match request:
            case {"op": "input", "line": str() as line}:
                return self._say(line, control=request.get("control") is True)
            case {"op": "interrupt"}:
                self._ending.signal(signal.SIGINT)
            case {"op": "stop"}:
                grace = request.get("grace")
                self._ending.begin(_word(request, "stop"), float(grace) if isinstance(grace, int | float) else None)
            case {"op": "kill"}:
                self._ending.kill(_word(request, "kill"))
            case {"op": "wait", "seconds": int() | float() as seconds}:
                self._wait_until = time.monotonic() + seconds if seconds > 0 else None
                self._end_input_after_result()
            case {"op": "close_stdin"}:
                self._close_stdin_when_written = True
                self._write_input()
            case {"op": "status"}:
                return {"ok": True, **self._status()}
            case _:
                raise UsageError(f"A session host knows no request {request.get('op')!r}")
        return {"ok": True}

    def _say(self, line: str, *, control: bool) -> dict[str, object]:
        if self._stdin is None or self._close_stdin_when_written:
            raise Conflict(NOT_TOLD, why="it no longer listens" if self._results else "it accepts no input")
        if len(self._input) + len(line) > INPUT_CAP:
            raise TryAgain(NOT_TOLD, why="it has not read the earlier message")
        self._hold_until = time.monotonic() + HOLD_SECONDS if control else None
        self._messages += not control
        self._input += line.encode()
        self._note_input(line)
        self._write_input()
        return {"ok": True}

    def _status(self) -> dict[str, object]:
        return {
            "pid": os.getpid(),
            "agent_pid": self._agent.pid,
            "silent_seconds": time.monotonic() - self._heard,
            "offset": self._tape.offset,
            "results": self._results,
            "listens": self._stdin is not None,
            "stopping": self._ending.reason,
            **self._counts,
        }

    # ---- the clocks -----------------------------------------------------------------------------------------------

    def _look_at_the_clocks(self) -> None:
        now = time.monotonic()
        self._tape.sync(now)
        if self._exit is not None:
            return
        if self._home.lost(now):
            self._ending.begin("home")
        for reason, at in self._deadlines():
            if at is not None and now >= at:
                if reason == "hold":
                    self._hold_until = None
                    self._close_stdin_when_written = True
                    self._write_input()
                elif reason == "wait":
                    self._wait_until = None
                    self._end_input_after_result()
                elif reason == "stall" and self._is_at_work(now):
                    self._seen_at_work = now
                elif reason == "after_result" and self._stdin is not None:
                    self._heard = now
                    self._close_stdin()
                else:
                    self._ending.begin(reason)
        if (due := self._ending.due) is not None and now >= due:
            self._ending.step()

    def _deadlines(self) -> list[tuple[str, float | None]]:
        launch = self._launch
        if self._ending.reason is not None:
            return []
        waits = self._hold_until is not None or self._wait_until is not None
        quiet = None if waits or not self._results else launch.after_result_seconds
        stall = None if self._wait_until is not None else launch.stall_seconds
        return [
            ("wait", self._wait_until),
            ("hold", self._hold_until if self._results else None),
            ("after_result", None if quiet is None else self._heard + quiet),
            ("stall", None if stall is None else max(self._heard, self._seen_at_work) + stall),
            ("total_time", None if launch.total_seconds is None else self._began + launch.total_seconds),
        ]

    def _is_at_work(self, now: float) -> bool:
        """Whether a process runs that it started after its last word: a tool that prints nothing."""
        silent, most = now - self._heard, self._launch.tool_seconds
        return most is not None and silent < most and any_younger(self._agent.pid, silent)

    def _timeout(self) -> float | None:
        now = time.monotonic()
        if self._exit is not None:
            return 0.05
        times = [at for _, at in self._deadlines()] + [self._ending.due, self._tape.sync(now), self._home.due]
        wanted = [at - now for at in times if at is not None]
        return max(0.0, min(wanted)) if wanted else None

    # ---- the end --------------------------------------------------------------------------------------------------

    def _listen_to_signals(self) -> None:
        """A signal wakes the loop; SIGTERM (log-out, shutdown) ends the agent first. The handlers do the least."""
        reader, writer = os.pipe()
        for end in (reader, writer):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda *_: None)
        self._selector.register(reader, EVENT_READ, lambda: self._signalled(os.read(reader, 512)))

    def _signalled(self, numbers: bytes) -> None:
        if signal.SIGTERM in numbers and self._exit is None:
            self._ending.begin("shutdown", min(3.0, self._launch.stop_grace_seconds))
        with suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    break
                if pid == self._agent.pid:
                    code = self._agent.returncode = os.waitstatus_to_exitcode(status)
                    self._exit = (code, None) if code >= 0 else (None, -code)
                    self._drain_until = time.monotonic() + DRAIN_SECONDS
                    self._close_stdin()

    def _is_over(self) -> bool:
        """The agent is gone, its output read (or held open by a child, which is not waited for), its children gone."""
        if self._exit is None:
            return False
        if self._drain_until is not None:
            if self._streams and time.monotonic() < self._drain_until:
                return False
            self._drain_until = None
            self._ending.agent_ended()
        return self._ending.leftovers_gone()

    def _read_the_rest(self) -> None:
        until = time.monotonic() + DRAIN_SECONDS
        for name in list(self._streams):
            while name in self._streams and time.monotonic() < until and self._read(name):
                pass
            if name in self._streams:
                self._take_in(name, list(self._lines[name].flush()), 0)

    def _finish(self) -> None:
        code, number = self._exit or (None, None)
        reason = self._ending.reason
        self._tape.sync(time.monotonic(), at_once=True)
        outcome = {
            "exit_code": code,
            "signal": number,
            "started": self._started,
            "ended": time.time(),
            "stop": {"reason": reason, "signals": self._ending.signals} if reason else None,
            "start_error": self._start_error,
            "left_out_bytes": self._tape.left_out_bytes,
            "lost_lines": self._tape.lost_lines,
            "leftovers_ended": self._ending.leftovers,
            "stderr_tail": self._stderr_tail.decode("utf-8", "replace").strip(),
            **self._counts,
        }
        with suppress(FileNotFoundError):  # the run directory was removed, and whoever could read it with it
            self._outcome.commit(json.dumps(outcome).encode())

    def _write_host_json(self, agent: Process | None) -> None:
        here = identify(os.getpid())
        known = {
            "pid": os.getpid(),
            "start": here.start if here else "",
            "socket": self._launch.socket,
            "agent_pid": agent.pid if agent else None,
            "processes": [agent.to_json()] if agent else [],
        }
        replace(self._run_dir / "host.json", json.dumps(known).encode())


def _word(request: dict[str, object], default: str) -> str:
    reason = request.get("reason")
    return reason if isinstance(reason, str) and reason else default
