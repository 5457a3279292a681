"""Starting the program of an agent, which ends with its host."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

from .plan import Launch


def start(launch: Launch) -> subprocess.Popen[bytes]:
    """The program in a session of its own, with pipes; OSError when it cannot be started."""
    environment = {name: value for name, value in os.environ.items() if name not in launch.unset}
    return subprocess.Popen(
        [*launch.sandbox, *launch.argv],
        cwd=launch.cwd,
        env=environment | launch.environment,
        start_new_session=True,
        close_fds=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
        preexec_fn=partial(_in_the_child, bool(launch.sandbox)),
    )


def why_not_started(error: OSError, launch: Launch) -> str:
    """What is said of a program that could not be started."""
    if not Path(launch.cwd).is_dir():
        return f"its directory {launch.cwd} is gone"
    return f"{launch.argv[0]} cannot be started: {error.strerror or error}"


def _in_the_child(sandboxed: bool) -> None:
    """Between fork and exec: no signal blocked (those we handle are at their default then), no life without a host."""
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    if sandboxed:  # the program that holds it is in its group, and stays until the agent has ended
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
    if sys.platform.startswith("linux"):
        set_parent_death_signal = 1
        ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGTERM, 0, 0, 0)
