"""What a diff is made of: files, hunks, lines; beside each other; and as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ..missions.entities import Json, JsonObject

FileStatus = Literal["added", "modified", "deleted", "renamed", "copied", "type changed", "conflicted"]
LineKind = Literal[" ", "+", "-", "\\"]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a hunk, with its number on each side it is on; `\\` marks a missing newline at the end of a file."""

    kind: LineKind
    text: str
    old: int | None
    new: int | None


@dataclass(frozen=True, slots=True)
class Hunk:
    """A run of changed lines with their context."""

    old_start: int
    old_count: int
    new_start: int
    new_count: int
    section: str
    """What git shows after the second `@@`: usually the function around it."""
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class FileDiff:
    """One changed file. Binary files and files left out of a page have no hunks."""

    path: str
    old_path: str | None
    """Where it was before a rename or copy."""
    status: FileStatus
    added: int
    removed: int
    binary: bool
    hunks: tuple[Hunk, ...] = ()
    truncated: bool = False
    """There are more hunks than are shown here (see `max_lines`)."""
    uncommitted: bool = False
    """At least a part of it is not committed yet."""


@dataclass(frozen=True, slots=True)
class Diff:
    """All files a mission changed; `base` is the merge base, `head` the last commit."""

    base: str
    head: str
    files: tuple[FileDiff, ...]
    added: int
    removed: int

    def to_json(self, *, side_by_side: bool = False) -> JsonObject:
        """The diff for `mission diff --json` (camelCase keys); paths that are not UTF-8 are shown with backslashes.

        With `side_by_side` a hunk has `rows` of `left` and `right` in the place of `lines`.
        """
        return {
            "base": self.base,
            "head": self.head,
            "added": self.added,
            "removed": self.removed,
            "files": [_file_json(one, side_by_side) for one in self.files],
        }


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the side-by-side view; a side is None where the other has a line more."""

    left: Line | None
    right: Line | None


def side_by_side(hunk: Hunk) -> list[Row]:
    """A hunk as rows: removed lines beside the added ones that replace them."""
    rows: list[Row] = []
    removed: list[Line] = []
    added: list[Line] = []

    def flush() -> None:
        for number in range(max(len(removed), len(added))):
            rows.append(
                Row(removed[number] if number < len(removed) else None, added[number] if number < len(added) else None)
            )
        removed.clear()
        added.clear()

    for line in hunk.lines:
        match line.kind:
            case "-":
                if added:
                    flush()
                removed.append(line)
            case "+":
                added.append(line)
            case " ":
                flush()
                rows.append(Row(line, line))
            case _:
                pass
    flush()
    return rows


def _file_json(one: FileDiff, pairs: bool) -> Json:
    return {
        "path": _text(one.path),
        "oldPath": _text(one.old_path) if one.old_path else None,
        "status": one.status,
        "added": one.added,
        "removed": one.removed,
        "binary": one.binary,
        "truncated": one.truncated,
        "uncommitted": one.uncommitted,
        "hunks": [_hunk_json(hunk, pairs) for hunk in one.hunks],
    }


def _hunk_json(hunk: Hunk, pairs: bool) -> Json:
    found: JsonObject = {
        "oldStart": hunk.old_start,
        "oldCount": hunk.old_count,
        "newStart": hunk.new_start,
        "newCount": hunk.new_count,
        "section": _text(hunk.section),
    }
    if pairs:
        rows = side_by_side(hunk)
        found["rows"] = [{"left": _line_json(row.left), "right": _line_json(row.right)} for row in rows]
    else:
        found["lines"] = [_line_json(line) for line in hunk.lines]
    return found


def _line_json(line: Line | None) -> Json:
    if line is None:
        return None
    return {"kind": line.kind, "text": _text(line.text), "old": line.old, "new": line.new}


def _text(value: str) -> str:
    """Text that every JSON reader takes."""
    return value.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
