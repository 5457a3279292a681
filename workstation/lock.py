"""Single by lock: one workstation service per machine and workspace.

An flock on a file that is never removed, so it is free the moment its holder's process is gone, however it went. The
descriptor is not inherited: an agent that outlives the service does not keep the lock. No pid is ever trusted for
liveness; the owner's pid in the file is for people.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from ..missions.errors import TryAgain
from ..system import strict_json
from ..system.locks import Lock

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
        who = f"pid {owner.pid}, started {owner.started_at}, version {owner.version}" if owner else "it is starting"
        super().__init__(
            "The workstation service is already running",
            why=f"a workspace has only one service, and another process ({who}) runs it",
            todo="use that one, or stop it with `solo-unicorn workstation stop`",
        )
        self.owner = owner


class ServiceLock:
    """Held from `acquire` to `release` or the end of the process."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock: Lock | None = None

    def acquire(self, owner: Owner) -> None:
        """Take the lock and sign it.

        Raises AlreadyRunning when somebody holds it for longer than a look takes.
        """
        lock = Lock(self._path)
        if not lock.take(PROBE_SECONDS):
            signed = _owner(lock.signature())
            lock.release()
            raise AlreadyRunning(signed)
        lock.sign(strict_json.dumps(asdict(owner)).encode() + b"\n")
        self._lock = lock

    def release(self) -> None:
        """Give the lock back; the file stays, since removing it would let two processes lock two files."""
        if self._lock is not None:
            self._lock.sign(b"")
            self._lock.release()
            self._lock = None


def owner(path: Path) -> Owner | None:
    """Who signed the lock last; ask `system.locks.is_held` whether it still holds."""
    try:
        return _owner(path.read_bytes())
    except FileNotFoundError:
        return None


def _owner(signature: bytes) -> Owner | None:
    try:
        match strict_json.loads(signature or b"null"):
            case {"pid": int(pid), "version": str(version), "started_at": str(started_at)}:
                return Owner(pid, version, started_at)
    except ValueError:
        pass  # torn by a killed writer: unsigned
    return None
