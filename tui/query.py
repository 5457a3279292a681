"""The filter of the board: words and conditions, all of which a card must meet.

`p>=4 stage:code agent:claude repo:api is:blocked retry payments`: a word that is no condition is looked for in title,
number, stage, repository and agent. A `-` before anything turns it around.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from ..missions.board import Card

Test = Callable[[Card], bool]
IS: Final[dict[str, Test]] = {
    "ready": lambda card: card.ready,
    "running": lambda card: card.session_status != "INACTIVE",
    "blocked": lambda card: card.blockers > 0,
    "waiting": lambda card: bool(card.question or card.attention or card.review_status == "pending"),
    "review": lambda card: card.review_status == "pending",
    "question": lambda card: card.question is not None,
    "attention": lambda card: card.attention is not None,
    "parked": lambda card: card.retry_at is not None,
    "loop": lambda card: card.is_loop,
}
FIELDS: Final[dict[str, Callable[[Card], str]]] = {
    "stage": lambda card: card.stage,
    "repo": lambda card: card.repository,
    "agent": lambda card: card.agent,
    "list": lambda card: card.list,
}
_PRIORITY: Final = re.compile(r"p(>=|<=|>|<|=|:)?([1-5])")
_COMPARED: Final[dict[str, Callable[[int, int], bool]]] = {
    ">=": lambda one, other: one >= other,
    "<=": lambda one, other: one <= other,
    ">": lambda one, other: one > other,
    "<": lambda one, other: one < other,
    "=": lambda one, other: one == other,
}
EXAMPLE: Final = "p>=4  is:ready  stage:code  repo:api  agent:claude  -is:blocked  words…"


def compile_query(text: str) -> Test | None:
    """What a card must meet; None when the text asks for nothing."""
    tests = [_test(word) for word in text.split()]
    return (lambda card: all(test(card) for test in tests)) if tests else None


def _test(word: str) -> Test:
    if word.startswith("-") and len(word) > 1:
        inner = _test(word[1:])
        return lambda card: not inner(card)
    if found := _PRIORITY.fullmatch(word.lower()):
        compare = _COMPARED["=" if found[1] in (None, ":") else found[1]]
        wanted = int(found[2])
        return lambda card: compare(card.priority, wanted)
    name, colon, value = word.lower().partition(":")
    if colon and name == "is" and value in IS:
        return IS[value]
    if colon and name in FIELDS:
        field = FIELDS[name]
        return lambda card: value in field(card).lower()
    sought = word.lower()
    return lambda card: (
        sought in f"{card.title}\n#m-{card.number}\n{card.stage}\n{card.repository}\n{card.agent}".lower()
    )
