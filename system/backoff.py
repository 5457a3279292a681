"""Pauses between tries that grow, so that what is down is not asked all the time."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from random import Random

_MOST = 60
"""Doublings, after which every pause is the longest; more would not fit into a float."""


class Backoff:
    """`first` seconds, then twice as long each time, up to `longest`.

    With `random`, each pause is that times a number drawn from `between`, so that many processes that failed together
    do not come back together.

        >>> pause = Backoff(1.0, 5.0)
        >>> [pause.next() for _ in range(4)]
        [1.0, 2.0, 4.0, 5.0]
    """

    def __init__(
        self, first: float, longest: float, *, random: Random | None = None, between: tuple[float, float] = (0.5, 1.5)
    ) -> None:
        self._first = first
        self._longest = longest
        self._random = random
        self._between = between
        self.tries = 0
        """How many pauses were given out since the last reset."""

    def next(self) -> float:
        """Seconds to wait now."""
        pause = min(self._longest, self._first * 2.0 ** min(self.tries, _MOST))
        self.tries += 1
        return pause if self._random is None else pause * self._random.uniform(*self._between)

    def lengthen(self) -> None:
        """Trying soon is of no use: the next pauses are the longest."""
        self.tries = _MOST

    def reset(self) -> None:
        """It worked: the next pause is the first one again."""
        self.tries = 0
