"""Where the cards of a column stand, row by row: one below the other, or in swim lanes that all columns share."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

from .lanes import Band


class Places:
    """Heights and tops of the cards of one column. Rows count from the top of the list."""

    def __init__(self) -> None:
        self.heights: list[int] = []
        self.tops: list[int] = [0]
        """First row of each card while none is chosen, and the row after the last."""
        self.bands: Sequence[Band] = ()
        self.band_tops: list[int] = []
        """Row of each lane's heading, and the row after the last lane."""
        self.chosen: int | None = None
        self.extra = 0
        """Rows by which the chosen card is taller than it is at rest; always 0 in lanes, which would move."""

    def place(self, heights: list[int]) -> None:
        """Put cards of these heights one below the other, or into their lanes."""
        self.heights = heights
        if self.bands:
            self.align(self.band_heights())
        else:
            self.tops = [0, *accumulate(heights)]

    def band_heights(self) -> list[int]:
        """Rows that each lane needs for this column's cards, its heading and the space below it."""
        tall = [0, *accumulate(self.heights)]
        return [1 if band.folded else 2 + tall[band.stop] - tall[band.start] for band in self.bands]

    def align(self, heights: Sequence[int]) -> None:
        """Give the lanes these heights: the greatest over all columns, so that they stand side by side."""
        self.band_tops = [0, *accumulate(heights)]
        self.tops = []
        for band, start in zip(self.bands, self.band_tops, strict=False):
            self.tops += list(accumulate(self.heights[band.start : band.stop], initial=start + 1))[:-1]
        self.tops.append(self.band_tops[-1])

    @property
    def count(self) -> int:
        """How many cards there are."""
        return len(self.heights)

    def top(self, index: int) -> int:
        """First row of a card, which is its frame's top where cards stand apart."""
        index = min(index, len(self.heights))
        return self.tops[index] + (self.extra if self.chosen is not None and index > self.chosen else 0)

    def bottom(self, index: int) -> int:
        """The row after a card."""
        return self.tops[index] + self.heights[index] if self.bands else self.top(index + 1)

    @property
    def end(self) -> int:
        """The row after the last card or lane."""
        return self.top(len(self.heights))

    def index(self, row: int) -> int:
        """The card that a row belongs to, or the one before it."""
        if self.chosen is not None and row >= self.top(self.chosen + 1):
            row -= self.extra
        elif self.chosen is not None and row >= self.top(self.chosen):
            return self.chosen
        return max(0, min(bisect_right(self.tops, row) - 1, len(self.heights) - 1))

    def card_at(self, row: int) -> int | None:
        """The card of a row; None where there is none."""
        if not self.heights or not 0 <= row < self.end:
            return None
        index = self.index(row)
        return index if self.top(index) <= row < self.bottom(index) else None

    def band_at(self, row: int) -> int:
        """The lane of a row."""
        return max(0, min(bisect_right(self.band_tops, row) - 1, len(self.bands) - 1))

    def drop_at(self, row: int) -> tuple[int, int]:
        """Card before which something dropped at a row goes, and the lane: before the card of whose upper half it is
        a row, else behind that.
        """
        if self.bands:
            place = self.band_at(row)
            band = self.bands[place]
            for index in range(band.start, band.stop):
                if row < (self.top(index) + self.bottom(index) + 1) // 2:
                    return index, place
            return band.stop, place
        found = self.card_at(row)
        if found is None:
            return len(self.heights), 0
        return (found if row < (self.top(found) + self.bottom(found) + 1) // 2 else found + 1), 0

    def drop_row(self, index: int, band: int) -> int:
        """The row of the line that shows where something would be dropped."""
        if not self.bands:
            return self.top(index)
        lane = self.bands[min(band, len(self.bands) - 1)]
        if index < lane.stop:
            return self.top(index)
        return self.bottom(lane.stop - 1) if lane.stop > lane.start else self.band_tops[self.bands.index(lane)] + 1
