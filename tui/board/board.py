"""The board: five columns, one cursor, one focus. It shows cards and asks for everything that is done to them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.events import Click, Key, Leave, MouseDown, MouseMove, MouseScrollLeft, MouseScrollRight, MouseUp, Resize

from ...missions.board import Card, ListCount
from ...missions.entities import LISTS, ListName
from ..kit.counts import Counts
from ..kit.keyboard.jump import Target
from ..kit.list_names import NAMES
from ..kit.marks import UNICODE, Marks
from .columns.column import CardColumn, stand_side_by_side
from .columns.cursor import BoardCursor
from .columns.dragging import Dragging
from .columns.marking import Marking
from .heading_widget import Headings
from .keys import BOARD_KEYS, CHORDS, COUNTED
from .messages import Arranged, CursorMoved, Marked, MoveWished, NewWished, Typed, Wish, Wished
from .rows.card import Density
from .rows.column import EMPTY
from .rows.headings import COLLAPSED_WIDTH, EDGES, arrange, is_collapsed, rows_of
from .rows.lanes import Grouped, LaneBy, group, key_of
from .view import BoardView


class Board(Vertical, can_focus=True):
    """Columns side by side with a cursor that keeps its list: the same can be done to one card after the other."""

    ALLOW_SELECT = False
    BINDING_GROUP_TITLE = "Board"
    BINDINGS: ClassVar[list[BindingType]] = BOARD_KEYS

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
        self.cursor = BoardCursor(self.columns)
        self.marking = Marking(self.columns, lambda count: self.post_message(Marked(count)))
        self.dragging = Dragging(self)
        self.lanes: LaneBy = view.lanes
        self.collapsed = view.collapsed
        self.folded = view.folded
        self.density: Density = density
        self._lists: Mapping[ListName, Sequence[Card]] = {}
        self._first = 0
        self._placed: list[tuple[ListName, int]] = []
        self._counts = Counts(CHORDS)
        self.cursor.leave(self.collapsed)
        for column in self.columns.values():
            column.beside = tuple(self.columns.values())
            column.measured = self._align

    def compose(self) -> ComposeResult:
        """Headings above, columns below."""
        yield self.headings
        with Horizontal(id="columns"):
            yield from self.columns.values()

    @property
    def card(self) -> Card | None:
        """The card under the cursor."""
        return self.cursor.card

    @property
    def targets(self) -> tuple[Card, ...]:
        """What an action is done to: the marked cards in board order, else the one under the cursor."""
        return self.marking.cards or ((self.card,) if self.card is not None else ())

    # -- what the screen sets and asks ---------------------------------------------------------------------------

    def show(
        self,
        lists: Mapping[ListName, Sequence[Card]],
        counts: Mapping[ListName, ListCount],
        *,
        filtered: bool = False,
        repositories: bool | None = None,
    ) -> None:
        """Show these cards; the cursor stays on its card, or in its place when the card left the list.

        `repositories`: whether the project has several; None: as before.
        """
        before = self.card
        self.counts, self.filtered, self._lists = counts, filtered, lists
        if self.marking.selection.ids:
            self.marking.selection.keep(card.id for cards in lists.values() for card in cards)
        grouped = group(lists, self.lanes, self.folded) if self.lanes else Grouped(lists, {})
        moved_to = self.cursor.find(grouped.lists, before.id) if before is not None else None
        if moved_to is not None and moved_to[0] == self.cursor.active:
            self.cursor.at[self.cursor.active] = moved_to[1]
        self._arrange()
        for name, column in self.columns.items():
            if repositories is not None:
                column.set_repositories(repositories)
            cards = grouped.lists.get(name, ())
            self.cursor.at[name] = max(0, min(self.cursor.at[name], len(cards) - 1))
            column.say_when_empty("No mission matches the filter." if filtered else EMPTY[name])
            column.set_limit(counts[name].limit if name in counts and not filtered else None)
            unread = 0 if filtered else max(0, counts[name].total - len(lists.get(name, ())))
            chosen = self.cursor.at[name] if name == self.cursor.active and cards else None
            column.set_cards(cards, chosen, unread, grouped.bands.get(name, ()))
        self._head()
        self._align()
        self.marking.show()
        if self.card is not before:
            self.post_message(CursorMoved(self.card))

    def look(self, view: BoardView, density: Density) -> None:
        """Look at the board in another way."""
        self.lanes, self.collapsed, self.folded = view.lanes, view.collapsed, view.folded
        self.cursor.leave(self.collapsed)
        if density != self.density:
            self.density = density
            for column in self.columns.values():
                column.set_density(density)
        for column in self.columns.values():
            column.chosen = None
        self.show(self._lists, self.counts, filtered=self.filtered)

    def select(self, mission_id: str) -> bool:
        """Put the cursor on a mission; False when it is not shown."""
        found = self.cursor.find({name: column.cards for name, column in self.columns.items()}, mission_id)
        if found is None:
            return False
        self.go(*found)
        return True

    def tick(self, now: datetime) -> None:
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
        self.go(name, self.cursor.at[name] if index is None else index)

    # -- lists and lanes -----------------------------------------------------------------------------------------

    def action_collapse(self) -> None:
        """Collapse the list of the cursor, which goes to the next one."""
        beside = self.cursor.nearest(self.collapsed)
        if beside is not None:
            closed = self.collapsed | {self.cursor.active}
            self.go(beside, self.cursor.at[beside])
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
            self.post_message(Arranged(collapsed, folded))

    def go(self, name: ListName, index: int) -> None:
        """Put the cursor on a card of a list."""
        left = self.columns[self.cursor.active]
        self.cursor.put(name, index)
        if name in self.collapsed:
            self._set_arranged(self.collapsed - {name}, self.folded)
        column = self.columns[name]
        column.chosen = self.cursor.place if column.cards else None
        if left is not column:
            left.chosen = None
            self._arrange()
            self._head()
        self.post_message(CursorMoved(self.card))

    # -- keys ----------------------------------------------------------------------------------------------------

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
            self.post_message(Typed(pending))

    def _takes(self, key: str) -> bool:
        """Whether the action of a key takes a number."""
        bound = self._bindings.key_to_bindings.get(key, [])
        return any(one.action.partition("(")[0] in COUNTED for one in bound)

    def _times(self, otherwise: int = 1) -> int:
        """The number that was typed before the key."""
        if self._counts.pending:
            self.post_message(Typed(""))
        return self._counts.take(otherwise)

    def action_cursor(self, step: int) -> None:
        self.go(self.cursor.active, self.cursor.place + step * self._times())

    def action_first(self) -> None:
        """The first card, or with a number before it that one."""
        self.go(self.cursor.active, self._times() - 1)

    def action_last(self) -> None:
        """The last card, or with a number before it that one."""
        self.go(self.cursor.active, self._times(len(self.cursor.cards)) - 1)

    def action_page(self, direction: int) -> None:
        """A screenful up or down."""
        rows = self.columns[self.cursor.active].page()
        self.go(self.cursor.active, self.cursor.place + direction * self._times() * rows)

    def action_go(self, step: int) -> None:
        """To the list beside, or some lists further; over those that are collapsed."""
        name = self.cursor.beside(step * self._times(), self.collapsed)
        if name != self.cursor.active:
            self.go(name, self.cursor.at[name])

    def action_go_to(self, name: ListName) -> None:
        """To a list by name."""
        self.go(name, self.cursor.at[name])

    def action_wish(self, wish: Wish) -> None:
        """Ask the screen to do something with the card."""
        if self.card is not None:
            self.post_message(Wished(wish, self.card, self.targets))

    def action_new(self) -> None:
        """Ask for a new mission; in Loop for a loop mission."""
        self.post_message(NewWished(self.cursor.active))

    def action_add(self) -> None:
        """Ask for new missions, a line each."""
        self.post_message(NewWished(self.cursor.active, in_a_line=True))

    def action_move(self, step: int) -> None:
        """To the list beside, or some lists further."""
        index = max(0, min(LISTS.index(self.cursor.active) + step * self._times(), len(LISTS) - 1))
        if self.targets and LISTS[index] != self.cursor.active:
            self.post_message(MoveWished(self.targets, LISTS[index]))

    def action_reorder(self, step: int) -> None:
        """One place up or down, or some; within its lane."""
        cards, at = self.cursor.cards, self.cursor.place
        to = max(0, min(at + step * self._times(), len(cards) - 1))
        if self.card is None or to == at or key_of(cards[to], self.lanes) != key_of(self.card, self.lanes):
            return
        other = cards[to].id
        self.post_message(
            MoveWished(
                (self.card,), self.cursor.active, before=other if step < 0 else None, after=other if step > 0 else None
            )
        )

    def action_to_top(self) -> None:
        """The first of its list."""
        if self.targets:
            self.post_message(MoveWished(self.targets, self.cursor.active, top=True))

    def action_mark(self) -> None:
        """Mark the card, or take its mark away, and go on to the next."""
        if self.card is not None:
            self.marking.toggle(self.card)
            self.go(self.cursor.active, self.cursor.place + 1)

    def action_mark_to(self) -> None:
        """All from the last marked card to this one."""
        if self.card is not None:
            self.marking.mark_to(self.card, self.card)

    def action_mark_list(self) -> None:
        """Every card of the list."""
        self.marking.add(self.cursor.cards)

    # -- the mouse -----------------------------------------------------------------------------------------------

    def hold_mouse(self, held: bool) -> None:
        """Take all that the mouse does while a card is carried."""
        self.capture_mouse() if held else self.release_mouse()
        self.set_class(held, "-dragging")

    @on(Headings.Chosen)
    def _heading_chosen(self, event: Headings.Chosen) -> None:
        event.stop()
        self.focus()
        self.action_go_to(event.in_list)

    @on(MouseDown)
    def _mouse_down(self, event: MouseDown) -> None:
        self.dragging.press(event)

    @on(Click)
    def _clicked(self, event: Click) -> None:
        self.dragging.click(event)

    @on(MouseMove)
    def _mouse_moved(self, event: MouseMove) -> None:
        self.dragging.move(event)

    @on(MouseUp)
    def _mouse_up(self, event: MouseUp) -> None:
        self.dragging.release(event)

    @on(Leave)
    def _left(self) -> None:
        self.dragging.leave()

    @on(MouseScrollLeft)
    @on(MouseScrollRight)
    def _scrolled_aside(self, event: MouseScrollLeft | MouseScrollRight) -> None:
        event.stop()
        self.action_go(-1 if isinstance(event, MouseScrollLeft) else 1)

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
        empty = {name for name, count in self.counts.items() if not count.total}
        self._first, self._placed = arrange(width, self.cursor.active, self._first, self.collapsed, empty)
        wide = dict(self._placed)
        tall = max(0, self.app.size.height - EDGES - rows_of(self._placed))
        leftmost = next((one for one, room in self._placed if room > COLLAPSED_WIDTH), None)
        for name, column in self.columns.items():
            column.display = name in wide
            if name in wide:
                closed = is_collapsed(name, width, self.cursor.active, self.collapsed)
                column.set_place(
                    first=name == leftmost,
                    last=name == self._placed[-1][0],
                    collapsed=f"{NAMES[name]} {len(self._lists.get(name, ()))}" if closed else "",
                )
                column.set_size(wide[name], tall)

    def _head(self) -> None:
        shown = {name: len(self._lists.get(name, ())) for name in LISTS} if self.filtered else None
        self.headings.show(self._placed, self.counts, shown, self.cursor.active)

    def _align(self) -> None:
        """Let the lanes of all columns on screen stand side by side."""
        if not self.lanes:
            return
        columns = [column for column in self.columns.values() if column.display and not column.view.collapsed]
        stand_side_by_side(columns)
        self.columns[self.cursor.active].show_chosen()
