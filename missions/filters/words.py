"""What may come next in a query: completion of the word that is being written."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from ..board import Card
from ..entities import LISTS
from ..records import record
from .query import IS, quoted

MOST: Final = 12
HEADS: Final = ("p>=", "is:", "list:", "stage:", "repo:", "agent:", "actor:")


@record
class Vocabulary:
    """The values that a project knows, for each field."""

    stages: tuple[str, ...] = ()
    repositories: tuple[str, ...] = ()
    agents: tuple[str, ...] = ()
    actors: tuple[str, ...] = ()
    saved: tuple[str, ...] = ()

    @classmethod
    def of(cls, cards: Iterable[Card], saved: Iterable[str] = ()) -> Vocabulary:
        """What the cards of a board say."""
        found: tuple[set[str], ...] = (set(), set(), set(), set())
        for card in cards:
            for values, value in zip(found, (card.stage, card.repository, card.agent, card.actor), strict=True):
                values.add(value)
        stages, repositories, agents, actors = (tuple(sorted(values - {""})) for values in found)
        return cls(stages, repositories, agents, actors, tuple(saved))


def word_at(text: str, cursor: int) -> tuple[int, str]:
    """Where the word before the cursor begins, and the word; a `-` before it is not of it."""
    start = cursor
    while start and (not text[start - 1].isspace() or text[:start].count('"') % 2):
        start -= 1
    word = text[start:cursor]
    return (start + 1, word[1:]) if word.startswith("-") else (start, word)


def completions(text: str, cursor: int, known: Vocabulary) -> list[str]:
    """Words that may take the place of the one before the cursor, best first; empty when it is complete."""
    _, word = word_at(text, cursor)
    lower = word.lower()
    bare = lower.replace('"', "")
    candidates = [one for one in _candidates(lower, known) if _meets(one.lower(), bare)]
    return candidates[:MOST]


def completed(text: str, cursor: int, word: str) -> tuple[str, int]:
    """The text with the word before the cursor replaced, and the cursor behind it."""
    start, _ = word_at(text, cursor)
    space = "" if word.endswith((":", "=")) or text[cursor : cursor + 1] == " " else " "
    return text[:start] + word + space + text[cursor:], start + len(word) + len(space)


def _candidates(word: str, known: Vocabulary) -> list[str]:
    if word.startswith("@"):
        return [f"@{name}" for name in known.saved]
    name, colon, value = word.partition(":")
    if not colon:
        return [*HEADS, *(f"@{name}" for name in known.saved if not word)]
    before = value[: value.rindex(",") + 1] if "," in value else ""
    values: Iterable[str] = {
        "is": tuple(IS),
        "list": LISTS,
        "stage": known.stages,
        "repo": known.repositories,
        "agent": known.agents,
        "actor": known.actors,
    }.get(name, ())
    return [f"{name}:{before}{one if _bare(one) else quoted(one)}" for one in values]


def _bare(value: str) -> bool:
    return not any(letter.isspace() or letter in '",:\\' for letter in value)


def _meets(candidate: str, begun: str) -> bool:
    plain = candidate.replace('"', "")
    return plain.startswith(begun) and plain != begun
