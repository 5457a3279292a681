"""A comment as rows: what was said and answered, and on demand its lines as they were and as they are now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ....missions.comments import LineComment, lines_then, round_of
from ...kit.drawing import Line, fit
from ...kit.lines import Row, row
from ...kit.marks import Marks
from .places import Look

INDENT = 8


def thread_rows(one: LineComment, now: Sequence[tuple[int, str]], marks: Marks, look: Look) -> list[Row]:
    """The comment, its answers, and where it is unfolded what changed; the key of each row is the comment."""
    rows = [_comment(one, marks, look), *(_answer(one, at, marks) for at in range(len(one.answers)))]
    if one.id in look.unfolded:
        rows += _then_and_now(one, now, marks, look.width)
    return rows


def said_at(
    comments: Sequence[LineComment],
    now: Mapping[str, Sequence[tuple[int, str]]],
    marks: Marks,
    look: Look,
    old: int | None,
    new: int | None,
) -> list[Row]:
    """The comments below a line: those on it, and ranges that end at it."""
    here = [one for one in comments if not one.outdated and one.last == (new if one.side == "new" else old)]
    return [made for one in here for made in thread_rows(one, now.get(one.id, ()), marks, look)]


def _comment(one: LineComment, marks: Marks, look: Look) -> Row:
    mark, role = (
        (marks.done, "good") if not one.open else (marks.ready, "brand") if one.handled else (marks.waits, "wait")
    )
    state = "resolved  " if not one.open else "handled  " if one.handled else ""
    gone = f"line {one.line} has changed since  " if one.outdated else ""
    lines = f"lines {one.line}–{one.until}  " if one.until and not one.outdated else ""
    nth = f"round {round_of(one, look.rejections)}  " if look.rejections else ""
    return row(
        (f"      {mark} ", role),
        (f"{one.author.name or 'you'}: ", "brand"),
        (f"{nth}{state}{gone}{lines}", "faint"),
        (one.text, "" if one.open else "faint"),
        key=one,
        indent=INDENT,
        under="hover",
    )


def _answer(one: LineComment, at: int, marks: Marks) -> Row:
    said = one.answers[at]
    return row(
        (f"        {marks.stem[2]} ", "rule"),
        (f"{said.author.name or 'you'}: ", "brand"),
        (said.text, "" if one.open else "faint"),
        key=one,
        indent=INDENT + 2,
        under="hover",
    )


def _then_and_now(one: LineComment, now: Sequence[tuple[int, str]], marks: Marks, width: int) -> list[Row]:
    """Two columns: the lines as they were when the comment was written, and as they are."""
    half = max(12, (width - INDENT - 2) // 2)
    left = [text.expandtabs(4) for text in lines_then(one.anchor)] if one.anchor else []
    right = [f"{number:>5} {text.expandtabs(4)}" for number, text in now]
    rows = [_pair("as it was", "as it is now" if right else "it is gone", "faint", half, marks, one)]
    for at in range(max(len(left), len(right))):
        before, after = (side[at] if at < len(side) else "" for side in (left, right))
        rows.append(_pair(before, after, "", half, marks, one))
    return rows


def _pair(left: str, right: str, role: str, half: int, marks: Marks, one: LineComment) -> Row:
    def side(text: str) -> Line:
        return [(part, name) for part, name, _ in fit([(text, role)], half, ellipsis=marks.ellipsis)]

    parts = ((" " * INDENT, ""), *side(left), (f"{marks.gutter} ", "rule"), *side(right))
    return Row(parts, one, 0, False, "hover")
