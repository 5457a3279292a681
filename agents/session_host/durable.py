"""Files that are whole or absent, whatever dies when."""

from __future__ import annotations

import os
from pathlib import Path

RESERVED = 32 << 10


def replace_file(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Write the file anew: a reader sees the old content or the new one, and after a power cut too."""
    new = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
    try:
        os.fchmod(descriptor, mode)
        _write_all(descriptor, content)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    new.replace(path)
    sync_directory(path.parent)


def sync_directory(directory: Path) -> None:
    """Make a rename within the directory durable."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class ReservedFile:
    """A file that will be written later, with its place on the disk taken now: a full disk cannot prevent it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._new = path.with_name(f".{path.name}.reserved")
        self._descriptor = os.open(self._new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        _write_all(self._descriptor, b" " * RESERVED)
        os.fsync(self._descriptor)

    def commit(self, content: bytes) -> None:
        """Write the content (shorter than what was reserved, or the disk must have room), and put it in its place."""
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        _write_all(self._descriptor, content)
        os.ftruncate(self._descriptor, len(content))
        os.fsync(self._descriptor)
        os.close(self._descriptor)
        self._new.replace(self._path)
        sync_directory(self._path.parent)


def _write_all(descriptor: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]
