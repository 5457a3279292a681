"""The changed files as a tree; folders with nothing beside them are drawn in one line with what they hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from ....missions.comments import LineComment
from ....missions.entities import JsonObject
from ....missions.review_marks import Reading
from ...kit.lines import Row, row
from ...kit.marks import Marks
from .model import counts_of, files_of, runs_of

LETTERS: Final = {
    "added": "A",
    "modified": "M",
    "deleted": "D",
    "renamed": "R",
    "copied": "C",
    "conflicted": "!",
    "text": "T",
    "type changed": "T",
}


def tree_rows(diff: JsonObject, comments: Sequence[LineComment], marks: Marks, reading: Reading) -> list[Row]:
    """One row a folder or file; the key of a file's row is its path, a folder's has none."""
    top: dict[str, object] = {}
    for file in files_of(diff):
        *folders, name = str(file.get("path")).split("/")
        at = top
        for folder in folders:
            inside = at.setdefault(f"{folder}/", {})
            assert isinstance(inside, dict)
            at = inside
        at[name] = file
    still = Counter(one.file for one in comments if one.open)
    return _rows(top, 0, still, marks, reading)


def _rows(tree: dict[str, object], depth: int, still: dict[str, int], marks: Marks, reading: Reading) -> list[Row]:
    rows: list[Row] = []
    for name, inside in tree.items():
        assert isinstance(inside, dict)
        if not name.endswith("/"):
            rows.append(_file(name, inside, depth, still, marks, reading))
            continue
        while len(inside) == 1 and (only := next(iter(inside))).endswith("/"):
            name, inside = name + only, inside[only]
        rows.append(row(("  " * depth, ""), (f"{marks.unfolded} {name}", "faint")))
        rows += _rows(inside, depth + 1, still, marks, reading)
    return rows


def _file(name: str, file: JsonObject, depth: int, still: dict[str, int], marks: Marks, reading: Reading) -> Row:
    path = str(file.get("path"))
    letter = LETTERS.get(str(file.get("status")), "?")
    said = f"  {marks.waits} {still[path]}" if still.get(path) else ""
    reviewed = reading.has(runs_of(file))
    head = "  " * depth
    counts = counts_of(file) if file.get("status") != "text" else ()
    done = (f"{marks.done} " if reviewed else "", "good")
    return row(
        head,
        (f"{letter} ", "key"),
        done,
        (name, "faint" if reviewed else ""),
        *counts,
        (said, "wait"),
        key=path,
        indent=len(head) + 2,
    )
