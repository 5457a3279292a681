"""Where the keys of the board lead: the cursor to another card, a card to another place, a wish to the screen.

A number before a key repeats it; what follows a g is a way of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from textual.events import Key
from textual.message import Message

from ...missions.entities import LISTS, ListName
from ..kit.counts import Counts
from .marking import MarkingBoard
from .mouse import Wish
from .rows.lanes import LaneBy, key_of

CHORDS: Final = {"g": "first", **{str(place): f"go_to('{name}')" for place, name in enumerate(LISTS, 1)}}
"""What follows a g."""
COUNTED: Final = frozenset({"cursor", "go", "page", "move", "reorder", "first", "last"})
"""Actions that take a number."""


class MovingBoard(MarkingBoard):
    """A board under the keyboard."""

    @dataclass
    class Typed(Message):
        """Something was typed that waits for the key that acts, such as a number; empty once it acted."""

        pending: str

    lanes: LaneBy
    collapsed: frozenset[ListName]
    _counts: Counts

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
