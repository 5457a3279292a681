"""Where the cursor of the diff goes: to hunks and files, to those that are not reviewed, back to where it was."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ....missions.comments import LineComment
from ....missions.review_marks import Reading
from ...kit.lines import Lines, Row
from .places import DiffPlace


def step_to(lines: Lines, wanted: Callable[[Row], bool], step: int, *, around: bool = False) -> bool:
    """To the next row that is wanted (step 1) or the one before (-1), over the edges of files; False without one.

    `around`: from the other end.
    """
    now = lines.cursor or 0
    if around:
        now = -1 if step > 0 else len(lines.rows)
    places = range(now + 1, len(lines.rows)) if step > 0 else range(min(now, len(lines.rows)) - 1, -1, -1)
    found = next((at for at in places if wanted(lines.rows[at])), None)
    if found is None:
        return False
    lines.show_at_top(found)
    lines.focus()
    lines.post_message(Lines.CursorMoved(lines, lines.rows[found]))
    return True


def is_hunk(shown: Row) -> bool:
    """Whether a hunk begins there."""
    return isinstance(shown.key, DiffPlace) and shown.key.part == "hunk"


def is_comment(shown: Row) -> bool:
    """Whether it is of a comment."""
    return isinstance(shown.key, LineComment)


def is_file(shown: Row) -> bool:
    """Whether it is the name of a file."""
    return isinstance(shown.key, DiffPlace) and shown.under == "hover"


def unreviewed(reading: Reading) -> Callable[[Row], bool]:
    """Whether a hunk begins there that is not reviewed, or it is a file of which none is shown."""

    def wanted(shown: Row) -> bool:
        key = shown.key
        return isinstance(key, DiffPlace) and (key.part == "hunk" or key.alone) and not reading.has(key.runs)

    return wanted


def unreviewed_file(reading: Reading) -> Callable[[Row], bool]:
    """Whether it is the name of a file that is not reviewed."""
    return lambda shown: is_file(shown) and isinstance(shown.key, DiffPlace) and not reading.has(shown.key.runs)


def place_at(rows: Sequence[Row], at: int | None) -> DiffPlace | None:
    """The place of a row; of a comment, that of the line it is on."""
    while at is not None and 0 <= at < len(rows):
        key = rows[at].key
        if isinstance(key, DiffPlace):
            return key
        at -= 1
    return None


def row_like(rows: Sequence[Row], key: object, near: int) -> int | None:
    """The row that shows the same as before: the same record, else the same text of the same file, the nearest."""
    if isinstance(key, LineComment):
        return next(
            (at for at, one in enumerate(rows) if isinstance(one.key, LineComment) and one.key.id == key.id), None
        )
    if not isinstance(key, DiffPlace):
        return next((at for at, one in enumerate(rows) if key is not None and one.key == key), None)

    def likeness(at: int) -> tuple[int, int]:
        found = rows[at].key
        assert isinstance(found, DiffPlace)
        content = (key.anchor and key.anchor.content) == (found.anchor and found.anchor.content)
        return (found == key) * 4 + (found.part == key.part) * 2 + content, -abs(at - near)

    places = [at for at, one in enumerate(rows) if isinstance(one.key, DiffPlace) and one.key.path == key.path]
    return max(places, key=likeness, default=None)
