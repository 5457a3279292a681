"""Replacing a file: one writer at a time, and a reader never sees half of it.

Written aside, put on disk, then renamed. A file that is a link, as people keep their dot files, stays one: what it
points to is replaced.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..missions.errors import SoloUnicornError


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """One process at a time changes the file; the lock is a file beside it."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(path.parent / f".{path.name}.lock", os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def write(path: Path, text: str) -> None:
    """Replace the file's content in one step; SoloUnicornError when that fails, the old content kept."""
    target = Path(os.path.realpath(path))
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise SoloUnicornError(
            f"{target} was not changed",
            why=error.strerror or str(error),
            todo="make its directory writable and see that the disk has space",
        ) from error
