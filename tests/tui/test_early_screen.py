"""Between the first frame and Textual, on a real terminal: nothing flashes, no key is lost, the terminal comes back."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pyte
import pytest

from solo_unicorn.sync.workspace import Workspace

DEADLINE = 30.0
WIDTH, HEIGHT = 160, 45
BOARD = "from solo_unicorn.tui.start import open_board; raise SystemExit(open_board(serve=False))"


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

    def assert_given_back(self) -> None:
        """As it was before."""
        assert termios.tcgetattr(self._slave) == self.mode
        assert self.said.rfind(b"\x1b[?1049l") > self.said.rfind(b"\x1b[?1049h")
        assert self.said.rfind(b"\x1b[?25h") > self.said.rfind(b"\x1b[?25l")

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

    def close(self) -> None:
        """End what is left."""
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        if self.master >= 0:
            os.close(self.master)
        os.close(self._slave)


@pytest.fixture
def on_terminal(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Terminal]]:
    for name, value in {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LC_ALL": "C.UTF-8"}.items():
        monkeypatch.setenv(name, value)
    for name in ("NO_COLOR", "COLUMNS", "LINES"):
        monkeypatch.delenv(name, raising=False)
    with Workspace.open() as workspace:
        workspace.create_sample_project()
    opened: list[Terminal] = []

    def open_terminal(script: str) -> Terminal:
        opened.append(Terminal(script))
        return opened[-1]

    yield open_terminal
    for terminal in opened:
        terminal.close()


def test_the_frame_stays_a_key_typed_early_counts_and_the_terminal_comes_back(
    on_terminal: Callable[[str], Terminal],
) -> None:
    terminal = on_terminal(BOARD)
    terminal.listen(lambda: "everything" in terminal.text)
    first = terminal.text
    assert b"\x1b[?1000h" not in terminal.said, "Textual is not there yet"
    frames: list[str] = []
    terminal.listen(lambda: b"\x1b[?2004h" in terminal.said, each=lambda: frames.append(terminal.text))
    terminal.listen(lambda: b"\x1b]0;" in terminal.said or len(frames) > 10, each=lambda: frames.append(terminal.text))
    assert set(frames) == {first}, "what Textual paints is what stood there"
    assert terminal.said.count(b"\x1b[?1049h") == 1, "the screen is not cleared on the way"
    terminal.type(b"\x11")
    terminal.listen(terminal.ended)
    assert terminal.status == 0
    terminal.assert_given_back()


def test_keys_typed_before_textual_is_there_are_neither_echoed_nor_lost(
    on_terminal: Callable[[str], Terminal],
) -> None:
    terminal = on_terminal(BOARD)
    terminal.listen(lambda: "everything" in terminal.text)
    first = terminal.text
    terminal.type(b"?")
    terminal.listen(lambda: "What every key does" in terminal.text or terminal.text != first)
    assert "?" not in terminal.text.replace(first, "")[:1]
    terminal.type(b"\x11")
    terminal.listen(terminal.ended)
    terminal.assert_given_back()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_between_gives_the_terminal_back(
    on_terminal: Callable[[str], Terminal], number: signal.Signals
) -> None:
    terminal = on_terminal(
        "import signal\nfrom solo_unicorn.tui.early_screen import EarlyScreen\n"
        "with EarlyScreen('the first frame'):\n    signal.pause()"
    )
    terminal.listen(lambda: "the first frame" in terminal.text)
    os.kill(terminal.pid, number)
    terminal.listen(terminal.ended)
    assert terminal.status is not None and os.WTERMSIG(terminal.status) == number
    terminal.assert_given_back()


@pytest.mark.parametrize("told", [True, False], ids=["told by the kernel", "somebody else is told"])
def test_a_board_whose_terminal_is_gone_ends(on_terminal: Callable[[str], Terminal], told: bool) -> None:
    deaf = "" if told else "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
    terminal = on_terminal(deaf + BOARD)
    terminal.listen(lambda: b"\x1b[?2004h" in terminal.said and "everything" in terminal.text)
    terminal.type(b"j")
    status = terminal.hang_up()
    assert status is not None, "it goes on without a terminal"
    assert os.WTERMSIG(status) == signal.SIGHUP if told else os.WEXITSTATUS(status) == 128 + signal.SIGHUP
    with Workspace.open() as workspace:
        assert workspace.projects(), "what was there is there"


def test_an_error_between_gives_the_terminal_back_and_is_told(on_terminal: Callable[[str], Terminal]) -> None:
    terminal = on_terminal(
        "from solo_unicorn.tui import start\nimport solo_unicorn.config.log as log\n"
        "def broken(*_, **__): raise OSError('no log today')\nlog.setup = broken\n" + BOARD
    )
    terminal.listen(terminal.ended)
    assert b"everything" in terminal.said, "the first frame stood"
    assert b"no log today" in terminal.said[terminal.said.rfind(b"\x1b[?1049l") :]
    terminal.assert_given_back()


def test_textual_is_imported_after_the_first_frame(on_terminal: Callable[[str], Terminal]) -> None:
    terminal = on_terminal(
        "import sys\nfrom solo_unicorn.tui import early_screen\n"
        "class Told(early_screen.EarlyScreen):\n"
        "    def __enter__(self):\n"
        "        heavy = ('textual', 'asyncio', 'rich.console', 'rich.style', 'tomllib', 'shutil', 'hashlib',"
        " 'logging', 'tempfile', 'mcp', 'solo_unicorn.sync.workspace')\n"
        "        print('early:', [name for name in heavy if name in sys.modules], end=' .')\n"
        "        sys.stdout.flush()\n"
        "        raise SystemExit(0)\n"
        "early_screen.EarlyScreen = Told\n" + BOARD
    )
    terminal.listen(terminal.ended)
    assert b"early: [] ." in terminal.said
