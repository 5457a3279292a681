"""The diff of a worktree as rows, from what `solo-unicorn mission diff --json` prints."""

from __future__ import annotations

from typing import Final

from ..missions.entities import JsonObject
from .child import as_object
from .lines import Row, row
from .marks import Marks

LETTERS: Final = {"added": "A", "modified": "M", "deleted": "D", "renamed": "R", "copied": "C", "conflicted": "!"}


def files_of(diff: JsonObject) -> list[JsonObject]:
    """The changed files."""
    files = diff.get("files")
    return [as_object(file) for file in files] if isinstance(files, list) else []


def file_rows(diff: JsonObject) -> list[Row]:
    """The list of files with their counts; the key of a row is its path."""
    rows = []
    for file in files_of(diff):
        path = str(file.get("path"))
        letter = LETTERS.get(str(file.get("status")), "?")
        rows.append(row((f"{letter} ", "key"), path, *_counts(file), key=path, indent=2))
    return rows


def diff_rows(diff: JsonObject, marks: Marks) -> list[Row]:
    """All files one below the other; the key of a row is (path, new line number or None)."""
    rows: list[Row] = []
    for file in files_of(diff):
        path = str(file.get("path"))
        if rows:
            rows.append(row("", key=(path, None)))
        was = f"  was {file['oldPath']}" if file.get("oldPath") else ""
        loose = "  not committed yet" if file.get("uncommitted") else ""
        rows.append(
            row((path, "strong"), (was, "faint"), *_counts(file), (loose, "wait"), key=(path, None), under="hover")
        )
        if file.get("binary"):
            rows.append(row(("  a binary file", "faint"), key=(path, None)))
        hunks = file.get("hunks")
        for hunk in hunks if isinstance(hunks, list) else []:
            rows += _hunk(path, as_object(hunk), marks)
        if file.get("truncated"):
            rows.append(row(("  … more changes than are shown here", "faint"), key=(path, None)))
    return rows


def _counts(file: JsonObject) -> list[tuple[str, str]]:
    return [(f"  +{file.get('added', 0)}", "added"), (f" −{file.get('removed', 0)}", "removed")]


def _hunk(path: str, hunk: JsonObject, marks: Marks) -> list[Row]:
    section = str(hunk.get("section") or "")
    rows = [row((f"  {marks.separator * 3} {section}", "faint"), key=(path, None), wrap=False)]
    lines = hunk.get("lines")
    for line in lines if isinstance(lines, list) else []:
        match line:
            case {"kind": str(kind), "text": str(text), **numbers}:
                old, new = _number(numbers.get("old")), _number(numbers.get("new"))
                role = {"+": "added", "-": "removed", "\\": "faint"}.get(kind, "")
                clean = text.replace("\t", "    ")
                rows.append(
                    row(
                        (f"{old:>5} {new:>5} ", "faint"),
                        (f"{kind} {clean}", role),
                        key=(path, numbers.get("new")),
                        wrap=False,
                    )
                )
    return rows


def _number(value: object) -> str:
    return str(value) if isinstance(value, int) else ""
