"""The three levels, from the least to the most."""

from __future__ import annotations

from typing import Final, Literal, get_args

Level = Literal["off", "guard", "strict"]
LEVELS: Final[tuple[Level, ...]] = get_args(Level)


def stricter(*levels: str) -> Level:
    """The strictest of several; what is empty has no say."""
    return max((level for level in LEVELS if level in levels), key=LEVELS.index, default="off")
