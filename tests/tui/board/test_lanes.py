"""Titles in swim lanes, which are as tall as the tallest of all columns."""

from __future__ import annotations

from ..conftest import Story, ready, text, until


async def test_titles_in_lanes_take_the_room_there_is(story: Story) -> None:
    async with story.app().run_test(size=(160, 60)) as pilot:
        board = await ready(pilot)
        await pilot.press("s", "p")
        views = [column.view for column in board.columns.values()]
        await until(pilot, lambda: board.lanes == "priority" and {view.titles for view in views} == {3})
        words = [card.title.split()[-1] for view in views for card in view.cards]
        assert words and all(word in text(pilot) for word in words)
        await pilot.resize_terminal(160, 24)
        await until(pilot, lambda: {view.titles for view in views} == {1})
