"""A real pseudo-terminal with a program on it."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import sys
import termios
import time
from collections.abc import Callable

import pyte

DEADLINE = 30.0
WIDTH, HEIGHT = 160, 45
BOARD = "from solo_unicorn.tui.start.open_board import open_board; raise SystemExit(open_board(serve=False))"


class Terminal:
    """A program on a pseudo-terminal; what it says is shown by an emulator as it comes."""

    def __init__(self, script: str) -> None:
        self.master, self._slave = pty.openpty()
        termios.tcsetwinsize(self.master, (HEIGHT, WIDTH))
        self.mode = termios.tcgetattr(self._slave)
        self.said = b""
        self.screen = pyte.Screen(WIDTH, HEIGHT)
        self._stream = pyte.ByteStream(self.screen)
        self.pid = os.fork()
        if self.pid == 0:
            os.login_tty(self._slave)
            signal.signal(signal.SIGHUP, signal.SIG_DFL)  # a terminal has it, whatever the tests were started with
            os.execve(sys.executable, [sys.executable, "-c", script], os.environ)
        self.status: int | None = None

    def listen(self, wanted: Callable[[], object], each: Callable[[], None] = lambda: None) -> None:
        """Until something is so; `each` is called after every chunk."""
        end = time.monotonic() + DEADLINE
        while not wanted():
            assert time.monotonic() < end, f"did not come; the screen:\n{self.text}\n{self.said[-2000:]!r}"
            if select.select([self.master], [], [], 0.05)[0]:
                chunk = os.read(self.master, 1 << 16)
                self.said += chunk
                self._stream.feed(chunk)
                each()

    def ended(self) -> bool:
        """Whether the program has ended; it is reaped then."""
        if self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self.status = status if pid else None
        return self.status is not None and not select.select([self.master], [], [], 0)[0]

    @property
    def text(self) -> str:
        """What is shown, but for the seconds that pass meanwhile."""
        return re.sub(r"\d+ s\b", "n s", "\n".join(self.screen.display))

    def type(self, keys: bytes) -> None:
        """As a person does."""
        os.write(self.master, keys)

    def resize(self, width: int, height: int) -> None:
        """Another size, of which the kernel tells the program; what comes at once is listened to."""
        self.screen.resize(height, width)
        termios.tcsetwinsize(self.master, (height, width))
        self.listen(lambda: not select.select([self.master], [], [], 0)[0])

    def hang_up(self) -> int | None:
        """Take the terminal away; how the program ended (as of waitpid), None when it did not."""
        os.close(self.master)
        self.master = -1
        end = time.monotonic() + DEADLINE
        while self.status is None and time.monotonic() < end:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self.status = status if pid else None
            time.sleep(0.01)
        return self.status

    def is_stopped(self) -> bool:
        """Whether the program was stopped since this was asked last."""
        pid, status = os.waitpid(self.pid, os.WNOHANG | os.WUNTRACED)
        return bool(pid) and os.WIFSTOPPED(status)

    def assert_given_back(self) -> None:
        """As it was before."""
        assert termios.tcgetattr(self._slave) == self.mode
        assert self.said.rfind(b"\x1b[?1049l") > self.said.rfind(b"\x1b[?1049h")
        assert self.said.rfind(b"\x1b[?25h") > self.said.rfind(b"\x1b[?25l")

    def close(self) -> None:
        """End what is left."""
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        if self.master >= 0:
            os.close(self.master)
        os.close(self._slave)
