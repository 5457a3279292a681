"""What a person wishes on the board, and what the board tells its screen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from textual.message import Message

from ...missions.board import Card
from ...missions.entities import ListName

Wish = Literal["open", "edit", "ready", "delete", "raise", "lower", "copy", "keys", "move_to"]


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
    """The person wants a new mission in a list: in the form, or in one line."""

    in_list: ListName
    in_a_line: bool = False


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
