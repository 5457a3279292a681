"""What a column of the board shows, row by row, and where its cards stand; no widget and no Textual.

The widget (column.py) keeps one and repaints what changes; the first frame draws from one before there are widgets.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime
from itertools import accumulate
from textwrap import wrap
from typing import Final

from ..missions.board import Card
from ..missions.entities import ListName
from . import card as cards_as_lines
from .drawing import Row, fit
from .marks import PLAIN, UNICODE, Marks

EMPTY: Final[dict[ListName, str]] = {
    "todo": "Nothing planned. n makes a mission.",
    "doing": "Nothing runs. Space on a mission in Todo starts it.",
    "review": "Nothing to review. What agents finish comes here.",
    "done": "Nothing done yet.",
    "loop": "No loops. A loop mission runs again and again.",
}
KEPT: Final = 400
"""Cards whose rows are kept once they are drawn."""


class ColumnView:
    """The cards of one list, from the top in board order, seen through a window of `width` × `height` at `scroll`."""

    def __init__(self, in_list: ListName, marks: Marks = UNICODE, *, compact: bool = False) -> None:
        self.marks = marks
        self.compact = compact
        self.cards: Sequence[Card] = ()
        self.unread = 0
        """Cards of the list that follow these and are not read yet."""
        self.empty_text = EMPTY[in_list]
        self.now = datetime.now().astimezone()
        self.chosen: int | None = None
        self.hover: int | None = None
        self.drop: int | None = None
        self.width = self.height = self.scroll = 0
        self.last = False
        """Whether it is the rightmost one on screen."""
        self.measured_for = 0
        """The width that `tops` hold for."""
        self.tops = [0]
        """First row of each card while none is chosen, and the row after the last."""
        self.extra = 0
        """Rows by which the chosen card is taller than it is at rest."""
        self._drawn: dict[tuple[str, str], tuple[Card, int, list[Row]]] = {}

    def show(self, cards: Sequence[Card], unread: int) -> None:
        """Show these cards, and work out where each stands."""
        self.cards, self.unread = cards, unread
        self.measure()

    # -- geometry ------------------------------------------------------------------------------------------------

    @property
    def inner(self) -> int:
        """Cells of a card's text, inside its frame and beside the gutter."""
        return max(8, self.width - 3)

    def measure(self) -> None:
        """Work out where each card stands."""
        width, gap, compact, marks, now = self.inner, 0 if self.compact else 1, self.compact, self.marks, self.now
        measured = cards_as_lines.height
        heights = (gap + measured(card, width, marks, now, compact=compact) for card in self.cards)
        self.tops = [0, *accumulate(heights)]
        self.measured_for = self.width
        self.grow()

    def grow(self) -> None:
        """Work out `extra`."""
        self.extra = 0
        if self.chosen is not None and self.chosen < len(self.cards):
            tall = len(self._lines(self.cards[self.chosen], chosen=True)) + (2 if self.compact else 1)
            self.extra = tall - (self.tops[self.chosen + 1] - self.tops[self.chosen])

    def top(self, index: int) -> int:
        """First row of a card, which is its frame's top where cards stand apart."""
        index = min(index, len(self.cards))
        return self.tops[index] + (self.extra if self.chosen is not None and index > self.chosen else 0)

    @property
    def end(self) -> int:
        """The row after the last card."""
        return self.top(len(self.cards))

    def index(self, row: int) -> int:
        """The card that a row belongs to."""
        if self.chosen is not None and row >= self.top(self.chosen + 1):
            row -= self.extra
        elif self.chosen is not None and row >= self.top(self.chosen):
            return self.chosen
        return min(bisect_right(self.tops, row) - 1, len(self.cards) - 1)

    def visible(self) -> range:
        """The cards in the window."""
        if not self.cards:
            return range(0)
        last = self.scroll + self.height - 1
        return range(self.index(min(self.scroll, self.end - 1)), self.index(min(last, self.end - 1)) + 1)

    def card_at(self, y: int) -> int | None:
        """Index of the card at row `y` of the window; None below the last one."""
        row = y + self.scroll
        return self.index(row) if 0 <= row < self.end and self.cards else None

    # -- rows ----------------------------------------------------------------------------------------------------

    def forget(self) -> None:
        """Rows were drawn for another width."""
        self._drawn.clear()

    def row(self, y: int) -> Row:
        """The window's row `y`, with the gutter to its right."""
        return [*self._row(y, self.width - 1), *self._gutter(y)]

    def _fit(self, parts: cards_as_lines.Line, width: int, under: str = "") -> Row:
        return fit(parts, width, under=under, ellipsis=self.marks.ellipsis, plain=self.marks is PLAIN)

    def _gutter(self, y: int) -> Row:
        """A thin line between the columns; heavier beside the part of the list that is in view."""
        height, total = self.height, self.end + 1
        if self.unread:  # as long as it will be once they are read
            total += self.unread * self.end // len(self.cards)
        if total <= height:
            return self._fit([(" " if self.last else self.marks.gutter, "rule")], 1)
        top = round(self.scroll * height / total)
        long = max(1, round(height * height / total))
        inside = top <= y < top + long
        return self._fit([(self.marks.thumb, "faint") if inside else (self.marks.gutter, "rule")], 1)

    def _row(self, y: int, width: int) -> Row:
        if not self.cards:
            return self._empty_line(y, width)
        row = y + self.scroll
        if y == self.height - 1 and (hidden := len(self.cards) + self.unread - self.visible().stop) > 0:
            return self._fit([(f"    {self.marks.below} {hidden} more", "faint")], width)
        if row >= self.end:
            return self._after_last(row, width)
        index = self.index(row)
        within = row - self.top(index)
        if self.drop == index and within == 0:
            return self._drop_line(width)
        if self.compact:
            if index != self.chosen:
                return self._body(index, within, width)
            if row == self.top(index + 1) - 1:
                return self._frame(width, top=False)
        if within == 0:
            return self._between(index, width)
        return self._body(index, within - 1, width)

    def _between(self, index: int, width: int) -> Row:
        """The row above a card: the frame of the chosen one, or nothing."""
        if index == self.chosen:
            return self._frame(width, top=True)
        if self.chosen is not None and index - 1 == self.chosen:
            return self._frame(width, top=False)
        return self._fit([], width)

    def _after_last(self, row: int, width: int) -> Row:
        closing = row == self.end
        if closing and self.drop == len(self.cards):
            return self._drop_line(width)
        if closing and not self.compact and self.chosen == len(self.cards) - 1:
            return self._frame(width, top=False)
        return self._fit([], width)

    def _lines(self, card: Card, *, chosen: bool) -> list[cards_as_lines.Line]:
        return cards_as_lines.lines(card, self.inner, self.marks, self.now, selected=chosen, compact=self.compact)

    def _body(self, index: int, line: int, width: int) -> Row:
        card = self.cards[index]
        state = "chosen" if index == self.chosen else "hover" if index == self.hover else ""
        tick = cards_as_lines.ticks(card, self.now)
        known = self._drawn.get((card.id, state))
        if known is None or known[0] is not card or known[1] != tick:
            if len(self._drawn) >= KEPT:
                self._drawn.clear()
            known = self._drawn[card.id, state] = (card, tick, self._draw_body(card, state, width))
        rows = known[2]
        return rows[line] if line < len(rows) else self._fit([], width)

    def _draw_body(self, card: Card, state: str, width: int) -> list[Row]:
        edge = (self.marks.frame[5], "frame", "") if state == "chosen" else (" ", "", "")
        lines = self._lines(card, chosen=state == "chosen")
        return [[edge, *self._fit(line, width - 2, state), edge] for line in lines]

    def _frame(self, width: int, *, top: bool) -> Row:
        corners = self.marks.frame[:2] if top else self.marks.frame[2:4]
        return self._fit([(corners[0] + self.marks.frame[4] * (width - 2) + corners[1], "frame")], width)

    def _drop_line(self, width: int) -> Row:
        return self._fit([(self.marks.drop * width, "drop")], width)

    def _empty_line(self, y: int, width: int) -> Row:
        if y == 0 and self.drop is not None:
            return self._drop_line(width)
        said = wrap(self.empty_text, max(8, width - 4))
        return self._fit([(f"    {said[y - 1]}", "faint")], width) if 1 <= y <= len(said) else self._fit([], width)
