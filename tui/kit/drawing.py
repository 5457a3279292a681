"""One line of text with roles, cut or padded to a width: what every drawn line is made of, on any surface.

Nothing here imports Textual: the board's first frame is drawn with it before Textual is there (start/first_frame.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from rich.cells import cell_len, chop_cells, set_cell_size, split_text

from ...missions.texts.printing import is_printable

Part = tuple[str, str]
"""Text and its role: title, faint, run, wait, bad, good, or empty for plain text."""
Line = list[Part]
Cell = tuple[str, str, str]
"""Text, its role, and the role that lies under it, such as chosen; either may be empty."""
Row = list[Cell]

READ: Final = re.compile(r"[^\s\u2500-\u259f|+-]")
"""Letters and marks, which are read: neither lines nor their ASCII twins, blocks or spaces."""
ASCII = str.maketrans(
    {
        "…": "~",
        "−": "-",
        "→": ">",
        "·": "-",
        "⏎": "enter",
        "⇧": "^",
        "↑": "^",
        "↓": "v",
        "←": "<",
        "│": "|",
        "─": "-",
        "␣": "_",
    }
)
"""What our own words use beside the marks, for terminals without it."""


FRAMES: Final[dict[int, str]] = {
    **{code: "+" for code in range(0x250C, 0x2580)},
    **{code: "|" for code in range(0x2581, 0x25A0)},
    **dict.fromkeys(map(ord, "─━┄┅┈┉═╌╍╴╶╸╺╼╾▀▁▂▃▄▔"), "-"),
    **dict.fromkeys(map(ord, "│┃┆┇┊┋║╎╏╵╷╹╻╽╿"), "|"),
    **dict.fromkeys(map(ord, "█▓▒░■"), "#"),
    ord("🔎"): "/ ",
    **dict(zip(map(ord, "▲▼▶◀◂▸●○•…–—←↑→↓⇧⏎"), "^v><<>*o*~--<^>v^<", strict=True)),
}
"""What draws frames, bars and arrows, a character for a character."""


def fit(
    parts: Iterable[Part], width: int, *, under: str = "", ellipsis: str = "…", plain: bool = False, pad: bool = True
) -> Row:
    """One line, cut to `width` cells with an ellipsis, or padded to it; `plain` takes ASCII only."""
    row: Row = []
    used = 0
    for text, role in parts:
        if not text.isprintable() and not is_printable(text):
            text = _safe(text)
        if plain and not text.isascii():
            text = text.translate(ASCII)
        cells = cell_len(text)
        if used + cells > width:
            room = width - used - cell_len(ellipsis)
            if room >= 0:
                row.append((set_cell_size(text, room) + ellipsis, role, under))
                return row
            return cut(row, width, under)
        if text:
            row.append((text, role, under))
            used += cells
    if pad and used < width:
        row.append((" " * (width - used), "", under))
    return row


def wrapped(text: str, width: int, most: int, ellipsis: str = "…") -> list[str]:
    """The words of a text on at most `most` lines of `width` cells; what is left over is told by an ellipsis."""
    text = " ".join(text.split())
    if cell_len(text) <= width:
        return [text]
    lines = [""]
    for word in text.split(" "):
        gap = " " if lines[-1] else ""
        if cell_len(lines[-1]) + len(gap) + cell_len(word) <= width:
            lines[-1] += gap + word
            continue
        if cell_len(word) > width and cell_len(lines[-1]) + 1 < width:  # too long for any line: it begins on this one
            head, _ = split_text(word, width - cell_len(lines[-1]) - len(gap))
            lines[-1] += gap + head
            word = word[len(head) :]
        lines += chop_cells(word, width)
    if len(lines) > most:
        last = lines[most - 1]
        room = width - 1 - cell_len(ellipsis)
        lines = [*lines[: most - 1], f"{set_cell_size(last, min(room, cell_len(last))).rstrip()} {ellipsis}"]
    return lines


def cut(row: Row, width: int, under: str = "") -> Row:
    """A row of exactly `width` cells: what is too much is cut off, what is missing is padded."""
    kept: Row = []
    used = 0
    for text, role, below in row:
        cells = cell_len(text)
        if used + cells >= width:
            kept.append((set_cell_size(text, width - used), role, below))
            return kept
        kept.append((text, role, below))
        used += cells
    if used < width:
        kept.append((" " * (width - used), "", under))
    return kept


def _safe(text: str) -> str:
    """Text without what a terminal would obey: nothing that an agent or a file says may move the cursor."""
    return "".join(letter if is_printable(letter) else " " for letter in text.replace("\t", "    "))
