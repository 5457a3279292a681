"""Single by lock: one workstation service per machine and workspace.

An flock on a file that is never removed, so it is free the moment its holder's process is gone, however it went. The
descriptor is not inherited: an agent that outlives the service does not keep the lock. No pid is ever trusted for
liveness; the owner's pid in the file is for people.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from ..missions.errors import TryAgain

PROBE_SECONDS = 0.5
"""How long `acquire` puts up with somebody who only looks (see `holder`)."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Who holds the lock."""

    pid: int
    version: str
    started_at: str
    """UTC, ISO 8601 with Z."""


class AlreadyRunning(TryAgain):
    """Another service of this workspace runs; `owner` says which (None when it has not signed yet)."""

    code = "already_running"

    def __init__(self, owner: Owner | None) -> None:
        who = (
            f"pid {owner.pid}, started {owner.started_at}, version {owner.version}" if owner else "it is just starting"
        )
        super().__init__(
            "The workstation service already runs",
            why=f"this workspace has one service and it is held by another process ({who})",
            todo="use it as it is, or stop it with `solo-unicorn workstation stop`",
        )
        self.owner = owner


class ServiceLock:
    """Held from `acquire` to `release` or the end of the process."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def acquire(self, owner: Owner) -> None:
        """Take the lock and sign it.

        Raises AlreadyRunning when somebody holds it for longer than a look takes.
        """
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        deadline = time.monotonic() + PROBE_SECONDS
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                signed = _signature(descriptor)
                if time.monotonic() > deadline:
                    os.close(descriptor)
                    raise AlreadyRunning(signed) from None
                time.sleep(0.01)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(asdict(owner)).encode() + b"\n", 0)
        self._descriptor = descriptor

    def release(self) -> None:
        """Give the lock back; the file stays, since removing it would let two processes lock two files."""
        if self._descriptor is not None:
            os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = None


def is_held(path: Path) -> bool:
    """Whether some process holds the lock now."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def owner(path: Path) -> Owner | None:
    """Who signed the lock last; ask `is_held` whether it still holds."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        return _signature(descriptor)
    finally:
        os.close(descriptor)


def _signature(descriptor: int) -> Owner | None:
    try:
        match json.loads(os.pread(descriptor, 4096, 0) or b"null"):
            case {"pid": int(pid), "version": str(version), "started_at": str(started_at)}:
                return Owner(pid, version, started_at)
    except ValueError:
        pass  # torn by a killed writer: unsigned
    return None
