"""The board under the mouse: click, double click, hover, and carrying a card to another place."""

from __future__ import annotations

from typing import Protocol

from textual.events import Click, MouseDown, MouseMove, MouseUp
from textual.geometry import Offset
from textual.message import Message

from ....missions.board import Card
from ....missions.entities import ListName
from ..heading_widget import Headings
from ..messages import MoveWished, Wished
from .column import CardColumn
from .cursor import BoardCursor
from .marking import Marking

DRAG_CELLS = 2
"""How far the mouse goes before a press becomes a drag."""


class DragBoard(Protocol):
    """What the mouse needs of the board."""

    columns: dict[ListName, CardColumn]
    headings: Headings
    cursor: BoardCursor
    marking: Marking

    @property
    def card(self) -> Card | None: ...
    @property
    def targets(self) -> tuple[Card, ...]: ...
    def go(self, name: ListName, index: int) -> None: ...
    def fold(self, lane: str) -> None: ...
    def hold_mouse(self, held: bool) -> None: ...
    def post_message(self, message: Message) -> bool: ...


class Dragging:
    """Takes the events of the mouse for a board."""

    def __init__(self, board: DragBoard) -> None:
        self.board = board
        self._pressed: tuple[Card, Offset] | None = None
        self._dragging = False

    def _under(self, spot: Offset) -> tuple[CardColumn, int] | None:
        """The column under the mouse and the row of it."""
        for column in self.board.columns.values():
            if column.display and column.region.contains_point(spot):
                return column, spot.y - column.content_region.y
        return None

    def press(self, event: MouseDown) -> None:
        """Put the cursor on a card; it may become a drag."""
        under = self._under(event.screen_offset)
        if under is None or event.button != 1:
            return
        column, y = under
        index = column.card_at(y)
        if index is None:
            if (lane := column.lane_at(y)) is not None:
                self.board.fold(lane.key)
            else:
                self.board.go(column.in_list, self.board.cursor.at[column.in_list])
            return
        if event.shift:
            self.board.marking.mark_to(column.cards[index], self.board.card)
        self.board.go(column.in_list, index)
        if event.ctrl:
            self.board.marking.toggle(column.cards[index])
        elif not event.shift:
            self._pressed = (column.cards[index], event.screen_offset)

    def click(self, event: Click) -> None:
        """A double click goes in; the right button shows what can be done."""
        under = self._under(event.screen_offset)
        index = under[0].card_at(under[1]) if under is not None else None
        if under is None or index is None:
            return
        if event.button == 3:
            self.board.go(under[0].in_list, index)
            self.board.post_message(Wished("keys", under[0].cards[index]))
        elif event.chain == 2:
            self.board.post_message(Wished("open", under[0].cards[index]))

    def move(self, event: MouseMove) -> None:
        """Hover, or carry the card that is pressed."""
        spot = event.screen_offset
        under = self._under(spot)
        if self._pressed is None:
            for column in self.board.columns.values():
                column.hover = column.card_at(under[1]) if under is not None and column is under[0] else None
            return
        way = spot - self._pressed[1]
        if not self._dragging and max(abs(way.x), abs(way.y)) >= DRAG_CELLS:
            self._dragging = True
            self.board.hold_mouse(True)
        if self._dragging:
            for column in self.board.columns.values():
                column.drop = column.drop_at(under[1]) if under is not None and column is under[0] else None
            if under is not None:
                self._scroll_at_edge(*under)

    def release(self, event: MouseUp) -> None:
        """Drop what is carried."""
        pressed, dragging = self._pressed, self._dragging
        self.end()
        if pressed is None or not dragging:
            return
        card, spot, headings = pressed[0], event.screen_offset, self.board.headings
        under = self._under(spot)
        if under is not None:
            self._drop(card, *under)
            return
        name = headings.list_at(*(spot - headings.region.offset))
        if name is not None and name != card.list:
            self.board.post_message(MoveWished(self._carried(card), name))

    def leave(self) -> None:
        """The mouse went elsewhere."""
        for column in self.board.columns.values():
            column.hover = None

    def end(self) -> bool:
        """Let go of what is carried; True when something was."""
        dragging, self._pressed, self._dragging = self._dragging, None, False
        if dragging:
            self.board.hold_mouse(False)
            for column in self.board.columns.values():
                column.drop = None
        return dragging

    def _carried(self, card: Card) -> tuple[Card, ...]:
        """What is dragged with a card: all that is marked, when it is marked itself."""
        return self.board.targets if card in self.board.targets else (card,)

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
            self.board.post_message(MoveWished(carried, column.in_list, before=anchor, lane=key))
        elif lane is not None and behind is not None:
            self.board.post_message(MoveWished(carried, column.in_list, after=behind, lane=key))
        else:
            self.board.post_message(MoveWished(carried, column.in_list, lane=key))

    @staticmethod
    def _scroll_at_edge(column: CardColumn, y: int) -> None:
        if y <= 0:
            column.scroll_relative(y=-2, animate=False)
        elif y >= column.size.height - 1:
            column.scroll_relative(y=2, animate=False)
