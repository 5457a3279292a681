"""New missions in one line each."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from textual.widgets import Input

from solo_unicorn.tui.board.quick_add import QuickAdd, Said, add, understood

from ..conftest import Story, ready, shown, text, until


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("Retry payments", Said("Retry payments", 3)),
        ("Retry payments !5", Said("Retry payments", 5)),
        ("Retry !1 payments  #api", Said("Retry payments", 1, "api")),
        ("Say hello!4 in C#", Said("Say hello!4 in C#", 3)),
        ("Wow !9", Said("Wow !9", 3)),
    ],
)
def test_what_a_line_says(line: str, said: Said) -> None:
    assert understood(line) == said


async def test_one_mission_after_the_other(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        board = await ready(pilot)
        await pilot.press("a")
        await until(pilot, lambda: pilot.app.screen.query_one("#quick-add Input").has_focus)
        await pilot.press(*"Retry payments !5 #ap", "enter")
        await until(pilot, lambda: "Retry payments" in shown(board)["todo"])
        entry = pilot.app.screen.query_one("#quick-add Input", Input)
        await until(pilot, lambda: not entry.value)
        await pilot.press(*"Count retries", "ctrl+s")
        await until(pilot, lambda: "Count retries" in shown(board)["todo"])
        first, second = story.card("Retry payments"), story.card("Count retries")
        assert (first.priority, first.repository, first.ready) == (5, "api", False)
        assert (second.priority, second.repository, second.ready) == (3, "web", True)
        await until(pilot, lambda: not entry.value)
        await pilot.press("enter")
        await until(pilot, lambda: not pilot.app.screen.query(QuickAdd))
        assert board.has_focus and board.card is not None and board.card.title == "Count retries"


async def test_what_is_refused_stays_in_the_line_and_comes_back_with_it(story: Story) -> None:
    async with story.app().run_test(size=(160, 45), notifications=True) as pilot:
        await ready(pilot)
        await pilot.press("a")
        await until(pilot, lambda: pilot.app.screen.query_one("#quick-add Input").has_focus)
        await pilot.press(*"Retry #shop")
        await until(pilot, lambda: "no #shop" in text(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: any("no repository shop" in one.title for one in pilot.app._notifications))
        await pilot.press("escape")
        await until(pilot, lambda: not pilot.app.screen.query(QuickAdd))
        await pilot.press("l", "a")
        await until(pilot, lambda: "New in Doing" in text(pilot) and "Retry #shop" in text(pilot))


async def test_a_line_closed_while_its_mission_is_made(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mission comes, and the same words do not come back with the next line."""
    app = story.app()
    perform, held = app.perform, asyncio.Event()

    async def slow(operation: Callable[..., object], *arguments: object, **more: object) -> object:
        if operation is add:
            await held.wait()
        return await perform(operation, *arguments, **more)

    monkeypatch.setattr(app, "perform", slow)
    async with app.run_test(size=(160, 45)) as pilot:
        board = await ready(pilot)
        await pilot.press("a")
        await until(pilot, lambda: pilot.app.screen.query_one("#quick-add Input").has_focus)
        await pilot.press(*"Retry payments", "enter", "escape")
        await until(pilot, lambda: not pilot.app.screen.query(QuickAdd))
        held.set()
        await until(pilot, lambda: "Retry payments" in shown(board)["todo"])
        await pilot.press("a")
        await until(pilot, lambda: pilot.app.screen.query_one("#quick-add Input").has_focus)
        assert not pilot.app.screen.query_one("#quick-add Input", Input).value
