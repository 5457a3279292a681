"""Line comments stand on what their line says, wherever that goes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solo_unicorn.missions.comments import (
    CommentAnswer,
    LineComment,
    anchor_at,
    checked,
    comments_markdown,
    reanchor,
    round_of,
)
from solo_unicorn.missions.entities import Author
from solo_unicorn.missions.errors import InvalidValue

NOW = datetime(2026, 3, 1, tzinfo=UTC)
FILE = ["import os", "", "def pay(sum):", "    charge(sum)", "    return sum", "", "def refund(sum):", "    return sum"]


def comment(line: int, lines: list[str] = FILE) -> LineComment:
    return LineComment(
        id="C1",
        mission_id="M",
        file="pay.py",
        line=line,
        side="new",
        text="Why?",
        created_at=NOW,
        anchor=anchor_at(lines, line),
    )


@given(st.lists(st.text(alphabet="xyz \n", max_size=4), max_size=8), st.integers(1, len(FILE)))
def test_lines_put_above_move_a_comment_down_with_its_line(above: list[str], line: int) -> None:
    above = [text.replace("\n", "") for text in above]
    moved = reanchor(comment(line), [*above, *FILE])
    assert not moved.outdated and moved.line == line + len(above)
    assert reanchor(moved, FILE) == comment(line), "and back"


def test_of_two_equal_lines_the_one_with_the_same_surroundings_is_meant() -> None:
    swapped = [*FILE[6:], "", *FILE[2:5]]
    assert reanchor(comment(5), swapped).line == 6
    assert reanchor(comment(8), swapped).line == 2


def test_a_line_that_was_only_indented_anew_is_the_same() -> None:
    assert reanchor(comment(4), [*FILE[:3], "        charge(sum)", *FILE[4:]]).line == 4


def test_a_line_that_is_gone_leaves_the_comment_outdated_until_it_comes_back() -> None:
    gone = reanchor(comment(4), [*FILE[:3], "    charge_once(sum)", *FILE[4:]])
    assert gone.outdated and gone.line == 4
    assert reanchor(gone, None) == gone
    assert reanchor(gone, ["# paid", *FILE]) == replace(comment(4), line=5)


def test_a_blank_line_needs_its_surroundings() -> None:
    assert reanchor(comment(6), FILE[4:]).line == 2
    assert reanchor(comment(6), ["a", "", "b"]).outdated


def test_without_an_anchor_the_next_look_takes_the_line_as_it_is() -> None:
    bare = replace(comment(4), anchor=None)
    assert reanchor(bare, FILE) == comment(4)
    assert reanchor(bare, FILE[:2]).outdated


@pytest.mark.parametrize(
    ("parts", "field"),
    [
        (("", 1, "new", "x"), "file"),
        (("/etc/passwd", 1, "new", "x"), "file"),
        (("a/../../b", 1, "new", "x"), "file"),
        (("a", 0, "new", "x"), "line"),
        (("a", 1, "left", "x"), "side"),
        (("a", 1, "new", "  "), "text"),
        (("a", 1, "new", "x" * 10_001), "text"),
    ],
)
def test_what_is_no_comment_is_refused(parts: tuple[str, int, str, str], field: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        checked(*parts)
    assert refused.value.field == field


def test_an_agent_is_told_where_what_and_what_changed() -> None:
    second = replace(comment(8), id="C2", text="Same here.\nTwice.", outdated=True)
    done = replace(comment(1), id="C3", resolved_at=NOW)
    assert comments_markdown([second, done, comment(4)]) == (
        "- [c1] `pay.py:4`, on `charge(sum)`:\n  > Why?\n"
        "- [c2] `pay.py:8` (that line has changed since), on `return sum`:\n  > Same here.\n  > Twice.\n"
        "Answer each with answer_comment, by the id in brackets; a suggestion block replaces those lines."
    )
    assert comments_markdown([done]) == ""


def ranged(line: int, until: int) -> LineComment:
    return replace(comment(line), until=until, anchor=anchor_at(FILE, line, until))


@given(st.integers(1, 7), st.integers(1, 7), st.integers(0, 5))
def test_a_range_moves_as_a_whole_and_comes_back(line: int, more: int, above: int) -> None:
    one = ranged(line, min(line + more, len(FILE)))
    moved = reanchor(one, ["# new"] * above + FILE)
    assert (moved.line, moved.last, moved.outdated) == (line + above, one.last + above, False)
    assert reanchor(moved, FILE) == one


def test_a_range_grows_with_what_is_put_into_it_and_is_outdated_when_both_its_ends_are_gone() -> None:
    one = ranged(3, 5)
    grown = [*FILE[:3], "    check(sum)", "    check(sum, twice=True)", *FILE[3:]]
    assert (reanchor(one, grown).line, reanchor(one, grown).until) == (3, 7)
    first_gone = [*FILE[:2], "def paid(sum):", *FILE[3:]]
    assert (reanchor(one, first_gone).line, reanchor(one, first_gone).until) == (3, 5)
    assert reanchor(one, ["def other():", "    pass"]).outdated
    with pytest.raises(InvalidValue, match="no line 9"):
        anchor_at(FILE, 7, 9)


def test_a_suggestion_is_the_block_of_that_name() -> None:
    told = replace(comment(4), text="Once is enough:\n```suggestion\n    charge_once(sum)\n```\nAs agreed.")
    assert told.suggestion == "    charge_once(sum)\n"
    assert replace(told, text="```suggestion\n```").suggestion == ""
    assert replace(told, text="```python\ncharge()\n```").suggestion is None


def test_what_is_handled_waits_for_the_person_and_their_answer_for_the_agent() -> None:
    agent = CommentAnswer("Done", Author("agent", "claude"), NOW, handled=True)
    one = replace(comment(4), answers=(agent,))
    assert one.open and one.handled and not one.waits and comments_markdown([one]) == ""
    again = replace(one, answers=(agent, CommentAnswer("Not quite", Author("user"), NOW)))
    assert again.waits and "You answered: Done" in comments_markdown([again])
    assert "The reviewer answered: Not quite" in comments_markdown([again])
    assert round_of(one, []) == 1 and round_of(one, [NOW - timedelta(hours=1), NOW + timedelta(hours=1)]) == 2
