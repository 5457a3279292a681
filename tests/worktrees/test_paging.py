"""A diff page by page holds each line once, whatever the size of a page."""

from __future__ import annotations

from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solo_unicorn.missions.errors import InvalidValue
from solo_unicorn.worktrees.diff.differences import mission_diff
from solo_unicorn.worktrees.diff.model import Diff, FileDiff, Hunk, Line, LineKind, side_by_side
from solo_unicorn.worktrees.diff.paging import page_of

from .conftest import Repo


def hunk(start: int, kinds: str) -> Hunk:
    lines, old, new = [], start, start
    for kind in kinds:
        lines.append(
            Line(cast(LineKind, kind), f"{start}{kind}", old if kind in " -" else None, new if kind in " +" else None)
        )
        old, new = old + (kind in " -"), new + (kind in " +")
    return Hunk(start, old - start, start, new - start, "", tuple(lines))


HUNKS = st.text(" +-", min_size=1, max_size=9)
FILES = st.lists(st.lists(HUNKS, max_size=3), max_size=4)


@given(FILES, st.integers(1, 12))
def test_the_pages_of_a_diff_together_are_the_diff(files: list[list[str]], size: int) -> None:
    made = tuple(
        FileDiff(f"{n}.txt", None, "modified", 0, 0, False, tuple(hunk(100 * i + 1, one) for i, one in enumerate(file)))
        for n, file in enumerate(files)
    )
    diff = Diff("b", "h", made, 0, 0)
    _, pages = page_of(diff, 1, size)
    read: dict[str, list[Line]] = {one.path: [] for one in made}
    for page in range(1, pages + 1):
        found, _ = page_of(diff, page, size)
        assert [one.path for one in found.files] == [one.path for one in made]
        shown = 0
        for one in found.files:
            for part in one.hunks:
                read[one.path] += part.lines
                shown += len(part.lines)
                numbers = [line.old for line in part.lines if line.old is not None]
                assert part.old_count == len(numbers) and (not numbers or part.old_start == numbers[0])
        assert shown == size or page == pages
    assert read == {one.path: [line for part in one.hunks for line in part.lines] for one in made}
    for wrong in (0, pages + 1):
        with pytest.raises(InvalidValue, match="no page"):
            page_of(diff, wrong, size)


@given(HUNKS)
def test_side_by_side_shows_each_line_once_and_in_order(kinds: str) -> None:
    one = hunk(1, kinds)
    rows = side_by_side(one)
    assert [row.left for row in rows if row.left] == [line for line in one.lines if line.old is not None]
    assert [row.right for row in rows if row.right] == [line for line in one.lines if line.new is not None]
    assert all(row.left or row.right for row in rows)
    same = [row for row in rows if " " in [side.kind for side in (row.left, row.right) if side]]
    assert all(row.left is row.right for row in same)


def test_ten_thousand_changed_lines_come_in_pages(repo: Repo) -> None:
    repo.commit("long.txt", "".join(f"old {n}\n" for n in range(5000)))
    repo.git("switch", "-qc", "m1")
    repo.commit("long.txt", "".join(f"new {n}\n" for n in range(5000)))
    repo.write("b.txt", "x\n")
    diff = mission_diff(repo.path, "main")
    last, pages = page_of(diff, 6, 2000)
    assert (diff.added, diff.removed, pages) == (5001, 5000, 6)
    assert [line.text for one in last.files for part in one.hunks for line in part.lines] == ["new 4999"]
