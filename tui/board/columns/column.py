"""One list of the board, drawn line by line: ten thousand cards cost what the visible ones cost.

The column shows; it neither has the focus nor knows its neighbours. The board sets `cards`, `chosen`, `hover` and
`drop`, asks `card_at` where the mouse is, and is told nothing: mouse events bubble up to it. What stands in which row
is decided by its ColumnView; the widget scrolls it and repaints what changed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from datetime import datetime

from textual.geometry import Region, Size
from textual.reactive import var
from textual.scroll_view import ScrollView
from textual.strip import Strip

from ....missions.board import Card
from ....missions.entities import ListName
from ...kit.marks import UNICODE, Marks
from ...kit.paint import Drawn
from ..rows import card as cards_as_lines
from ..rows.card import ROOMY, Density
from ..rows.column import ColumnView
from ..rows.lanes import Band


class CardColumn(Drawn, ScrollView, can_focus=False):
    """The cards of one list, from the top in board order."""

    DEFAULT_CSS = "CardColumn { overflow: hidden hidden; }"
    ALLOW_SELECT = False

    chosen: var[int | None] = var(None)
    """Index of the card under the cursor; None in the columns where the cursor is not."""
    hover: var[int | None] = var(None)
    """Index of the card under the mouse."""
    drop: var[tuple[int, int] | None] = var(None)
    """Index before which a dragged card would land (the length of `cards` means the end), and the lane."""

    def __init__(self, in_list: ListName, marks: Marks = UNICODE, *, density: Density = "normal") -> None:
        super().__init__(id=f"list-{in_list}", classes="column")
        self.in_list = in_list
        self._view = ColumnView(in_list, marks, density=density)
        self._wide = self._tall = 0
        self.beside: Sequence[CardColumn] = ()
        """The columns that share this one's lanes: they scroll together."""
        self.measured: Callable[[], None] = _nothing
        """Told when the cards were measured anew because of another width."""

    @property
    def allow_vertical_scroll(self) -> bool:
        """Wheel and keys scroll although there is no scroll bar: Textual's are never made."""
        return True

    @property
    def view(self) -> ColumnView:
        """What is shown, through the window as it is now."""
        self._look()
        return self._view

    def _look(self) -> None:
        """Tell the view where its window stands."""
        view = self._view
        view.width, view.height = self.size.width or self._wide, self.size.height or self._tall
        view.scroll = self.scroll_offset.y
        view.chosen, view.hover, view.drop = self.chosen, self.hover, self.drop

    @property
    def cards(self) -> Sequence[Card]:
        return self._view.cards

    # -- what the board sets -------------------------------------------------------------------------------------

    def say_when_empty(self, text: str) -> None:
        """The sentence of a list without cards."""
        self._view.empty_text = text

    def set_size(self, width: int, height: int) -> None:
        """How large it is to be; known before the first layout, so that the first frame is the right one."""
        self._wide, self._tall = width, height
        self.styles.width = width

    def set_place(self, *, first: bool, last: bool, collapsed: str) -> None:
        """Whether it is the leftmost and the rightmost column on screen, and what it says when it is collapsed."""
        view = self._view
        if (view.first, view.last, view.collapsed) != (first, last, collapsed):
            view.first, view.last, view.collapsed = first, last, collapsed
            self.refresh()

    def set_density(self, density: Density) -> None:
        """Show more or less of each card."""
        view = self.view
        view.density, view.measured_for = density, (0, 0)
        view.forget()
        self._anew()

    def set_repositories(self, several: bool) -> None:
        """Show on each card which repository it is of, where there are several."""
        view = self.view
        if view.repositories != several:
            view.repositories = several
            view.forget()
            self.refresh()

    def set_marked(self, marked: Set[str]) -> None:
        """Show which cards are marked."""
        view = self.view
        differing = view.marked ^ marked
        view.marked = marked
        for index in view.visible():
            if view.cards[index].id in differing:
                self._refresh_card(index)

    def set_limit(self, limit: int | None) -> None:
        """Show where the work-in-progress limit of the list lies."""
        if self._view.limit != limit:
            self._view.limit = limit
            self.refresh()

    def lane_heights(self, titles: int) -> list[int]:
        """Rows that each lane needs here when titles take up to so many lines."""
        if self._view.lane_titles != titles:
            self._view.lane_titles = titles
            self._view.measure()
            self.refresh()
        return self._view.places.band_heights()

    def align(self, heights: Sequence[int]) -> None:
        """Give the lanes these heights."""
        before = self._view.places.band_tops
        self._view.places.align(heights)
        if before != self._view.places.band_tops:
            self.refresh()
        self._resize_virtual()

    def set_cards(self, cards: Sequence[Card], chosen: int | None, unread: int = 0, bands: Sequence[Band] = ()) -> None:
        """Show other cards, with the cursor on one of them or nowhere; the place of the view is kept.

        `unread` cards follow that are not read yet.
        """
        view = self.view
        same = len(cards) == len(view.cards) and bands == view.places.bands
        if bool(bands) != bool(view.places.bands):
            view.forget()
        view.places.bands = bands
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
        tops = view.places.tops
        view.show(cards, unread)
        if same and chosen == self.chosen and tops == view.places.tops:
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
        places = view.places
        top, bottom = places.top(view.chosen), places.bottom(view.chosen) + (1 if view.apart else 0)
        at, room = view.scroll, view.height
        if bottom - at > room or view.chosen == len(view.cards) - 1:
            at = max(at, bottom - room)
        self._scroll_there(max(0, min(at, top - 1 if places.bands else top)))

    # -- what the board asks -------------------------------------------------------------------------------------

    def card_at(self, y: int) -> int | None:
        """Index of the card drawn at row `y` of the column; None below the last one."""
        view = self.view
        return None if view.collapsed else view.places.card_at(y + view.scroll)

    def lane_at(self, y: int) -> Band | None:
        """The lane whose heading is drawn at row `y`."""
        view = self.view
        places, row = view.places, y + view.scroll
        if not places.bands or not 0 <= row < places.end:
            return None
        place = places.band_at(row)
        return places.bands[place] if places.band_tops[place] == row else None

    def drop_at(self, y: int) -> tuple[int, int]:
        """Index before which a card dropped at row `y` goes, and the lane: in front of the card of the upper half,
        else behind it.
        """
        view = self.view
        return view.places.drop_at(y + view.scroll)

    def page(self) -> int:
        """About how many cards a screenful holds."""
        return max(1, len(self.view.visible()) - 1)

    # -- painting ------------------------------------------------------------------------------------------------

    def _resize_virtual(self) -> None:
        """Say how long the column is; set without its watcher, which would lay out the whole screen anew."""
        self.set_reactive(CardColumn.virtual_size, Size(self.size.width, self._view.places.end + 1))
        if self.scroll_offset.y > self.max_scroll_y:
            self._scroll_there(self.max_scroll_y)

    def _scroll_there(self, y: int) -> None:
        if y != self.scroll_offset.y:
            self.scroll_to(y=y, animate=False, force=True, immediate=True)

    def watch_scroll_y(self, before: float, after: float) -> None:
        """Columns with lanes stay side by side."""
        super().watch_scroll_y(before, after)
        if self._view.places.bands:
            for other in self.beside:
                if other is not self and other.scroll_offset.y != round(after):
                    other.scroll_to(y=after, animate=False, force=True, immediate=True)

    def watch_chosen(self, before: int | None, after: int | None) -> None:
        """Repaint what the cursor left and entered; all that follows only when the two grow by different heights."""
        view = self.view
        places = view.places
        extra = places.extra
        view.grow()
        self._resize_virtual()
        known = sorted(index for index in (before, after) if index is not None and index < len(view.cards))
        if known and places.bands:
            for index in known:
                self._refresh_card(index)
        elif known:
            top = places.tops[known[0]]
            if extra == places.extra:  # the same length: the gutter stays as it is
                width, rows = view.width - 1, places.top(known[-1] + 1) - top + 1
            else:
                width, rows = view.width, view.height + view.scroll
            self.refresh(Region(0, top - self.scroll_offset.y, width, rows))
        self.show_chosen()

    def watch_hover(self, before: int | None, after: int | None) -> None:
        """Repaint the cards that the mouse left and entered."""
        for index in {before, after} - {None}:
            self._refresh_card(index)

    def watch_drop(self, before: tuple[int, int] | None, after: tuple[int, int] | None) -> None:
        """Repaint the rows where the drop line was and is."""
        places = self.view.places
        for place in {before, after} - {None}:
            if place is not None and place[0] <= places.count:
                self.refresh_lines(max(0, places.drop_row(*place) - 1), 3)

    def on_resize(self) -> None:
        """Another width wraps otherwise, and another height leaves other room for titles."""
        self._anew()
        self.measured()

    def _anew(self) -> None:
        view = self.view
        if view.measured_for != (view.width, view.height):
            if view.measured_for[0] != view.width:
                view.forget()
            view.measure()
            self.refresh()
        self._resize_virtual()
        self.show_chosen()

    def _refresh_card(self, index: int | None) -> None:
        view = self.view
        if index is not None and index < len(view.cards):
            top = view.places.top(index)
            self.refresh_lines(top, view.places.bottom(index) - top + 1)

    def render_lines(self, crop: Region) -> list[Strip]:
        """The rows in a region; where the window stands is asked once for all of them."""
        self._look()
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        """The column's row `y`, with the gutter to its right."""
        return self.strip(self._view.row(y))


def stand_side_by_side(columns: Sequence[CardColumn]) -> None:
    """Make the lanes of these columns as tall as the tallest of each, with as many lines of the titles as have room."""
    for titles in range(ROOMY if all(column.view.has_room for column in columns) else 1, 0, -1):
        needed = [column.lane_heights(titles) for column in columns]
        heights = [max(rows) for rows in zip(*needed, strict=True)]
        if sum(heights) <= min(column.view.height for column in columns):
            break
    for column in columns:
        column.align(heights)


def _nothing() -> None:
    pass
