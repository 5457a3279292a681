"""What tokens cost, for agents that tell no cost: list prices by model, ours (`prices.toml`) and the person's."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from ..missions.entities import Usage

_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars for a million tokens."""

    input: float
    cached: float
    output: float


def priced(used: Usage, model: str, own: str = "") -> Usage:
    """The usage with a cost: as the agent told it, else by the price of its model; None where that is not known.

    `own` is the person's table, as in the setting `budget.prices`.
    """
    if used.cost_usd is not None:
        return used
    price = price_of(model, own)
    if price is None:
        return used
    tokens = (used.input_tokens, used.cached_tokens, used.output_tokens)
    cost = sum(count * each for count, each in zip(tokens, (price.input, price.cached, price.output), strict=True))
    return replace(used, cost_usd=cost / _MILLION, estimated=True)


def price_of(model: str, own: str = "") -> Price | None:
    """The price of a model, with or without the name of its provider (`openai/gpt-5.5`); None: it is in no table."""
    if not model:
        return None
    for table in (_own(own), _shipped()):
        for name in (model, model.rpartition("/")[2]):
            fitting = [pattern for pattern in table if _fits(pattern, name)]
            if fitting:
                return table[max(fitting, key=len)]
    return None


def _fits(pattern: str, name: str) -> bool:
    return name.startswith(pattern[:-1]) if pattern.endswith("*") else name == pattern


@cache
def _shipped() -> Mapping[str, Price]:
    document = tomllib.loads(Path(__file__).with_name("prices.toml").read_text(encoding="utf-8"))
    return {pattern: Price(*each) for pattern, each in document["models"].items()}


@cache
def _own(text: str) -> Mapping[str, Price]:
    """MODEL=INPUT/CACHED/OUTPUT, apart by spaces; the setting was checked when it was made."""
    found = {}
    for part in text.split():
        pattern, _, each = part.rpartition("=")
        found[pattern] = Price(*map(float, each.split("/")))
    return found
