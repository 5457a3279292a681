"""Reviewing in the changes: marks by keyboard, what is left, and text that stays under the reader's eyes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, TextArea

from solo_unicorn.missions.comments import LineComment
from solo_unicorn.missions.entities import SYSTEM, Author, Json, JsonObject
from solo_unicorn.missions.errors import SoloUnicornError
from solo_unicorn.missions.review_marks import run_digests
from solo_unicorn.tui.kit.drawing import Line
from solo_unicorn.tui.kit.lines import Row
from solo_unicorn.tui.kit.sheets.write import WriteScreen
from solo_unicorn.tui.mission import shell_and_editor
from solo_unicorn.tui.mission.changes.pane import ChangesPane
from solo_unicorn.tui.mission.changes.places import DiffPlace
from solo_unicorn.workspace import operations, queries

from ..conftest import Commanded, Story, text, until
from .test_screen import enter


def file(path: str, *hunks: str) -> JsonObject:
    """A changed file; each hunk is one added line, the tenth, twentieth, … of the file."""
    digests = run_digests(path, [[("+", line)] for line in hunks])
    told: list[Json] = [
        {
            "oldStart": 10 * at,
            "newStart": 10 * at,
            "section": "",
            "runs": list(runs),
            "lines": [{"kind": "+", "text": line, "old": None, "new": 10 * at}],
        }
        for at, (line, runs) in enumerate(zip(hunks, digests, strict=True), 1)
    ]
    return {"path": path, "status": "modified", "added": len(hunks), "removed": 0, "hunks": told}


@pytest.fixture
def files(story: Story) -> list[JsonObject]:
    """What the worktree holds; a test changes it as an agent would."""
    told = [file("pay.py", "first = 1", "second = 2"), file("till.py", "third = 3")]

    def answer(*words: str) -> Json:
        return {"added": 3, "removed": 0, "files": [*told], "pages": 1} if words[1] == "diff" else {}

    story.commands = Commanded(answer)
    return told


async def opened(pilot: Pilot[Any], story: Story) -> ChangesPane:
    await enter(pilot, story, "Search: typo", "changes")
    pane = pilot.app.screen.query_one(ChangesPane)
    await until(pilot, lambda: "reviewed: files" in text(pilot))
    return pane


def stands_on(pane: ChangesPane) -> tuple[str, str]:
    place = pane.place
    assert isinstance(place, DiffPlace)
    return place.path, place.part


async def test_hunks_and_files_are_marked_and_the_next_unreviewed_one_is_found(
    story: Story, files: list[JsonObject]
) -> None:
    mission = story.card("Search: typo").id
    async with story.app().run_test(size=(120, 40)) as pilot:
        pane = await opened(pilot, story)
        assert "reviewed: files 0/2, hunks 0/3" in text(pilot)
        await pilot.press("right_parenthesis", "y")
        await until(pilot, lambda: "reviewed: files 0/2, hunks 1/3" in text(pilot))
        assert stands_on(pane) == ("pay.py", "hunk") and "line 10  ✓ reviewed" in text(pilot)
        await pilot.press("y")
        await until(pilot, lambda: "reviewed: files 1/2, hunks 2/3" in text(pilot))
        assert stands_on(pane) == ("till.py", "hunk") and "second = 2" not in text(pilot), "what is reviewed is folded"
        await pilot.press("greater_than_sign")
        assert stands_on(pane) == ("till.py", "hunk"), "no file after it is left"
        await pilot.press("Y")
        await until(pilot, lambda: "reviewed: files 2/2, hunks 3/3" in text(pilot))
        assert len(story.workspace.read(queries.review_marks.of_mission, mission).reviewed) == 3
        await pilot.press("home", "Y")
        await until(pilot, lambda: "reviewed: files 1/2, hunks 1/3" in text(pilot))
        await pilot.press("end", "left_parenthesis", "left_parenthesis")
        assert pane.place is not None and pane.place.anchor is not None and pane.place.anchor.content == "first = 1"


async def test_a_mark_is_gone_when_its_text_has_changed_and_others_stay(story: Story, files: list[JsonObject]) -> None:
    mission = story.card("Search: typo").id
    story.workspace.write(operations.review_marks.mark, mission, [run for one in files for run in _runs(one)])
    files[0] = file("pay.py", "first = 1", "second = 2 + 2")
    async with story.app().run_test(size=(120, 40)) as pilot:
        await opened(pilot, story)
        assert "reviewed: files 1/2, hunks 2/3" in text(pilot)


def _runs(told: JsonObject) -> list[Any]:
    hunks: Any = told["hunks"]
    return [run for hunk in hunks for run in hunk["runs"]]


async def test_the_text_under_the_readers_eyes_stays_until_they_ask_for_the_news(
    story: Story, files: list[JsonObject]
) -> None:
    mission = story.card("Search: typo").id
    async with story.app().run_test(size=(160, 14)) as pilot:
        pane = await opened(pilot, story)
        await pilot.press("end")
        before = pane.lines.below_top(pane.lines.cursor or 0)
        files.insert(0, file("api.py", "new = 0"))
        story.workspace.write_as(SYSTEM, operations.missions.update_tasks, mission, ["One", "Two"], 1)
        await until(pilot, lambda: "changed since: R shows it" in text(pilot))
        assert "api.py" not in text(pilot)
        await pilot.press("R")
        await until(pilot, lambda: "api.py" in text(pilot) and "changed since" not in text(pilot))
        assert pane.place is not None and (pane.place.path, pane.place.new) == ("till.py", 10)
        assert pane.lines.below_top(pane.lines.cursor or 0) == before


async def test_scopes_are_gone_through_and_one_without_a_beginning_leaves_what_is_shown(
    story: Story, files: list[JsonObject]
) -> None:
    asked: list[tuple[str, ...]] = []

    def answer(*words: str) -> Json:
        if words[1] != "diff":
            return {}
        asked.append(words[3:])
        if "turn" in words:
            raise SoloUnicornError("Nothing to compare with this turn")
        shown: list[Json] = [*files[1 if "look" in words else 0 :]]
        return {"added": 3, "removed": 0, "files": shown, "pages": 1}

    story.commands = Commanded(answer)
    async with story.app().run_test(size=(120, 40), notifications=True) as pilot:
        await opened(pilot, story)
        await pilot.press("b")
        await until(
            pilot,
            lambda: len(asked) == 2 and any("Nothing to compare" in one.title for one in pilot.app._notifications),
        )
        assert "the whole mission   reviewed: files 0/2" in text(pilot) and "pay.py" in text(pilot)
        await pilot.press("b")
        await until(pilot, lambda: "since your last look   reviewed: files 0/1" in text(pilot))
        await pilot.press("b", "b")
        await until(pilot, lambda: "the whole mission   reviewed: files 0/2" in text(pilot))
        assert {"--look" in words for words in asked} == {True}


CLAUDE = Author("agent", "claude")


def block(path: str, *lines: str) -> JsonObject:
    """A changed file of one hunk: lines 1, 2, … with their marks before them."""
    told: list[Json] = [
        {
            "kind": line[0],
            "text": line[1:],
            "old": at if line[0] != "+" else None,
            "new": at if line[0] != "-" else None,
        }
        for at, line in enumerate(lines, 1)
    ]
    [runs] = run_digests(path, [[(line[0], line[1:]) for line in lines]])
    hunk: Json = {"oldStart": 1, "newStart": 1, "section": "", "runs": list(runs), "lines": told}
    return {"path": path, "status": "modified", "added": 1, "removed": 0, "hunks": [hunk]}


async def written(pilot: Pilot[Any], text: str | None = None) -> str:
    """What the sheet on top begins with, which is sent as it is, or with another text."""
    await until(pilot, lambda: isinstance(pilot.app.screen, WriteScreen) and pilot.app.screen.is_active)
    area = pilot.app.screen.query_one(TextArea)
    before = area.text
    if text is not None:
        area.text = text
    await pilot.press("ctrl+s")
    await until(pilot, lambda: not isinstance(pilot.app.screen, WriteScreen))
    return before


def comments_of(story: Story) -> list[LineComment]:
    return story.workspace.read(queries.comments.of_mission, story.card("Search: typo").id)


def to(pane: ChangesPane, words: str) -> None:
    """Put the cursor on the row with these words."""
    rows = enumerate(pane.lines.rows)
    pane.lines.cursor = next(at for at, row in rows if words in "".join(text for text, _ in row.parts))


async def test_a_range_is_commented_with_a_suggestion_reworded_and_found_again(
    story: Story, files: list[JsonObject]
) -> None:
    files[0] = block("pay.py", " def pay():", "+    charge()", "+    charge()", " # end")
    async with story.app().run_test(size=(120, 40)) as pilot:
        pane = await opened(pilot, story)
        to(pane, "2 +     charge()")
        await pilot.press("v", "down", "P")
        assert await written(pilot) == "```suggestion\n    charge()\n    charge()\n```\n"
        await until(pilot, lambda: len(comments_of(story)) == 1)
        [made] = comments_of(story)
        assert made.anchor is not None and made.anchor.more == ("    charge()",)
        assert (made.where, made.suggestion, made.anchor.above) == (
            "pay.py:2-3",
            "    charge()\n    charge()\n",
            ("def pay():",),
        )
        assert pane.lines.begun is None
        await until(pilot, lambda: "lines 2–3" in text(pilot))
        await pilot.press("end", "C")
        assert isinstance(pane.under_cursor, LineComment)
        await until(pilot, lambda: "r resolve" in text(pilot), "the keys are those of the comment")
        await pilot.press("e")
        await written(pilot, "Once is enough")
        await until(pilot, lambda: "you: " in text(pilot) and "Once is enough" in text(pilot))
        assert comments_of(story)[0].text == "Once is enough"
        to(pane, "def pay")
        await pilot.press("v", "escape", "v", "end", "c")
        assert not isinstance(pilot.app.screen, WriteScreen), "a range over two files is none"


async def test_a_person_sees_what_was_answered_with_the_lines_before_and_now_and_answers_again(
    story: Story, files: list[JsonObject]
) -> None:
    mission = story.card("Search: typo").id
    files[0] = block("pay.py", " def pay():", "+    charge()", " # end")
    async with story.app().run_test(size=(120, 40)) as pilot:
        pane = await opened(pilot, story)
        to(pane, "charge()")
        await pilot.press("c")
        await written(pilot, "Once only")
        await until(pilot, lambda: len(comments_of(story)) == 1)
        [made] = comments_of(story)
        story.workspace.write(operations.review.reject, mission, "See my comment")
        story.workspace.write_as(CLAUDE, operations.comments.answer, mission, made.id, "It retries once now")
        await until(pilot, lambda: "round 1  handled" in text(pilot) and "claude: It retries once now" in text(pilot))
        shown: list[Json] = [{"id": made.id, "now": [{"line": 2, "text": "    charge_once()"}]}]
        pane.diff = {**pane.diff, "comments": shown}
        to(pane, "Once only")
        await pilot.press("enter")
        await until(pilot, lambda: "as it was" in text(pilot) and "2     charge_once()" in text(pilot))
        line = next(one for one in text(pilot).splitlines() if "charge_once" in one)
        assert "def pay():" in line, "the first line before stands beside the first line now"
        to(pane, "Once only")
        await pilot.press("c")
        await written(pilot, "Not even once")
        await until(pilot, lambda: comments_of(story)[0].waits)
        assert [one.text for one in comments_of(story)[0].answers] == ["It retries once now", "Not even once"]


async def test_words_are_found_forwards_backwards_and_around_the_end(story: Story, files: list[JsonObject]) -> None:
    async with story.app().run_test(size=(120, 40)) as pilot:
        pane = await opened(pilot, story)
        await pilot.press("slash")
        await until(pilot, lambda: isinstance(pilot.app.focused, Input))
        await pilot.press(*"D = ", "enter")
        await until(pilot, lambda: pane.words == "D =" and stands_on(pane) == ("pay.py", "line"))
        first = pane.lines.cursor
        assert any(role.endswith("@found") for row in pane.lines.rows for _, role in row.parts)
        await pilot.press("n")
        assert stands_on(pane) == ("till.py", "line")
        await pilot.press("n")
        assert pane.lines.cursor == first
        await pilot.press("N")
        assert stands_on(pane) == ("till.py", "line")
        await pilot.press("escape")
        await until(pilot, lambda: not any("@found" in role for row in pane.lines.rows for _, role in row.parts))
        assert pilot.app.screen.query(ChangesPane), "the first escape leaves the search alone"


async def test_context_whole_files_and_the_final_text_are_asked_for(story: Story, files: list[JsonObject]) -> None:
    files[0] = block("pay.py", " def pay():", "-    charge()", "+    charge_once()", " # end")
    async with story.app().run_test(size=(120, 40)) as pilot:
        await opened(pilot, story)
        commands = story.commands
        assert isinstance(commands, Commanded)

        def around() -> str:
            asked = [one for one in commands if one[1] == "diff"][-1]
            return asked[asked.index("--context") + 1]

        assert around() == "3"
        for key, wanted in (("plus", "10"), ("plus", "30"), ("minus", "10"), ("f", "1000000"), ("f", "3")):
            await pilot.press(key)
            await until(pilot, lambda wanted=wanted: around() == wanted, key)
        await pilot.press("F")
        await until(pilot, lambda: "- " + "    charge()" not in text(pilot) and "charge_once()" in text(pilot))
        assert around() == "1000000"
        await pilot.press("F")
        await until(pilot, lambda: "-     charge()" in text(pilot))


async def test_a_tour_goes_through_the_change_in_its_order_and_lists_what_it_leaves_out(
    story: Story, files: list[JsonObject]
) -> None:
    mission = story.card("Search: typo").id
    stops = [
        operations.comments.TourStop("till.py", 10, "The rule"),
        operations.comments.TourStop("pay.py", 20, "Its use"),
    ]
    story.workspace.write_as(CLAUDE, operations.comments.propose_tour, mission, stops)
    async with story.app().run_test(size=(120, 40)) as pilot:
        await opened(pilot, story)
        assert "The rule" not in text(pilot)
        await pilot.press("T")
        await until(pilot, lambda: "as a tour" in text(pilot))
        said = text(pilot)
        order = ["1 of 2: The rule", "third = 3", "2 of 2: Its use", "second = 2", "left out of the tour", "first = 1"]
        assert sorted(order, key=said.index) == order
        await pilot.press("T")
        await until(pilot, lambda: "The rule" not in text(pilot))


async def test_the_editor_is_opened_on_the_line(
    story: Story, files: list[JsonObject], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    mission = story.card("Search: typo").id
    story.workspace.write_as(SYSTEM, operations.workstation.set_mission_worktree, mission, str(tmp_path), "m")
    asked: list[tuple[list[str], str]] = []
    monkeypatch.setattr(
        shell_and_editor, "_step_aside", lambda app, command, directory, setting: asked.append((command, directory))
    )
    monkeypatch.setenv("EDITOR", "nano -w")
    monkeypatch.delenv("VISUAL", raising=False)
    async with story.app().run_test(size=(120, 40)) as pilot:
        pane = await opened(pilot, story)
        to(pane, "third = 3")
        await pilot.press("E")
        await until(pilot, lambda: asked == [(["nano", "-w", "+10", "till.py"], str(tmp_path))])
    assert shell_and_editor.at_line("/usr/bin/code", "a.py", 3) == ["--goto", "a.py:3"]
    assert shell_and_editor.at_line("hx", "a", 3) == ["a:3"]


async def test_texts_are_commented_and_the_verdict_stands_at_the_end(story: Story, files: list[JsonObject]) -> None:
    mission = story.card("Search: typo").id
    story.workspace.write(operations.missions.edit, mission, {"description": "Find\ndespite typos"})
    described = {**block("description", " Find", " despite typos"), "status": "text"}
    before = story.commands
    assert isinstance(before, Commanded)
    plain = before.answer

    def answer(*words: str) -> Any:
        return {"files": [described], "pages": 1} if "texts" in words else plain(*words)

    before.answer = answer
    async with story.app().run_test(size=(160, 40)) as pilot:
        pane = await opened(pilot, story)
        assert "waits for your review: a approves  x sends it back" in text(pilot)
        await pilot.press("b", "b", "b")
        await until(pilot, lambda: "description and plan" in text(pilot) and "despite typos" in text(pilot))
        to(pane, "despite typos")
        await pilot.press("c")
        await written(pilot, "Which?")
        await until(pilot, lambda: "x sends it back with 1 comment" in text(pilot))
        [made] = comments_of(story)
        assert (made.about, made.where, made.anchor and made.anchor.content) == (
            "description",
            "description:2",
            "despite typos",
        )
        await pilot.press("x")
        assert await written(pilot) == "Please address my comments on the lines."
        await until(pilot, lambda: story.card("Search: typo").list == "doing")


async def test_a_hunk_is_worked_out_once_and_a_long_diff_takes_two_processes(
    story: Story, files: list[JsonObject], monkeypatch: pytest.MonkeyPatch
) -> None:
    plain_set, coloured, lines = ChangesPane._set_rows, list[int](), 150

    def set_rows(pane: ChangesPane, rows: list[Row], wrapped: list[list[Line]]) -> None:
        plain_set(pane, rows, wrapped)
        if len(rows) > 20 * lines:
            coloured.append(pane.known.worked_out)

    monkeypatch.setattr(ChangesPane, "_set_rows", set_rows)
    files[:] = [block(f"f{n}.py", *(f"+value_{n}_{line} = {line}" for line in range(lines))) for n in range(20)]
    commands = story.commands
    assert isinstance(commands, Commanded)
    plain = commands.answer
    commands.answer = lambda *words: {**plain(*words), "pages": 1 if "--page-lines" in words else 5}  # type: ignore[dict-item]
    mission = story.card("Search: typo").id
    async with story.app().run_test(size=(120, 40)) as pilot:
        await enter(pilot, story, "Search: typo", "changes")
        pane = pilot.app.screen.query_one(ChangesPane)
        await until(pilot, lambda: coloured)
        assert coloured[0] < 20, "all lines are shown before all are coloured"
        await until(pilot, lambda: not pane.known.missing(pane.diff))
        assert pane.known.worked_out == 20
        story.workspace.write(operations.comments.add, mission, "f3.py", 100, "new", "Why?")
        await until(pilot, lambda: any(isinstance(row.key, LineComment) for row in pane.lines.rows))
        await pilot.press("s")
        await until(pilot, lambda: any("│" in text for row in pane.lines.rows[:9] for text, _ in row.parts))
        assert pane.known.worked_out == 20 and sum(one[1] == "diff" for one in commands) == 2
