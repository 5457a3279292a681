"""Ending every session of this home, whoever started it and whether a service runs or not (`workstation stop --force`).

Only the hosts' own records say what there is: each run directory with a host that holds its lock, or with an agent that
its host left behind. The missions are told by the next service, which finds the sessions over.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Final

from ..agents import launch
from ..agents.handle import HostHandle
from ..agents.session_host.processes import end_processes, identify
from ..config import paths
from ..missions.errors import SoloUnicornError, TryAgain
from ..system import files, strict_json

HOST_SECONDS = 10.0
"""How long a host that was told to end its agent may take before it is ended itself."""
_STOPPED: Final = {"reason": "stop", "signals": ["SIGKILL"]}


def end_all_sessions() -> list[str]:
    """End every session and prove that none is left; the ids of those that ran. TryAgain names what still lives."""
    runs = [launch.attach(run_dir) for run_dir in sorted(paths.runs_dir().iterdir()) if run_dir.is_dir()]
    open_ones = [one for one in runs if one.alive() or one.outcome() is None]
    running = [one for one in open_ones if one.alive()]
    for one in running:
        _tell(one)
    _wait(running)
    for one in running:
        if one.alive() and one.pid is not None and (host := identify(one.pid)) is not None:
            end_processes([host], grace=0.0)
    _wait(running)
    left = [one.run_dir.name for one in open_ones if not one.end_leftovers()]
    if left:
        raise TryAgain(
            f"{len(left)} session(s) are still running: {', '.join(left)}",
            why="their processes did not end, not even when they were killed",
            todo="try again; `ps` shows the processes",
        )
    for one in open_ones:
        if one.outcome() is None and one.pid is not None:  # its host cannot say it any more; without it, it would go on
            files.replace(one.run_dir / "outcome.json", strict_json.dumps({"stop": _STOPPED}).encode())
    return [one.run_dir.name for one in running]


def _tell(one: HostHandle) -> None:
    try:
        one.stop("stop", grace=2.0)
    except SoloUnicornError:  # it hangs, or is just ending: what is left of it is ended below
        return


def _wait(hosts: Iterable[HostHandle]) -> None:
    until = time.monotonic() + HOST_SECONDS
    while any(one.alive() for one in hosts) and time.monotonic() < until:
        time.sleep(0.05)
