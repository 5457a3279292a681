"""Cards of the board that are marked: what is done next is done to all of them."""

from __future__ import annotations

from dataclasses import dataclass

from textual.message import Message

from ...missions.board import Card
from .mouse import MouseBoard
from .selection import Selection


class MarkingBoard(MouseBoard):
    """A board that marks and shows what is marked."""

    @dataclass
    class Marked(Message):
        """Other cards are marked."""

        count: int

    selection: Selection

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
