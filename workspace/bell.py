"""The doorbell: after a commit the writer sends one datagram to every process that listens.

A hint, never the truth: who hears it (or nothing for a second) asks `PRAGMA data_version`. A listener is a Unix
datagram socket in the bell directory; one that answers no more is removed by the next ringer.
"""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path

GONE = {errno.ECONNREFUSED, errno.ENOENT}


def ring(directory: Path) -> None:
    """Wake every listener; costs nothing when there is none and never raises."""
    try:
        names = [entry.path for entry in os.scandir(directory) if entry.name.endswith(".bell")]
    except OSError:
        return
    if not names:
        return
    import socket

    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ringer:
        ringer.setblocking(False)
        for name in names:
            try:
                ringer.sendto(b"!", name)
            except OSError as error:
                if error.errno in GONE:
                    with suppress(OSError):
                        Path(name).unlink()


class Bell:
    """A listener's end; `fileno()` is readable when somebody rang."""

    def __init__(self, directory: Path) -> None:
        import socket

        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._path = directory / f"{os.getpid()}-{os.urandom(4).hex()}.bell"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            self._socket.bind(str(self._path))
        except OSError:
            self._socket.close()
            raise
        self._socket.setblocking(False)

    def fileno(self) -> int:
        """The descriptor to wait on."""
        return self._socket.fileno()

    def drain(self) -> bool:
        """Take all rings that came; True when there was one."""
        heard = False
        with suppress(BlockingIOError):
            while self._socket.recv(16):
                heard = True
        return heard

    def close(self) -> None:
        self._socket.close()
        self._path.unlink(missing_ok=True)
