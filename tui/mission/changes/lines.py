"""The lines of a hunk with their colours, the words that changed, and which stand beside each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from threading import Lock
from typing import Final

from ....missions.comments import CONTEXT, Anchor, Side
from ....missions.entities import JsonObject
from ....missions.records import record, replace
from ...kit.drawing import Line
from .model import files_of, hunks_of, number, objects, texts
from .places import Colour, DiffPlace
from .words import Span, changed_words, grounded

FIRST_LINES: Final = 300
"""So many lines are coloured before anything is shown, and then six times as many, …"""
KNOWN_MAX: Final = 5000
"""Hunks whose lines are kept."""
SIDES: Final = {"+": "added", "-": "removed"}


@record
class DiffLine:
    """One line of a hunk with its colours and what it is."""

    kind: str
    text: str
    old: int | None
    new: int | None
    parts: tuple[tuple[str, str], ...]
    place: DiffPlace


class DrawnHunks:
    """Lines of hunks that were worked out already: syntax colours take nearly all of the time of a drawing."""

    def __init__(self, colour: Colour) -> None:
        self.worked_out = 0
        """How many hunks were, which a test counts."""
        self._colour = colour
        self._lines: dict[tuple[object, ...], list[DiffLine]] = {}
        self._turn = Lock()  # a drawing that another one overtook may still go on in its thread

    def lines(self, path: str, hunk: JsonObject) -> list[DiffLine]:
        """The lines of a hunk, without colours as long as it is not worked out."""
        known = self._lines.get(_key(path, hunk))
        return lines_of(path, hunk, _plain) if known is None else known

    def section(self, path: str, text: str) -> Line:
        """What a hunk is in."""
        return self._colour(path, [text])[0] if text else []

    def missing(self, diff: JsonObject) -> list[tuple[str, JsonObject]]:
        """The hunks of a diff that are not worked out."""
        hunks = ((str(file.get("path")), hunk) for file in files_of(diff) for hunk in hunks_of(file))
        return [one for one in hunks if _key(*one) not in self._lines]

    def work_out(self, hunks: Sequence[tuple[str, JsonObject]]) -> None:
        for path, hunk in hunks:
            with self._turn:
                if len(self._lines) > KNOWN_MAX:
                    self._lines.clear()
                if (key := _key(path, hunk)) not in self._lines:
                    self.worked_out += 1
                    self._lines[key] = lines_of(path, hunk, self._colour)


def _key(path: str, hunk: JsonObject) -> tuple[object, ...]:
    """A hunk that says the same at the same place has the same lines."""
    told = objects(hunk.get("lines"))
    ends = [told[at].get("text") for at in (0, -1)] if told else []
    return path, texts(hunk.get("runs")), hunk.get("oldStart"), hunk.get("newStart"), len(told), *ends


def _plain(path: str, lines: Sequence[str]) -> list[Line]:
    return [[(line, "")] for line in lines]


def batches(hunks: Sequence[tuple[str, JsonObject]]) -> Iterator[Sequence[tuple[str, JsonObject]]]:
    """Hunks in portions to be coloured and shown: what is on the screen first, then more and more at once."""
    room, portion = FIRST_LINES, list[tuple[str, JsonObject]]()
    left = room
    for one in hunks:
        portion.append(one)
        left -= len(objects(one[1].get("lines")))
        if left <= 0:
            yield portion
            room *= 6
            left, portion = room, []
    if portion:
        yield portion


def lines_of(path: str, hunk: JsonObject, colour: Colour) -> list[DiffLine]:
    """The lines of a hunk; each side is coloured as a whole, so that what spans lines is seen."""
    told = objects(hunk.get("lines"))
    given = [
        (str(one.get("kind")), str(one.get("text")).expandtabs(4), number(one, "old"), number(one, "new"))
        for one in told
    ]
    sides: dict[Side, list[int]] = {
        "old": [at for at, (_, _, old, _) in enumerate(given) if old is not None],
        "new": [at for at, (_, _, _, new) in enumerate(given) if new is not None],
    }
    parts: dict[int, Line] = {}
    anchors: dict[tuple[Side, int], Anchor] = {}
    if not any(line[0] == "-" for line in given):
        sides["old"] = []
    for side, places in sides.items():
        parts.update(zip(places, colour(path, [given[at][1] for at in places]), strict=True))
        raw = [str(told[at].get("text")) for at in places]
        for place, at in enumerate(places):
            above, below = raw[max(0, place - CONTEXT) : place], raw[place + 1 : place + 1 + CONTEXT]
            anchors[side, at] = Anchor(raw[place], tuple(above), tuple(below))
    made = []
    runs = texts(hunk.get("runs"))
    for at, (kind, text, old, new) in enumerate(given):
        anchor = anchors.get(("new" if new is not None else "old", at))
        here = DiffPlace(path, old, new, anchor, "line", runs)
        made.append(DiffLine(kind, text, old, new, tuple(parts.get(at) or [(text, "")]), here))
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
