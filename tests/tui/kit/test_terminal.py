"""The terminal under the board: it is left for the shell and come back to, and given back when the board must end."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Callable
from pathlib import Path

from ..terminals import BOARD, HEIGHT, WIDTH, Terminal

RUNS = b"\x1b[?2004h"
"""What Textual says when it has the terminal."""


def open_running(on_terminal: Callable[[str], Terminal]) -> Terminal:
    """The board, and it reads keys."""
    terminal = on_terminal(BOARD)
    terminal.listen(lambda: RUNS in terminal.said and "everything" in terminal.text)
    return terminal


def assert_nothing_is_wrong(terminal: Terminal, home: Path) -> None:
    """No traceback, neither on the terminal nor in the log."""
    assert b"Traceback" not in terminal.said
    for log in home.rglob("*.log"):
        assert "Traceback" not in log.read_text(), log


def test_told_to_end_the_board_gives_the_terminal_back(on_terminal: Callable[[str], Terminal], home: Path) -> None:
    terminal = open_running(on_terminal)
    os.kill(terminal.pid, signal.SIGTERM)
    terminal.listen(terminal.ended)
    assert terminal.status is not None and os.waitstatus_to_exitcode(terminal.status) == 128 + signal.SIGTERM
    terminal.assert_given_back()
    assert_nothing_is_wrong(terminal, home)


def test_out_to_the_shell_and_back(on_terminal: Callable[[str], Terminal], home: Path) -> None:
    terminal = open_running(on_terminal)
    shown = terminal.text
    for _ in range(2):
        terminal.type(b"\x1a")
        terminal.listen(terminal.is_stopped)
        terminal.listen(lambda: terminal.said.endswith(b"\x1b[?1004l"))
        terminal.assert_given_back()
        terminal.screen.reset()  # the shell's own lines
        os.kill(terminal.pid, signal.SIGCONT)
        terminal.listen(lambda: terminal.text == shown)
    terminal.type(b"?")
    terminal.listen(lambda: "What every key does" in terminal.text or terminal.text != shown)
    terminal.type(b"\x11")
    terminal.listen(terminal.ended)
    assert terminal.status == 0
    terminal.assert_given_back()
    assert_nothing_is_wrong(terminal, home)


def test_after_a_storm_of_sizes_the_board_stands_as_before(on_terminal: Callable[[str], Terminal], home: Path) -> None:
    terminal = open_running(on_terminal)
    chance = random.Random(8)
    for turn in range(80):
        terminal.resize(chance.choice([1, 2, 7, 20, 40, 80, 200]), chance.choice([1, 2, 5, 20, 24, 60]))
        if turn % 8 == 0:
            terminal.type(b"jlz")
    terminal.resize(WIDTH, HEIGHT)
    terminal.listen(lambda: "everything" in terminal.text and "Rate-limit the public API" in terminal.text)
    terminal.type(b"\x11")
    terminal.listen(terminal.ended)
    assert terminal.status == 0
    terminal.assert_given_back()
    assert_nothing_is_wrong(terminal, home)
