"""Comments on lines of a mission's diff or texts: where one stands, also after a change, and what was answered.

A comment remembers the line it was written on and the lines around it. Each time the diff is looked at it is anchored
anew by that content; once the line is gone it is outdated, and it comes back with the line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final, Literal, get_args

from .entities import USER, Author, Mission
from .errors import InvalidValue
from .limits import COMMENT_MAX
from .records import record, replace

Side = Literal["old", "new"]
"""`new` is the worktree as it is now, `old` the commit it is compared with."""
SIDES: tuple[Side, ...] = ("old", "new")
About = Literal["diff", "description", "spec", "solution"]
"""What a comment is on: the diff, or one of the mission's own texts."""
TEXTS: tuple[About, ...] = get_args(About)[1:]
SUGGESTION: Final = re.compile(r"^```suggestion\s*\n(.*?)^```\s*$", re.MULTILINE | re.DOTALL)
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
    more: tuple[str, ...] = ()
    """The further lines of a range, which `below` begins after."""


@record
class CommentAnswer:
    """What an agent, or a person in turn, said to a comment."""

    text: str
    author: Author
    at: datetime
    handled: bool = False
    """The author says that it is done."""


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
    until: int | None = None
    """The last line of a range; None: it is on one line."""
    about: About = "diff"
    """Of one of the texts, `file` is its name."""
    answers: tuple[CommentAnswer, ...] = ()
    """Oldest first."""
    stop: int | None = None
    """Its place in the tour that an agent proposes, from 1; None: it is not a part of a tour."""

    @property
    def last(self) -> int:
        """The last line it is on."""
        return self.until or self.line

    @property
    def open(self) -> bool:
        """Whether no person has settled it yet."""
        return self.resolved_at is None and self.stop is None

    @property
    def handled(self) -> bool:
        """Whether the last word says that it is done; a person has still to look."""
        return bool(self.answers) and self.answers[-1].handled

    @property
    def waits(self) -> bool:
        """Whether the agent should still act on it."""
        return self.open and not self.handled

    @property
    def suggestion(self) -> str | None:
        """The lines that its text suggests in the place of those it is on; empty to take them out."""
        found = SUGGESTION.search(self.text)
        return found[1] if found else None

    @property
    def where(self) -> str:
        """`pay.py:12`, `pay.py:12-15`."""
        return f"{self.file}:{self.line}" + (f"-{self.until}" if self.until else "")


def checked(file: str, line: int, side: str, text: str) -> tuple[str, int, Side, str]:
    """The parts of a comment, if they make one; InvalidValue names the one that does not."""
    if not file.strip() or file.startswith("/") or ".." in file.split("/"):
        raise InvalidValue(
            "file", f"{file!r} is not a valid file of the diff", todo="give its path relative to the repository's root"
        )
    if line < 1:
        raise InvalidValue("line", f"There is no line {line}", todo="count from 1")
    if side not in SIDES:
        raise InvalidValue("side", f"{side!r} is not a valid side of a diff", todo="old or new")
    return file, line, "old" if side == "old" else "new", checked_text(text)


def checked_text(text: str) -> str:
    """What a comment or an answer says; InvalidValue."""
    if not text.strip() or len(text) > COMMENT_MAX:
        raise InvalidValue("text", f"A comment has 1 to {COMMENT_MAX} characters", todo="shorten it to a few sentences")
    return text.strip()


def checked_until(line: int, until: int | None) -> int | None:
    """The last line of a range that begins at `line`; None for a single line. InvalidValue for one that ends before."""
    if until is not None and until < line:
        raise InvalidValue("until", f"A range from line {line} cannot end at line {until}", todo="name its last line")
    return None if until == line else until


def anchor_at(lines: Sequence[str], line: int, until: int | None = None) -> Anchor:
    """What a comment on these lines (from 1) holds on to; InvalidValue when the file has no such lines."""
    last = until or line
    if not 1 <= line <= last <= len(lines):
        wrong = last if 1 <= line <= len(lines) else line
        raise InvalidValue("line", f"There is no line {wrong}", why=f"the file has {len(lines)}", todo="count from 1")
    return Anchor(
        lines[line - 1],
        tuple(lines[max(0, line - 1 - CONTEXT) : line - 1]),
        tuple(lines[last : last + CONTEXT]),
        tuple(lines[line:last]),
    )


def reanchor(comment: LineComment, new_lines: Sequence[str] | None) -> LineComment:
    """The comment where its lines stand now in `new_lines` (None: the file is gone).

    Of several equal lines the one whose surroundings are most alike is taken, then the nearest. Indentation may
    differ. A line that says nothing by itself (blank, a lone bracket) counts only with surroundings that are alike.
    A range is there as long as its first or its last line is.
    """
    if comment.anchor is None:
        there = new_lines is not None and comment.last <= len(new_lines)
        found = anchor_at(new_lines or (), comment.line, comment.until) if there else None
        return replace(comment, anchor=found, outdated=not there)
    lines, anchor, more = new_lines or (), comment.anchor, len(comment.anchor.more)
    first = Anchor(anchor.content, anchor.above, (*anchor.more, *anchor.below)[:CONTEXT])
    line, until = _place(first, comment.line, lines), None
    if more:
        inner = (anchor.content, *anchor.more)
        above = (*anchor.above, *inner[:-1])[-CONTEXT:]
        end = _place(Anchor(inner[-1], above, anchor.below), comment.last, lines)
        if line is None and end is not None:
            line = max(1, end - more)
        if line is not None:
            until = end if end is not None and end > line else min(line + more, len(lines))
            until = None if until == line else until
    if line is None:
        return comment if comment.outdated else replace(comment, outdated=True)
    if (line, until, False) == (comment.line, comment.until, comment.outdated):
        return comment
    return replace(comment, line=line, until=until, outdated=False)


def lines_now(comment: LineComment, lines: Sequence[str]) -> list[tuple[int, str]]:
    """The lines that a comment is on, and those around, as they are now: (number, text)."""
    first, last = max(0, comment.line - 1 - CONTEXT), comment.last + CONTEXT
    return list(enumerate(lines[first:last], first + 1))


def lines_then(anchor: Anchor) -> list[str]:
    """The same as they were when the comment was written."""
    return [*anchor.above, anchor.content, *anchor.more, *anchor.below]


def text_lines(mission: Mission, about: About) -> list[str]:
    """The lines of a text of the mission, which comments may be on."""
    text = {"description": mission.description, "spec": mission.spec, "solution": mission.solution}.get(about)
    return (text or "").splitlines()


def round_of(comment: LineComment, rejections: Iterable[datetime]) -> int:
    """The round of the review that a comment was written in: the first lasts until the first rejection."""
    return 1 + sum(at < comment.created_at for at in rejections)


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
    """The comments that wait for an agent: where, on which lines, what was said and answered; empty without any."""
    lines: list[str] = []
    for one in in_order(one for one in comments if one.waits):
        gone = " (that line has changed since)" if one.outdated else ""
        before = " before your changes" if one.side == "old" else ""
        content = one.anchor.content.strip()[:SHOWN] if one.anchor else ""
        more = " and the lines below" if one.until else ""
        place = f"the {one.about}, line {one.line}" if one.about != "diff" else f"`{one.where}`{before}"
        lines.append(f"- [{short_comment(one.id)}] {place}{gone}" + (f", on `{content}`{more}:" if content else ":"))
        lines += [f"  > {said}".rstrip() for said in one.text.splitlines()]
        for answer in one.answers:
            who = "You" if answer.author.kind == "agent" else "The reviewer"
            lines += [f"  {who} answered: {answer.text}"]
    if lines:
        lines.append("Answer each with answer_comment, by the id in brackets; a suggestion block replaces those lines.")
    return "\n".join(lines)


def short_comment(comment_id: str) -> str:
    """The end of a comment's id, which is enough to name it."""
    return comment_id[-6:].lower()
