"""Files that are whole or absent, whatever dies when."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

RESERVED_BYTES = 32 << 10


def replace(path: Path, content: bytes, *, mode: int = 0o600, durable: bool = True) -> None:
    """Give a file new content in one step: a reader sees all of the old content or all of the new.

    `durable` (the default) puts the content and the rename on disk before returning, so that this also holds after a
    power cut. Raises OSError; the old content is then still there.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}"[-255:])
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        try:
            os.fchmod(descriptor, mode)  # whatever the umask
            _write_all(descriptor, content)
            if durable:
                os.fsync(descriptor)
        finally:
            os.close(descriptor)
        draft.replace(path)
    except BaseException:
        with suppress(OSError):
            draft.unlink()
        raise
    if durable:
        sync_directory(path.parent)


def for_its_owner(path: str, flags: int) -> int:
    """An `opener` of a file that is made for its owner alone, whatever the umask."""
    return os.open(path, flags, 0o600)


def remove_tree(directory: Path) -> None:
    """Remove a directory and all that is in it, also what may not be read or written. Raises OSError."""
    import shutil  # the first frame of the board is there without it

    make_removable(directory)
    shutil.rmtree(directory)


def make_removable(directory: Path) -> None:
    """Let its owner read and change a directory and all directories in it; what is another's stays as it is."""
    _open(directory)
    for here, names, _ in os.walk(directory):
        for name in names:
            if not (inner := Path(here, name)).is_symlink():
                _open(inner)


def _open(directory: Path) -> None:
    mode = directory.stat().st_mode
    if mode & 0o700 != 0o700:
        with suppress(PermissionError):
            directory.chmod(stat.S_IMODE(mode) | 0o700)


def sync_directory(directory: Path) -> None:
    """Put the names in a directory on disk: what was made, renamed or removed in it."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class ReservedFile:
    """A file to be written later, whose place on the disk is taken now, so that a full disk cannot prevent it."""

    def __init__(self, path: Path) -> None:
        self._name, self._draft = path.name, f".{path.name}.reserved"
        self._directory = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
        self._descriptor = os.open(self._draft, flags, 0o600, dir_fd=self._directory)
        _write_all(self._descriptor, b" " * RESERVED_BYTES)
        os.fsync(self._descriptor)

    def commit(self, content: bytes) -> None:
        """Write the content and put the file in its place, durably. More than RESERVED_BYTES needs room on the disk.

        The place is in the directory that was there at the beginning, wherever that was moved since.
        """
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        _write_all(self._descriptor, content)
        os.ftruncate(self._descriptor, len(content))
        with suppress(OSError):  # without the sync a reader finds it all the same, unless the power is cut
            os.fsync(self._descriptor)
        os.close(self._descriptor)
        os.replace(self._draft, self._name, src_dir_fd=self._directory, dst_dir_fd=self._directory)
        with suppress(OSError):
            os.fsync(self._directory)
        os.close(self._directory)


def _write_all(descriptor: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]
