"""The board: five columns, one cursor, one focus. It moves the cursor and asks for everything else by message."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.events import Resize

from ..missions.board import Card, ListCount
from ..missions.entities import LISTS, ListName
from .board_mouse import MouseBoard, Wish
from .column import CardColumn
from .column_view import EMPTY
from .heading_view import NAMES, arrange
from .headings import Headings
from .keys import binding
from .marks import UNICODE, Marks


class Board(MouseBoard, can_focus=True):
    """Columns side by side with a cursor that follows its card wherever it goes."""

    ALLOW_SELECT = False
    BINDING_GROUP_TITLE = "Board"
    BINDINGS: ClassVar[list[BindingType]] = [
        binding("board.new", "n", "new", "new", "Write a new mission"),
        binding(
            "board.open",
            "enter",
            "wish('open')",
            "open",
            "Go into the mission: description, plan, session, changes, review",
        ),
        binding(
            "board.ready",
            "space",
            "wish('ready')",
            "ready",
            "The main switch: an agent may (or may not yet) take this mission",
        ),
        binding("board.edit", "e", "wish('edit')", "edit", "Change the mission"),
        binding(
            "board.move_left",
            "H,shift+left",
            "move(-1)",
            "move left",
            "Move the card to the list on the left",
            label="H L",
        ),
        binding(
            "board.move_right",
            "L,shift+right",
            "move(1)",
            "move right",
            "Move the card to the list on the right",
            show=False,
        ),
        binding(
            "board.reorder_down",
            "J,shift+down",
            "reorder(1)",
            "move down",
            "Move the card down in its list",
            show=False,
        ),
        binding("board.reorder_up", "K,shift+up", "reorder(-1)", "move up", "Move the card up in its list", show=False),
        binding("board.top_of_list", "T", "to_top", "to the top", "Make the card the first of its list", show=False),
        binding(
            "board.delete",
            "D,delete",
            "wish('delete')",
            "delete",
            "Take the mission off the board; u brings it back",
            show=False,
        ),
        binding("board.up", "up,k", "cursor(-1)", "up", "The card above", show=False),
        binding("board.down", "down,j", "cursor(1)", "down", "The card below", show=False),
        binding("board.left", "left,h", "go(-1)", "list to the left", "The list on the left", show=False),
        binding("board.right", "right,l", "go(1)", "list to the right", "The list on the right", show=False),
        binding("board.first", "home,g", "cursor(-1000000)", "first card", "The first card of the list", show=False),
        binding("board.last", "end,G", "cursor(1000000)", "last card", "The last card of the list", show=False),
        binding("board.page_up", "pageup,ctrl+b", "page(-1)", "page up", "A screenful up", show=False),
        binding("board.page_down", "pagedown,ctrl+f", "page(1)", "page down", "A screenful down", show=False),
        *(
            binding(
                f"board.list_{name}",
                str(number),
                f"go_to('{name}')",
                f"go to {NAMES[name]}",
                f"Go to {NAMES[name]}",
                show=False,
            )
            for number, name in enumerate(LISTS, 1)
        ),
    ]

    def __init__(self, marks: Marks = UNICODE, *, compact: bool = False, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.headings = Headings(marks)
        self.columns = {name: CardColumn(name, marks, compact=compact) for name in LISTS}
        self.counts: Mapping[ListName, ListCount] = {}
        self.filtered = False
        self.at = dict.fromkeys(LISTS, 0)
        self._first = 0
        self._placed: list[tuple[ListName, int]] = []

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
        self.counts, self.filtered = counts, filtered
        moved_to: tuple[ListName, int] | None = None
        if before is not None:
            moved_to = _find(lists, before.id, self.active)
        if moved_to is not None:
            self.active, self.at[moved_to[0]] = moved_to
        self._arrange()
        for name, column in self.columns.items():
            cards = lists.get(name, ())
            self.at[name] = max(0, min(self.at[name], len(cards) - 1))
            column.say_when_empty("Nothing here meets the filter." if filtered else EMPTY[name])
            unread = 0 if filtered else max(0, counts[name].total - len(cards))
            column.set_cards(cards, self.at[name] if name == self.active and cards else None, unread)
        self._head()
        if self.card is not before:
            self.post_message(self.CursorMoved(self.card))

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

    def action_cursor(self, step: int) -> None:
        """Up or down."""
        self.go(self.active, self.at[self.active] + step)

    def action_page(self, direction: int) -> None:
        """A screenful up or down."""
        self.action_cursor(direction * self.columns[self.active].page())

    def action_go(self, step: int) -> None:
        """To the list beside, at about the same height."""
        index = LISTS.index(self.active) + step
        if 0 <= index < len(LISTS):
            self.go(LISTS[index], self.at[LISTS[index]])

    def action_go_to(self, name: ListName) -> None:
        """To a list by name."""
        self.go(name, self.at[name])

    def action_wish(self, wish: Wish) -> None:
        """Ask the screen to do something with the card."""
        if self.card is not None:
            self.post_message(self.Wished(wish, self.card))

    def action_new(self) -> None:
        """Ask for a new mission; in Loop for a loop mission."""
        self.post_message(self.NewWished(self.active))

    def action_move(self, step: int) -> None:
        """To the list beside."""
        index = LISTS.index(self.active) + step
        if self.card is not None and 0 <= index < len(LISTS):
            self.post_message(self.MoveWished(self.card, LISTS[index]))

    def action_reorder(self, step: int) -> None:
        """One place up or down."""
        cards, at = self.columns[self.active].cards, self.at[self.active]
        if self.card is None or not 0 <= at + step < len(cards):
            return
        other = cards[at + step].id
        self.post_message(
            self.MoveWished(
                self.card, self.active, before=other if step < 0 else None, after=other if step > 0 else None
            )
        )

    def action_to_top(self) -> None:
        """The first of its list."""
        if self.card is not None:
            self.post_message(self.MoveWished(self.card, self.active, top=True))

    def go(self, name: ListName, index: int) -> None:
        """Put the cursor on a card of a list."""
        left = self.columns[self.active]
        self.active = name
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
        self._first, self._placed = arrange(width, self.active, self._first)
        wide = dict(self._placed)
        for name, column in self.columns.items():
            column.display = name in wide
            if name in wide:
                column.set_last(name == self._placed[-1][0])
                column.set_width(wide[name])

    def _head(self) -> None:
        shown = {name: len(column.cards) for name, column in self.columns.items()} if self.filtered else None
        self.headings.show(self._placed, self.counts, shown, self.active)


def _find(lists: Mapping[ListName, Sequence[Card]], mission_id: str, first: ListName) -> tuple[ListName, int] | None:
    """Where a mission stands, looking into the list `first` before the others."""
    for name in (first, *(name for name in LISTS if name != first)):
        for index, card in enumerate(lists.get(name, ())):
            if card.id == mission_id:
                return name, index
    return None
