"""Every action of the board by its key and by the mouse: the tables below must name every binding there is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from textual.binding import Binding
from textual.command import CommandPalette
from textual.pilot import Pilot

from solo_unicorn.tui.board.board import Board
from solo_unicorn.tui.board.filters import FiltersScreen
from solo_unicorn.tui.board.screen import BoardScreen
from solo_unicorn.tui.hub.conflicts import ConflictsScreen
from solo_unicorn.tui.inbox.screen import InboxScreen
from solo_unicorn.tui.kit.keyboard.keyline import KeyLine
from solo_unicorn.tui.kit.keyboard.keys import KeyEntry
from solo_unicorn.tui.kit.lines import Lines
from solo_unicorn.tui.kit.sheets.choose import ChooseScreen
from solo_unicorn.tui.kit.sheets.help import HelpScreen
from solo_unicorn.tui.kit.sheets.jump import JumpScreen
from solo_unicorn.tui.mission.form import MissionForm
from solo_unicorn.tui.mission.screen import MissionScreen
from solo_unicorn.tui.project.metrics import MetricsScreen
from solo_unicorn.tui.project.projects import ProjectsScreen
from solo_unicorn.tui.project.screen import ProjectScreen
from solo_unicorn.tui.workstation.screen import WorkstationScreen
from solo_unicorn.workspace import operations, queries

from ..conftest import Story, ready, until

Check = Callable[[Pilot[Any], Board, Story], object]


def screen(kind: type) -> Check:
    """It opens a screen."""
    return lambda pilot, board, story: isinstance(pilot.app.screen, kind)


def place(in_list: str, index: int) -> Check:
    """The cursor stands there."""
    return lambda pilot, board, story: (board.cursor.active, board.cursor.at[board.cursor.active]) == (in_list, index)


def where(title: str, in_list: str) -> Check:
    """A mission is in a list."""
    return lambda pilot, board, story: story.card(title).list == in_list


def model(test: Callable[[Any], object]) -> Check:
    """Something is so on the screen of the board."""
    return lambda pilot, board, story: test(pilot.app.screen)


ACTIONS: dict[str, tuple[list[str], Check]] = {
    "board.new": ([], screen(MissionForm)),
    "board.open": ([], screen(MissionScreen)),
    "board.edit": ([], screen(MissionForm)),
    "board.ready": (["j"], lambda pilot, board, story: story.card("Design tokens").ready),
    "board.move_left": (["g", "4"], where("Migrate", "review")),
    "board.move_right": (["j"], where("Design tokens", "doing")),
    "board.move_to": ([], screen(ChooseScreen)),
    "board.reorder_down": ([], lambda pilot, board, story: story.titles("todo")[1].startswith("Rate-limit")),
    "board.reorder_up": (["j"], lambda pilot, board, story: story.titles("todo")[0].startswith("Design")),
    "board.top_of_list": (["G"], lambda pilot, board, story: story.titles("todo")[0].startswith("Drop")),
    "board.raise": (["j"], lambda pilot, board, story: story.card("Design tokens").priority == 5),
    "board.lower": ([], lambda pilot, board, story: story.card("Rate-limit").priority == 4),
    "board.delete": ([], lambda pilot, board, story: len(story.titles("todo")) == 5),
    "board.copy": ([], screen(ChooseScreen)),
    "board.mark": ([], lambda pilot, board, story: len(board.marking.selection.ids) == 1),
    "board.mark_to": (["x", "j", "j"], lambda pilot, board, story: len(board.marking.selection.ids) == 4),
    "board.mark_list": ([], lambda pilot, board, story: len(board.marking.selection.ids) == 6),
    "board.collapse": ([], lambda pilot, board, story: board.collapsed == {"todo"}),
    "board.expand": (["c"], lambda pilot, board, story: not board.collapsed),
    "board.up": (["j", "j"], place("todo", 1)),
    "board.down": ([], place("todo", 1)),
    "board.left": (["l"], place("todo", 0)),
    "board.right": ([], place("doing", 0)),
    "board.first": (["G"], place("todo", 0)),
    "board.last": ([], place("todo", 5)),
    "board.page_up": (["G"], place("todo", 0)),
    "board.page_down": ([], place("todo", 5)),
    "board.list_todo": (["l"], place("todo", 0)),
    "board.list_doing": ([], place("doing", 0)),
    "board.list_review": ([], place("review", 0)),
    "board.list_done": ([], place("done", 0)),
    "board.list_loop": ([], place("loop", 0)),
    "board.preview": ([], model(lambda shown: shown.query("#preview"))),
    "board.filter": ([], model(lambda shown: shown.query("#filter-line"))),
    "board.filters": ([], screen(FiltersScreen)),
    "board.lanes": ([], screen(ChooseScreen)),
    "board.density": ([], lambda pilot, board, story: board.density == "detailed"),
    "board.projects": ([], screen(ProjectsScreen)),
    "board.next_project": ([], model(lambda shown: shown.model.summary.project.name == "Other")),
    "board.previous_project": ([], model(lambda shown: shown.model.summary.project.name == "Other")),
    "board.last_project": (
        ["right_square_bracket", "+Other"],
        model(lambda shown: shown.model.summary.project.name == "acme-shop"),
    ),
    "board.escape": (["x"], lambda pilot, board, story: not board.marking.selection.ids),
    "board.undo": (["D", "-1"], lambda pilot, board, story: len(story.titles("todo")) == 6),
    "board.redo": (["D", "-1", "u", "-0"], lambda pilot, board, story: len(story.titles("todo")) == 5),
    "board.add": ([], lambda pilot, board, story: pilot.app.screen.query_one("#quick-add Input").has_focus),
    "board.inbox": ([], screen(InboxScreen)),
    "board.workstation": ([], screen(WorkstationScreen)),
    "board.pause": ([], lambda pilot, board, story: story.workspace.read(queries.projects.get, story.project).paused),
    "board.remove_sample": ([], lambda pilot, board, story: story.workspace.read(queries.projects.get, story.project)),
    "board.metrics": ([], screen(MetricsScreen)),
    "board.conflicts": ([], screen(ConflictsScreen)),
    "board.project": ([], screen(ProjectScreen)),
    "app.help": ([], screen(HelpScreen)),
    "app.theme": ([], screen(CommandPalette)),
    "app.jump": ([], screen(JumpScreen)),
}
"""From the id of a binding: keys that lead up to it, and what is so once its key was pressed."""
ELSEWHERE = {"app.quit", "app.suspend", "board.leave"}
"""They end or stop the application."""


def board_bindings() -> dict[str, Binding]:
    """Every binding of the board and of the application."""
    from solo_unicorn.tui.app import SoloUnicornApp

    owners = (SoloUnicornApp, Board, *BoardScreen.__mro__)
    return {
        bound.id: bound
        for owner in owners
        for bound in vars(owner).get("BINDINGS", ())
        if isinstance(bound, Binding) and bound.id and not owner.__module__.startswith("textual")
    }


def test_every_binding_of_the_board_is_tried() -> None:
    assert set(board_bindings()) - ELSEWHERE == set(ACTIONS)


async def lead_up(pilot: Pilot[Any], story: Story, keys: list[str]) -> None:
    """Press the keys that come before."""
    for key in keys:
        if key.startswith("+"):
            await until(pilot, lambda key=key: pilot.app.screen.model.summary.project.name == key[1:])  # type: ignore[attr-defined]
        elif key.startswith("-") and len(key) > 1:
            await until(pilot, lambda key=key: len(story.titles("todo")) == 6 - int(key[1:]))
        else:
            await pilot.press(key)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(ACTIONS))
async def test_by_key(story: Story, name: str) -> None:
    story.workspace.write(operations.projects.create, "Other")
    keys, check = ACTIONS[name]
    async with story.app().run_test(size=(160, 45)) as pilot:
        board = await ready(pilot)
        await lead_up(pilot, story, keys)
        await pilot.press(board_bindings()[name].key.split(",")[0])
        await until(pilot, lambda: check(pilot, board, story), name)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(ACTIONS.keys() - {"app.help"}))
async def test_by_mouse(story: Story, name: str) -> None:
    """The list of keys is a click away, and a click on one of its rows does what the key does."""
    story.workspace.write(operations.projects.create, "Other")
    keys, check = ACTIONS[name]
    async with story.app().run_test(size=(160, 130)) as pilot:
        board = await ready(pilot)
        await lead_up(pilot, story, keys)
        line = pilot.app.screen.query_one(KeyLine)
        start = next(start for start, _, index in line._places if line.keys[index].action == "help")
        await pilot.click(KeyLine, offset=(start + 1, 0))
        await until(pilot, lambda: isinstance(pilot.app.screen, HelpScreen))
        lines = pilot.app.screen.query_one(Lines)
        await until(pilot, lambda: lines.rows)
        index = next(
            at for at, row in enumerate(lines.rows) if isinstance(row.key, KeyEntry) and row.key.binding.id == name
        )
        await pilot.pause()
        assert await pilot.click(Lines, offset=(20, lines._tops[index] - lines.scroll_offset.y))
        await until(pilot, lambda: not isinstance(pilot.app.screen, HelpScreen))
        await until(pilot, lambda: check(pilot, board, story), name)


async def test_jump_takes_one_key(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        board = await ready(pilot)
        await pilot.press("semicolon")
        await until(pilot, lambda: isinstance(pilot.app.screen, JumpScreen))
        jump = pilot.app.screen
        assert isinstance(jump, JumpScreen)
        column = board.columns["review"]
        letter = next(label for label, target in jump.places.items() if column.region.contains(target.x, target.y))
        await pilot.press(letter)
        await until(pilot, lambda: isinstance(pilot.app.screen, BoardScreen))
        await until(pilot, lambda: (board.cursor.active, board.cursor.at["review"]) == ("review", 0))
        await pilot.press("semicolon", "escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, BoardScreen))


async def test_what_is_copied_goes_to_the_terminal(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        await ready(pilot)
        await pilot.press("y")
        await until(pilot, lambda: isinstance(pilot.app.screen, ChooseScreen))
        await pilot.press("i")
        await until(pilot, lambda: pilot.app.clipboard == "M-1")


async def test_a_mission_is_moved_to_a_chosen_list(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        await ready(pilot)
        await pilot.press("m")
        await until(pilot, lambda: isinstance(pilot.app.screen, ChooseScreen))
        await pilot.press("4")
        await until(pilot, lambda: story.card("Rate-limit").list == "done")


async def test_a_number_that_waits_is_shown(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        await ready(pilot)
        await pilot.press("1", "2")
        await until(pilot, lambda: pilot.app.screen.query_one(KeyLine).pending == "12")
        await pilot.press("j")
        await until(pilot, lambda: pilot.app.screen.query_one(KeyLine).pending == "")


async def test_the_right_button_shows_what_can_be_done(story: Story) -> None:
    from .test_mouse import at

    async with story.app().run_test(size=(160, 45)) as pilot:
        board = await ready(pilot)
        await pilot.click(offset=at(board, "doing", 1), button=3)
        await until(pilot, lambda: isinstance(pilot.app.screen, HelpScreen))
        assert (board.cursor.active, board.cursor.at["doing"]) == ("doing", 1)


async def test_the_wheel_goes_sideways(story: Story) -> None:
    from textual.events import MouseScrollLeft, MouseScrollRight

    async with story.app().run_test(size=(80, 24)) as pilot:
        board = await ready(pilot)
        for kind, wanted in ((MouseScrollRight, "doing"), (MouseScrollRight, "review"), (MouseScrollLeft, "doing")):
            board.post_message(kind(board, 5, 5, 0, 0, 0, False, False, False, 5, 5))
            await until(pilot, lambda wanted=wanted: board.cursor.active == wanted)
