"""Keys that come faster than screens: before one is there, while it goes, and after it went."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from solo_unicorn.tui.board.screen import BoardScreen
from solo_unicorn.tui.hub.gallery import GalleryScreen
from solo_unicorn.tui.kit.sheets.line import LineScreen
from solo_unicorn.tui.kit.sheets.write import WriteScreen
from solo_unicorn.tui.project.screen import ProjectScreen
from solo_unicorn.workspace import queries

from ..conftest import Story, ready, until
from ..rooms import ROOMS, quiet
from ..test_any_key import press

__all__ = ["quiet"]
SIZES = [(1, 1), (2, 30), (3, 5), (4, 22), (5, 2), (6, 6), (8, 1), (12, 3), (200, 1), (1, 60), (80, 24)]


@pytest.mark.parametrize("turns", range(5))
async def test_a_sheet_asked_for_while_its_screen_is_left_ends_nothing_else(story: Story, turns: int) -> None:
    """Textual 8.2 ended the application without a word, by how many turns of the loop lie between the keys."""
    async with story.app().run_test(size=(120, 40)) as pilot:
        await ready(pilot)
        app = pilot.app
        for _ in range(3):
            screen = ProjectScreen(story.project)
            app.push_screen(screen)
            await until(pilot, lambda screen=screen: screen.data is not None and app.focused is not None)
            for key in ("enter", "escape"):
                press(app, key)
                for _ in range(turns):
                    await asyncio.sleep(0)
            await until(pilot, lambda: isinstance(app.screen, LineScreen | BoardScreen | ProjectScreen))
            await asyncio.sleep(0.05)
            assert app.is_running and app._task is not None and not app._task.done()
            while len(app.screen_stack) > 1:
                app.pop_screen()
                await pilot.pause()


async def test_keys_for_a_screen_that_is_not_there_yet_or_not_any_more_do_nothing(story: Story, quiet: None) -> None:
    async with story.app().run_test(size=(120, 40)) as pilot:
        await ready(pilot)
        app = pilot.app
        for sheet in (GalleryScreen(), WriteScreen("Reject", draft="x")):
            app.push_screen(sheet)
            for action in ("close", "send", "search", "editor"):
                assert not await app.run_action(action, default_namespace=sheet)
            await until(pilot, lambda sheet=sheet: sheet.is_mounted and app.screen is sheet)
            app.pop_screen()
            await until(pilot, lambda: isinstance(app.screen, BoardScreen))
            for action in ("close", "send", "search", "editor"):
                assert not await app.run_action(action, default_namespace=sheet)
        assert app._exception is None


@pytest.mark.slow
@pytest.mark.parametrize("name", [*ROOMS, "palette", "form", "help"])
async def test_a_terminal_of_hardly_any_size_ends_nothing(story: Story, quiet: None, name: str) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        if name in ROOMS:
            await ROOMS[name](pilot, story)
        else:
            await ready(pilot)
            await pilot.press({"palette": "ctrl+p", "form": "n", "help": "question_mark"}[name])
            await until(pilot, lambda: not isinstance(pilot.app.screen, BoardScreen))
        for width, height in SIZES:
            await pilot.resize_terminal(width, height)
            await pilot.pause()
            assert pilot.app._exception is None, (width, height)


async def test_a_worker_that_is_slow_to_end_ends_before_the_workspace_closes(story: Story) -> None:
    """ctrl+q under load: what a cancelled worker still did found the workspace closed (RuntimeError)."""
    app = story.app()
    found: list[int | None] = []

    async def slow() -> None:
        for _ in range(2000):  # turns of the loop: more than closing takes
            if app.workspace.is_open:
                with suppress(asyncio.CancelledError):
                    await asyncio.sleep(0)
        found.append(await app.read(queries.board.last_seq))

    async with app.run_test(size=(120, 40)) as pilot:
        await ready(pilot)
        app.run_worker(slow())
    assert len(found) == 1
    assert not app.workspace.is_open
    assert app._exception is None
