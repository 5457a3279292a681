"""An older text as its difference from the newer one: what both begin and end with, and what stood between."""

from __future__ import annotations

from collections.abc import Callable

from ..records import record


@record
class Difference:
    """How to make the older text of the newer: so many characters of its start, `middle`, so many of its end."""

    start: int
    end: int
    middle: str

    def applied(self, newer: str) -> str:
        """The older text."""
        return newer[: self.start] + self.middle + newer[len(newer) - self.end :]


def difference(newer: str, older: str) -> Difference:
    """The shortest of this kind."""
    most = min(len(newer), len(older))
    start = _alike(most, lambda length: newer[:length] == older[:length])
    rest = most - start
    end = _alike(rest, lambda length: newer[len(newer) - length :] == older[len(older) - length :])
    return Difference(start, end, older[start : len(older) - end])


def _alike(most: int, same: Callable[[int], bool]) -> int:
    """The greatest length for which both are the same, by halving."""
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if same(middle) else (low, middle - 1)
    return low
