"""Every action of the board by mouse: click, double click, wheel, drag and drop."""

from __future__ import annotations

from typing import Any

from textual.events import MouseScrollDown
from textual.pilot import Pilot

from solo_unicorn.missions.entities import ListName
from solo_unicorn.missions.rules.creating import MissionDraft
from solo_unicorn.tui.board.board import Board
from solo_unicorn.tui.board.heading_widget import Headings
from solo_unicorn.tui.board.topline import TopLine
from solo_unicorn.tui.inbox.screen import InboxScreen
from solo_unicorn.tui.kit.keyboard.keyline import KeyLine
from solo_unicorn.tui.mission.form import MissionForm
from solo_unicorn.tui.mission.screen import MissionScreen
from solo_unicorn.workspace import operations

from ..conftest import Story, ready, shown, until


def at(board: Board, in_list: ListName, index: int, *, lower: bool = False) -> tuple[int, int]:
    """A place on a card, as an offset on the screen."""
    column = board.columns[in_list]
    top, bottom = column.view.places.top(index), column.view.places.bottom(index)
    y = bottom - 1 if lower else top + 1
    return column.region.x + 6, column.region.y + y - column.scroll_offset.y


async def drag(pilot: Pilot[Any], start: tuple[int, int], end: tuple[int, int]) -> None:
    """Press, carry, let go."""
    await pilot.mouse_down(offset=start)
    await pilot.hover(offset=(start[0] + 3, start[1]))
    await pilot.hover(offset=end)
    await pilot.mouse_up(offset=end)
    await pilot.pause()


async def test_a_click_puts_the_cursor_on_a_card(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        board = await ready(pilot)
        await pilot.click(offset=at(board, "doing", 2))
        assert (board.cursor.active, board.columns["doing"].chosen) == ("doing", 2)


async def test_a_double_click_goes_in(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        board = await ready(pilot)
        await pilot.click(offset=at(board, "todo", 3), times=2)
        await until(pilot, lambda: isinstance(pilot.app.screen, MissionScreen))
        await until(pilot, lambda: pilot.app.screen.data.mission.title.startswith("Invoices as PDF"))  # type: ignore[attr-defined]


async def test_a_card_is_dragged_to_a_place_in_another_list(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        board = await ready(pilot)
        await drag(pilot, at(board, "todo", 4), at(board, "done", 1))
        await until(pilot, lambda: story.titles("done")[1].startswith("Search: synonyms"))
        await until(pilot, lambda: shown(board)["done"] == story.titles("done"))
        assert board.cursor.active == "todo", "where the person was"


async def test_a_card_is_dragged_below_all_others(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        board = await ready(pilot)
        x, _ = at(board, "loop", 0)
        await drag(pilot, at(board, "todo", 4), (x, 35))
        await until(pilot, lambda: story.titles("loop")[-1].startswith("Search: synonyms"))


async def test_a_card_is_dragged_within_its_list(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        board = await ready(pilot)
        before = story.titles("todo")
        await drag(pilot, at(board, "todo", 4), at(board, "todo", 1))
        await until(pilot, lambda: story.titles("todo") == [before[0], before[4], *before[1:4], before[5]])


async def test_a_card_dropped_where_it_was_changes_nothing(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        board = await ready(pilot)
        version = story.card("Dark mode").version
        await drag(pilot, at(board, "todo", 2), at(board, "todo", 2, lower=True))
        assert story.card("Dark mode").version == version


async def test_a_card_is_dropped_on_a_heading(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        board = await ready(pilot)
        heading = board.query_one(Headings)
        await drag(pilot, at(board, "todo", 4), (heading.region.x + 130, heading.region.y))
        await until(pilot, lambda: story.titles("loop")[-1].startswith("Search: synonyms"))


async def test_a_drop_line_shows_where_and_escape_lets_go(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        board = await ready(pilot)
        await pilot.mouse_down(offset=at(board, "todo", 4))
        await pilot.hover(offset=at(board, "todo", 2))
        await pilot.hover(offset=at(board, "review", 0))
        assert board.columns["review"].drop == (0, 0)
        assert board.columns["todo"].drop is None
        await pilot.press("escape")
        assert board.columns["review"].drop is None
        await pilot.mouse_up(offset=at(board, "review", 0))
        await pilot.pause()
        assert len(story.titles("todo")) == 6


async def test_the_card_under_the_mouse_is_marked(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        board = await ready(pilot)
        await pilot.hover(offset=at(board, "doing", 1))
        assert board.columns["doing"].hover == 1
        await pilot.hover(offset=at(board, "todo", 3))
        assert (board.columns["doing"].hover, board.columns["todo"].hover) == (None, 3)


async def test_the_wheel_scrolls_a_column_and_the_cursor_stays(story: Story) -> None:
    for number in range(40):
        story.workspace.write(operations.missions.create, story.project, MissionDraft(title=f"Mission {number}"))
    async with story.app().run_test(size=(160, 45)) as pilot:
        board = await ready(pilot)
        column = board.columns["todo"]
        x, y = at(board, "todo", 1)
        for _ in range(4):
            column.post_message(MouseScrollDown(column, x, y, 0, 1, 0, False, False, False, x, y))
        await until(pilot, lambda: column.scroll_offset.y > 0)
        assert column.chosen == 0
        await pilot.press("j")
        assert column.chosen == 1
        assert column.scroll_offset.y <= column.view.places.top(1)


async def test_a_heading_takes_the_cursor(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        board = await ready(pilot)
        await pilot.click(Headings, offset=(70, 0))
        assert board.cursor.active == "review"


async def test_tabs_of_a_narrow_board_are_clicked(story: Story) -> None:
    async with story.app().run_test(size=(40, 20)) as pilot:
        board = await ready(pilot)
        await pilot.click(Headings, offset=(9, 0))
        assert board.cursor.active == "doing"
        assert [name for name, column in board.columns.items() if column.display] == ["doing"]


async def test_the_key_line_does_what_the_key_does(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        await ready(pilot)
        await pilot.click(KeyLine, offset=(3, 0))
        await until(pilot, lambda: isinstance(pilot.app.screen, MissionForm))


async def test_what_waits_for_you_is_a_click_away(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        await ready(pilot)
        await pilot.click(TopLine, offset=(150, 0))
        await until(pilot, lambda: isinstance(pilot.app.screen, InboxScreen))
