"""Text that takes the same number of cells in every terminal, as many as Rich and Textual count for it.

Terminals disagree on emoji that are made of several characters: some draw U+26A0 U+FE0F two cells wide, some one; a
woman at a computer is two cells or four. What stands behind such a character would be in another column than was
reckoned, borders above all. So of each only what all agree on is painted, padded to what was reckoned. Joiners of words
(Persian, Arabic) stay. Nothing here imports Textual: the first frame is painted with it too.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from rich.cells import cell_len, get_character_cell_size, set_cell_size, split_graphemes

UNSURE: Final = re.compile("[\u200d\ufe0e\ufe0f\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]")
"""Joiner, selectors of emoji or text, tones of skin, tags of flags: what makes one character of several."""
JOINER: Final = "\u200d"
SYMBOLS: Final = 0x2000
"""Letters of scripts that join lie below, emoji above."""


def same_cells(texts: Sequence[str]) -> Sequence[str]:
    """A line of texts as they can be painted; the line is as wide as before, counted by whoever counts."""
    if not any(map(UNSURE.search, texts)):
        return texts
    made: list[str] = []
    owed, before = 0, ""
    for text in texts:
        said = ""
        graphemes, width_of_all = split_graphemes(text)
        owed += width_of_all - cell_len(text)  # Rich counts a text that begins with a joiner in two ways
        for start, end, width in graphemes:
            plain = _agreed(text[start:end])
            if owed and plain == before == " ":  # a blank less makes up for what is wider than was reckoned
                owed -= 1
                continue
            owed += sum(map(get_character_cell_size, plain)) - width
            if owed < 0:
                plain, owed = plain + " " * -owed, 0
            said, before = said + plain, plain[-1:]
        made.append(said)
    for place in reversed(range(len(made))):  # no blank was left: the end of the line goes
        if owed and made[place]:
            room = max(0, cell_len(made[place]) - owed)
            owed -= cell_len(made[place]) - room
            made[place] = set_cell_size(made[place], room)
    return made


def _agreed(grapheme: str) -> str:
    """What all terminals draw alike of one character made of several."""
    first, *rest = grapheme.split(JOINER)
    if all(ord(letter) < SYMBOLS for part in rest for letter in part):  # letters are drawn, joined or not
        first += "".join(rest)
    return UNSURE.sub("", first)
