"""Real sessions with small Python programs as agents; whatever a test starts is gone when it ends."""

from __future__ import annotations

import json
import os
import signal
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from solo_unicorn.agents import launch, transcript
from solo_unicorn.agents.handle import SESSION_VARIABLE, HostHandle, HostOutcome
from solo_unicorn.agents.session_host.processes import Process, identify, send, tagged
from solo_unicorn.config import paths

DEADLINE = 120.0
"""Only for what never comes: a busy machine takes its time."""


def eventually(condition: Callable[..., Any], what: str, seconds: float = DEADLINE) -> Any:
    """The first true value of the condition; fails the test when there is none in time."""
    pause, until = threading.Event(), time.monotonic() + seconds
    while True:
        if value := condition():
            return value
        assert time.monotonic() < until, f"not in {seconds:g} s: {what}"
        pause.wait(0.01)


class RunningSession:
    """A session of a small Python program."""

    def __init__(self, run_dir: Path) -> None:
        self.run_dir = run_dir
        self.handle: HostHandle = launch.attach(run_dir)

    def start(self) -> RunningSession:
        launch.start(self.run_dir)
        return self

    def ended(self, seconds: float = DEADLINE) -> HostOutcome:
        eventually(lambda: not self.handle.alive(), f"the session in {self.run_dir} ends", seconds)
        outcome = self.handle.outcome()
        assert outcome is not None, (self.run_dir / "host.err").read_text()
        return outcome

    def entries(self) -> list[transcript.TranscriptEntry]:
        found: list[transcript.TranscriptEntry] = []
        offset = 0
        while True:
            more, offset = transcript.read(self.run_dir, offset)
            if not more:
                return found
            found += more

    def lines(self, stream: str = "out") -> list[str]:
        return [entry.line for entry in self.entries() if entry.stream == stream]

    def line(self, wanted: str, stream: str = "out") -> str:
        """Waits for a line that begins so, for as long as the session lives."""

        def found() -> list[str]:
            return [line for line in self.lines(stream) if line.startswith(wanted)]

        eventually(lambda: found() or not self.handle.alive(), f"a line {wanted!r}")
        assert found(), f"the session ended without a line {wanted!r}: {self.lines(stream)} {self.lines('err')}"
        return found()[0]

    def process(self, name: str) -> Process:
        """The process whose id the agent printed as `NAME PID`."""
        found = identify(int(self.line(f"{name} ").split()[1]))
        assert found is not None
        return found


@pytest.fixture
def session(home: Path, tmp_path: Path) -> Iterator[Callable[..., RunningSession]]:
    """Makes the run directory of a session whose agent is the given Python program; `start()` starts it."""
    made: list[RunningSession] = []

    def make(program: str, **settings: object) -> RunningSession:
        run_dir = paths.run_dir(f"run-{len(made)}-{tmp_path.name[-20:]}")
        values: dict[str, object] = {
            "argv": [sys.executable, "-u", "-c", textwrap.dedent(program)],
            "cwd": str(tmp_path),
            "socket": str(paths.runtime_dir() / f"{len(made)}.sock"),
            "environment": {SESSION_VARIABLE: run_dir.name},
            "stop_grace_seconds": 0.3,
        }
        (run_dir / "launch.json").write_text(json.dumps(values | settings))
        made.append(RunningSession(run_dir))
        return made[-1]

    yield make
    for one in made:
        if one.handle.alive():
            host = identify(one.handle.pid or 0)
            if host is not None:
                send(host, signal.SIGTERM)
                eventually(lambda one=one: not one.handle.alive(), "the host ends")
        for process in tagged(SESSION_VARIABLE, one.run_dir.name):
            send(process, signal.SIGKILL)


def gone(pid: int) -> bool:
    """Whether no living process has that id (one nobody reaped yet does not live)."""
    return identify(pid) is None


RECORDINGS = Path(__file__).parent / "recordings"


def recorded(name: str) -> list[str]:
    """The lines of a recording such as `claude/error_401`."""
    return (RECORDINGS / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()


def recorded_end(name: str) -> HostOutcome:
    """How the recorded process ended."""
    meta = json.loads((RECORDINGS / f"{name}.meta.json").read_text(encoding="utf-8"))
    code = int(meta["rc"])
    return HostOutcome(exit_code=code, stderr_tail=str(meta["stderr"]), ended=meta.get("ended"))


os.environ.setdefault("PYTHONDONTWRITEBYTECODE", "1")
