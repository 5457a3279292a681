"""Reviewed marks: they hold while a change moves, and go with its content."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from solo_unicorn.missions.review_marks import Reading, run_digests

Lines = list[tuple[str, str]]


def lines(*told: str) -> Lines:
    return [(line[0], line[1:]) for line in told]


def digests(*hunks: Lines, path: str = "pay.py") -> list[tuple[str, ...]]:
    return list(run_digests(path, hunks))


def test_a_mark_holds_when_lines_around_it_change_and_goes_with_its_text() -> None:
    first, second = lines(" a", "-b", "+c", " d"), lines(" x", "+y", " z", "-old", " e")
    [(run,), both] = digests(first, second)
    reading = Reading("M", frozenset({run, *both}))
    assert reading.has((run, *both)) and len(both) == 2
    assert digests(lines(" moved", "-b", "+c"), second) == [(run,), both]
    [(other,), kept] = digests(lines(" a", "-b", "+c2", " d"), second)
    assert not reading.has((other,)) and reading.has(kept)
    assert not set(both) & {one for hunk in digests(first, second, path="till.py") for one in hunk}


@given(st.lists(st.lists(st.sampled_from([" a", "-b", "+c", "\\ No newline"]), max_size=8), max_size=5))
def test_more_context_leaves_marks_as_they_are_and_equal_runs_have_marks_of_their_own(hunks: list[list[str]]) -> None:
    apart = [run for hunk in digests(*(lines(*hunk) for hunk in hunks)) for run in hunk]
    joined = lines(*(line for hunk in hunks for line in (" between", *hunk, " and after")))
    assert [run for hunk in digests(joined) for run in hunk] == apart
    assert len(set(apart)) == len(apart)
