"""The terminal between the first frame and Textual: entered early, handed over without a flash, or given back.

Until Textual reads them, keys wait in the terminal, neither echoed nor lost: it is in the mode that Textual sets.
"""

from __future__ import annotations

import os
import signal
import sys
import termios
from types import FrameType, TracebackType
from typing import Any, Final, Self

ENTER: Final = "\x1b[?1049h\x1b[?25l"
LEAVE: Final = "\x1b[0m\x1b[?1049l\x1b[?25h"
ENDINGS: Final = (signal.SIGTERM, signal.SIGHUP)
"""Signals that would end the program and leave the terminal as it is."""
_IFLAG, _LFLAG, _CC = 0, 3, 6


def size_of() -> tuple[int, int]:
    """Width and height of the terminal, by the rules of shutil.get_terminal_size, whose import costs more than this.

    Raises OSError when there is none.
    """
    said = [int(text) if (text := os.environ.get(name, "")).isdecimal() else 0 for name in ("COLUMNS", "LINES")]
    if all(said):
        return said[0], said[1]
    assert sys.__stdout__ is not None
    real = os.get_terminal_size(sys.__stdout__.fileno())
    return said[0] or real.columns, said[1] or real.lines


class EarlyScreen:
    """A context: the frame stands from its beginning; at its end the terminal is given back, unless taken over."""

    def __init__(self, frame: str) -> None:
        self._frame = frame
        self._before: list[Any] | None = None
        self._handlers: dict[signal.Signals, Any] = {}
        self.stands = False
        """Whether the terminal shows the frame and is ours to give back."""

    def __enter__(self) -> Self:
        assert sys.__stdin__ is not None
        self._terminal = sys.__stdin__.fileno()
        self._before = termios.tcgetattr(self._terminal)
        for number in ENDINGS:
            self._handlers[number] = signal.signal(number, self._end)
        self.stands = True
        termios.tcsetattr(self._terminal, termios.TCSANOW, _as_textual_does(self._before))
        self._write(ENTER + self._frame)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._give_back()

    def take_over(self) -> list[Any] | None:
        """From now on the terminal is somebody else's; returns the mode it had before the first frame."""
        before, self._before, self.stands = self._before, None, False
        self._let_signals_be()
        return before

    def _give_back(self) -> None:
        if self.stands:
            self._write(LEAVE)
            if before := self.take_over():
                termios.tcsetattr(self._terminal, termios.TCSANOW, before)

    def _let_signals_be(self) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        self._handlers = {}

    def _end(self, number: int, frame: FrameType | None) -> None:
        self._give_back()
        os.kill(os.getpid(), number)

    def _write(self, text: str) -> None:
        assert sys.__stderr__ is not None  # where Textual paints too
        sys.__stderr__.write(text)
        sys.__stderr__.flush()


def _as_textual_does(attributes: list[Any]) -> list[Any]:
    """No echo, no line at a time, no signals from keys, return as it is typed."""
    changed = [*attributes[:_CC], list(attributes[_CC])]
    changed[_LFLAG] &= ~(termios.ECHO | termios.ICANON | termios.IEXTEN | termios.ISIG)
    changed[_IFLAG] &= ~(termios.IXON | termios.IXOFF | termios.ICRNL | termios.INLCR | termios.IGNCR)
    changed[_CC][termios.VMIN] = 1
    return changed
