"""Swim lanes: the cards of all lists in bands by priority, repository, agent or actor. No widget and no Textual."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, Literal

from ....missions.board import Card
from ....missions.entities import ListName
from ....missions.records import record

LaneBy = Literal["", "priority", "repository", "agent", "actor"]
LANES: Final[tuple[LaneBy, ...]] = ("", "priority", "repository", "agent", "actor")

_KEYS: Final[dict[LaneBy, Callable[[Card], str]]] = {
    "": lambda card: "",
    "priority": lambda card: str(card.priority),
    "repository": lambda card: card.repository,
    "agent": lambda card: card.agent,
    "actor": lambda card: card.actor,
}


@record
class Band:
    """One lane in one list: its cards from `start` to before `stop`, of `total` in all lists."""

    key: str
    title: str
    start: int
    stop: int
    total: int
    folded: bool = False


@record
class Grouped:
    """The lists with their cards lane by lane, and where the lanes are in each list: every list has all of them."""

    lists: Mapping[ListName, Sequence[Card]]
    bands: Mapping[ListName, tuple[Band, ...]]


def key_of(card: Card, by: LaneBy) -> str:
    """The lane of a card; empty for the lane of those that have nothing there."""
    return _KEYS[by](card)


def title_of(key: str, by: LaneBy) -> str:
    """What a lane is called."""
    if by == "priority":
        return f"priority {key}"
    return key or f"no {by}"


def group(lists: Mapping[ListName, Sequence[Card]], by: LaneBy, folded: frozenset[str] = frozenset()) -> Grouped:
    """Put the cards of each list into lanes; they keep their order within one. The cards of `folded` lanes are left
    out, their lanes are not.
    """
    sorted_cards: dict[ListName, dict[str, list[Card]]] = {}
    totals: dict[str, int] = {}
    for name, cards in lists.items():
        mine: dict[str, list[Card]] = {}
        for card in cards:
            mine.setdefault(_KEYS[by](card), []).append(card)
        sorted_cards[name] = mine
        for key, found in mine.items():
            totals[key] = totals.get(key, 0) + len(found)
    keys = sorted(totals, reverse=True) if by == "priority" else sorted(totals, key=lambda key: (not key, key.lower()))
    out: dict[ListName, Sequence[Card]] = {}
    bands: dict[ListName, tuple[Band, ...]] = {}
    for name, mine in sorted_cards.items():
        row: list[Card] = []
        found_bands = []
        for key in keys:
            start = len(row)
            row += mine.get(key, []) if key not in folded else []
            found_bands.append(Band(key, title_of(key, by), start, len(row), totals[key], key in folded))
        out[name], bands[name] = row, tuple(found_bands)
    return Grouped(out, bands)
