"""Numbers before a key, and keys in two strokes, as in vim: `5j`, `12G`, `gg`, `g3`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

MOST: Final = 999_999


class Counts:
    """What was typed before the key that acts."""

    def __init__(self, chords: Mapping[str, str]) -> None:
        """`chords` are the second strokes after `g` and the actions that they run."""
        self.chords = chords
        self._digits = ""
        self._prefixed = False

    @property
    def pending(self) -> str:
        """What was typed so far, to be shown."""
        return self._digits + ("g" if self._prefixed else "")

    def feed(self, key: str) -> str | None:
        """Take a key: the action of a chord to run, an empty text when the key is kept for later, None when it is an
        ordinary one.
        """
        if self._prefixed:
            self._prefixed = False
            action = self.chords.get(key)
            if action is not None:
                return action
            self._digits = ""
            return None
        if key.isdecimal() and len(key) == 1 and (key != "0" or self._digits):
            self._digits = str(min(int(self._digits + key), MOST))
            return ""
        if key == "g":
            self._prefixed = True
            return ""
        if key == "escape" and self._digits:
            self._digits = ""
            return ""
        return None

    def take(self, otherwise: int = 1) -> int:
        """The number that was typed, which counts for one key only."""
        number = int(self._digits) if self._digits else otherwise
        self._digits = ""
        return number

    def forget(self) -> None:
        self._digits, self._prefixed = "", False
