"""Reviewing in the changes: marks by keyboard, what is left, and text that stays under the reader's eyes."""

from __future__ import annotations

from typing import Any

import pytest
from textual.pilot import Pilot

from solo_unicorn.missions.entities import SYSTEM, Json, JsonObject
from solo_unicorn.missions.errors import SoloUnicornError
from solo_unicorn.missions.reading import run_digests
from solo_unicorn.tui.mission.changes.pane import ChangesPane
from solo_unicorn.tui.mission.changes.rows import Place
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
    assert isinstance(place, Place)
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
        assert len(story.workspace.read(queries.reading.of_mission, mission).reviewed) == 3
        await pilot.press("home", "Y")
        await until(pilot, lambda: "reviewed: files 1/2, hunks 1/3" in text(pilot))
        await pilot.press("end", "left_parenthesis", "left_parenthesis")
        assert pane.place is not None and pane.place.anchor is not None and pane.place.anchor.content == "first = 1"


async def test_a_mark_is_gone_when_its_text_has_changed_and_others_stay(story: Story, files: list[JsonObject]) -> None:
    mission = story.card("Search: typo").id
    story.workspace.write(operations.reading.mark, mission, [run for one in files for run in _runs(one)])
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
        await pilot.press("b")
        await until(pilot, lambda: "the whole mission   reviewed: files 0/2" in text(pilot))
        assert {"--look" in words for words in asked} == {True}
