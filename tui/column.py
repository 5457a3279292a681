"""One list of the board, drawn line by line: ten thousand cards cost what the visible ones cost.

The column shows; it neither has the focus nor knows its neighbours. The board sets `cards`, `chosen`, `hover` and
`drop`, asks `card_at` where the mouse is, and is told nothing: mouse events bubble up to it. What stands in which row
is decided by its ColumnView; the widget scrolls it and repaints what changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from textual.geometry import Region, Size
from textual.reactive import var
from textual.strip import Strip

from ..missions.board import Card
from ..missions.entities import ListName
from . import card as cards_as_lines
from .column_view import ColumnView
from .marks import UNICODE, Marks
from .paint import DrawnScroll


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
        self._view = ColumnView(in_list, marks, compact=compact)
        self._wide = 0

    @property
    def view(self) -> ColumnView:
        """What is shown, through the window as it is now."""
        view = self._view
        view.width, view.height = self.size.width or self._wide, self.size.height
        view.scroll = self.scroll_offset.y
        view.chosen, view.hover, view.drop = self.chosen, self.hover, self.drop
        return view

    @property
    def cards(self) -> Sequence[Card]:
        """The cards shown."""
        return self._view.cards

    # -- what the board sets -------------------------------------------------------------------------------------

    def say_when_empty(self, text: str) -> None:
        """The sentence of a list without cards."""
        self._view.empty_text = text

    def set_width(self, width: int) -> None:
        """How wide it is to be; known before the first layout, so that the first frame is the right one."""
        self._wide = width
        self.styles.width = width

    def set_last(self, last: bool) -> None:
        """Whether it is the rightmost column on screen: nothing to divide it from."""
        if self._view.last != last:
            self._view.last = last
            self.refresh()

    def set_cards(self, cards: Sequence[Card], chosen: int | None, unread: int = 0) -> None:
        """Show other cards, with the cursor on one of them or nowhere; the place of the view is kept.

        `unread` cards follow that are not read yet.
        """
        view = self.view
        same = len(cards) == len(view.cards)
        changed = (
            [index for index, (old, new) in enumerate(zip(view.cards, cards, strict=True)) if old is not new]
            if same
            else []
        )
        same = same and unread == view.unread
        if same and not changed and chosen == self.chosen:
            view.cards = cards
            if not cards:
                self.refresh()
            return
        tops = view.tops
        view.show(cards, unread)
        if same and chosen == self.chosen and tops == view.tops:
            self._resize_virtual()
            for index in changed:
                self._refresh_card(index)
        else:
            self.set_reactive(CardColumn.chosen, chosen)
            self.view.grow()
            self._resize_virtual()
            self.refresh()
        self.show_chosen()

    def tick(self, now: datetime, *, repaint: bool = True) -> None:
        """The clock moved: repaint the visible cards whose text it changes."""
        view = self.view
        before, view.now = view.now, now
        for index in view.visible() if repaint else ():
            card = view.cards[index]
            if cards_as_lines.ticks(card, before) != cards_as_lines.ticks(card, now):
                self._refresh_card(index)

    def show_chosen(self) -> None:
        """Bring the card under the cursor into view without waiting for a frame."""
        view = self.view
        if view.chosen is None or not view.cards or not view.height:
            return
        top, bottom = view.top(view.chosen), view.top(view.chosen + 1) + (0 if view.compact else 1)
        at, room = view.scroll, view.height
        if bottom - at > room or view.chosen == len(view.cards) - 1:
            at = max(at, bottom - room)
        self._scroll_there(min(at, top))

    # -- what the board asks -------------------------------------------------------------------------------------

    def card_at(self, y: int) -> int | None:
        """Index of the card drawn at row `y` of the column; None below the last one."""
        return self.view.card_at(y)

    def drop_at(self, y: int) -> int:
        """Index before which a card dropped at row `y` goes: in front of the card of the upper half, else behind it."""
        view = self.view
        index = view.card_at(y)
        if index is None:
            return len(view.cards)
        top, bottom = view.top(index), view.top(index + 1)
        return index if y + view.scroll < (top + bottom + 1) // 2 else index + 1

    def page(self) -> int:
        """About how many cards a screenful holds."""
        return max(1, len(self.view.visible()) - 1)

    # -- painting ------------------------------------------------------------------------------------------------

    def _resize_virtual(self) -> None:
        """Say how long the column is; set without its watcher, which would lay out the whole screen anew."""
        self.set_reactive(CardColumn.virtual_size, Size(self.size.width, self._view.end + 1))
        if self.scroll_offset.y > self.max_scroll_y:
            self._scroll_there(self.max_scroll_y)

    def _scroll_there(self, y: int) -> None:
        if y != self.scroll_offset.y:
            self.scroll_to(y=y, animate=False, force=True, immediate=True)

    def watch_chosen(self, before: int | None, after: int | None) -> None:
        """Repaint what the cursor left and entered; all that follows only when the two grow by different heights."""
        view = self.view
        extra = view.extra
        view.grow()
        self._resize_virtual()
        known = sorted(index for index in (before, after) if index is not None and index < len(view.cards))
        if known:
            top = view.tops[known[0]]
            if extra == view.extra:  # the same length: the gutter stays as it is
                width, rows = view.width - 1, view.top(known[-1] + 1) - top + 1
            else:
                width, rows = view.width, view.height + view.scroll
            self.refresh(Region(0, top - self.scroll_offset.y, width, rows))
        self.show_chosen()

    def watch_hover(self, before: int | None, after: int | None) -> None:
        """Repaint the cards that the mouse left and entered."""
        for index in {before, after} - {None}:
            self._refresh_card(index)

    def watch_drop(self, before: int | None, after: int | None) -> None:
        """Repaint the rows where the drop line was and is."""
        for index in {before, after} - {None}:
            self.refresh_lines(self.view.top(index if index is not None else 0) - 1, 3)

    def on_resize(self) -> None:
        """Another width wraps otherwise."""
        view = self.view
        if view.measured_for != view.width:
            view.forget()
            view.measure()
            self.refresh()
        self._resize_virtual()
        self.show_chosen()

    def _refresh_card(self, index: int | None) -> None:
        view = self.view
        if index is not None and index < len(view.cards):
            top = view.top(index)
            self.refresh_lines(top, view.top(index + 1) - top + 1)

    def render_line(self, y: int) -> Strip:
        """The column's row `y` as it is scrolled now, with the gutter to its right."""
        return self.strip(self.view.row(y))
