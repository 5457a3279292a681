"""Line comments on a mission's diff: where one stands, and where it stands after the file has changed.

A comment remembers the line it was written on and the lines around it. Each time the diff is looked at it is anchored
anew by that content; once the line is gone it is outdated, and it comes back with the line.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Literal

from .entities import USER, Author
from .errors import InvalidValue
from .limits import COMMENT_MAX
from .records import record

Side = Literal["old", "new"]
"""`new` is the worktree as it is now, `old` the commit it is compared with."""
SIDES: tuple[Side, ...] = ("old", "new")
CONTEXT = 3
"""Lines above and below that are remembered."""
SHOWN = 160
"""Characters of the commented line that a prompt repeats."""


@record
class Anchor:
    """What a comment holds on to: its line's content and the lines around, nearest last above and first below."""

    content: str
    above: tuple[str, ...] = ()
    below: tuple[str, ...] = ()


@record
class LineComment:
    """What a person wrote on one line of a mission's diff."""

    id: str
    mission_id: str
    file: str
    line: int
    """From 1; where it stands now, or stood last when it is outdated."""
    side: Side
    text: str
    created_at: datetime
    author: Author = USER
    anchor: Anchor | None = None
    """None: nobody has seen the file yet; the next look at it takes the line as it is then."""
    outdated: bool = False
    """The line it was written on is gone."""
    resolved_at: datetime | None = None

    @property
    def open(self) -> bool:
        """Whether somebody should still act on it."""
        return self.resolved_at is None


def checked(file: str, line: int, side: str, text: str) -> tuple[str, int, Side, str]:
    """The parts of a comment, if they make one; InvalidValue names the one that does not."""
    if not file.strip() or file.startswith("/") or ".." in file.split("/"):
        raise InvalidValue("file", f"{file!r} is no file of the diff", todo="give its path below the repository's top")
    if line < 1:
        raise InvalidValue("line", f"There is no line {line}", todo="count from 1")
    if side not in SIDES:
        raise InvalidValue("side", f"{side!r} is no side of a diff", todo="old or new")
    if not text.strip() or len(text) > COMMENT_MAX:
        raise InvalidValue("text", f"A comment has 1 to {COMMENT_MAX} characters", todo="say it in a few sentences")
    return file, line, "old" if side == "old" else "new", text.strip()


def anchor_at(lines: Sequence[str], line: int) -> Anchor:
    """What a comment on that line (from 1) holds on to; InvalidValue when the file has no such line."""
    if not 1 <= line <= len(lines):
        raise InvalidValue("line", f"There is no line {line}", why=f"the file has {len(lines)}", todo="count from 1")
    place = line - 1
    return Anchor(lines[place], tuple(lines[max(0, place - CONTEXT) : place]), tuple(lines[line : line + CONTEXT]))


def reanchor(comment: LineComment, new_lines: Sequence[str] | None) -> LineComment:
    """The comment where its line stands now in `new_lines` (None: the file is gone).

    Of several equal lines the one whose surroundings are most alike is taken, then the nearest. Indentation may
    differ. A line that says nothing by itself (blank, a lone bracket) counts only with surroundings that are alike.
    """
    if comment.anchor is None:
        there = new_lines is not None and comment.line <= len(new_lines)
        found = anchor_at(new_lines or (), comment.line) if there else None
        return replace(comment, anchor=found, outdated=not there)
    line = _place(comment.anchor, comment.line, new_lines or ())
    if line is None:
        return comment if comment.outdated else replace(comment, outdated=True)
    if (line, False) == (comment.line, comment.outdated):
        return comment
    return replace(comment, line=line, outdated=False)


def _place(anchor: Anchor, was: int, lines: Sequence[str]) -> int | None:
    """The line (from 1) that is meant now."""
    alike = [number for number, text in enumerate(lines, 1) if text == anchor.content]
    if not alike:
        alike = [number for number, text in enumerate(lines, 1) if text.strip() == anchor.content.strip()]
    bare = len(anchor.content.strip()) < 3
    around = anchor.above or anchor.below
    scored = [(_likeness(anchor, lines, number), -abs(number - was), -number) for number in alike]
    scored = [one for one in scored if one[0] or not bare or not around]
    return -max(scored)[2] if scored else None


def _likeness(anchor: Anchor, lines: Sequence[str], number: int) -> int:
    """How many of the remembered neighbours stand around that line; the nearer ones count more."""
    above = zip(reversed(anchor.above), reversed(lines[max(0, number - 1 - CONTEXT) : number - 1]), strict=False)
    below = zip(anchor.below, lines[number : number + CONTEXT], strict=False)
    return sum(
        CONTEXT - distance
        for pairs in (above, below)
        for distance, (ours, theirs) in enumerate(pairs)
        if ours.strip() and ours.strip() == theirs.strip()
    )


def in_order(comments: Iterable[LineComment]) -> list[LineComment]:
    """By file and line, then by age."""
    return sorted(comments, key=lambda one: (one.file, one.line, one.side, one.created_at, one.id))


def comments_markdown(comments: Iterable[LineComment]) -> str:
    """The open comments for an agent: where, on which line, and what was said; empty when there are none."""
    lines: list[str] = []
    for one in in_order(one for one in comments if one.open):
        gone = " (that line has changed since)" if one.outdated else ""
        before = " before your changes" if one.side == "old" else ""
        content = one.anchor.content.strip()[:SHOWN] if one.anchor else ""
        lines.append(f"- `{one.file}:{one.line}`{before}{gone}" + (f", on `{content}`:" if content else ":"))
        lines += [f"  > {said}".rstrip() for said in one.text.splitlines()]
    return "\n".join(lines)
