"""Where the line comments of a mission stand now: its files read, each comment anchored by what its line says."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from ...missions.comments import Anchor, LineComment, Side, anchor_at, lines_now, reanchor
from ..git import Git
from .differences import merge_base_of, mission_diff


def place_comments(comments: Iterable[LineComment], worktree: Path | str, base: str) -> list[LineComment]:
    """The comments with the lines they mean now; `base` as for `mission_diff`. Resolved ones stay where they were.

    A file that was renamed takes its comments along. Raises NotFound when the worktree or the base is gone.
    """
    sides = _Sides(Path(worktree), base)
    return [sides.placed(one) if one.resolved_at is None and one.about == "diff" else one for one in comments]


def around_now(comments: Iterable[LineComment], worktree: Path | str, base: str) -> dict[str, list[tuple[int, str]]]:
    """For each comment on the diff, by its id, its lines and those around as they are now."""
    sides = _Sides(Path(worktree), base)
    of_diff = [one for one in comments if one.about == "diff"]
    return {one.id: lines_now(one, sides.lines(one.file, one.side) or ()) for one in of_diff}


def anchor_of(worktree: Path | str, base: str, file: str, line: int, side: Side, until: int | None = None) -> Anchor:
    """What a new comment there holds on to; InvalidValue when there is no such line."""
    return anchor_at(_Sides(Path(worktree), base).lines(file, side) or (), line, until)


class _Sides:
    """Both sides of the diff of one worktree, read file by file as they are asked for."""

    def __init__(self, worktree: Path, base: str) -> None:
        self._top = worktree
        self._given_base = base
        self._base = ""
        self._read: dict[tuple[str, Side], list[str] | None] = {}
        self._renamed: dict[str, str] | None = None

    def placed(self, comment: LineComment) -> LineComment:
        lines = self.lines(comment.file, comment.side)
        if lines is None and comment.side == "new":
            now = self._renames().get(comment.file)
            if now is not None:
                return reanchor(replace(comment, file=now), self.lines(now, "new"))
        return reanchor(comment, lines)

    def lines(self, file: str, side: Side) -> list[str] | None:
        """The lines of a file on one side, as a diff shows them; None when it is not there."""
        key = (file, side)
        if key not in self._read:
            data = self._new(file) if side == "new" else self._old(file)
            self._read[key] = None if data is None else _split(data)
        return self._read[key]

    def _new(self, file: str) -> bytes | None:
        path = self._top / file
        if not path.parent.resolve().is_relative_to(self._top.resolve()):
            return None  # through a link that leads out of the worktree
        if path.is_symlink():
            return bytes(path.readlink())
        return path.read_bytes() if path.is_file() else None

    def _old(self, file: str) -> bytes | None:
        git = Git(self._top)
        self._base = self._base or merge_base_of(git, self._given_base)[0]
        return git.blob(self._base, file)

    def _renames(self) -> dict[str, str]:
        if self._renamed is None:
            files = mission_diff(self._top, self._given_base, hunks=False).files
            self._renamed = {one.old_path: one.path for one in files if one.old_path and one.status == "renamed"}
        return self._renamed


def _split(data: bytes) -> list[str]:
    lines = data.decode("utf-8", "backslashreplace").split("\n")
    return lines[:-1] if lines[-1] == "" else lines
