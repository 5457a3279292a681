"""What a diff is made of: files, hunks, lines; beside each other; and as JSON."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from ...missions.entities import Json, JsonObject
from ...missions.review_marks import Reading

FileStatus = Literal["added", "modified", "deleted", "renamed", "copied", "type changed", "conflicted", "text"]
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
    runs: tuple[str, ...] = ()
    """Digests of its runs of changed lines (`missions.reading`); a hunk cut by a page has those of the whole."""


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
    digest: str = ""
    """Of a file without hunks: stands for its content."""

    @property
    def runs(self) -> tuple[str, ...]:
        """What a reviewed mark of the whole file is on."""
        return tuple(run for hunk in self.hunks for run in hunk.runs) or (self.digest,)


@dataclass(frozen=True, slots=True)
class Diff:
    """All files a mission changed; `base` is what it is compared with, `head` the last commit."""

    base: str
    head: str
    files: tuple[FileDiff, ...]
    added: int
    removed: int

    def without_reviewed(self, reading: Reading) -> Diff:
        """Only the files and hunks that are not marked as reviewed; the counts stay those of the whole."""
        files = (
            replace(one, hunks=tuple(hunk for hunk in one.hunks if not reading.has(hunk.runs)))
            for one in self.files
            if not reading.has(one.runs)
        )
        return replace(self, files=tuple(files))

    def to_json(self, reading: Reading, *, side_by_side: bool = False) -> JsonObject:
        """The diff for `mission diff --json` (camelCase keys); paths that are not UTF-8 are shown with backslashes.

        With `side_by_side` a hunk has `rows` of `left` and `right` in the place of `lines`.
        """
        return {
            "base": self.base,
            "head": self.head,
            "added": self.added,
            "removed": self.removed,
            "files": [_file_json(one, reading, side_by_side) for one in self.files],
        }


@dataclass(frozen=True, slots=True)
class PairedRow:
    """One row of the side-by-side view; a side is None where the other has a line more."""

    left: Line | None
    right: Line | None


def side_by_side(hunk: Hunk) -> list[PairedRow]:
    """A hunk as rows: removed lines beside the added ones that replace them."""
    rows: list[PairedRow] = []
    removed: list[Line] = []
    added: list[Line] = []

    def flush() -> None:
        for number in range(max(len(removed), len(added))):
            rows.append(
                PairedRow(
                    removed[number] if number < len(removed) else None, added[number] if number < len(added) else None
                )
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
                rows.append(PairedRow(line, line))
            case _:
                pass
    flush()
    return rows


def _file_json(one: FileDiff, reading: Reading, pairs: bool) -> Json:
    return {
        "path": _text(one.path),
        "oldPath": _text(one.old_path) if one.old_path else None,
        "status": one.status,
        "added": one.added,
        "removed": one.removed,
        "binary": one.binary,
        "truncated": one.truncated,
        "uncommitted": one.uncommitted,
        "digest": one.digest or None,
        "reviewed": reading.has(one.runs),
        "hunks": [_hunk_json(hunk, reading, pairs) for hunk in one.hunks],
    }


def _hunk_json(hunk: Hunk, reading: Reading, pairs: bool) -> Json:
    found: JsonObject = {
        "oldStart": hunk.old_start,
        "oldCount": hunk.old_count,
        "newStart": hunk.new_start,
        "newCount": hunk.new_count,
        "section": _text(hunk.section),
        "runs": list(hunk.runs),
        "reviewed": reading.has(hunk.runs),
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
