"""The keys of the last line of a screen.

No widget and no Textual, so that the first frame has them too; keyline.py is the widget.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.cells import cell_len

from ....missions.records import record
from ..drawing import Line, Row, fit
from ..marks import PLAIN, Marks

NARROW: Final = 60
"""Cells of a screen below which its edges say less."""
SHORT: Final = {"ctrl+p": "^p", "space": "␣"}
ALWAYS: Final = ("app.command_palette", "help")
"""Actions whose keys are shown however narrow it is."""
Places = list[tuple[int, int, int]]
"""(start, end, index) of what stands in a line."""


@record
class Key:
    """A key of the last line, and the action that a click on it runs."""

    key: str
    word: str
    action: str

    @property
    def width(self) -> int:
        """Cells that it takes with the spaces around it."""
        return cell_len(self.key) + cell_len(self.word) + 3


def key_row(keys: Sequence[Key], width: int, marks: Marks) -> tuple[Row, Places]:
    """The keys that fit, those of ALWAYS at the end, and where each of `keys` stands."""
    if width < NARROW:
        keys = [Key(SHORT.get(entry.key, entry.key), entry.word, entry.action) for entry in keys]
    last = [index for index, entry in enumerate(keys) if entry.action in ALWAYS]
    first = [index for index in range(len(keys)) if index not in last]
    while first and sum(keys[index].width for index in (*first, *last)) > width:
        first.pop()
    line: Line = []
    places: Places = []
    at = 0
    for index in (*first, *last):
        entry = keys[index]
        line += [(" ", ""), (entry.key, "key"), (f" {entry.word} ", "faint")]
        places.append((at, at + entry.width, index))
        at += entry.width
    return fit(line, width, ellipsis=marks.ellipsis, plain=marks is PLAIN), places
