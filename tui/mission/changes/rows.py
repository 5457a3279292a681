"""The diff of a worktree as rows, from what `solo-unicorn mission diff --json` prints: one column, or two."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest

from ....missions.comments import LineComment
from ....missions.entities import JsonObject
from ...kit.drawing import Line, fit
from ...kit.lines import Row, row
from ...kit.marks import Marks
from ...kit.wrapping import wrap_parts
from .generated import is_generated
from .lines import SIDES, DiffLine, DrawnHunks, pairs
from .model import counts_of, files_of, hunks_of, lines_now, objects, runs_of, texts
from .places import WIDE, DiffPlace, Look
from .thread import said_at, thread_rows
from .words import only_space

Now = Mapping[str, Sequence[tuple[int, str]]]
"""For comments, by their ids, their lines as they are now."""


def diff_rows(
    diff: JsonObject, marks: Marks, comments: Sequence[LineComment], look: Look, known: DrawnHunks
) -> list[Row]:
    """All files one below the other, comments below their lines; each row has a Place or its LineComment as key.

    Generated files and reviewed ones are folded. `known` keeps the lines of hunks from one drawing to the next.
    """
    now = lines_now(diff)
    rows: list[Row] = []
    for file in files_of(diff):
        of_file = [one for one in comments if one.file == file.get("path") and one.stop is None]
        if rows:
            rows.append(row("", key=DiffPlace(_path_above(rows))))
        rows += _file_rows(file, of_file, now, marks, look, known)
    return rows


def _path_above(rows: Sequence[Row]) -> str:
    key = rows[-1].key
    return key.path if isinstance(key, DiffPlace) else key.file if isinstance(key, LineComment) else ""


def _file_rows(
    file: JsonObject, comments: Sequence[LineComment], now: Now, marks: Marks, look: Look, known: DrawnHunks
) -> Iterator[Row]:
    path, hunks, runs = str(file.get("path")), hunks_of(file), runs_of(file)
    generated, reviewed = is_generated(path, _beginning(file)), look.reading.has(runs)
    folded = (generated or reviewed) != (path in look.turned)
    yield row(
        (f"{marks.folded if folded else marks.unfolded} ", "faint"),
        (f"{marks.done} " if reviewed else "", "good"),
        (path, "strong"),
        (f"  was {file['oldPath']}" if file.get("oldPath") else "", "faint"),
        *(counts_of(file) if file.get("status") != "text" else ()),
        ("  not committed yet" if file.get("uncommitted") else "", "wait"),
        key=DiffPlace(path, runs=runs, alone=folded or not hunks),
        under="hover",
    )
    if file.get("why"):
        yield row((f"  {file['why']}", "brand"), key=DiffPlace(path), indent=2)
    if file.get("binary"):
        yield row(("  a binary file", "faint"), key=DiffPlace(path))
    if folded:
        why = "reviewed, " if reviewed else "generated, " if generated else ""
        yield row((f"  {why}folded: {marks.enter} on the name shows the changes", "faint"), key=DiffPlace(path))
    shown: set[str] = set()
    for hunk in () if folded else hunks:
        lines = known.lines(path, hunk)
        if file.get("status") != "text":
            yield _hunk_heading(path, hunk, lines, marks, look, known)
        for made in _two(lines, comments, now, marks, look) if look.beside else _one(lines, comments, now, marks, look):
            if isinstance(made.key, LineComment):
                shown.add(made.key.id)
            yield made
    if not file.get("part"):
        for one in comments:
            if one.id not in shown:
                yield from thread_rows(one, now.get(one.id, ()), marks, look)
    if file.get("truncated") and not folded:
        yield row(("  … more changes than are shown here", "faint"), key=DiffPlace(path))


def _beginning(file: JsonObject) -> list[str]:
    """The first lines of a file as it is now, as far as its diff shows them."""
    first = hunks_of(file)[:1]
    lines = [line for hunk in first if hunk.get("newStart") == 1 for line in objects(hunk.get("lines"))[:40]]
    return [str(line.get("text")) for line in lines if line.get("kind") != "-"]


def _hunk_heading(
    path: str, hunk: JsonObject, lines: Sequence[DiffLine], marks: Marks, look: Look, known: DrawnHunks
) -> Row:
    """The line it begins at, what it is in, whether it is reviewed and whether nothing but white space changed."""
    section = str(hunk.get("section") or "").expandtabs(4)
    changed = [(old, new) for old, new in pairs(lines) if old is not new]
    space = bool(changed) and all(old and new and only_space(old.text, new.text) for old, new in changed)
    runs = texts(hunk.get("runs"))
    return row(
        (f"  {marks.ellipsis} line {hunk.get('newStart') or hunk.get('oldStart')}", "key"),
        (f"  {marks.done} reviewed" if runs and look.reading.has(runs) else "", "good"),
        ("  ", ""),
        *known.section(path, section),
        ("  only white space changes" if space else "", "wait"),
        key=DiffPlace(path, part="hunk", runs=runs, anchor=lines[0].place.anchor if lines else None),
        wrap=False,
        under="hunk",
    )


def _one(
    lines: Iterable[DiffLine], comments: Sequence[LineComment], now: Now, marks: Marks, look: Look
) -> Iterator[Row]:
    """One line below the other, with both numbers where there is room."""
    for line in lines:
        if look.final and line.kind == "-":
            continue
        side = SIDES.get(line.kind)
        old, new = line.old or "", line.new or ""
        numbers = f"{old:>5} {new:>5} " if look.width >= WIDE and not look.final else f"{new or old:>5} "
        head = ((numbers, "faint"), (f"{line.kind} ", side or "faint"))
        under = f"{side}-line" if side else ""
        yield Row((*head, *line.parts), line.place, len(numbers) + 2, True, under)
        if comments:
            yield from said_at(comments, now, marks, look, line.old, line.new)


def _two(
    lines: Sequence[DiffLine], comments: Sequence[LineComment], now: Now, marks: Marks, look: Look
) -> Iterator[Row]:
    """What was at the left, what is at the right; lines that took each other's place stand beside each other."""
    half = max(14, (look.width - 2) // 2)
    for left, right in pairs(lines):
        sides = zip_longest(_half(left, half, old=True), _half(right, half, old=False))
        parts: Line = []
        for nth, (before, after) in enumerate(sides):
            parts += [("\n", "")] if nth else []
            parts += before or _blank(left, half)
            parts += [(f"{marks.gutter} ", "rule"), *(after or _blank(right, half))]
        place = (right or left).place if right or left else None  # type: ignore[union-attr]
        yield Row(tuple(parts), place, 0, False)
        if comments:
            old, new = left.old if left else None, right.new if right else None
            yield from said_at(comments, now, marks, look, old, new)


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
