"""What a column of the board shows, row by row; no widget and no Textual.

The widget (column.py) keeps one and repaints what changes; the first frame draws from one before there are widgets.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from datetime import datetime
from textwrap import wrap
from typing import Final

from ....missions.board import Card
from ....missions.entities import ListName
from ...kit.drawing import Line, Row, fit
from ...kit.marks import PLAIN, UNICODE, Marks
from . import card as cards_as_lines
from .card import ROOMY, Density
from .places import Places

EMPTY: Final[dict[ListName, str]] = {
    "todo": "Nothing planned. n creates a mission.",
    "doing": "Nothing is running. Space on a mission in Todo starts it.",
    "review": "Nothing to review. Finished work comes here.",
    "done": "Nothing done yet.",
    "loop": "No loops. A loop mission runs again and again.",
}
KEPT: Final = 400
"""Cards whose rows are kept once they are drawn."""


class ColumnView:
    """The cards of one list, from the top in board order, seen through a window of `width` × `height` at `scroll`."""

    def __init__(self, in_list: ListName, marks: Marks = UNICODE, *, density: Density = "normal") -> None:
        self.in_list = in_list
        self.marks = marks
        self.density: Density = density
        self.cards: Sequence[Card] = ()
        self.unread = 0
        """Cards of the list that follow these and are not read yet."""
        self.marked: Set[str] = frozenset()
        """Ids of the missions that are marked for what is done to several at once."""
        self.limit: int | None = None
        """Work-in-progress limit of the list."""
        self.empty_text = EMPTY[in_list]
        self.now = datetime.now().astimezone()
        self.chosen: int | None = None
        self.hover: int | None = None
        self.drop: tuple[int, int] | None = None
        """Card before which, and lane in which, what is dragged would land."""
        self.width = self.height = self.scroll = 0
        self.first = self.last = False
        """Whether it is the leftmost, or the rightmost one on screen."""
        self.collapsed = ""
        """What a collapsed list says from top to bottom; empty for one that shows its cards."""
        self.measured_for = (0, 0)
        """The width and height that `places` hold for."""
        self.lane_titles = 1
        """Lines that titles may take in swim lanes, which all columns share."""
        self.titles = 1
        """Lines that the title of a card may take: more where the column has room for all of its cards then."""
        self.repositories = True
        """Whether the project has several repositories, so that a card says which."""
        self.places = Places()
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

    @property
    def apart(self) -> bool:
        """Whether a row is left between two cards."""
        return self.density != "compact"

    def measure(self) -> None:
        """Work out where each card stands."""
        width, gap, marks, now = self.inner, int(self.apart), self.marks, self.now
        before = self.titles
        for titles in self._choices():
            self.titles = titles
            heights = [
                gap + cards_as_lines.height(card, width, marks, now, density=self.density, titles=titles)
                for card in self.cards
            ]
            if sum(heights) + gap <= self.height:
                break
        if self.titles != before:
            self.forget()
        self.places.place(heights)
        self.measured_for = self.width, self.height
        self.grow()

    def _choices(self) -> Sequence[int]:
        """How many lines a title may take, the most wanted first; the last is taken in any case."""
        if self.density != "normal":
            return (1 if self.density == "compact" else ROOMY,)
        if self.places.bands:
            return (self.lane_titles,)
        return range(ROOMY, 0, -1) if self.has_room else (1,)

    @property
    def has_room(self) -> bool:
        """Whether all cards would stand in the window, each with one line of its title."""
        return len(self.cards) * (1 + cards_as_lines.ROWS["normal"]) <= self.height

    def grow(self) -> None:
        """Work out by how much the chosen card is taller than at rest."""
        places = self.places
        places.chosen, places.extra = self.chosen, 0
        if self.chosen is not None and self.chosen < len(self.cards) and not places.bands:
            tall = len(self._lines(self.cards[self.chosen], chosen=True)) + (1 if self.apart else 2)
            places.extra = tall - places.heights[self.chosen]

    def visible(self) -> range:
        """The cards in the window."""
        if not self.cards:
            return range(0)
        places = self.places
        last = min(self.scroll + self.height, places.end) - 1
        return range(places.index(min(self.scroll, places.end - 1)), places.index(last) + 1)

    # -- rows ----------------------------------------------------------------------------------------------------

    def forget(self) -> None:
        """Rows were drawn for another width or density."""
        self._drawn.clear()

    def row(self, y: int) -> Row:
        """The window's row `y`, with the gutter to its right."""
        return [*self._row(y, self.width - 1), *self._gutter(y)]

    def _fit(self, parts: Line, width: int, under: str = "") -> Row:
        return fit(parts, width, under=under, ellipsis=self.marks.ellipsis, plain=self.marks is PLAIN)

    def _gutter(self, y: int) -> Row:
        """A thin line between the columns; heavier beside the part of the list that is in view."""
        height, end = self.height, self.places.end
        total = end + 1
        if self.unread and self.cards:  # as long as it will be once they are read
            total += self.unread * end // len(self.cards)
        if total <= height or self.collapsed:
            return self._fit([(" " if self.last else self.marks.gutter, "rule")], 1)
        top = round(self.scroll * height / total)
        long = max(1, round(height * height / total))
        inside = top <= y < top + long
        return self._fit([(self.marks.thumb, "faint") if inside else (self.marks.gutter, "rule")], 1)

    def _row(self, y: int, width: int) -> Row:
        if self.collapsed:
            letter = self.collapsed[y - 1] if 1 <= y <= len(self.collapsed) else ""
            return self._fit([(f" {letter}", "faint")], width)
        places, row = self.places, y + self.scroll
        if self.drop is not None and row == places.drop_row(*self.drop):
            return self._drop_line(width)
        if places.bands:
            return self._lane_row(row, width)
        if not self.cards:
            return self._empty_line(y, width)
        if y == self.height - 1 and (hidden := len(self.cards) + self.unread - self.visible().stop) > 0:
            return self._fit([(f"    {self.marks.below} {hidden} more", "faint")], width)
        if row >= places.end:
            return self._after_last(row, width)
        return self._card_row(places.index(row), row, width)

    def _lane_row(self, row: int, width: int) -> Row:
        places = self.places
        if row >= places.end:
            return self._fit([], width)
        place = places.band_at(row)
        if row == places.band_tops[place]:
            return self._lane_heading(place, width)
        index = places.card_at(row)
        if index is not None:
            return self._card_row(index, row, width)
        last = places.bands[place].stop - 1
        if self.apart and last == self.chosen and last >= places.bands[place].start and row == places.bottom(last):
            return self._frame(width, top=False)
        return self._fit([], width)

    def _lane_heading(self, place: int, width: int) -> Row:
        """The lane's name in the leftmost column, how many of its cards are here in the others."""
        band = self.places.bands[place]
        fold = self.marks.folded if band.folded else self.marks.unfolded
        here = band.stop - band.start
        line: Line = [(f"{self.marks.rule} ", "rule")]
        if self.first:
            line = [(f"{fold} ", "key"), (band.title, "brand"), (f" {band.total} ", "faint")]
        elif here:
            line += [(f"{here} ", "faint")]
        used = sum(len(text) for text, _ in line)
        return self._fit([*line, (self.marks.rule * max(0, width - used), "rule")], width)

    def _card_row(self, index: int, row: int, width: int) -> Row:
        within = row - self.places.top(index)
        if not self.apart:
            framed = index == self.chosen and not self.places.bands
            if not framed:
                return self._body(index, within, width)
            if row == self.places.bottom(index) - 1:
                return self._frame(width, top=False)
        if within == 0:
            return self._between(index, width)
        return self._body(index, within - 1, width)

    def _between(self, index: int, width: int) -> Row:
        """The row above a card: the frame of the chosen one, the limit of the list, or nothing."""
        if index == self.chosen:
            return self._frame(width, top=True)
        if self.chosen is not None and index - 1 == self.chosen and self._same_lane(index, self.chosen):
            return self._frame(width, top=False)
        if index == self.limit and index and not self.places.bands:
            said = f"{self.marks.rule * 2} limit {self.limit} "
            return self._fit([(said + self.marks.rule * max(0, width - len(said)), "bad")], width)
        return self._fit([], width)

    def _same_lane(self, one: int, other: int) -> bool:
        return not any(band.start in (one, other) and band.start == max(one, other) for band in self.places.bands)

    def _after_last(self, row: int, width: int) -> Row:
        if row == self.places.end and self.apart and self.chosen == len(self.cards) - 1:
            return self._frame(width, top=False)
        return self._fit([], width)

    def _lines(self, card: Card, *, chosen: bool) -> list[Line]:
        tall = chosen and not self.places.bands
        return cards_as_lines.lines(
            card,
            self.inner,
            self.marks,
            self.now,
            selected=tall,
            density=self.density,
            titles=self.titles,
            repositories=self.repositories,
        )

    def _body(self, index: int, line: int, width: int) -> Row:
        card = self.cards[index]
        state = "chosen" if index == self.chosen else "hover" if index == self.hover else ""
        key = f"{state} marked" if card.id in self.marked else state
        tick = cards_as_lines.ticks(card, self.now)
        known = self._drawn.get((card.id, key))
        if known is None or known[0] is not card or known[1] != tick:
            if len(self._drawn) >= KEPT:
                self._drawn.clear()
            known = self._drawn[card.id, key] = (card, tick, self._draw_body(card, state, width))
        rows = known[2]
        return rows[line] if line < len(rows) else self._fit([], width)

    def _draw_body(self, card: Card, state: str, width: int) -> list[Row]:
        edge = (self.marks.frame[5], "frame", "") if state == "chosen" else (" ", "", "")
        lines = self._lines(card, chosen=state == "chosen")
        rows = [[edge, *self._fit(line, width - 2, state), edge] for line in lines]
        if card.id in self.marked:
            rows[0][0] = (self.marks.picked, "brand", "")
        return rows

    def _frame(self, width: int, *, top: bool) -> Row:
        corners = self.marks.frame[:2] if top else self.marks.frame[2:4]
        return self._fit([(corners[0] + self.marks.frame[4] * (width - 2) + corners[1], "frame")], width)

    def _drop_line(self, width: int) -> Row:
        return self._fit([(self.marks.drop * width, "drop")], width)

    def _empty_line(self, y: int, width: int) -> Row:
        said = wrap(self.empty_text, max(8, width - 4))
        return self._fit([(f"    {said[y - 1]}", "faint")], width) if 1 <= y <= len(said) else self._fit([], width)
