"""A transcript as rows: one for each thing that happened, with what unfolds below it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final

from ...agents.transcript_view import DisplayEntry
from ..kit.ages import span
from ..kit.drawing import Line
from ..kit.lines import Row, row
from ..kit.marks import Marks

INDENT: Final = 9
UNFOLDED_LINES: Final = 60
LONG: Final = 3
"""A person's (or the prompt's) words of more lines than this are folded."""
ROLES: Final = {
    "you": "brand",
    "thinking": "faint",
    "limit": "wait",
    "retry": "wait",
    "permission": "wait",
    "question": "wait",
    "notice": "faint",
    "error": "bad",
    "raw": "faint",
    "started": "faint",
}


def rows_of(entries: Sequence[DisplayEntry], unfolded: Collection[int], marks: Marks) -> list[Row]:
    """The rows of all entries; `unfolded` holds the places of those whose details are shown."""
    return [made for place, entry in enumerate(entries) for made in _rows(place, entry, place in unfolded, marks)]


def foldable(entry: DisplayEntry) -> bool:
    """Whether there is more to see."""
    return bool(entry.detail or entry.members or any(change.diff for change in entry.files) or _long(entry))


def _long(entry: DisplayEntry) -> bool:
    return entry.kind == "you" and entry.text.count("\n") > LONG


def _rows(place: int, entry: DisplayEntry, unfolded: bool, marks: Marks) -> list[Row]:
    stamp = datetime.fromtimestamp(entry.at).strftime("%H:%M") if entry.at else "     "
    fold = f"{marks.unfolded if unfolded else marks.folded} " if foldable(entry) else "  "
    role = ROLES.get(entry.kind, "")
    parts: Line = [(f" {stamp}  ", "faint"), (fold, "key")]
    if entry.kind == "you":
        parts.append(("you: ", "brand"))
    if entry.ok is False:
        role = "bad"
    text = entry.text
    if _long(entry) and not unfolded:
        first = text.split("\n", 1)[0]
        text = f"{first}  … {text.count(chr(10))} more lines"
    parts += [(text, role), *_outcome(entry, marks)]
    rows = [row(*parts, key=place, indent=INDENT)]
    for step in entry.steps:
        mark = {"done": marks.done, "completed": marks.done, "pending": marks.idle}.get(step.state, marks.running)
        rows.append(row(" " * INDENT, (f"{mark} {step.title}", "faint"), key=place, indent=INDENT + 2))
    if unfolded:
        rows += _details(place, entry)
    return rows


def _outcome(entry: DisplayEntry, marks: Marks) -> Line:
    parts: Line = []
    if entry.added or entry.removed:
        parts += [(f"  +{entry.added}", "added"), (f" −{entry.removed}", "removed")]
    if entry.kind == "tool" and entry.ok is False:
        parts.append((f"  {marks.attention} failed", "bad"))
    if entry.seconds is not None and entry.seconds >= 1:
        parts.append((f"  {span(entry.seconds)}", "faint"))
    return parts


def _details(place: int, entry: DisplayEntry) -> list[Row]:
    lines: list[tuple[str, str]] = [(member, "faint") for member in entry.members]
    for change in entry.files:
        for line in change.diff.splitlines():
            lines.append((line, {"+": "added", "-": "removed", "@": "key"}.get(line[:1], "faint")))
    lines += [(line, "faint") for line in entry.detail.splitlines()]
    shown = [row(" " * (INDENT + 2), line, key=place, wrap=False) for line in lines[:UNFOLDED_LINES]]
    if len(lines) > UNFOLDED_LINES:
        shown.append(row(" " * (INDENT + 2), (f"… {len(lines) - UNFOLDED_LINES} more lines", "faint"), key=place))
    return shown
