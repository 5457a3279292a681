"""The marked cards of a board: what is done next is done to all of them in one step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ....missions.board import Card
from ....missions.entities import LISTS, ListName


class Selection:
    """Ids of marked missions, and the one marked last."""

    def __init__(self) -> None:
        self.ids: frozenset[str] = frozenset()
        self.last: str | None = None

    def toggle(self, mission_id: str) -> None:
        """Mark, or take the mark away."""
        self.ids = self.ids ^ {mission_id}
        self.last = mission_id

    def add(self, ids: Iterable[str]) -> None:
        self.ids = self.ids | set(ids)

    def clear(self) -> bool:
        """Take all marks away; True when there were some."""
        had = bool(self.ids)
        self.ids, self.last = frozenset(), None
        return had

    def keep(self, ids: Iterable[str]) -> None:
        """Forget marks of missions that are not shown any more: nothing is done to what nobody sees."""
        if self.ids:
            self.ids = self.ids & set(ids)

    def between(self, cards: Sequence[Card], here: int) -> list[str]:
        """The ids from the card marked last to the one at `here`; that one alone when the other is not in the list."""
        start = next((at for at, card in enumerate(cards) if card.id == self.last), here)
        return [card.id for card in cards[min(start, here) : max(start, here) + 1]]

    def cards(self, lists: Mapping[ListName, Sequence[Card]]) -> tuple[Card, ...]:
        """The marked cards in board order."""
        if not self.ids:
            return ()
        return tuple(card for name in LISTS for card in lists.get(name, ()) if card.id in self.ids)
