"""What a row of the diff is of, and how a diff is to be drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final, Literal

from ....missions.comments import Anchor, Side
from ....missions.records import record
from ....missions.review_marks import Reading
from ...kit.drawing import Line

WIDE: Final = 80
"""Cells from which on both line numbers are shown."""
CONTEXTS: Final = (3, 10, 30, 100)
WHOLE: Final = 1_000_000
"""Unchanged lines around each hunk that are asked for: by key, and for whole files."""
NOTHING_READ: Final = Reading("")
Part = Literal["file", "hunk", "line"]
Colour = Callable[[str, Sequence[str]], list[Line]]
"""The lines of a file with syntax colours."""


@record
class DiffPlace:
    """What a row of the diff is of: a file, a hunk, or a line of it."""

    path: str
    old: int | None = None
    new: int | None = None
    anchor: Anchor | None = None
    part: Part = "file"
    runs: tuple[str, ...] = ()
    """What a reviewed mark here is on: the runs of its hunk; those of the file for its name."""
    alone: bool = False
    """The name of a file of which no hunk is shown."""

    @property
    def side(self) -> Side:
        """Which file the line belongs to; as it is now, where it is in both."""
        return "new" if self.new is not None else "old"

    @property
    def line(self) -> int | None:
        """Its number on that side."""
        return self.new if self.new is not None else self.old


@record
class Look:
    """How a diff is drawn."""

    width: int = WIDE
    """Cells."""
    beside: bool = False
    """Before and after beside each other."""
    final: bool = False
    """Only what is there now: without removed lines."""
    turned: frozenset[str] = frozenset()
    """Paths that a person folded or unfolded."""
    reading: Reading = NOTHING_READ
    unfolded: frozenset[str] = frozenset()
    """Ids of comments that are shown with their lines before and now."""
    rejections: tuple[datetime, ...] = ()
    """When the mission was sent back."""
