"""Where the cursor of the board stands, and where a key leads it. No Textual but the columns that it reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set

from ....missions.board import Card
from ....missions.entities import LISTS, ListName
from .column import CardColumn


class BoardCursor:
    """The list of the cursor, and its place in each list: where it stands, or stood last."""

    def __init__(self, columns: Mapping[ListName, CardColumn]) -> None:
        self.columns = columns
        self.active: ListName = "todo"
        self.at: dict[ListName, int] = dict.fromkeys(LISTS, 0)

    @property
    def cards(self) -> Sequence[Card]:
        """The cards of its list."""
        return self.columns[self.active].cards

    @property
    def place(self) -> int:
        """Where it stands in its list."""
        return self.at[self.active]

    @property
    def card(self) -> Card | None:
        """The card that it stands on."""
        return self.cards[self.place] if self.place < len(self.cards) else None

    def put(self, name: ListName, index: int) -> None:
        """Go to a card of a list, or to the nearest that there is."""
        self.active = name
        self.at[name] = max(0, min(index, len(self.columns[name].cards) - 1))

    def leave(self, collapsed: Set[ListName]) -> None:
        """Go to an open list, when its own is collapsed."""
        unfolded: list[ListName] = [name for name in LISTS if name not in collapsed]
        if self.active in collapsed and unfolded:
            self.active = unfolded[0]

    def beside(self, step: int, collapsed: Set[ListName]) -> ListName:
        """The list beside, or some lists further; over those that are collapsed."""
        names = [name for name in LISTS if name not in collapsed or name == self.active]
        return names[max(0, min(names.index(self.active) + step, len(names) - 1))]

    def nearest(self, collapsed: Set[ListName]) -> ListName | None:
        """Where it goes when its list is collapsed: to the next open list at the right, else at the left."""
        index = LISTS.index(self.active)
        return next((one for one in (*LISTS[index + 1 :], *reversed(LISTS[:index])) if one not in collapsed), None)

    def find(self, lists: Mapping[ListName, Sequence[Card]], mission_id: str) -> tuple[ListName, int] | None:
        """Where a mission stands, looking into its own list before the others."""
        for name in (self.active, *(name for name in LISTS if name != self.active)):
            for index, card in enumerate(lists.get(name, ())):
                if card.id == mission_id:
                    return name, index
        return None
