"""Running a repository's own scripts in a worktree: a time limit, output kept, nothing left behind on a timeout."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ...system.environment import person

TAIL = 16_384
"""Bytes of output that are kept in the result; the whole is in the log file."""


@dataclass(frozen=True, slots=True)
class ScriptResult:
    """How a script ended."""

    name: str
    command: str
    exit_code: int
    """Negative: ended by that signal."""
    timed_out: bool
    seconds: float
    output: str
    """The last part of what it printed, both streams."""
    log: Path

    @property
    def passed(self) -> bool:
        """It ended by itself and said so with 0."""
        return self.exit_code == 0 and not self.timed_out

    @property
    def sentence(self) -> str:
        """What happened, for a mission's history."""
        if self.timed_out:
            return f"the {self.name} script did not end within its time limit and was stopped: {self.command}"
        how = "passed" if self.passed else f"ended with exit code {self.exit_code}"
        return f"the {self.name} script {how} after {self.seconds:.1f} s: {self.command}"


def run_script(
    name: str, command: str, directory: Path, *, log: Path, timeout: float, extra: Mapping[str, str] | None = None
) -> ScriptResult:
    """Run one command line in `directory` with `sh -c`, both streams into `log`; on a timeout its whole group ends."""
    variables = person() | dict(extra or {})
    log.parent.mkdir(parents=True, exist_ok=True)
    started, timed_out = time.monotonic(), False
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["/bin/sh", "-c", command],
            cwd=directory,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            process.wait(timeout)
        except subprocess.TimeoutExpired:
            timed_out = True
        finally:
            if process.poll() is None:
                _end_group(process)
    return ScriptResult(name, command, process.returncode, timed_out, time.monotonic() - started, _tail(log), log)


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """SIGTERM, then SIGKILL, to the group we made."""
    for number, grace in ((signal.SIGTERM, 5.0), (signal.SIGKILL, 5.0)):
        try:
            os.killpg(process.pid, number)
            process.wait(grace)
        except ProcessLookupError:
            break
        except subprocess.TimeoutExpired:
            continue
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _tail(log: Path) -> str:
    with log.open("rb") as written:
        size = written.seek(0, os.SEEK_END)
        written.seek(max(0, size - TAIL))
        return written.read().decode(errors="replace")
