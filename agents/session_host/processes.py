"""Process trees, and signals that cannot hit a stranger.

A process id is reused, sometimes within minutes. So a process is a pid *with* its start time and the boot it belongs
to; a signal is sent only when all three still match and the process is our own user's.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

from ...system.ancestry import HOST, commands

LINUX = sys.platform.startswith("linux")
PROC = Path("/proc")
START_MARGIN = 0.5
"""A tool is started when it was announced; what the agent needs for itself, before it says its first word."""
KILL_SECONDS = 2.0
"""How long the kernel may take to end a process that was killed."""


@dataclass(frozen=True, slots=True)
class Process:
    """One process, told apart from every other that ever had its id."""

    pid: int
    start: str
    """When it started: clock ticks since boot on Linux, the date elsewhere."""
    boot: str

    def to_json(self) -> dict[str, object]:
        """For host.json."""
        return {"pid": self.pid, "start": self.start, "boot": self.boot}

    @classmethod
    def from_json(cls, value: object) -> Process | None:
        """Back from host.json; None for what is not a process."""
        match value:
            case {"pid": int() as pid, "start": str() as start, "boot": str() as boot} if pid > 1:
                return cls(pid, start, boot)
        return None


@dataclass(frozen=True, slots=True)
class ProcessRow:
    """One line of the table of processes."""

    pid: int
    parent: int
    group: int
    user: int
    zombie: bool
    start: str


@cache
def boot_id() -> str:
    """Names the time since the machine was started."""
    if LINUX:
        with suppress(OSError):
            return (PROC / "sys/kernel/random/boot_id").read_text().strip()
    with suppress(OSError, subprocess.SubprocessError):
        command = ["sysctl", "-n", "kern.boottime"]
        return subprocess.run(command, capture_output=True, text=True, timeout=5).stdout.strip()
    return ""


def table() -> dict[int, ProcessRow]:
    """Every process there is, by id."""
    if LINUX:
        found = (_row(int(name)) for name in os.listdir(PROC) if name.isdigit())  # noqa: PTH208 - names, not paths
        return {row.pid: row for row in found if row}
    return _listed([])


def _row(pid: int) -> ProcessRow | None:
    """One process of the table; None when there is none of that id."""
    if not LINUX:
        return _listed(["-p", str(pid)]).get(pid)
    try:
        text = (PROC / str(pid) / "stat").read_bytes()
        user = (PROC / str(pid)).stat().st_uid
    except OSError:
        return None
    rest = text[text.rindex(b")") + 2 :].split()  # the name before it may hold anything, blanks and brackets too
    return ProcessRow(pid, int(rest[1]), int(rest[2]), user, rest[0] in (b"Z", b"X"), rest[19].decode())


def _listed(which: list[str]) -> dict[int, ProcessRow]:
    columns = "pid=,ppid=,pgid=,uid=,stat=,lstart="
    try:
        text = subprocess.run(
            ["ps", "-o", columns, *(which or ["-ax"])], capture_output=True, text=True, timeout=5, env={"LC_ALL": "C"}
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return {}
    rows = {}
    for line in text.splitlines():
        pid, parent, group, user, state, start = line.split(None, 5)
        rows[int(pid)] = ProcessRow(int(pid), int(parent), int(group), int(user), state.startswith("Z"), start)
    return rows


def identify(pid: int) -> Process | None:
    """The living process of that id now."""
    row = _row(pid)
    return Process(pid, row.start, boot_id()) if row and not row.zombie else None


def is_alive(process: Process) -> bool:
    """Whether that very process still runs; a zombie does not."""
    row = _row(process.pid)
    return row is not None and not row.zombie and row.start == process.start and process.boot == boot_id()


def any_younger(root: int, seconds: float) -> bool:
    """Whether a process below that one has been started in the last so many seconds; False where ages are unknown."""
    if not LINUX:
        return False
    now, ticks = time.clock_gettime(time.CLOCK_BOOTTIME), os.sysconf("SC_CLK_TCK")
    below = descendants(_held(root)).values()
    return any(now - int(process.start) / ticks < seconds + START_MARGIN for process in below)


def _held(root: int) -> int:
    """The process that bubblewrap holds in a sandbox, or `root` itself when that is another program."""
    with suppress(OSError):
        while (PROC / str(root) / "comm").read_text() == "bwrap\n":
            children = [row.pid for row in table().values() if row.parent == root]
            if len(children) != 1:
                break
            root = children[0]
    return root


def descendants(root: int) -> dict[int, Process]:
    """All living processes below `root`, by id."""
    rows = table()
    below: dict[int, list[ProcessRow]] = {}
    for row in rows.values():
        below.setdefault(row.parent, []).append(row)
    found: dict[int, Process] = {}
    wanted = [root]
    while wanted:
        for row in below.get(wanted.pop(), ()):
            if row.pid not in found:
                wanted.append(row.pid)
                if not row.zombie:
                    found[row.pid] = Process(row.pid, row.start, boot_id())
    return found


def tagged(variable: str, value: str) -> list[Process]:
    """Our own user's processes that have `variable=value` in their environment (Linux; elsewhere none)."""
    if not LINUX:
        return []
    wanted = f"{variable}={value}".encode()
    found = []
    for row in table().values():
        if row.user == os.getuid() and not row.zombie and row.pid != os.getpid():
            with suppress(OSError):
                if wanted in (PROC / str(row.pid) / "environ").read_bytes().split(b"\0"):
                    found.append(Process(row.pid, row.start, boot_id()))
    return found


def host_of(session: str) -> Process | None:
    """The living session host of our own user for that session, wherever its run directory is now."""
    for pid, words in commands():
        for program, run_dir in pairwise(words):
            if Path(program).parts[-2:] == HOST and Path(run_dir).name == session:
                row = _row(pid)
                if row is not None and not row.zombie and row.user == os.getuid():
                    return Process(pid, row.start, boot_id())
    return None


def send(process: Process, number: signal.Signals) -> bool:
    """Signal that very process; False when it is gone, somebody else's, or another one has its id now."""
    if process.pid <= 1 or process.boot != boot_id():
        return False
    descriptor = -1
    try:
        if hasattr(os, "pidfd_open"):  # from here on the id cannot change hands between the check and the signal
            with suppress(OSError):
                descriptor = os.pidfd_open(process.pid)
        row = _row(process.pid)
        if row is None or row.zombie or row.start != process.start or row.user != os.getuid():
            return False
        if descriptor >= 0:
            signal.pidfd_send_signal(descriptor, number)
        else:
            os.kill(process.pid, number)
        return True
    except OSError:
        return False
    finally:
        if descriptor >= 0:
            os.close(descriptor)


def end_processes(processes: Iterable[Process], *, grace: float) -> bool:
    """SIGTERM, after the grace SIGKILL, to each that still is the one recorded; True when none of them lives."""
    left = [process for process in processes if send(process, signal.SIGTERM)]
    until = time.monotonic() + grace
    for number in (None, signal.SIGKILL):
        if number is not None:
            for process in left:
                send(process, number)
            until = time.monotonic() + KILL_SECONDS
        while left and time.monotonic() < until:
            time.sleep(0.02)
            left = [process for process in left if is_alive(process)]
    return not left
