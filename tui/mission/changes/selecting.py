"""Lines of the diff that a comment is written on: the one under the cursor, or a range begun elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

from ....missions.comments import CONTEXT, TEXTS, About, Anchor
from ....missions.records import record
from ....missions.review_marks import Scope
from ...kit.lines import Row
from .places import DiffPlace


@record
class LineSelection:
    """Lines of one side of one file, one below the other."""

    path: str
    first: DiffPlace
    last: DiffPlace
    anchor: Anchor | None

    @property
    def line(self) -> int:
        return self.first.line or 1

    @property
    def until(self) -> int | None:
        """The last, where there are several."""
        return self.last.line if self.last.line != self.line else None


def selected(rows: Sequence[Row], one: int, other: int) -> LineSelection | None:
    """The lines from one row to another, on the side of the row that the cursor is on (`other`).

    None when they are of several files, or not one below the other.
    """
    here = rows[other].key if other < len(rows) else None
    if not isinstance(here, DiffPlace) or here.line is None:
        return None
    between = [rows[at].key for at in range(min(one, other), min(max(one, other) + 1, len(rows)))]
    places = [key for key in between if isinstance(key, DiffPlace) and key.line is not None and key.path == here.path]
    places = [
        key for key in places if (key.new if here.side == "new" else key.old) is not None and key.side == here.side
    ]
    numbers = [key.line for key in places]
    ends = [rows[at].key for at in (one, other) if at < len(rows)]
    alone = all(isinstance(key, DiffPlace) and key.path == here.path for key in ends)
    if not alone or numbers != list(range(numbers[0] or 0, (numbers[0] or 0) + len(numbers))):
        return None
    return LineSelection(here.path, places[0], places[-1], _anchor(places))


def about_of(path: str, scope: Scope) -> About:
    """What a comment on a file of the diff in this scope is about."""
    return next((about for about in TEXTS if scope == "texts" and about == path), "diff")


def _anchor(places: Sequence[DiffPlace]) -> Anchor | None:
    anchors = [one.anchor for one in places if one.anchor is not None]
    if not anchors or len(anchors) != len(places):
        return None
    more = tuple(one.content for one in anchors[1:])
    return Anchor(anchors[0].content, anchors[0].above[-CONTEXT:], anchors[-1].below[:CONTEXT], more)
