"""Every action of the board by its keys."""

from __future__ import annotations

import pytest
from textual.command import CommandPalette
from textual.screen import Screen
from textual.widgets import Input

from solo_unicorn.tui.board.board import Board
from solo_unicorn.tui.board.screen import BoardScreen
from solo_unicorn.tui.inbox.screen import InboxScreen
from solo_unicorn.tui.kit.sheets.help import HelpScreen
from solo_unicorn.tui.mission.form import MissionForm
from solo_unicorn.tui.mission.screen import MissionScreen
from solo_unicorn.tui.project.projects import ProjectsScreen
from solo_unicorn.tui.workstation.screen import WorkstationScreen
from solo_unicorn.workspace import operations, queries

from ..conftest import Story, ready, shown, text, until


def title(board: Board) -> str:
    """The title under the cursor."""
    assert board.card is not None
    return board.card.title


@pytest.mark.parametrize(
    ("keys", "place"),
    [
        (["down"], ("todo", 1)),
        (["j"], ("todo", 1)),
        (["j", "up"], ("todo", 0)),
        (["j", "k"], ("todo", 0)),
        (["right"], ("doing", 0)),
        (["l"], ("doing", 0)),
        (["l", "left"], ("todo", 0)),
        (["l", "h"], ("todo", 0)),
        (["G"], ("todo", 5)),
        (["end"], ("todo", 5)),
        (["G", "g", "g"], ("todo", 0)),
        (["G", "home"], ("todo", 0)),
        (["g", "3"], ("review", 0)),
        (["alt+3"], ("review", 0)),
        (["3", "j"], ("todo", 3)),
        (["2", "l"], ("review", 0)),
        (["3", "G"], ("todo", 2)),
        (["9", "9", "j"], ("todo", 5)),
        (["3", "g", "g"], ("todo", 2)),
        (["3", "escape", "j"], ("todo", 1)),
        (["3", "x", "k", "j"], ("todo", 1)),
        (["g", "j"], ("todo", 1)),
        (["g", "5", "j"], ("loop", 1)),
        (["h"], ("todo", 0)),
        (["g", "5", "l"], ("loop", 0)),
        (["k"], ("todo", 0)),
        (["pagedown"], ("todo", 5)),
        (["ctrl+f", "ctrl+b"], ("todo", 0)),
        (["j", "l", "j", "h"], ("todo", 1)),
    ],
)
async def test_the_cursor_moves(story: Story, keys: list[str], place: tuple[str, int]) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        board = await ready(pilot)
        await pilot.press(*keys)
        assert (board.cursor.active, board.columns[board.cursor.active].chosen) == place
        others = [column.chosen for name, column in board.columns.items() if name != board.cursor.active]
        assert others == [None] * 4


@pytest.mark.parametrize("key", ["L", "shift+right"])
async def test_a_card_moves_to_the_right_and_the_cursor_keeps_its_list(story: Story, key: str) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        board = await ready(pilot)
        await pilot.press("j", key)
        await until(pilot, lambda: "Design tokens" in story.titles("doing")[-1])
        await until(pilot, lambda: "Design tokens" in shown(board)["doing"][-1])
        assert (board.cursor.active, board.cursor.place) == ("todo", 1)
        assert title(board) == shown(board)["todo"][1]
        assert shown(board)["doing"] == story.titles("doing")
        assert shown(board)["todo"] == story.titles("todo")


@pytest.mark.parametrize("key", ["H", "shift+left"])
async def test_a_card_moves_to_the_left(story: Story, key: str) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        board = await ready(pilot)
        await pilot.press("g", "4", key)
        await until(pilot, lambda: "Migrate to Node 22" in story.titles("review"))
        await until(pilot, lambda: "Migrate to Node 22" in shown(board)["review"])
        assert board.cursor.active == "done"


async def test_a_running_card_does_not_leave_doing_and_says_why(story: Story) -> None:
    async with story.app().run_test(size=(160, 45), notifications=True) as pilot:
        await ready(pilot)
        await pilot.press("g", "2", "L")
        await until(pilot, lambda: "Stop it first" in text(pilot))
        assert story.card("Checkout").list == "doing"


@pytest.mark.parametrize(
    ("keys", "order"),
    [
        (["J"], [1, 0, 2]),
        (["shift+down"], [1, 0, 2]),
        (["j", "K"], [1, 0, 2]),
        (["j", "shift+up"], [1, 0, 2]),
        (["J", "J"], [1, 2, 0]),
        (["K"], [0, 1, 2]),
        (["j", "j", "T"], [2, 0, 1]),
    ],
)
async def test_cards_are_reordered(story: Story, keys: list[str], order: list[int]) -> None:
    before = story.titles("todo")
    async with story.app().run_test(size=(160, 45)) as pilot:
        board = await ready(pilot)
        for key in keys:
            now = story.titles("todo")
            await pilot.press(key)
            if key in "JKT" or key.startswith("shift"):
                await until(pilot, lambda now=now: keys == ["K"] or story.titles("todo") != now)
                await until(pilot, lambda: shown(board)["todo"] == story.titles("todo"))
        wanted = [before[place] for place in order] + before[3:]
        await until(pilot, lambda: story.titles("todo") == wanted and shown(board)["todo"] == wanted)


async def test_space_is_the_main_switch(story: Story) -> None:
    async with story.app().run_test(size=(160, 45), notifications=True) as pilot:
        board = await ready(pilot)
        await pilot.press("j", "space")
        await until(pilot, lambda: story.card("Design tokens").ready)
        await until(pilot, lambda: board.card is not None and board.card.ready)
        await pilot.press("space")
        await until(pilot, lambda: not story.card("Design tokens").ready)


async def test_delete_undo_and_redo(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        board = await ready(pilot)
        await pilot.press("j", "j", "D")
        await until(pilot, lambda: "Dark mode for invoices" not in shown(board)["todo"])
        assert title(board).startswith("Invoices as PDF")
        await pilot.press("u")
        await until(pilot, lambda: "Dark mode for invoices" in shown(board)["todo"])
        await pilot.press("ctrl+r")
        await until(pilot, lambda: "Dark mode for invoices" not in shown(board)["todo"])


@pytest.mark.parametrize(
    ("key", "screen"),
    [
        ("n", MissionForm),
        ("e", MissionForm),
        ("enter", MissionScreen),
        ("question_mark", HelpScreen),
        ("f1", HelpScreen),
        ("ctrl+p", CommandPalette),
        ("i", InboxScreen),
        ("w", WorkstationScreen),
        ("p", ProjectsScreen),
    ],
)
async def test_a_key_opens_a_screen_and_escape_goes_back(story: Story, key: str, screen: type[Screen[object]]) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        await ready(pilot)
        await pilot.press(key)
        await until(pilot, lambda: isinstance(pilot.app.screen, screen))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, BoardScreen))
        assert isinstance(pilot.app.focused, Board)


async def test_a_filter_shows_what_meets_it_and_escape_clears_it(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        board = await ready(pilot)
        everything = shown(board)
        await pilot.press("slash")
        await pilot.press(*"p>=4 is:ready")
        assert shown(board) == {
            "todo": ["Rate-limit the public API"],
            "doing": [
                "Checkout: retry payments",
                "Consent before analytics",
                "Stock levels: one query instead of forty",
            ],
            "review": [],
            "done": [],
            "loop": [],
        }
        assert "1 shown" in text(pilot)
        await pilot.press("enter")
        assert isinstance(pilot.app.focused, Board)
        assert "/ p>=4 is:ready" in text(pilot)
        await pilot.press("escape")
        assert shown(board) == everything


async def test_a_filter_leads_to_the_first_card_that_meets_it(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        board = await ready(pilot)
        await pilot.press("slash", *"typo", "enter")
        assert board.card is not None
        assert board.card.title == "Search: typo tolerance"


async def test_escape_leaves_the_line_of_the_filter(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        board = await ready(pilot)
        await pilot.press("slash", *"zzz")
        assert shown(board)["todo"] == []
        await pilot.press("escape")
        assert not pilot.app.screen.query(Input)
        assert len(shown(board)["todo"]) == 6


async def test_pausing_the_project_shows_at_the_top(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        await ready(pilot)
        await pilot.press("P")
        await until(pilot, lambda: story.workspace.read(queries.projects.get, story.project).paused)
        await until(pilot, lambda: "paused" in text(pilot).splitlines()[0])


async def test_an_empty_board_takes_every_key(home: object, story: Story) -> None:
    empty = story.workspace.write(operations.projects.create, "Empty")
    story.workspace.set_meta("board.project", empty.id)
    async with story.app().run_test(size=(160, 45)) as pilot:
        board = await ready(pilot)
        assert shown(board)["todo"] == []
        await pilot.press(
            "j", "k", "l", "h", "J", "K", "H", "L", "space", "enter", "e", "D", "T", "g", "G", "u", "pagedown"
        )
        assert isinstance(pilot.app.screen, BoardScreen)
        assert "Nothing planned" in text(pilot)
