"""The board: five columns, one cursor, one focus. It moves the cursor and asks for everything else by message."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.events import Key, Resize
from textual.message import Message

from ..missions.board import Card, ListCount
from ..missions.entities import LISTS, ListName
from .board_keys import BOARD_KEYS
from .board_mouse import MouseBoard, Wish
from .board_view import BoardView
from .card import Density
from .column import CardColumn
from .column_view import EMPTY
from .counts import Counts
from .heading_view import COLLAPSED_WIDTH, NAMES, arrange, is_collapsed
from .headings import Headings
from .jump import Target
from .lanes import Grouped, LaneBy, group, key_of
from .marks import UNICODE, Marks
from .selection import Selection

CHORDS: Final = {"g": "first", **{str(place): f"go_to('{name}')" for place, name in enumerate(LISTS, 1)}}
"""What follows a g."""
COUNTED: Final = frozenset({"cursor", "go", "page", "move", "reorder", "first", "last"})
"""Actions that take a number."""


class Board(MouseBoard, can_focus=True):
    """Columns side by side with a cursor that follows its card wherever it goes."""

    ALLOW_SELECT = False
    BINDING_GROUP_TITLE = "Board"
    BINDINGS: ClassVar[list[BindingType]] = BOARD_KEYS

    @dataclass
    class Marked(Message):
        """Other cards are marked."""

        count: int

    @dataclass
    class Typed(Message):
        """Something was typed that waits for the key that acts, such as a number; empty once it acted."""

        pending: str

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

    # -- actions -------------------------------------------------------------------------------------------------

    async def on_key(self, event: Key) -> None:
        """Numbers before a key, and what follows a g."""
        if "g" in self._bindings.key_to_bindings:  # rebound: it acts by itself
            return
        before = self._counts.pending
        if before and event.key not in ("escape", "g") and not event.key.isdecimal() and not self._takes(event.key):
            self._counts.forget() if not before.endswith("g") else None
        action = self._counts.feed(event.key)
        if action is not None:
            event.stop()
            event.prevent_default()
            if action:
                await self.run_action(action)
        if (pending := self._counts.pending) != before:
            self.post_message(self.Typed(pending))

    def _takes(self, key: str) -> bool:
        """Whether the action of a key takes a number."""
        bound = self._bindings.key_to_bindings.get(key, [])
        return any(one.action.partition("(")[0] in COUNTED for one in bound)

    def _times(self, otherwise: int = 1) -> int:
        """The number that was typed before the key."""
        if self._counts.pending:
            self.post_message(self.Typed(""))
        return self._counts.take(otherwise)

    def action_cursor(self, step: int) -> None:
        """Up or down."""
        self.go(self.active, self.at[self.active] + step * self._times())

    def action_first(self) -> None:
        """The first card, or with a number before it that one."""
        self.go(self.active, self._times() - 1)

    def action_last(self) -> None:
        """The last card, or with a number before it that one."""
        self.go(self.active, self._times(len(self.columns[self.active].cards)) - 1)

    def action_page(self, direction: int) -> None:
        """A screenful up or down."""
        self.go(self.active, self.at[self.active] + direction * self._times() * self.columns[self.active].page())

    def action_go(self, step: int) -> None:
        """To the list beside, or some lists further; over those that are collapsed."""
        names = [name for name in LISTS if name not in self.collapsed or name == self.active]
        index = max(0, min(names.index(self.active) + step * self._times(), len(names) - 1))
        if names[index] != self.active:
            self.go(names[index], self.at[names[index]])

    def action_go_to(self, name: ListName) -> None:
        """To a list by name."""
        self.go(name, self.at[name])

    def action_wish(self, wish: Wish) -> None:
        """Ask the screen to do something with the card."""
        if self.card is not None:
            self.post_message(self.Wished(wish, self.card, self.targets))

    def action_new(self) -> None:
        """Ask for a new mission; in Loop for a loop mission."""
        self.post_message(self.NewWished(self.active))

    def action_move(self, step: int) -> None:
        """To the list beside, or some lists further."""
        index = max(0, min(LISTS.index(self.active) + step * self._times(), len(LISTS) - 1))
        if self.targets and LISTS[index] != self.active:
            self.post_message(self.MoveWished(self.targets, LISTS[index]))

    def action_reorder(self, step: int) -> None:
        """One place up or down, or some; within its lane."""
        cards, at = self.columns[self.active].cards, self.at[self.active]
        to = max(0, min(at + step * self._times(), len(cards) - 1))
        if self.card is None or to == at or key_of(cards[to], self.lanes) != key_of(self.card, self.lanes):
            return
        other = cards[to].id
        self.post_message(
            self.MoveWished(
                (self.card,), self.active, before=other if step < 0 else None, after=other if step > 0 else None
            )
        )

    def action_to_top(self) -> None:
        """The first of its list."""
        if self.targets:
            self.post_message(self.MoveWished(self.targets, self.active, top=True))

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

    # -- marks ---------------------------------------------------------------------------------------------------

    @property
    def targets(self) -> tuple[Card, ...]:
        """The marked cards in board order, else the one under the cursor."""
        marked = self.selection.cards({name: column.cards for name, column in self.columns.items()})
        return marked or ((self.card,) if self.card is not None else ())

    def action_mark(self) -> None:
        """Mark the card, or take its mark away, and go on to the next."""
        if self.card is not None:
            self.toggle_mark(self.card)
            self.go(self.active, self.at[self.active] + 1)

    def action_mark_to(self) -> None:
        """All from the last marked card to this one."""
        if self.card is not None:
            self.mark_to(self.card)

    def action_mark_list(self) -> None:
        """Every card of the list."""
        self.selection.add(card.id for card in self.columns[self.active].cards)
        self._show_marks()

    def toggle_mark(self, card: Card) -> None:
        """Mark a card, or take its mark away."""
        self.selection.toggle(card.id)
        self._show_marks()

    def mark_to(self, card: Card) -> None:
        """Mark all from the last marked card (else the one under the cursor) to this one."""
        for column in self.columns.values():
            here = next((at for at, other in enumerate(column.cards) if other.id == card.id), None)
            if here is not None:
                if self.selection.last is None and self.card is not None:
                    self.selection.last = self.card.id
                self.selection.add(self.selection.between(column.cards, here))
        self._show_marks()

    def clear_marks(self) -> bool:
        """Take all marks away; True when there were some."""
        had = self.selection.clear()
        if had:
            self._show_marks()
        return had

    def _show_marks(self) -> None:
        if any(column.view.marked != self.selection.ids for column in self.columns.values()):
            for column in self.columns.values():
                column.set_marked(self.selection.ids)
            self.post_message(self.Marked(len(self.selection.ids)))

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
