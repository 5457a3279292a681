"""Whether the terminal's background is light: it is asked while the board starts (OSC 11), and nobody waits for it.

What it said is kept for the next start in the same kind of terminal, which then begins with the right theme.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from ..looks import BACKGROUND, terminal_kind

ASK: Final = "\x1b]11;?\x1b\\"
ANSWER: Final = re.compile(
    r"\x1b\]11;rgb:([0-9a-f]{1,4})/([0-9a-f]{1,4})/([0-9a-f]{1,4})(?:\x07|\x1b\\)", re.IGNORECASE
)
BEGUN: Final = re.compile(r"\x1b\]1?1?;?[^\x07\x1b]{0,30}\x1b?$")
"""An answer that is cut off where a piece of input ends."""
PIECES: Final = 50
"""Pieces of input after which no answer is expected any more."""


def keep(light: bool, home: Path, environ: Mapping[str, str] = os.environ) -> None:
    """Remember it for the next start; a home that cannot be written is left alone."""
    said = f"{'light' if light else 'dark'} {terminal_kind(environ)}"
    file = home / BACKGROUND
    with suppress(OSError, UnicodeError):
        if not file.exists() or file.read_text(encoding="utf-8") != said:
            file.write_text(said, encoding="utf-8")


class Answers:
    """Takes the terminal's answer out of what is typed, and tells whether the background is light."""

    def __init__(self, heard: Callable[[bool], object]) -> None:
        self._heard = heard
        self._held = ""
        self._left = PIECES

    def take_out(self, typed: str) -> str:
        """What remains is of the person. The beginning of an answer is held back for the next piece of input."""
        if not self._left:
            return typed
        self._left -= 1
        typed, self._held = self._held + typed, ""
        if found := ANSWER.search(typed):
            self._left = 0
            red, green, blue = (int(part, 16) / (16 ** len(part) - 1) for part in found.groups())
            self._heard(0.299 * red + 0.587 * green + 0.114 * blue > 0.5)
            return typed[: found.start()] + typed[found.end() :]
        if self._left and (begun := BEGUN.search(typed)):
            typed, self._held = typed[: begun.start()], typed[begun.start() :]
        return typed
