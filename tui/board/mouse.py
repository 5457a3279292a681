"""The board under the mouse: click, double click, hover, and carrying a card to another place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from textual.containers import Vertical
from textual.events import Click, Leave, MouseDown, MouseMove, MouseScrollLeft, MouseScrollRight, MouseUp
from textual.geometry import Offset
from textual.message import Message

from ...missions.board import Card
from ...missions.entities import ListName
from .column import CardColumn
from .headings import Headings

DRAG_CELLS = 2
"""How far the mouse goes before a press becomes a drag."""
Wish = Literal["open", "edit", "ready", "delete", "raise", "lower", "copy", "keys", "move_to"]


class MouseBoard(Vertical):
    """What a person wishes on a board, as messages, and how the mouse says it."""

    @dataclass
    class Wished(Message):
        """The person wants something done with a mission."""

        wish: Wish
        card: Card
        """The card under the cursor."""
        cards: tuple[Card, ...] = ()
        """The marked cards in board order, else the one under the cursor."""

    @dataclass
    class NewWished(Message):
        """The person wants a new mission in a list."""

        in_list: ListName

    @dataclass
    class MoveWished(Message):
        """The person moves cards: before or after another, to the top, or (neither) to the end of a list."""

        cards: tuple[Card, ...]
        to_list: ListName
        before: str | None = None
        after: str | None = None
        top: bool = False
        lane: str | None = None
        """The swim lane that they are put into, when it is another one."""

    @dataclass
    class CursorMoved(Message):
        """The cursor stands on another card (or on none)."""

        card: Card | None

    headings: Headings
    columns: dict[ListName, CardColumn]
    at: dict[ListName, int]
    """Where the cursor stands, or stood last, in each list."""
    active: ListName = "todo"
    _pressed: tuple[Card, Offset] | None = None
    _dragging = False

    @property
    def targets(self) -> tuple[Card, ...]:
        """What an action is done to: the marked cards, else the one under the cursor; the board says which."""
        return ()

    def toggle_mark(self, card: Card) -> None:
        """Mark a card, or take its mark away; the board says how."""

    def mark_to(self, card: Card) -> None:
        """Mark all from the last marked card to this one; the board says how."""

    def fold(self, lane: str) -> None:
        """Fold a swim lane, or unfold it; the board says how."""

    def action_go(self, step: int) -> None:
        """To the list beside; the board says how."""

    def go(self, name: ListName, index: int) -> None:
        """Put the cursor on a card of a list; the board says how."""

    @property
    def card(self) -> Card | None:
        """The card under the cursor."""
        cards, at = self.columns[self.active].cards, self.at[self.active]
        return cards[at] if at < len(cards) else None

    def _under(self, spot: Offset) -> tuple[CardColumn, int] | None:
        """The column under the mouse and the row of it."""
        for column in self.columns.values():
            if column.display and column.region.contains_point(spot):
                return column, spot.y - column.content_region.y
        return None

    def on_headings_chosen(self, event: Headings.Chosen) -> None:
        """A heading, tab or name beside was clicked."""
        event.stop()
        self.focus()
        self.go(event.in_list, self.at[event.in_list])

    def on_mouse_down(self, event: MouseDown) -> None:
        """Put the cursor on a card; it may become a drag."""
        under = self._under(event.screen_offset)
        if under is None or event.button != 1:
            return
        column, y = under
        index = column.card_at(y)
        if index is None:
            if (lane := column.lane_at(y)) is not None:
                self.fold(lane.key)
            else:
                self.go(column.in_list, self.at[column.in_list])
            return
        if event.shift:
            self.mark_to(column.cards[index])
        self.go(column.in_list, index)
        if event.ctrl:
            self.toggle_mark(column.cards[index])
        elif not event.shift:
            self._pressed = (column.cards[index], event.screen_offset)

    def on_click(self, event: Click) -> None:
        """A double click goes in; the right button shows what can be done."""
        under = self._under(event.screen_offset)
        index = under[0].card_at(under[1]) if under is not None else None
        if under is None or index is None:
            return
        if event.button == 3:
            self.go(under[0].in_list, index)
            self.post_message(self.Wished("keys", under[0].cards[index]))
        elif event.chain == 2:
            self.post_message(self.Wished("open", under[0].cards[index]))

    def on_mouse_scroll_left(self, event: MouseScrollLeft) -> None:
        """The list to the left, which brings it into view."""
        event.stop()
        self.action_go(-1)

    def on_mouse_scroll_right(self, event: MouseScrollRight) -> None:
        """The list to the right."""
        event.stop()
        self.action_go(1)

    def on_mouse_move(self, event: MouseMove) -> None:
        """Hover, or carry the card that is pressed."""
        spot = event.screen_offset
        under = self._under(spot)
        if self._pressed is None:
            for column in self.columns.values():
                column.hover = column.card_at(under[1]) if under is not None and column is under[0] else None
            return
        way = spot - self._pressed[1]
        if not self._dragging and max(abs(way.x), abs(way.y)) >= DRAG_CELLS:
            self._dragging = True
            self.capture_mouse()
            self.add_class("-dragging")
        if self._dragging:
            for column in self.columns.values():
                column.drop = column.drop_at(under[1]) if under is not None and column is under[0] else None
            if under is not None:
                self._scroll_at_edge(*under)

    def on_mouse_up(self, event: MouseUp) -> None:
        """Drop what is carried."""
        pressed, dragging = self._pressed, self._dragging
        self.end_drag()
        if pressed is None or not dragging:
            return
        card, spot = pressed[0], event.screen_offset
        under = self._under(spot)
        if under is not None:
            self._drop(card, *under)
        elif (name := self.headings.list_at(*(spot - self.headings.region.offset))) is not None and name != card.list:
            self.post_message(self.MoveWished(self._carried(card), name))

    def on_leave(self, event: Leave) -> None:
        """The mouse went elsewhere."""
        for column in self.columns.values():
            column.hover = None

    def end_drag(self) -> bool:
        """Let go of what is carried; True when something was."""
        dragging, self._pressed, self._dragging = self._dragging, None, False
        if dragging:
            self.release_mouse()
            self.remove_class("-dragging")
            for column in self.columns.values():
                column.drop = None
        return dragging

    def _carried(self, card: Card) -> tuple[Card, ...]:
        """What is dragged with a card: all that is marked, when it is marked itself."""
        return self.targets if card in self.targets else (card,)

    def _drop(self, card: Card, column: CardColumn, y: int) -> None:
        index, place = column.drop_at(y)
        carried = self._carried(card)
        ids = {one.id for one in carried}
        lane = column.view.places.bands[place] if column.view.places.bands else None
        stop = lane.stop if lane else len(column.cards)
        here = next((at for at, other in enumerate(column.cards) if other.id == card.id), None)
        same_lane = lane is None or (here is not None and lane.start <= here < lane.stop)
        if len(carried) == 1 and here is not None and same_lane and index in (here, here + 1):
            return
        anchor = next((other.id for other in column.cards[index:stop] if other.id not in ids), None)
        behind = next((other.id for other in reversed(column.cards[:index]) if other.id not in ids), None)
        key = lane.key if lane and not same_lane else None
        if anchor is not None:
            self.post_message(self.MoveWished(carried, column.in_list, before=anchor, lane=key))
        elif lane is not None and behind is not None:
            self.post_message(self.MoveWished(carried, column.in_list, after=behind, lane=key))
        else:
            self.post_message(self.MoveWished(carried, column.in_list, lane=key))

    @staticmethod
    def _scroll_at_edge(column: CardColumn, y: int) -> None:
        if y <= 0:
            column.scroll_relative(y=-2, animate=False)
        elif y >= column.size.height - 1:
            column.scroll_relative(y=2, animate=False)
