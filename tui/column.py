"""One list of the board, drawn line by line: ten thousand cards cost what the visible ones cost.

The column shows; it neither has the focus nor knows its neighbours. The board sets `cards`, `chosen`, `hover` and
`drop`, asks `card_at` where the mouse is, and is told nothing: mouse events bubble up to it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime
from itertools import accumulate
from textwrap import wrap

from rich.segment import Segment
from textual.cache import LRUCache
from textual.geometry import Region, Size
from textual.reactive import var
from textual.strip import Strip

from ..missions.board import Card
from ..missions.entities import ListName
from . import card as cards_as_lines
from .marks import UNICODE, Marks
from .paint import DrawnScroll

EMPTY = {
    "todo": "Nothing planned. n makes a mission.",
    "doing": "Nothing runs. Space on a mission in Todo starts it.",
    "review": "Nothing to review. What agents finish comes here.",
    "done": "Nothing done yet.",
    "loop": "No loops. A loop mission runs again and again.",
}


class CardColumn(DrawnScroll, can_focus=False):
    """The cards of one list, from the top in board order."""

    ALLOW_SELECT = False

    chosen: var[int | None] = var(None)
    """Index of the card under the cursor; None in the columns where the cursor is not."""
    hover: var[int | None] = var(None)
    """Index of the card under the mouse."""
    drop: var[int | None] = var(None)
    """Index before which a dragged card would land; the length of `cards` means the end."""

    def __init__(self, in_list: ListName, marks: Marks = UNICODE, *, compact: bool = False) -> None:
        super().__init__(id=f"list-{in_list}", classes="column")
        self.in_list = in_list
        self.marks = marks
        self.compact = compact
        self.cards: Sequence[Card] = ()
        self.empty_text = EMPTY[in_list]
        self.now = datetime.now().astimezone()
        self._tops = [0]
        self._extra = 0
        self._strips: LRUCache[tuple[str, str], tuple[Card, int, list[Strip]]] = LRUCache(400)

    # -- what the board sets -------------------------------------------------------------------------------------

    def set_cards(self, cards: Sequence[Card], chosen: int | None) -> None:
        """Show other cards, with the cursor on one of them or nowhere; the place of the view is kept."""
        same = len(cards) == len(self.cards)
        changed = (
            [index for index, (old, new) in enumerate(zip(self.cards, cards, strict=True)) if old is not new]
            if same
            else []
        )
        self.cards = cards
        if same and not changed and chosen == self.chosen:
            if not cards:
                self.refresh()
            return
        tops = self._tops
        self._measure()
        if same and chosen == self.chosen and tops == self._tops:
            for index in changed:
                self._refresh_card(index)
        else:
            self.set_reactive(CardColumn.chosen, chosen)
            self._grow()
            self.refresh()
        self.show_chosen()

    def tick(self, now: datetime) -> None:
        """The clock moved: repaint the visible cards whose text it changes."""
        before, self.now = self.now, now
        for index in self._visible():
            card = self.cards[index]
            if cards_as_lines.ticks(card, before) != cards_as_lines.ticks(card, now):
                self._refresh_card(index)

    def show_chosen(self) -> None:
        """Bring the card under the cursor into view without waiting for a frame."""
        if self.chosen is None or not self.cards or not self.size.height:
            return
        top, bottom = self._top(self.chosen), self._top(self.chosen + 1) + (0 if self.compact else 1)
        at, room = self.scroll_offset.y, self.size.height
        if bottom - at > room or self.chosen == len(self.cards) - 1:
            at = max(at, bottom - room)
        at = min(at, top)
        if at != self.scroll_offset.y:
            self.scroll_to(y=at, animate=False, force=True, immediate=True)

    # -- what the board asks -------------------------------------------------------------------------------------

    def card_at(self, y: int) -> int | None:
        """Index of the card drawn at row `y` of the column; None below the last one."""
        row = y + self.scroll_offset.y
        return self._index(row) if 0 <= row < self._end() and self.cards else None

    def drop_at(self, y: int) -> int:
        """Index before which a card dropped at row `y` goes: in front of the card of the upper half, else behind it."""
        index = self.card_at(y)
        if index is None:
            return len(self.cards)
        top, bottom = self._top(index), self._top(index + 1)
        return index if y + self.scroll_offset.y < (top + bottom + 1) // 2 else index + 1

    def page(self) -> int:
        """About how many cards a screenful holds."""
        return max(1, len(self._visible()) - 1)

    # -- geometry ------------------------------------------------------------------------------------------------

    @property
    def _inner(self) -> int:
        """Cells of a card's text, inside its frame and beside the gutter."""
        return max(8, self.size.width - 3)

    def _measure(self) -> None:
        width, gap, compact, marks, now = self._inner, 0 if self.compact else 1, self.compact, self.marks, self.now
        measured = cards_as_lines.height
        heights = (gap + measured(card, width, marks, now, compact=compact) for card in self.cards)
        self._tops = [0, *accumulate(heights)]
        self._grow()

    def _grow(self) -> None:
        """Rows by which the chosen card is taller than it is at rest."""
        self._extra = 0
        if self.chosen is not None and self.chosen < len(self.cards):
            tall = len(self._lines(self.cards[self.chosen], chosen=True)) + (2 if self.compact else 1)
            self._extra = tall - (self._tops[self.chosen + 1] - self._tops[self.chosen])
        self._resize_virtual()

    def _resize_virtual(self) -> None:
        """Say how long the column is; set without its watcher, which would lay out the whole screen anew."""
        self.set_reactive(CardColumn.virtual_size, Size(self.size.width, self._end() + 1))
        if self.scroll_offset.y > self.max_scroll_y:
            self.scroll_to(y=self.max_scroll_y, animate=False, force=True, immediate=True)

    def _top(self, index: int) -> int:
        """First row of a card, which is its frame's top where cards stand apart."""
        index = min(index, len(self.cards))
        return self._tops[index] + (self._extra if self.chosen is not None and index > self.chosen else 0)

    def _end(self) -> int:
        return self._top(len(self.cards))

    def _index(self, row: int) -> int:
        if self.chosen is not None and row >= self._top(self.chosen + 1):
            row -= self._extra
        elif self.chosen is not None and row >= self._top(self.chosen):
            return self.chosen
        return min(bisect_right(self._tops, row) - 1, len(self.cards) - 1)

    def _visible(self) -> range:
        if not self.cards:
            return range(0)
        top = self.scroll_offset.y
        last = top + self.size.height - 1
        return range(self._index(min(top, self._end() - 1)), self._index(min(last, self._end() - 1)) + 1)

    # -- painting ------------------------------------------------------------------------------------------------

    def watch_chosen(self, before: int | None, after: int | None) -> None:
        """Repaint what the cursor left and entered; all that follows only when the two grow by different heights."""
        extra = self._extra
        self._grow()
        known = sorted(index for index in (before, after) if index is not None and index < len(self.cards))
        if known:
            top = self._tops[known[0]]
            rows = (
                self._top(known[-1] + 1) - top + 1 if extra == self._extra else self.size.height + self.scroll_offset.y
            )
            self.refresh(Region(0, top - self.scroll_offset.y, self.size.width, rows))
        self.show_chosen()

    def watch_hover(self, before: int | None, after: int | None) -> None:
        """Repaint the cards that the mouse left and entered."""
        for index in {before, after} - {None}:
            self._refresh_card(index)

    def watch_drop(self, before: int | None, after: int | None) -> None:
        """Repaint the rows where the drop line was and is."""
        for index in {before, after} - {None}:
            self.refresh_lines(self._top(index if index is not None else 0) - 1, 3)

    def on_resize(self) -> None:
        """Another width wraps otherwise."""
        self._strips.clear()
        self._measure()
        self.refresh()
        self.show_chosen()

    def notify_style_update(self) -> None:
        """Another theme colours otherwise."""
        super().notify_style_update()
        self._strips.clear()

    def _refresh_card(self, index: int | None) -> None:
        if index is not None and index < len(self.cards):
            top = self._top(index)
            self.refresh_lines(top, self._top(index + 1) - top + 1)

    def render_line(self, y: int) -> Strip:
        """The column's row `y` as it is scrolled now, with the gutter to its right."""
        width = self.size.width - 1
        return Strip.join([self._row(y, width), self._gutter(y)])

    def _gutter(self, y: int) -> Strip:
        """A thin line between the columns; heavier beside the part of the list that is in view."""
        height, total = self.size.height, self._end() + 1
        if total <= height:
            return self.draw([(" " if self.has_class("-last") else self.marks.gutter, "rule")], 1)
        top = round(self.scroll_offset.y * height / total)
        long = max(1, round(height * height / total))
        inside = top <= y < top + long
        return self.draw([(self.marks.thumb, "faint") if inside else (self.marks.gutter, "rule")], 1)

    def _row(self, y: int, width: int) -> Strip:
        if not self.cards:
            return self._empty_line(y, width)
        row = y + self.scroll_offset.y
        if y == self.size.height - 1 and (hidden := len(self.cards) - self._visible().stop) > 0:
            return self.draw([(f"    {self.marks.below} {hidden} more", "faint")], width)
        if row >= self._end():
            return self._after_last(row, width)
        index = self._index(row)
        within = row - self._top(index)
        if self.drop == index and within == 0:
            return self._drop_line(width)
        if self.compact:
            if index != self.chosen:
                return self._body(index, within, width)
            if row == self._top(index + 1) - 1:
                return self._frame(width, top=False)
        if within == 0:
            return self._between(index, width)
        return self._body(index, within - 1, width)

    def _between(self, index: int, width: int) -> Strip:
        """The row above a card: the frame of the chosen one, or nothing."""
        if index == self.chosen:
            return self._frame(width, top=True)
        if self.chosen is not None and index - 1 == self.chosen:
            return self._frame(width, top=False)
        return self.draw([], width)

    def _after_last(self, row: int, width: int) -> Strip:
        closing = row == self._end()
        if closing and self.drop == len(self.cards):
            return self._drop_line(width)
        if closing and not self.compact and self.chosen == len(self.cards) - 1:
            return self._frame(width, top=False)
        return self.draw([], width)

    def _lines(self, card: Card, *, chosen: bool) -> list[cards_as_lines.Line]:
        return cards_as_lines.lines(card, self._inner, self.marks, self.now, selected=chosen, compact=self.compact)

    def _body(self, index: int, line: int, width: int) -> Strip:
        card = self.cards[index]
        state = "chosen" if index == self.chosen else "hover" if index == self.hover else ""
        tick = cards_as_lines.ticks(card, self.now)
        known = self._strips.get((card.id, state))
        if known is None or known[0] is not card or known[1] != tick:
            known = (card, tick, self._draw_body(card, state, width))
            self._strips[card.id, state] = known
        strips = known[2]
        return strips[line] if line < len(strips) else self.draw([], width)

    def _draw_body(self, card: Card, state: str, width: int) -> list[Strip]:
        side = self.marks.frame[5] if state == "chosen" else " "
        edge = Strip([Segment(side, self.style_of("frame"))], 1)
        inner = (
            self.draw(line, width - 2, under=state, ellipsis=self.marks.ellipsis)
            for line in self._lines(card, chosen=state == "chosen")
        )
        return [Strip.join([edge, strip, edge]) for strip in inner]

    def _frame(self, width: int, *, top: bool) -> Strip:
        corners = self.marks.frame[:2] if top else self.marks.frame[2:4]
        left, right = corners[0], corners[1]
        return self.draw([(left + self.marks.frame[4] * (width - 2) + right, "frame")], width)

    def _drop_line(self, width: int) -> Strip:
        return self.draw([(self.marks.drop * width, "drop")], width)

    def _empty_line(self, y: int, width: int) -> Strip:
        if y == 0 and self.drop is not None:
            return self._drop_line(width)
        said = wrap(self.empty_text, max(8, width - 4))
        return self.draw([(f"    {said[y - 1]}", "faint")], width) if 1 <= y <= len(said) else self.draw([], width)
