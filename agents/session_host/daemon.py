"""Takes the run directory's lock, goes into the background, tells its starter, runs the session."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

from ...system.locks import Lock
from .plan import Launch
from .session import HostSession

LOCK_SECONDS = 10.0
"""Somebody who only looks at the lock or seals the directory holds it for a moment."""


def main(arguments: list[str]) -> int:
    """Exit 0 with our process id on standard output once the host holds its lock and listens; 75 when it may not.

    The second argument is the descriptor of the run directory's lock when the starter has taken it for us.
    """
    if len(arguments) not in (1, 2):
        print("usage: host.py RUN_DIR [LOCK]", file=sys.stderr)
        return 2
    run_dir = Path(arguments[0]).resolve()
    os.umask(0o077)
    try:
        launch = Launch.read(run_dir / "launch.json")
    except (OSError, ValueError, KeyError, TypeError) as error:
        print(f"{run_dir / 'launch.json'} cannot be used: {error!r}", file=sys.stderr)
        return 1
    lock = Lock(run_dir / "host.lock", descriptor=_handed(run_dir / "host.lock", *arguments[1:]))
    if not lock.take(LOCK_SECONDS):
        print("another host is running this session", file=sys.stderr)
        return 75
    if (run_dir / "outcome.json").exists() or (run_dir / "host.json").exists():
        print("this run directory has already been used or sealed", file=sys.stderr)
        return 75
    reader, writer = os.pipe()
    if os.fork():
        os.close(writer)
        with os.fdopen(reader) as told:
            pid = told.read()
        print(pid)
        return 0 if pid else 1
    os.close(reader)
    _into_background(run_dir)
    session = HostSession(run_dir, launch)
    os.write(writer, str(os.getpid()).encode())
    os.close(writer)
    session.run()
    return 0


def _handed(path: Path, number: str = "") -> int | None:
    """The descriptor that was handed to us, when it is that of this run directory's lock."""
    with suppress(OSError, ValueError):
        handed = int(number)
        if os.path.samestat(os.fstat(handed), path.stat()):
            os.set_inheritable(handed, False)  # or the agent would hold it on when we are gone
            return handed
    return None


def _into_background(run_dir: Path) -> None:
    os.setsid()
    os.chdir("/")
    nothing = os.open(os.devnull, os.O_RDWR)
    errors = os.open(run_dir / "host.err", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for here, there in ((nothing, 0), (nothing, 1), (errors, 2)):
        os.dup2(here, there)
    os.close(nothing)
    os.close(errors)
    with suppress(OSError, AttributeError):
        _adopt_orphans()


def _adopt_orphans() -> None:
    """Processes that the agent's children leave behind become ours (Linux), so that they can be found and ended."""
    import ctypes

    set_child_subreaper = 36
    ctypes.CDLL(None, use_errno=True).prctl(set_child_subreaper, 1, 0, 0, 0)
