"""Locks between processes: an flock on a file that is never removed.

Such a lock is free the moment its holder's process is gone, however it went. The file stays, because removing it would
let two processes lock two files of one name.
"""

from __future__ import annotations

import fcntl
import os
import time
from types import TracebackType
from typing import Self

from .backoff import Backoff

FIRST_LOOK, LONGEST_LOOK = 0.002, 0.1
"""Seconds between two tries while a lock is waited for with a limit."""


class Lock:
    """One lock; `with Lock(path):` waits for it without a limit and gives it back at the end."""

    def __init__(self, path: str | os.PathLike[str], *, descriptor: int | None = None) -> None:
        """Open the file, making it for its owner alone. A `descriptor` that was inherited is used as it is."""
        self._descriptor = descriptor
        if descriptor is None:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def __enter__(self) -> Self:
        fcntl.flock(self.fileno(), fcntl.LOCK_EX)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.release()

    def take(self, timeout: float = 0.0) -> bool:
        """Whether the lock was taken within `timeout` seconds; one try at least."""
        deadline, pause = time.monotonic() + timeout, Backoff(FIRST_LOOK, LONGEST_LOOK)
        while True:
            try:
                fcntl.flock(self.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
                return True
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    return False
                time.sleep(pause.next())

    def sign(self, content: bytes) -> None:
        """Write into the file who holds the lock; `content` replaces what stood there."""
        os.ftruncate(self.fileno(), 0)
        os.pwrite(self.fileno(), content, 0)

    def signature(self) -> bytes:
        """What the last holder wrote (at most 4 kB); it may be torn, and may have given the lock back since."""
        return os.pread(self.fileno(), 4096, 0)

    def fileno(self) -> int:
        """The open descriptor. A process that inherits it holds the lock too."""
        if self._descriptor is None:
            raise ValueError("the lock was released")
        return self._descriptor

    def release(self) -> None:
        """Give the lock back; may be called twice."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def is_held(path: str | os.PathLike[str]) -> bool:
    """Whether some process holds the lock now. A file that exists and cannot be looked at counts as held."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False
