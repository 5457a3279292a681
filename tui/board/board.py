"""The board: five columns, one cursor, one focus. It shows cards and asks for everything that is done to them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.events import Resize
from textual.message import Message

from ...missions.board import Card, ListCount
from ...missions.entities import LISTS, ListName
from ..kit.counts import Counts
from ..kit.jump import Target
from ..kit.list_names import NAMES
from ..kit.marks import UNICODE, Marks
from .column import CardColumn
from .headings import Headings
from .keys import BOARD_KEYS
from .moves import CHORDS, MovingBoard
from .rows.card import Density
from .rows.column import EMPTY
from .rows.headings import COLLAPSED_WIDTH, arrange, is_collapsed
from .rows.lanes import Grouped, LaneBy, group
from .selection import Selection
from .view import BoardView


class Board(MovingBoard, can_focus=True):
    """Columns side by side with a cursor that follows its card wherever it goes."""

    ALLOW_SELECT = False
    BINDING_GROUP_TITLE = "Board"
    BINDINGS: ClassVar[list[BindingType]] = BOARD_KEYS

    @dataclass
    class Arranged(Message):
        """The person collapsed or opened a list, or folded a lane."""

        collapsed: frozenset[ListName]
        folded: frozenset[str]

    def __init__(
        self,
        marks: Marks = UNICODE,
        *,
        density: Density = "normal",
        view: BoardView | None = None,
        id: str | None = None,  # noqa: A002
    ) -> None:
        super().__init__(id=id)
        view = view or BoardView()
        self.headings = Headings(marks)
        self.columns = {name: CardColumn(name, marks, density=density) for name in LISTS}
        self.counts: Mapping[ListName, ListCount] = {}
        self.filtered = False
        self.at = dict.fromkeys(LISTS, 0)
        self.lanes: LaneBy = view.lanes
        self.collapsed = view.collapsed
        self.folded = view.folded
        self.density: Density = density
        self.selection = Selection()
        self._lists: Mapping[ListName, Sequence[Card]] = {}
        self._first = 0
        self._placed: list[tuple[ListName, int]] = []
        self._counts = Counts(CHORDS)
        self._leave_collapsed()
        for column in self.columns.values():
            column.beside = tuple(self.columns.values())
            column.measured = self._align

    def compose(self) -> ComposeResult:
        """Headings above, columns below."""
        yield self.headings
        with Horizontal(id="columns"):
            yield from self.columns.values()

    # -- what the screen sets and asks ---------------------------------------------------------------------------

    def show(
        self, lists: Mapping[ListName, Sequence[Card]], counts: Mapping[ListName, ListCount], *, filtered: bool = False
    ) -> None:
        """Show these cards; the cursor stays on its card, even when that is in another list or place now."""
        before = self.card
        self.counts, self.filtered, self._lists = counts, filtered, lists
        if self.selection.ids:
            self.selection.keep(card.id for cards in lists.values() for card in cards)
        grouped = group(lists, self.lanes, self.folded) if self.lanes else Grouped(lists, {})
        moved_to = _find(grouped.lists, before.id, self.active) if before is not None else None
        if moved_to is not None and moved_to[0] not in self.collapsed:
            self.active, self.at[moved_to[0]] = moved_to
        self._arrange()
        for name, column in self.columns.items():
            cards = grouped.lists.get(name, ())
            self.at[name] = max(0, min(self.at[name], len(cards) - 1))
            column.say_when_empty("Nothing here meets the filter." if filtered else EMPTY[name])
            column.set_limit(counts[name].limit if name in counts and not filtered else None)
            unread = 0 if filtered else max(0, counts[name].total - len(lists.get(name, ())))
            chosen = self.at[name] if name == self.active and cards else None
            column.set_cards(cards, chosen, unread, grouped.bands.get(name, ()))
        self._head()
        self._align()
        self._show_marks()
        if self.card is not before:
            self.post_message(self.CursorMoved(self.card))

    def look(self, view: BoardView, density: Density) -> None:
        """Look at the board in another way."""
        self.lanes, self.collapsed, self.folded = view.lanes, view.collapsed, view.folded
        self._leave_collapsed()
        if density != self.density:
            self.density = density
            for column in self.columns.values():
                column.set_density(density)
        for column in self.columns.values():
            column.chosen = None
        self.show(self._lists, self.counts, filtered=self.filtered)

    def select(self, mission_id: str) -> bool:
        """Put the cursor on a mission; False when it is not shown."""
        found = _find({name: column.cards for name, column in self.columns.items()}, mission_id, self.active)
        if found is None:
            return False
        self.go(*found)
        return True

    def tick(self, now: datetime) -> None:
        """The clock moved."""
        for column in self.columns.values():
            column.tick(now, repaint=column.display)

    # -- what can be reached -------------------------------------------------------------------------------------

    def jump_targets(self) -> Iterator[Target]:
        """The cards in view, and the names of the lists."""
        for name, column in self.columns.items():
            if not column.display:
                continue
            view, region = column.view, column.region
            for index in () if view.collapsed else view.visible():
                y = view.places.top(index) + int(view.apart) - view.scroll
                if 0 <= y < region.height:
                    yield Target(region.x, region.y + y, partial(self._jump, name, index))
        for row, start, _, name in self.headings.view.places:
            region = self.headings.region
            yield Target(region.x + start, region.y + row, partial(self._jump, name, None))

    def _jump(self, name: ListName, index: int | None) -> None:
        self.focus()
        self.go(name, self.at[name] if index is None else index)

    # -- lists and lanes -----------------------------------------------------------------------------------------

    def action_collapse(self) -> None:
        """Collapse the list of the cursor, which goes to the next one."""
        index = LISTS.index(self.active)
        others = [name for name in (*LISTS[index + 1 :], *reversed(LISTS[:index])) if name not in self.collapsed]
        if others:
            closed = self.collapsed | {self.active}
            self.go(others[0], self.at[others[0]])
            self._set_arranged(closed, self.folded)

    def action_expand(self) -> None:
        """Open every collapsed list."""
        self._set_arranged(frozenset(), self.folded)

    def fold(self, lane: str) -> None:
        """Fold a swim lane, or unfold it."""
        self._set_arranged(self.collapsed, self.folded ^ {lane})
        self.show(self._lists, self.counts, filtered=self.filtered)

    def _set_arranged(self, collapsed: frozenset[ListName], folded: frozenset[str]) -> None:
        if (collapsed, folded) != (self.collapsed, self.folded):
            self.collapsed, self.folded = collapsed, folded
            self._arrange()
            self.post_message(self.Arranged(collapsed, folded))

    def _leave_collapsed(self) -> None:
        if self.active in self.collapsed:
            self.active = next((name for name in LISTS if name not in self.collapsed), self.active)

    def go(self, name: ListName, index: int) -> None:
        """Put the cursor on a card of a list."""
        left = self.columns[self.active]
        self.active = name
        if name in self.collapsed:
            self._set_arranged(self.collapsed - {name}, self.folded)
        column = self.columns[name]
        self.at[name] = max(0, min(index, len(column.cards) - 1))
        column.chosen = self.at[name] if column.cards else None
        if left is not column:
            left.chosen = None
            self._arrange()
            self._head()
        self.post_message(self.CursorMoved(self.card))

    # -- layout --------------------------------------------------------------------------------------------------

    def on_resize(self, event: Resize) -> None:
        """Show as many columns as fit."""
        self._arrange(event.size.width)
        self._head()

    def _arrange(self, width: int | None = None) -> None:
        """Place the columns; before the first layout the board is as wide as the screen, so its frame is right."""
        width = width or self.size.width or self.app.size.width
        if not width:
            return
        self._first, self._placed = arrange(width, self.active, self._first, self.collapsed)
        wide = dict(self._placed)
        leftmost = next((one for one, room in self._placed if room > COLLAPSED_WIDTH), None)
        for name, column in self.columns.items():
            column.display = name in wide
            if name in wide:
                closed = is_collapsed(name, width, self.active, self.collapsed)
                column.set_place(
                    first=name == leftmost,
                    last=name == self._placed[-1][0],
                    collapsed=f"{NAMES[name]} {len(self._lists.get(name, ()))}" if closed else "",
                )
                column.set_width(wide[name])

    def _head(self) -> None:
        shown = {name: len(self._lists.get(name, ())) for name in LISTS} if self.filtered else None
        self.headings.show(self._placed, self.counts, shown, self.active)

    def _align(self) -> None:
        """Let the lanes of all columns on screen stand side by side."""
        if not self.lanes:
            return
        columns = [column for column in self.columns.values() if column.display and not column.view.collapsed]
        needed = [column.view.places.band_heights() for column in columns]
        heights = [max(rows) for rows in zip(*needed, strict=True)]
        for column in columns:
            column.align(heights)
        self.columns[self.active].show_chosen()


def _find(lists: Mapping[ListName, Sequence[Card]], mission_id: str, first: ListName) -> tuple[ListName, int] | None:
    """Where a mission stands, looking into the list `first` before the others."""
    for name in (first, *(name for name in LISTS if name != first)):
        for index, card in enumerate(lists.get(name, ())):
            if card.id == mission_id:
                return name, index
    return None
