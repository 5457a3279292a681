"""Looks that several parts of a program take now and then, at the same moments."""

from __future__ import annotations


def until_tick(now: float, seconds: float) -> float:
    """Seconds until the clock shows the next multiple of `seconds`, so that one wake-up serves all who look.

    >>> until_tick(7.25, 1.0)
    0.75
    """
    rest = seconds - now % seconds
    return rest if rest > seconds / 10 else rest + seconds  # just woken for this one, a little early
