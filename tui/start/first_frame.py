"""The board's first frame, drawn before Textual is imported from what the workspace holds now.

It is the frame that Textual paints over it a moment later: both draw the same rows (board/rows,
board/top_view, kit/key_row), this one with the colours that kit/looks.py kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from ...missions.entities import LISTS
from ..board.data import Snapshot
from ..board.rows.card import Density
from ..board.rows.column import ColumnView
from ..board.rows.headings import EDGES, HeadingView, arrange
from ..board.top_view import TopView
from ..kit.drawing import Row
from ..kit.keyboard.key_row import key_row
from ..kit.looks import Looks, Surface
from ..kit.marks import Marks
from ..kit.same_cells import same_cells

LEAST_WIDTH, LEAST_HEIGHT = 20, 8
"""On a smaller screen there is nothing worth showing early."""


def rows(
    snapshot: Snapshot,
    looks: Looks,
    marks: Marks,
    size: tuple[int, int],
    now: datetime,
    *,
    slots: int,
    density: Density,
) -> Iterator[tuple[Surface, Row]]:
    """Every row of the screen, with what it is drawn on."""
    width, height = size
    yield "edge", TopView(snapshot.summary, marks, slots).row(width)[0]
    headings = HeadingView(marks)
    headings.counts, headings.active = snapshot.summary.counts, LISTS[0]
    empty = {name for name, count in snapshot.summary.counts.items() if not count.total}
    _, headings.columns = arrange(width, LISTS[0], empty=empty)
    for y in range(headings.height):
        yield "board", headings.row(y, width)
    columns = []
    for name, wide in headings.columns:
        column = ColumnView(name, marks, density=density)
        column.width, column.height, column.now = wide, height - EDGES - headings.height, now
        column.last = name == headings.columns[-1][0]
        column.repositories = snapshot.summary.repositories > 1
        column.limit = snapshot.summary.counts[name].limit
        column.chosen = 0 if name == LISTS[0] and snapshot.lists[name] else None
        column.show(snapshot.lists[name], snapshot.unread(name))
        columns.append(column)
    for y in range(height - EDGES - headings.height):
        yield "board", [cell for column in columns for cell in column.row(y)]
    yield "edge", key_row(looks.keys, width, marks)[0]


def painted(rows: Iterator[tuple[Surface, Row]], looks: Looks) -> str:
    """The rows as what a terminal obeys, from its upper left corner."""
    said = []
    for y, (surface, row) in enumerate(rows, 1):
        said.append(f"\x1b[{y};1H")
        before = ""
        texts = same_cells([text for text, _, _ in row])
        for text, (_, role, under) in zip(texts, row, strict=True):
            style = looks.style(surface, role, under, text)
            said.append(text if style == before else f"\x1b[0;{style}m{text}")
            before = style
    return "".join([*said, "\x1b[0m"])
