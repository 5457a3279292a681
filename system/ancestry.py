"""Whether a process was started by an agent: a session host of this home is among its ancestors.

The host adopts what the agent's children leave behind (agents/session_host/daemon.py), so that a process cannot leave
its session by going into the background, and neither an environment variable nor a working directory is asked. Within
a sandbox the chain ends at its first process, which names the run. What another program of the system starts on an
agent's behalf (systemd, cron, a container) is not below the host: a sandbox keeps an agent from those
(agents/sandbox/).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

HOST = ("agents", "host.py")
"""How the path of the program ends that is a session host."""
RUN_MARK = "SOLO_UNICORN_RUN"
"""Before the run directory on the command line of the first process in a sandbox with process ids of its own."""
TRIES = 1_000
"""How often a chain that changes while it is read is read again."""
LINUX = sys.platform.startswith("linux")


class Gone(Exception):
    """The process has ended, or its ancestors change all the time: nobody can tell who started it."""


def session_above(pid: int, runs: Path) -> str | None:
    """The id of the session below which a process runs, among those with their directories in `runs`; None: of none.

    Raises Gone. That is not the answer None: who connects, forks and exits would be nobody's process.
    """
    wanted = os.path.realpath(runs)
    for _ in range(TRIES):
        with suppress(_Changed):
            return _session_above(pid, wanted)
    raise Gone


class _Changed(Exception):
    """An ancestor ended meanwhile: its child has another one now."""


def _session_above(pid: int, wanted: str) -> str | None:
    seen: set[int] = set()
    child = 0
    while pid >= 1 and pid not in seen:
        found = _process(pid)
        if found is None:
            if not child:
                raise Gone
            again = _process(child)
            if again is None or again[0] != pid:
                raise _Changed
            return None  # it is there, and another user's, whose processes are hidden
        parent, words = found
        for program, run_dir in pairwise(words):
            marked = program == RUN_MARK or Path(program).parts[-2:] == HOST
            if marked and os.path.realpath(Path(run_dir).parent) == wanted:
                return Path(run_dir).name
        seen.add(pid)
        child, pid = pid, parent
    return None


def commands() -> Iterator[tuple[int, list[str]]]:
    """(process id, the words of its command line) of every process that can be seen."""
    if LINUX:
        for name in os.listdir("/proc"):  # noqa: PTH208 - names, not paths
            if name.isdigit() and (found := _process(int(name))) is not None:
                yield int(name), found[1]
        return
    import subprocess

    try:
        listed = subprocess.run(
            ["ps", "-axww", "-o", "pid=,command="], capture_output=True, timeout=5, env={"LC_ALL": "C"}
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return
    for line in listed.decode(errors="surrogateescape").splitlines():
        pid, *words = line.split()
        yield int(pid), words


def _process(pid: int) -> tuple[int, list[str]] | None:
    """(its parent, the words of its command line); None when it is gone."""
    if LINUX:
        try:
            text = Path(f"/proc/{pid}/stat").read_bytes()
            words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="surrogateescape").split("\0")
        except OSError:
            return None
        return int(text[text.rindex(b")") + 2 :].split()[1]), words
    import subprocess

    try:
        text = subprocess.run(
            ["ps", "-ww", "-o", "ppid=,command=", "-p", str(pid)], capture_output=True, timeout=5, env={"LC_ALL": "C"}
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    parent, *words = text.decode(errors="surrogateescape").split() or [""]
    return (int(parent), words) if parent else None
