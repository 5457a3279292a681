"""What a mission changed: the worktree as it is now against the merge base, committed and uncommitted together."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from ..missions.entities import Json, JsonObject
from ..missions.errors import NotFound
from .git import Git, decode
from .work import changes, temporary_index

FileStatus = Literal["added", "modified", "deleted", "renamed", "copied", "type changed", "conflicted"]
LineKind = Literal[" ", "+", "-", "\\"]

_STATUS: dict[str, FileStatus] = {
    "A": "added", "M": "modified", "D": "deleted", "R": "renamed", "C": "copied", "T": "type changed",
    "U": "conflicted",
}  # fmt: skip
_OPTIONS = ("--no-color", "--no-ext-diff", "--no-textconv", "--find-renames", "--src-prefix=a/", "--dst-prefix=b/")
_HUNK = re.compile(rb"^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@ ?(.*)$", re.DOTALL)


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


def mission_diff(
    worktree_path: Path | str, base: str, *, paths: Sequence[str] = (), max_lines: int | None = None, hunks: bool = True
) -> Diff:
    """The worktree against the merge base of its HEAD and `base` (a branch or commit).

    `paths` narrows it to some files (a page), `max_lines` cuts each file's hunks after so many lines, `hunks=False`
    gives the list and the counts only. Nothing in the worktree is changed, its index included.
    """
    path = Path(worktree_path)
    git = Git(path)
    merge_base, head = merge_base_of(git, base)
    dirty = changes(path)
    with temporary_index(path) as index:
        seen = git.having(GIT_INDEX_FILE=str(index))
        unmerged = [change.path for change in dirty if "U" in change.state or change.state in ("AA", "DD")]
        if unmerged:
            seen.run("--literal-pathspecs", "rm", "--cached", "--quiet", "--ignore-unmatch", "--", *unmerged)
        new = [c.path for c in dirty if c.state == "??" and not c.nested] + unmerged
        if new:
            _intend_to_add(seen, path, new)
        files = list(_files(seen, merge_base, paths))
        if hunks:
            files = list(_with_hunks(files, _patch(seen, merge_base, paths), max_lines))
    pending = {change.path for change in dirty}
    files = [replace(one, uncommitted=one.path in pending) for one in files]
    return Diff(merge_base, head, tuple(files), sum(f.added for f in files), sum(f.removed for f in files))


def merge_base_of(git: Git, base: str) -> tuple[str, str]:
    """What a worktree is compared with, and its HEAD; NotFound when the worktree or the base is gone."""
    if not git.path.is_dir():
        raise NotFound(
            f"the worktree {git.path} is gone",
            why="its directory was deleted",
            todo="start the mission again to remake it",
        )
    head, against = git.commit("HEAD"), git.commit(base)
    if head is None or against is None:
        raise NotFound(
            f"{base!r} is no commit of {git.path}", why="git does not know it", todo="name the target branch"
        )
    return (git.maybe("merge-base", against, head) or against).splitlines()[0], head


def side_by_side(hunk: Hunk) -> list[Row]:
    """A hunk as rows: removed lines beside the added ones that replace them."""
    rows: list[Row] = []
    removed: list[Line] = []
    added: list[Line] = []

    def flush() -> None:
        for number in range(max(len(removed), len(added))):
            rows.append(
                Row(
                    removed[number] if number < len(removed) else None,
                    added[number] if number < len(added) else None,
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
                rows.append(Row(line, line))
            case _:
                pass
    flush()
    return rows


def _intend_to_add(git: Git, top: Path, names: list[str]) -> None:
    """Let untracked files show as new ones, without writing their content anywhere."""
    there = [name for name in names if os.path.lexists(top / name)]
    if not there:
        return
    with tempfile.NamedTemporaryFile(prefix="solo-unicorn-paths-") as listed:
        listed.write(b"\0".join(os.fsencode(name) for name in there) + b"\0")
        listed.flush()
        git.run(
            "--literal-pathspecs", "add", "--intent-to-add", "--force",
            f"--pathspec-from-file={listed.name}", "--pathspec-file-nul",
        )  # fmt: skip


def _files(git: Git, base: str, paths: Sequence[str]) -> Iterator[FileDiff]:
    """Names, states and counts, from `--raw` and `--numstat` in one go."""
    out = git.out(
        "--literal-pathspecs", "diff", *_OPTIONS, "-z", "--raw", "--numstat", base, "--", *paths, timeout=600
    )  # fmt: skip
    entries = iter(out.split(b"\0"))
    raw: list[tuple[str, str | None, str]] = []
    counts: dict[str, tuple[int, int, bool]] = {}
    for entry in entries:
        if entry.startswith(b":"):
            letter = decode(entry.rsplit(b" ", 1)[1])[:1]
            first = decode(next(entries))
            second = decode(next(entries)) if letter in "RC" else None
            raw.append((second or first, first if second else None, letter))
        elif entry:
            added, removed, name = entry.split(b"\t", 2)
            if not name:  # a rename: the two names follow
                next(entries)
                name = next(entries)
            binary = added == b"-"
            counts[decode(name)] = (0, 0, True) if binary else (int(added), int(removed), False)
    for path, old, letter in raw:
        plus, minus, binary = counts.get(path, (0, 0, False))
        yield FileDiff(path, old, _STATUS.get(letter, "modified"), plus, minus, binary)


def _patch(git: Git, base: str, paths: Sequence[str]) -> bytes:
    """The unified diff of the same files in the same order."""
    return git.out(
        "--literal-pathspecs", "diff", *_OPTIONS, "--patch", "--unified=3", base, "--", *paths, timeout=600
    )  # fmt: skip


def _with_hunks(files: list[FileDiff], patch: bytes, max_lines: int | None) -> Iterator[FileDiff]:
    """Give each file its hunks; a change of type is two patches, a deletion and a creation."""
    patches = iter(_split(patch))
    for one in files:
        lines = next(patches, [])
        if one.status == "type changed":
            lines = lines + next(patches, [])
        hunks, truncated = _hunks(lines, max_lines)
        yield replace(one, hunks=() if one.binary else tuple(hunks), truncated=truncated and not one.binary)


def _split(patch: bytes) -> Iterator[list[bytes]]:
    """One list of lines per file. Content lines never start with "diff --git": they have a mark before them."""
    current: list[bytes] | None = None
    for line in patch.split(b"\n")[:-1]:
        if line.startswith(b"diff --git "):
            if current is not None:
                yield current
            current = []
        elif current is not None:
            current.append(line)
    if current is not None:
        yield current


def _hunks(lines: list[bytes], max_lines: int | None) -> tuple[list[Hunk], bool]:
    """The hunks of one file, cut after `max_lines` lines."""
    found: list[Hunk] = []
    body: list[Line] = []
    left = max_lines if max_lines is not None else len(lines)
    header: re.Match[bytes] | None = None
    old = new = 0

    def close() -> None:
        if header is not None and body:
            found.append(
                Hunk(
                    int(header[1]), int(header[2] or 1), int(header[3]), int(header[4] or 1),
                    decode(header[5]), tuple(body),
                )
            )  # fmt: skip
        body.clear()

    for line in lines:
        begins = _HUNK.match(line)
        if begins:
            close()
            header, old, new = begins, int(begins[1]), int(begins[3])
        elif header is not None and line[:1] in (b" ", b"+", b"-", b"\\"):
            if not left:
                close()
                return found, True
            kind = line[:1].decode()
            on_old, on_new = kind in " -", kind in " +"
            body.append(Line(kind, decode(line[1:]), old if on_old else None, new if on_new else None))  # type: ignore[arg-type]
            old, new, left = old + on_old, new + on_new, left - 1
        else:  # the header lines of the second patch of a type change
            close()
            header = None
    close()
    return found, False


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
