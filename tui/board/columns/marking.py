"""Cards of the board that are marked: what is done next is done to all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from ....missions.board import Card
from ....missions.entities import ListName
from .column import CardColumn
from .selection import Selection


class Marking:
    """Marks cards and shows the marks in the columns; `changed` is told how many cards are marked."""

    def __init__(self, columns: Mapping[ListName, CardColumn], changed: Callable[[int], object]) -> None:
        self.columns = columns
        self.changed = changed
        self.selection = Selection()

    @property
    def cards(self) -> tuple[Card, ...]:
        """The marked cards in board order."""
        return self.selection.cards({name: column.cards for name, column in self.columns.items()})

    def toggle(self, card: Card) -> None:
        """Mark a card, or take its mark away."""
        self.selection.toggle(card.id)
        self.show()

    def add(self, cards: Iterable[Card]) -> None:
        self.selection.add(card.id for card in cards)
        self.show()

    def mark_to(self, card: Card, here: Card | None) -> None:
        """Mark all from the last marked card, else from `here`, to this one."""
        for column in self.columns.values():
            at = next((at for at, other in enumerate(column.cards) if other.id == card.id), None)
            if at is not None:
                if self.selection.last is None and here is not None:
                    self.selection.last = here.id
                self.selection.add(self.selection.between(column.cards, at))
        self.show()

    def clear(self) -> bool:
        """Take all marks away; True when there were some."""
        had = self.selection.clear()
        if had:
            self.show()
        return had

    def show(self) -> None:
        """Draw the marks where they differ from what the columns show."""
        if any(column.view.marked != self.selection.ids for column in self.columns.values()):
            for column in self.columns.values():
                column.set_marked(self.selection.ids)
            self.changed(len(self.selection.ids))
