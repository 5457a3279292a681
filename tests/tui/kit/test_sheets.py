"""Sheets above a screen: as large as they say themselves, and the last line has their own keys."""

from __future__ import annotations

import pytest
from textual.screen import ModalScreen

from solo_unicorn.tui.kit.keyboard.keyline import KeyLine
from solo_unicorn.tui.kit.sheets.write import WriteScreen

from ..conftest import Story, ready, text, until
from ..rooms import ROOMS


@pytest.mark.parametrize("size", [(160, 45), (80, 24), (40, 20)])
async def test_the_last_line_says_the_keys_of_the_sheet(story: Story, size: tuple[int, int]) -> None:
    async with story.app().run_test(size=size) as pilot:
        await ready(pilot)
        below = text(pilot).splitlines()[-1]
        for key in ("question_mark", "i", "n", "m", "p", "y", "s", "F"):
            await pilot.press(key)
            await until(pilot, lambda: isinstance(pilot.app.screen, ModalScreen), key)

            await until(pilot, lambda: pilot.app.screen.query_one(KeyLine).region.bottom == size[1], key)
            assert pilot.app.screen.query_one(".box").region.bottom < size[1], key
            assert text(pilot).splitlines()[-1] != below, key
            await pilot.press("escape")
            await until(pilot, lambda: not isinstance(pilot.app.screen, ModalScreen), key)


@pytest.mark.parametrize(("key", "width"), [("question_mark", 92), ("i", 110)])
async def test_a_sheet_is_as_wide_as_it_says(story: Story, key: str, width: int) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        await ready(pilot)
        await pilot.press(key)
        await until(pilot, lambda: pilot.app.screen.query_one(".box").region.width == width)


async def test_a_line_of_feedback_needs_no_page(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        await ROOMS["review"](pilot, story)
        await pilot.press("x")
        await until(pilot, lambda: isinstance(pilot.app.screen, WriteScreen) and pilot.app.screen.area.has_focus)
        area = pilot.app.screen.query_one("TextArea")
        await until(pilot, lambda: area.region.height == 8)
        await pilot.press(*["enter"] * 11)
        await until(pilot, lambda: area.region.height == 12)
