"""Keys that come while the one before them still opens something, as a person types them."""

from __future__ import annotations

import pytest
from textual.events import Key, Paste
from textual.keys import _character_to_key
from textual.pilot import Pilot
from textual.widgets import Input, TextArea

from solo_unicorn.missions.entities import LISTS
from solo_unicorn.tui.mission.screen import MissionScreen

from ..conftest import Story, ready, until


def typed(pilot: Pilot[None], *keys: str) -> None:
    """All keys at once, as they lie in a terminal that was busy; each is a character or the name of a key."""
    for key in keys:
        pilot.app.post_message(Key(_character_to_key(key), key) if len(key) == 1 else Key(key, None))


def places(story: Story) -> dict[str, list[str]]:
    """The titles of each list."""
    return {name: story.titles(name) for name in LISTS}


@pytest.mark.parametrize(("key", "field"), [("n", "#title"), ("a", "#new-title"), ("/", "#filter-line Input")])
async def test_what_is_typed_behind_the_key_that_opens_a_field_is_text(story: Story, key: str, field: str) -> None:
    before = places(story)
    async with story.app().run_test(size=(160, 45)) as pilot:
        await ready(pilot)
        typed(pilot, key, *"Help 5 more xyz")
        await until(pilot, lambda: pilot.app.screen.query_one(field, Input).value == "Help 5 more xyz")
    assert places(story) == before


async def test_a_form_is_filled_before_it_takes_what_was_typed_behind_its_key(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        board = await ready(pilot)
        assert board.card is not None
        title = f"{board.card.title}!"
        typed(pilot, "e", "!")
        await until(pilot, lambda: pilot.app.screen.query_one("#title", Input).value == title)


async def test_the_next_key_acts_on_what_the_one_before_left(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        board = await ready(pilot)
        board.go("todo", 0)
        before = story.titles("todo")
        typed(pilot, "D", "D")
        await until(pilot, lambda: story.titles("todo") == before[2:])


async def test_a_room_takes_the_keys_that_were_typed_behind_enter(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        board = await ready(pilot)
        board.go("todo", 0)
        second = story.card(story.titles("todo")[1]).id
        typed(pilot, "enter", "e", "escape", "escape", "j", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, MissionScreen) and pilot.app.screen.ref == second)


async def test_what_is_pasted_behind_the_key_goes_into_the_form(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        await ready(pilot)
        typed(pilot, "n", "tab")
        pilot.app.post_message(Paste("one\ntwo"))
        await until(pilot, lambda: pilot.app.screen.query_one("#description", TextArea).text == "one\ntwo")
