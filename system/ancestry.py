"""Whether a process was started by an agent: a session host of this home is among its ancestors.

The host adopts what the agent's children leave behind (agents/session_host/daemon.py), so that a process cannot leave
its session by going into the background, and neither an environment variable nor a working directory is asked. What
another program of the system starts on an agent's behalf (systemd, cron, a container) is not below the host: keeping
an agent from those is the work of a sandbox.
"""

from __future__ import annotations

import os
import socket
import struct
import sys
from itertools import pairwise
from pathlib import Path

HOST = ("agents", "host.py")
"""How the path of the program ends that is a session host."""
DEEPEST = 256
"""Ancestors that are looked at: a chain is longer only where process ids were reused meanwhile."""
LINUX = sys.platform.startswith("linux")


def session_above(pid: int, runs: Path) -> str | None:
    """The id of the session below which a process runs, among those with their directories in `runs`; None: of none."""
    wanted = os.path.realpath(runs)
    for _ in range(DEEPEST):
        if pid <= 1:
            return None
        parent, words = _process(pid)
        for program, run_dir in pairwise(words):
            if Path(program).parts[-2:] == HOST and os.path.realpath(Path(run_dir).parent) == wanted:
                return Path(run_dir).name
        pid = parent
    return None


def peer_of(connected: socket.socket) -> int | None:
    """The process id of the other end of a Unix socket; None where the system does not say."""
    if hasattr(socket, "SO_PEERCRED"):
        size = struct.calcsize("3i")
        pid, _, _ = struct.unpack("3i", connected.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size))
        return int(pid) or None
    if sys.platform == "darwin":
        local, peer_pid = 0, 2  # SOL_LOCAL, LOCAL_PEERPID of sys/un.h
        return int(connected.getsockopt(local, peer_pid)) or None
    return None


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
