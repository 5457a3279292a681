"""The diff as rows: numbers, words that changed within a line, two columns, and what a person may rely on."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from solo_unicorn.missions.entities import Json, JsonObject
from solo_unicorn.tui.kit.lines import Row
from solo_unicorn.tui.kit.marks import UNICODE
from solo_unicorn.tui.kit.wrapping import paragraphs
from solo_unicorn.tui.mission.changes.lines import DrawnHunks
from solo_unicorn.tui.mission.changes.pane import ChangesPane
from solo_unicorn.tui.mission.changes.places import DiffPlace, Look
from solo_unicorn.tui.mission.changes.rows import diff_rows
from solo_unicorn.tui.mission.changes.syntax import coloured
from solo_unicorn.tui.mission.changes.words import changed_words, grounded

from ..conftest import Commanded, Story, text, until
from .test_screen import enter


def diff_of(*lines: str, path: str = "pay.py", section: str = "") -> JsonObject:
    """A diff of one hunk: each line with its mark before it."""
    told: list[Any] = []
    old = new = 11
    for line in lines:
        old, new = old + (line[0] in " -"), new + (line[0] in " +")
        numbers = {"old": old if line[0] in " -" else None, "new": new if line[0] in " +" else None}
        told.append({"kind": line[0], "text": line[1:], **numbers})
    hunk: Json = {"oldStart": 12, "newStart": 12, "section": section, "lines": told}
    return {"files": [{"path": path, "added": 1, "removed": 1, "hunks": [hunk]}]}


def known(diff: JsonObject) -> DrawnHunks:
    """Its hunks, worked out."""
    made = DrawnHunks(coloured)
    made.work_out(made.missing(diff))
    return made


def rows_of(*lines: str, width: int = 100, beside: bool = False, path: str = "pay.py") -> list[Row]:
    """The rows of its lines."""
    diff = diff_of(*lines, path=path)
    rows = diff_rows(diff, UNICODE, [], Look(width=width, beside=beside), known(diff))
    return [one for one in rows if isinstance(one.key, DiffPlace) and one.key.line is not None]


def said(row: Row) -> list[str]:
    """A row's lines as text."""
    return ["".join(text for text, _ in line).rstrip() for line in paragraphs(row.parts)]


def marked(row: Row) -> str:
    """What of a row stands on the ground of a changed word, place by place."""
    places = groupby(row.parts, key=lambda part: part[1].endswith("-word"))
    return "|".join("".join(text for text, _ in parts) for within, parts in places if within)


def test_both_numbers_where_there_is_room_and_the_one_that_counts_where_there_is_none() -> None:
    lines = (" a = 1", "-b = 2", "+b = 3")
    assert [said(one) for one in rows_of(*lines)] == [
        ["   12    12   a = 1"],
        ["   13       - b = 2"],
        ["         13 + b = 3"],
    ]
    assert [said(one) for one in rows_of(*lines, width=42)] == [["   12   a = 1"], ["   13 - b = 2"], ["   13 + b = 3"]]


def test_the_words_that_changed_are_told_from_the_line() -> None:
    removed, added = rows_of("-    total = price * count", "+    total = price * (count + 1)")
    assert (removed.under, marked(removed)) == ("removed-line", "")
    assert (added.under, marked(added)) == ("added-line", "(| + 1)")


def test_lines_with_little_in_common_are_two_lines_and_not_one_that_changed() -> None:
    removed, added = rows_of("-import os", "+    return sorted(found, key=len)")
    assert marked(removed) == marked(added) == ""


def test_a_change_of_white_space_alone_is_said() -> None:
    def heading(*lines: str) -> str:
        return "".join(
            text for text, _ in diff_rows(diff_of(*lines), UNICODE, [], Look(), DrawnHunks(coloured))[1].parts
        )

    assert "only white space changes" in heading("-  return 1", "+    return 1")
    assert "only white space changes" not in heading("-  return 1", "+    return 1", "+# one more")


def test_two_columns_wrap_what_is_long_and_stand_on_their_grounds() -> None:
    long = "one two three four five six seven eight nine ten"
    (row,) = rows_of(f"-{long}", f"+{long} eleven", width=60, beside=True, path="a.txt")
    left, right = zip(*(line.split("│ ") for line in said(row)), strict=True)
    assert " ".join(" ".join(left).split()) == f"12 - {long}"
    assert " ".join(" ".join(right).split()) == f"12 + {long} eleven"
    lines = paragraphs(row.parts)
    assert len(lines) > 1 and {sum(len(text) for text, _ in line) for line in lines} == {60}
    assert {role.partition("@")[2] for text, role in row.parts if text.strip(" │\n")} == {
        "removed-line",
        "added-line",
        "added-word",
    }


@given(st.text(), st.text())
def test_marking_words_loses_and_moves_no_letter(old: str, new: str) -> None:
    for line, spans in zip((old, new), changed_words(old, new), strict=True):
        third = len(line) // 3
        parts = [(line[:third], "code-name"), (line[third:], "")]
        assert "".join(part for part, _ in grounded(parts, spans, "added-word")) == line
        kept = [letter for at, letter in enumerate(line) if not any(a <= at < b for a, b in spans)]
        assert len(kept) == len(line) - sum(b - a for a, b in spans)


@given(st.lists(st.sampled_from("ab(). \t"), max_size=30), st.lists(st.sampled_from("ab(). \t"), max_size=30))
def test_what_is_not_marked_is_the_same_on_both_sides(old: list[str], new: list[str]) -> None:
    texts = "".join(old), "".join(new)
    both = changed_words(*texts)
    if any(both):
        kept = [
            "".join(letter for at, letter in enumerate(line) if not any(a <= at < b for a, b in spans))
            for line, spans in zip(texts, both, strict=True)
        ]
        assert kept[0] == kept[1]


def test_generated_files_are_folded_until_a_person_opens_them() -> None:
    def shown(path: str, first: str, turned: frozenset[str] = frozenset()) -> bool:
        diff = diff_of(f"+{first}", path=path)
        diff["files"][0]["hunks"][0]["newStart"] = 1  # type: ignore[index, call-overload]
        rows = diff_rows(diff, UNICODE, [], Look(turned=turned), DrawnHunks(coloured))
        return any(isinstance(one.key, DiffPlace) and one.key.line is not None for one in rows)

    assert shown("pay.py", "import os") and not shown("pay.py", "import os", frozenset({"pay.py"}))
    assert not shown("web/package-lock.json", "{") and shown(
        "web/package-lock.json", "{", frozenset({"web/package-lock.json"})
    )
    assert not shown("api.ts", "// Code generated by protoc. DO NOT EDIT.")


async def test_changes_are_walked_through_and_files_folded_by_keyboard(story: Story) -> None:
    diff = diff_of(" a", "-b", "+c")
    files: Any = diff["files"]
    story.commands = Commanded(lambda *words: {**diff, "files": [files[0], {**files[0], "path": "till.py"}]})
    async with story.app().run_test(size=(120, 40)) as pilot:
        await enter(pilot, story, "Checkout", "changes")
        pane = pilot.app.screen.query_one(ChangesPane)
        await until(pilot, lambda: len(pane.lines.rows) > 8)
        await pilot.press("right_curly_bracket", "right_curly_bracket")
        assert isinstance(pane.under_cursor, DiffPlace) and pane.under_cursor.path == "till.py"
        await pilot.press("left_curly_bracket")
        assert isinstance(pane.under_cursor, DiffPlace) and pane.under_cursor.path == "pay.py"
        count = len(pane.lines.rows)
        await pilot.press("home", "enter")
        await until(pilot, lambda: len(pane.lines.rows) < count and "folded" in text(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: len(pane.lines.rows) == count)
