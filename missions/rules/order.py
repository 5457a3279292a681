"""Order within a list: a move takes the midpoint of its neighbours (domain.md, Board)."""

from __future__ import annotations

import math

STEP = 1024.0
"""Distance between neighbours after a renumbering, and from the last mission to a new one."""


def between(lo: float | None, hi: float | None) -> float | None:
    """A number strictly between two neighbours; None for a neighbour means the end of the list.

    Returns None when no number fits: the gap is used up, or two machines picked the same midpoint. The list is
    renumbered then.
    """
    if lo is None and hi is None:
        return STEP
    if lo is None:
        assert hi is not None
        found = hi - STEP
    elif hi is None:
        found = lo + STEP
    else:
        found = lo + (hi - lo) / 2
    fits = math.isfinite(found) and (lo is None or lo < found) and (hi is None or found < hi)
    return found if fits else None


def renumbered(count: int) -> list[float]:
    """Fresh numbers for a list of `count` missions, in order, with room on all sides."""
    return [STEP * place for place in range(1, count + 1)]
