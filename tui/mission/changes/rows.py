"""The diff of a worktree as rows, from what `solo-unicorn mission diff --json` prints: one column, or two."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from dataclasses import replace
from itertools import zip_longest
from typing import Final, Literal

from ....missions.comments import Anchor, LineComment, Side
from ....missions.entities import JsonObject
from ....missions.reading import Reading
from ....missions.records import record
from ...kit.commands import as_object
from ...kit.drawing import Line, fit
from ...kit.lines import Row, row, wrap_parts
from ...kit.marks import Marks
from .generated import is_generated
from .words import Span, changed_words, grounded, only_space

LETTERS: Final = {"added": "A", "modified": "M", "deleted": "D", "renamed": "R", "copied": "C", "conflicted": "!"}
SIDES: Final = {"+": "added", "-": "removed"}
WIDE: Final = 80
"""Cells from which on both line numbers are shown."""
AROUND: Final = 3
"""Lines around a commented one that the comment holds on to."""
NOTHING_READ: Final = Reading("")
UNMARKED: Final = ("not marked",)
"""In the place of a digest, for what cannot be marked: a diff of an older program."""
Colour = Callable[[str, Sequence[str]], list[Line]]
"""The lines of a file with syntax colours."""


Part = Literal["file", "hunk", "line"]


@record
class Place:
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
class DiffLine:
    """One line of a hunk with its colours and what it is."""

    kind: str
    text: str
    old: int | None
    new: int | None
    parts: tuple[tuple[str, str], ...]
    place: Place


Known = dict[int, tuple[JsonObject, list[DiffLine]]]
"""Lines of hunks that were worked out already, by the hunk's identity."""


def files_of(diff: JsonObject) -> list[JsonObject]:
    """The changed files."""
    files = diff.get("files")
    return [as_object(file) for file in files] if isinstance(files, list) else []


def diff_rows(
    diff: JsonObject,
    marks: Marks,
    comments: Sequence[LineComment],
    colour: Colour,
    *,
    width: int = WIDE,
    beside: bool = False,
    turned: Set[str] = frozenset(),
    reading: Reading = NOTHING_READ,
    known: Known | None = None,
) -> list[Row]:
    """All files one below the other, comments below their lines, for `width` cells; `beside`: what was beside what is.

    Generated files and reviewed ones are folded; `turned`: paths that a person folded or unfolded. The key of a row
    is a Place, or the LineComment that it shows. `known` keeps the lines of hunks from one drawing to the next.
    """
    known = {} if known is None else known
    rows: list[Row] = []
    for file in files_of(diff):
        path = str(file.get("path"))
        if rows:
            rows.append(row("", key=Place(str(rows[-1].key.path if isinstance(rows[-1].key, Place) else path))))
        was = f"  was {file['oldPath']}" if file.get("oldPath") else ""
        loose = "  not committed yet" if file.get("uncommitted") else ""
        generated = is_generated(path, _beginning(file))
        hunks, runs = hunks_of(file), runs_of(file)
        reviewed = reading.has(runs)
        folded = (generated or reviewed) != (path in turned)
        fold = (f"{marks.folded if folded else marks.unfolded} ", "faint")
        rows.append(
            row(
                fold,
                (f"{marks.done} " if reviewed else "", "good"),
                (path, "strong"),
                (was, "faint"),
                *counts_of(file),
                (loose, "wait"),
                key=Place(path, runs=runs, alone=folded or not hunks),
                under="hover",
            )
        )
        if file.get("binary"):
            rows.append(row(("  a binary file", "faint"), key=Place(path)))
        of_file = [one for one in comments if one.file == path]
        if folded:
            why = "reviewed, " if reviewed else "generated, " if generated else ""
            rows.append(row((f"  {why}folded: {marks.enter} on the name shows the changes", "faint"), key=Place(path)))
        for hunk in () if folded else hunks:
            lines = _known_lines(path, hunk, colour, known)
            rows.append(_hunk_heading(path, hunk, lines, marks, colour, reading))
            rows += _two(lines, of_file, marks, width) if beside else _one(lines, of_file, marks, width)
        shown = {one.key.id for one in rows if isinstance(one.key, LineComment)}
        rows += [_comment(one, marks) for one in of_file if one.id not in shown]
        if file.get("truncated") and not folded:
            rows.append(row(("  … more changes than are shown here", "faint"), key=Place(path)))
    return rows


def _beginning(file: JsonObject) -> list[str]:
    """The first lines of a file as it is now, as far as its diff shows them."""
    first = _list(file.get("hunks"))[:1]
    lines = [line for hunk in first if hunk.get("newStart") == 1 for line in _list(hunk.get("lines"))]
    return [str(line.get("text")) for line in lines if line.get("kind") != "-"]


def _known_lines(path: str, hunk: JsonObject, colour: Colour, known: Known) -> list[DiffLine]:
    """The lines of a hunk, worked out once: colours and words that changed take most of the time of a drawing."""
    kept = known.get(id(hunk))
    if kept is None or kept[0] is not hunk:
        kept = known[id(hunk)] = hunk, lines_of(path, hunk, colour)
    return kept[1]


def _hunk_heading(
    path: str, hunk: JsonObject, lines: Sequence[DiffLine], marks: Marks, colour: Colour, reading: Reading
) -> Row:
    """The line it begins at, what it is in, whether it is reviewed and whether nothing but white space changed."""
    section = str(hunk.get("section") or "").expandtabs(4)
    changed = [(old, new) for old, new in pairs(lines) if old is not new]
    space = bool(changed) and all(old and new and only_space(old.text, new.text) for old, new in changed)
    runs = _texts(hunk.get("runs"))
    return row(
        (f"  {marks.ellipsis} line {hunk.get('newStart') or hunk.get('oldStart')}", "key"),
        (f"  {marks.done} reviewed" if runs and reading.has(runs) else "", "good"),
        ("  ", ""),
        *(colour(path, [section])[0] if section else ()),
        ("  only white space changes" if space else "", "wait"),
        key=Place(path, part="hunk", runs=runs, anchor=lines[0].place.anchor if lines else None),
        wrap=False,
        under="hunk",
    )


def _list(value: object) -> list[JsonObject]:
    return [as_object(one) for one in value] if isinstance(value, list) else []


def _texts(value: object) -> tuple[str, ...]:
    return tuple(str(one) for one in value) if isinstance(value, list) else ()


def hunks_of(file: JsonObject) -> list[JsonObject]:
    """The hunks of a changed file."""
    return _list(file.get("hunks"))


def runs_of(file: JsonObject) -> tuple[str, ...]:
    """What a reviewed mark of a whole file is on."""
    runs = tuple(run for hunk in hunks_of(file) for run in _texts(hunk.get("runs")))
    return runs or ((str(file["digest"]),) if file.get("digest") else UNMARKED)


def lines_of(path: str, hunk: JsonObject, colour: Colour) -> list[DiffLine]:
    """The lines of a hunk; each side is coloured as a whole, so that what spans lines is seen."""
    given = [
        (str(one.get("kind")), str(one.get("text")).expandtabs(4), _number(one, "old"), _number(one, "new"))
        for one in _list(hunk.get("lines"))
    ]
    sides: dict[Side, list[int]] = {
        "old": [at for at, (_, _, old, _) in enumerate(given) if old is not None],
        "new": [at for at, (_, _, _, new) in enumerate(given) if new is not None],
    }
    parts: dict[int, Line] = {}
    anchors: dict[tuple[Side, int], Anchor] = {}
    for side, places in sides.items():
        texts = [given[at][1] for at in places]
        parts.update(zip(places, colour(path, texts), strict=True))
        raw = [str(_list(hunk.get("lines"))[at].get("text")) for at in places]
        for number, at in enumerate(places):
            above, below = raw[max(0, number - AROUND) : number], raw[number + 1 : number + 1 + AROUND]
            anchors[side, at] = Anchor(raw[number], tuple(above), tuple(below))
    made = []
    runs = _texts(hunk.get("runs"))
    for at, (kind, text, old, new) in enumerate(given):
        anchor = anchors.get(("new" if new is not None else "old", at))
        place = Place(path, old, new, anchor, "line", runs)
        made.append(DiffLine(kind, text, old, new, tuple(parts.get(at) or [(text, "")]), place))
    return list(_with_words(made))


def _with_words(lines: Sequence[DiffLine]) -> Iterator[DiffLine]:
    """The words that changed within a line stand on a ground of their own."""
    spans: dict[tuple[int | None, int | None], list[Span]] = {}
    for old, new in pairs(lines):
        if old and new and old is not new:
            spans[old.old, None], spans[None, new.new] = changed_words(old.text, new.text)
    for line in lines:
        words = spans.get((line.old, line.new))
        yield replace(line, parts=tuple(grounded(line.parts, words, f"{SIDES[line.kind]}-word"))) if words else line


def _number(line: JsonObject, name: str) -> int | None:
    value = line.get(name)
    return value if isinstance(value, int) else None


def _one(lines: Iterable[DiffLine], comments: Sequence[LineComment], marks: Marks, width: int) -> list[Row]:
    """One line below the other, with both numbers where there is room."""
    rows: list[Row] = []
    for line in lines:
        side = SIDES.get(line.kind)
        old, new = line.old or "", line.new or ""
        numbers = f"{old:>5} {new:>5} " if width >= WIDE else f"{new or old:>5} "
        head = ((numbers, "faint"), (f"{line.kind} ", side or "faint"))
        under = f"{side}-line" if side else ""
        rows.append(Row((*head, *line.parts), line.place, len(numbers) + 2, True, under))
        rows += _said(comments, marks, line.old, line.new)
    return rows


def _two(lines: Sequence[DiffLine], comments: Sequence[LineComment], marks: Marks, width: int) -> list[Row]:
    """What was at the left, what is at the right; lines that took each other's place stand beside each other."""
    half = max(14, (width - 2) // 2)
    rows: list[Row] = []
    for left, right in pairs(lines):
        sides = zip_longest(_half(left, half, old=True), _half(right, half, old=False))
        parts: Line = []
        for number, (before, after) in enumerate(sides):
            parts += [("\n", "")] if number else []
            parts += before or _blank(left, half)
            parts += [(f"{marks.gutter} ", "rule"), *(after or _blank(right, half))]
        place = (right or left).place if right or left else None  # type: ignore[union-attr]
        rows.append(Row(tuple(parts), place, 0, False))
        rows += _said(comments, marks, left.old if left else None, right.new if right else None)
    return rows


def pairs(lines: Sequence[DiffLine]) -> list[tuple[DiffLine | None, DiffLine | None]]:
    """Lines side by side: a run of removed lines with the run of added ones that follows it."""
    found: list[tuple[DiffLine | None, DiffLine | None]] = []
    removed: list[DiffLine] = []
    added: list[DiffLine] = []

    def flush() -> None:
        for at in range(max(len(removed), len(added))):
            left = removed[at] if at < len(removed) else None
            found.append((left, added[at] if at < len(added) else None))
        removed.clear()
        added.clear()

    for line in lines:
        if line.kind == "-":
            if added:
                flush()
            removed.append(line)
        elif line.kind == "+":
            added.append(line)
        else:
            flush()
            found.append((line, line))
    flush()
    return found


def _half(line: DiffLine | None, width: int, *, old: bool) -> list[Line]:
    """One side, as the lines that it wraps to."""
    if line is None:
        return [_blank(line, width)]
    side = SIDES.get(line.kind)
    number = (line.old if old else line.new) or ""
    head = ((f"{number:>5} ", "faint"), (f"{line.kind} ", side or "faint"))
    lines = wrap_parts((*head, *line.parts), width, len("12345 + "))
    return [_on_ground([(text, role) for text, role, _ in fit(each, width, ellipsis="")], side) for each in lines]


def _blank(line: DiffLine | None, width: int) -> Line:
    return _on_ground([(" " * width, "")], SIDES.get(line.kind) if line else None)


def _on_ground(parts: Line, side: str | None) -> Line:
    return [(text, role if "@" in role else f"{role}@{side}-line") for text, role in parts] if side else parts


def _said(comments: Sequence[LineComment], marks: Marks, old: int | None, new: int | None) -> list[Row]:
    """The comments that stand on a line."""
    return [
        _comment(one, marks) for one in comments if not one.outdated and one.line == (new if one.side == "new" else old)
    ]


def _comment(one: LineComment, marks: Marks) -> Row:
    mark, role = (marks.waits, "wait") if one.open else (marks.done, "good")
    state = "" if one.open else "resolved  "
    gone = f"line {one.line} has changed since  " if one.outdated else ""
    return row(
        (f"      {mark} ", role),
        (f"{one.author.name or 'you'}: ", "brand"),
        (f"{state}{gone}", "faint"),
        (one.text, "" if one.open else "faint"),
        key=one,
        indent=8,
        under="hover",
    )


def counts_of(file: JsonObject) -> list[tuple[str, str]]:
    """`+41 −6`."""
    return [(f"  +{file.get('added', 0)}", "added"), (f" −{file.get('removed', 0)}", "removed")]
