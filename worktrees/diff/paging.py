"""A long diff page by page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ...missions.errors import InvalidValue
from .model import Diff, FileDiff, Hunk


def page_of(diff: Diff, page: int, size: int) -> tuple[Diff, int]:
    """One page of `size` lines, counted through the hunks of all files, and how many pages there are.

    Every file is on every page, with the hunks of that page only; a hunk goes on over the edge of a page as a hunk of
    its own. InvalidValue when there is no such page.
    """
    total = sum(len(hunk.lines) for one in diff.files for hunk in one.hunks)
    pages = max(1, -(-total // size))
    if not 1 <= page <= pages:
        raise InvalidValue("page", f"There is no page {page}", why=f"the diff has {pages} of {size} lines")
    first, past = (page - 1) * size, page * size
    files, start = [], 0
    for one in diff.files:
        files.append(replace(one, hunks=tuple(_cut(one, first - start, past - start))))
        start += sum(len(hunk.lines) for hunk in one.hunks)
    return replace(diff, files=tuple(files)), pages


def _cut(one: FileDiff, first: int, past: int) -> Iterator[Hunk]:
    """The hunks with lines `first` to `past` of the file, counted through its hunks."""
    start = 0
    for hunk in one.hunks:
        part = hunk.lines[max(0, first - start) : max(0, past - start)]
        start += len(hunk.lines)
        if len(part) == len(hunk.lines):
            yield hunk
        elif part:
            old = [line.old for line in part if line.old is not None]
            new = [line.new for line in part if line.new is not None]
            yield Hunk(
                old[0] if old else hunk.old_start,
                len(old),
                new[0] if new else hunk.new_start,
                len(new),
                hunk.section,
                part,
                hunk.runs,
            )
