"""One lock per repository and purpose, seen by every process: a flock below the repository's common directory."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..missions.errors import TryAgain
from ..system.locks import Lock

OURS = "solo-unicorn"
"""Our directory inside a repository's common git directory: locks, the landing journal, the landing history."""


def our_dir(common_dir: Path) -> Path:
    """The directory for our own files of a repository, made when it is not there."""
    directory = common_dir / OURS
    directory.mkdir(exist_ok=True)
    return directory


@contextmanager
def hold(common_dir: Path, purpose: str, *, timeout: float = 60.0) -> Iterator[None]:
    """Hold the lock `purpose` of a repository; TryAgain names the holder when it does not come free in time.

    Adding, moving, removing and pruning worktrees take `worktrees`; a landing takes `landing-<target>`.
    """
    path = our_dir(common_dir) / f"{purpose}.lock"
    lock = Lock(path)
    handle = lock.fileno()
    try:
        if not lock.take(timeout):
            raise _busy(path, purpose, lock, timeout)
        lock.sign(str(os.getpid()).encode())
        _held.handles = (*held_handles(), handle)
        yield
    finally:
        _held.handles = tuple(other for other in held_handles() if other != handle)
        lock.release()


def held_handles() -> tuple[int, ...]:
    """Descriptors of the locks this thread holds. A git command gets them handed on: when we are killed, the lock
    stays taken until that command has ended, and nobody recovers what is still being written.
    """
    return getattr(_held, "handles", ())


_held = threading.local()


def _busy(path: Path, purpose: str, lock: Lock, timeout: float) -> TryAgain:
    """The refusal, with the process id its holder wrote."""
    holder = lock.signature().decode(errors="replace") or "unknown"
    return TryAgain(
        f"another process holds {path}",
        why=f"process {holder} has worked under the lock {purpose!r} for more than {timeout:g} s",
        todo="wait for it to finish and try again",
    )
