"""A service of its own per test, ended by its lock's signature whatever the test did."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from solo_unicorn.config import paths
from solo_unicorn.workstation import client, lock

PATIENCE = 30.0


def until(condition: Callable[[], object], what: str, patience: float = PATIENCE) -> None:
    """Look until it holds; fails naming what did not come."""
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, f"not within {patience} s: {what}"
        time.sleep(0.02)


def service_is_gone() -> bool:
    """Whether no service holds the lock of this home."""
    return not lock.is_held(paths.service_lock())


@pytest.fixture
def workstation(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home whose service, if the test leaves one, is ended with it."""
    monkeypatch.setenv("SOLO_UNICORN_WORKSTATION_IDLE_EXIT_SECONDS", "60")
    yield home
    owner = lock.owner(paths.service_lock())
    if lock.is_held(paths.service_lock()) and owner is not None:
        with suppress(Exception):
            client.stop(force=True, timeout=5)
        with suppress(ProcessLookupError):
            if lock.is_held(paths.service_lock()):
                os.kill(owner.pid, signal.SIGKILL)
    until(service_is_gone, "the service left")
