"""A board on a terminal, which somebody looks at."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

KEPT_BYTES = 1 << 18
PATIENCE_SECONDS = 60.0


class Watcher:
    """A person's board. What it paints is taken from the terminal, so that it never waits for that."""

    def __init__(self, environment: Mapping[str, str], directory: str) -> None:
        self._master, slave = pty.openpty()
        termios.tcsetwinsize(self._master, (45, 160))
        self._program = subprocess.Popen(
            [sys.executable, "-m", "solo_unicorn"],
            env=dict(environment) | {"TERM": "xterm-256color"},
            cwd=directory,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        os.close(slave)
        self._said, self._painted = b"", threading.Condition()
        self._reader = threading.Thread(target=self._look, daemon=True)
        self._reader.start()

    def _look(self) -> None:
        while True:
            try:
                chunk = os.read(self._master, 1 << 16) if select.select([self._master], [], [], 0.2)[0] else None
            except OSError:  # its program has ended
                return
            with self._painted:
                self._said = (self._said + (chunk or b""))[-KEPT_BYTES:]
                self._painted.notify_all()

    def sees(self, words: str) -> None:
        """Wait until it says so."""
        with self._painted:
            wanted = words.encode()
            assert self._painted.wait_for(lambda: wanted in self._said, PATIENCE_SECONDS), (
                f"the board never says {words!r}"
            )

    def works(self) -> None:
        """Wait until it has its workspace open: once for its first frame, and once for itself."""
        end, files = time.monotonic() + PATIENCE_SECONDS, Path(f"/proc/{self._program.pid}/fd")
        while _opened(files) < 2:
            assert time.monotonic() < end and not self.ended(), "the board does not open its workspace"
            time.sleep(0.1)

    def ended(self) -> bool:
        """Whether it is gone, which nobody asked it to be."""
        return self._program.poll() is not None

    def close(self) -> list[str]:
        """Take the terminal away; what was wrong with it."""
        gone = self.ended()
        self._program.terminate()
        try:
            self._program.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self._program.kill()
            return ["the board does not end"]
        finally:
            self._reader.join(5)
            os.close(self._master)
        wrong = [f"the board ended by itself: {self._said[-800:]!r}"] if gone else []
        return wrong + (["the board printed a traceback"] if b"Traceback" in self._said else [])


def _opened(files: Path) -> int:
    found = 0
    for one in files.iterdir():
        with suppress(OSError):  # it was closed meanwhile
            found += one.readlink().name == "workspace.db"
    return found
