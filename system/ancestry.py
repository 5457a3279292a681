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
from itertools import pairwise
from pathlib import Path

HOST = ("agents", "host.py")
"""How the path of the program ends that is a session host."""
RUN_MARK = "SOLO_UNICORN_RUN"
"""Before the run directory on the command line of the first process in a sandbox with process ids of its own."""
DEEPEST = 256
"""Ancestors that are looked at: a chain is longer only where process ids were reused meanwhile."""
LINUX = sys.platform.startswith("linux")


def session_above(pid: int, runs: Path) -> str | None:
    """The id of the session below which a process runs, among those with their directories in `runs`; None: of none."""
    wanted = os.path.realpath(runs)
    for _ in range(DEEPEST):
        if pid < 1:
            return None
        parent, words = _process(pid)
        for program, run_dir in pairwise(words):
            marked = program == RUN_MARK or Path(program).parts[-2:] == HOST
            if marked and os.path.realpath(Path(run_dir).parent) == wanted:
                return Path(run_dir).name
        pid = parent
    return None


def commands() -> Iterator[tuple[int, list[str]]]:
    """(process id, the words of its command line) of every process that can be seen."""
    if LINUX:
        for name in os.listdir("/proc"):  # noqa: PTH208 - names, not paths
            if name.isdigit():
                yield int(name), _process(int(name))[1]
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


def _process(pid: int) -> tuple[int, list[str]]:
    """(its parent, the words of its command line); (0, []) when it is gone."""
    if LINUX:
        try:
            text = Path(f"/proc/{pid}/stat").read_bytes()
            words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="surrogateescape").split("\0")
        except OSError:
            return 0, []
        return int(text[text.rindex(b")") + 2 :].split()[1]), words
    import subprocess

    try:
        text = subprocess.run(
            ["ps", "-ww", "-o", "ppid=,command=", "-p", str(pid)], capture_output=True, timeout=5, env={"LC_ALL": "C"}
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return 0, []
    parent, *words = text.decode(errors="surrogateescape").split() or ["0"]
    return int(parent), words
