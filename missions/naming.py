"""What a person is told whose word names nothing: the nearest name, and all that there are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

MOST: Final = 12
"""Names that are told at most."""


def nearest(word: str, names: Iterable[str]) -> str:
    """`the nearest one is 'Standard'`, or nothing when none is near; letter case does not matter."""
    from difflib import get_close_matches

    by_folded = {name.casefold(): name for name in names}
    near = get_close_matches(word.casefold(), list(by_folded), n=1)
    return f"the nearest one is {by_folded[near[0]]!r}" if near else ""


def choices(names: Iterable[str]) -> str:
    """`choose from a, b, c`, or nothing when there is none."""
    known = list(names)
    more = f" and {len(known) - MOST} more" if len(known) > MOST else ""
    return f"choose from {', '.join(known[:MOST])}{more}" if known else ""
