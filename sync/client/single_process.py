"""One process synchronises a workspace at a time, whoever holds the lock: the service, or a command."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ...missions.errors import TryAgain
from ...system.locks import Lock

LOOK_SECONDS = 0.02
"""Whoever only looks whether the lock is held (system/locks.py) has it for less than this."""


class EngineRuns(TryAgain):
    """Another process synchronises this workspace."""

    code = "sync_runs"


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Hold the lock of the one engine; EngineRuns when another process does. Free when its holder is gone."""
    lock = Lock(path)
    try:
        if not lock.take(LOOK_SECONDS):
            raise EngineRuns(
                "Another process synchronises this workspace", todo="nothing; that process sends your changes"
            )
        yield
    finally:
        lock.release()
