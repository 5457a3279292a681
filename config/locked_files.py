"""Replacing a file: one writer at a time, and a reader never sees half of it.

A file that is a link, as people keep their dot files, stays one: what it
points to is replaced.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from ..missions.errors import SoloUnicornError
from ..system import files
from ..system.locks import Lock


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """One process at a time changes the file; the lock is a file beside it."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with Lock(path.parent / f".{path.name}.lock"):
        yield


def is_stream(path: Path) -> bool:
    """Whether the path names something that is written to and not replaced: a pipe, a device, a descriptor of ours."""
    opened = str(path).startswith(("/dev/std", "/dev/fd/", "/proc/self/fd/"))
    return opened or (path.exists() and not path.is_file() and not path.is_dir())


@contextmanager
def writing(path: Path) -> Iterator[IO[str]]:
    """A file to write to, which takes the path's place when the block ends; SoloUnicornError, and the old file stays.

    What is not a file (a named pipe, a device, an open descriptor) is written to.
    """
    target = Path(os.path.realpath(path))
    if is_stream(path):
        with path.open("w", encoding="utf-8") as stream:
            yield stream
        return
    draft = target.with_name(f".{target.name}.{os.getpid()}"[-255:])
    try:
        with open(draft, "x", encoding="utf-8", opener=_private) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)
        files.sync_directory(target.parent)
    except OSError as error:
        raise _unchanged(target, error) from error
    finally:
        draft.unlink(missing_ok=True)


def write(path: Path, text: str) -> None:
    """Replace the file's content in one step; SoloUnicornError when that fails, the old content kept.

    What is not a file (a named pipe, a device, an open descriptor) is written to.
    """
    target = Path(os.path.realpath(path))
    if is_stream(path):
        with path.open("w", encoding="utf-8") as stream:
            stream.write(text)
        return
    try:
        files.replace(target, text.encode())
    except OSError as error:
        raise _unchanged(target, error) from error


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _unchanged(target: Path, error: OSError) -> SoloUnicornError:
    return SoloUnicornError(
        f"{target} was not changed",
        why=error.strerror or str(error),
        todo="make its directory writable, and check that the disk has space",
    )
