"""Between the first frame and Textual, on a real terminal: nothing flashes, no key is lost, the terminal comes back."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

import pytest

from solo_unicorn.workspace import queries
from solo_unicorn.workspace.workspace import Workspace

from ..terminals import BOARD, Terminal


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


def test_keys_typed_before_textual_is_there_are_neither_echoed_nor_lost(on_terminal: Callable[[str], Terminal]) -> None:
    terminal = on_terminal(BOARD)
    terminal.listen(lambda: "everything" in terminal.text)
    first = terminal.text
    terminal.type(b"?")
    terminal.listen(lambda: "What every key does" in terminal.text or terminal.text != first)
    assert "?" not in terminal.text.replace(first, "")[:1]
    terminal.type(b"\x11")
    terminal.listen(terminal.ended)
    terminal.assert_given_back()


def test_keys_that_belong_together_count_before_the_board_is_there(on_terminal: Callable[[str], Terminal]) -> None:
    terminal = on_terminal(BOARD)
    terminal.listen(lambda: "everything" in terminal.text)
    terminal.type(b"g3\r")
    terminal.listen(lambda: "Dependencies" in terminal.text)
    terminal.type(b"\x11")
    terminal.listen(terminal.ended)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_between_gives_the_terminal_back(
    on_terminal: Callable[[str], Terminal], number: signal.Signals
) -> None:
    terminal = on_terminal(
        "import signal\nfrom solo_unicorn.tui.start.early_screen import EarlyScreen\n"
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
        assert workspace.read(queries.projects.list_all), "what was there is there"


def test_an_error_between_gives_the_terminal_back_and_is_told(on_terminal: Callable[[str], Terminal]) -> None:
    terminal = on_terminal(
        "from solo_unicorn.tui.start import open_board\nimport solo_unicorn.config.log as log\n"
        "def broken(*_, **__): raise OSError('no log today')\nlog.setup = broken\n" + BOARD
    )
    terminal.listen(terminal.ended)
    assert b"everything" in terminal.said, "the first frame stood"
    assert b"no log today" in terminal.said[terminal.said.rfind(b"\x1b[?1049l") :]
    terminal.assert_given_back()


def test_textual_is_imported_after_the_first_frame(on_terminal: Callable[[str], Terminal]) -> None:
    terminal = on_terminal(
        "import sys\nfrom solo_unicorn.tui.start import early_screen\n"
        "class Told(early_screen.EarlyScreen):\n"
        "    def __enter__(self):\n"
        "        heavy = ('textual', 'asyncio', 'rich.console', 'rich.style', 'tomllib', 'shutil', 'hashlib',"
        " 'logging', 'tempfile', 'mcp', 'solo_unicorn.workspace.change')\n"
        "        print('early:', [name for name in heavy if name in sys.modules], end=' .')\n"
        "        sys.stdout.flush()\n"
        "        raise SystemExit(0)\n"
        "early_screen.EarlyScreen = Told\n" + BOARD
    )
    terminal.listen(terminal.ended)
    assert b"early: [] ." in terminal.said
