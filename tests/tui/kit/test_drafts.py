"""What was typed and not saved comes back."""

from __future__ import annotations

import os
import time
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, TextArea

from solo_unicorn.config import paths
from solo_unicorn.missions.errors import Conflict
from solo_unicorn.tui.board.screen import BoardScreen
from solo_unicorn.tui.kit import drafts
from solo_unicorn.tui.kit.sheets.confirm import ConfirmScreen
from solo_unicorn.tui.kit.sheets.write import WriteScreen
from solo_unicorn.workspace import operations, queries
from solo_unicorn.workspace.change import Change

from ..conftest import Story, until
from ..mission.test_form import open_form, saved
from ..mission.test_screen import enter


def kept() -> list[str]:
    """The names of the drafts."""
    folder = paths.home() / "drafts"
    return sorted(file.name for file in folder.glob("*.json")) if folder.is_dir() else []


async def open_rejection(pilot: Pilot[Any]) -> WriteScreen:
    """The sheet for feedback, over the mission room."""
    await pilot.press("x")
    await until(pilot, lambda: isinstance(pilot.app.screen, WriteScreen) and pilot.app.screen._began is not None)
    sheet = pilot.app.screen
    assert isinstance(sheet, WriteScreen)
    return sheet


async def test_a_new_mission_comes_back_after_the_board_ended_with_its_form_open(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        form = await open_form(pilot)
        await pilot.press(*"Count the beans")
        form.query_one("#description", TextArea).text = "Both jars"
        await pilot.pause()
    (name,) = kept()
    assert (paths.home() / "drafts" / name).stat().st_mode & 0o777 == 0o600
    async with story.app().run_test(size=(160, 45), notifications=True) as pilot:
        form = await open_form(pilot)
        assert form.query_one("#title", Input).value == "Count the beans"
        assert any(one.title == drafts.BACK for one in pilot.app._notifications)
        mission = await saved(pilot, story, "Count the beans")
        assert mission.description == "Both jars"
        assert kept() == []
        form = await open_form(pilot)
        assert form.query_one("#title", Input).value == ""


async def test_it_is_on_the_disk_while_somebody_types(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        await open_form(pilot)
        await pilot.press(*"Half a thought")
        await until(pilot, kept)
        await until(pilot, lambda: "Half a thought" in (paths.home() / "drafts" / kept()[0]).read_text())
        for _ in "Half a thought":
            await pilot.press("backspace")
        await until(pilot, lambda: kept() == [], "taken back")


async def test_what_is_thrown_away_on_purpose_is_gone(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        await open_form(pilot)
        await pilot.press(*"Never mind")
        await until(pilot, kept)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, ConfirmScreen))
        await pilot.press("y")
        await until(pilot, lambda: isinstance(pilot.app.screen, BoardScreen))
        assert kept() == []


async def test_a_draft_over_a_mission_that_changed_says_so(story: Story) -> None:
    mission = story.card("Rate-limit").id
    async with story.app().run_test(size=(160, 45)) as pilot:
        form = await open_form(pilot, "e")
        form.query_one("#title", Input).value = "Rate-limit everything"
        await pilot.pause()
    story.workspace.write(operations.missions.edit, mission, {"title": "Rate-limit it all"})
    async with story.app().run_test(size=(160, 45), notifications=True) as pilot:
        form = await open_form(pilot, "e")
        assert form.query_one("#title", Input).value == "Rate-limit everything"
        assert any(one.severity == "warning" and "changed since" in one.message for one in pilot.app._notifications)


async def test_feedback_stays_after_escape_and_after_a_refusal(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    mission = story.card("Search: typo").id
    refused = []

    def refuse(change: Change, ref: str, feedback: str, **more: Any) -> None:
        refused.append(feedback)
        raise Conflict("It is not in review any more")

    async with story.app().run_test(size=(160, 45), notifications=True) as pilot:
        screen = await enter(pilot, story, "Search: typo", "review")
        sheet = await open_rejection(pilot)
        sheet.area.text = "Three times at most"
        await pilot.press("escape")
        await until(pilot, lambda: pilot.app.screen is screen)
        sheet = await open_rejection(pilot)
        assert sheet.area.text == "Three times at most"
        with monkeypatch.context() as patched:
            patched.setattr(operations.review, "reject", refuse)
            await pilot.press("ctrl+s")
            await until(pilot, lambda: any("not in review" in one.title for one in pilot.app._notifications))
        assert pilot.app.screen is sheet and sheet.area.text == "Three times at most" and refused == [sheet.area.text]
        await pilot.press("ctrl+s")
        await until(pilot, lambda: story.workspace.read(queries.missions.get, mission).list != "review")
        await until(pilot, lambda: pilot.app.screen is screen)
        assert kept() == []


async def test_what_another_board_has_open_stays_there(story: Story) -> None:
    other = drafts.hold(f"new mission {story.project} todo")
    drafts.keep(f"new mission {story.project} todo", {"title": ("", "Written over there")})
    assert other is not None
    async with story.app().run_test(size=(160, 45)) as pilot:
        form = await open_form(pilot)
        assert form.query_one("#title", Input).value == ""
        await pilot.press(*"Written here")
        await saved(pilot, story, "Written here")
        assert drafts.read(f"new mission {story.project} todo") == {"title": ("", "Written over there")}
        other.release()
        form = await open_form(pilot)
        assert form.query_one("#title", Input).value == "Written over there"


def test_a_broken_or_foreign_draft_is_none(home: object) -> None:
    paths.drafts_dir()
    for text in ("", "{", "[1]", '{"title": 3}', '{"title": ["a"]}', "\xff"):
        drafts.file_of("x").write_text(text, encoding="latin-1")
        assert drafts.read("x") == {}


def test_names_may_be_anything_and_old_drafts_go(home: object) -> None:
    long = "comment /../" + "ä/" * 400
    drafts.keep(long, {"": ("", "x ä 🦄 \udce4")})
    assert drafts.read(long) == {"": ("", "x ä 🦄 \udce4")} and drafts.file_of(long).parent == paths.home() / "drafts"
    past = time.time() - drafts.OLDEST - 60
    os.utime(drafts.file_of(long), (past, past))
    drafts.keep("y", {"": ("", "y")})
    assert drafts.read(long) == {} and drafts.read("y")


def test_a_draft_that_cannot_be_written_says_why(home: Any) -> None:
    (paths.made_home() / "drafts").write_text("in the way")
    with pytest.raises(Exception, match="cannot be created"):
        drafts.keep("x", {"": ("", "x")})
