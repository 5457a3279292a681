"""The palette, help, and other projects."""

from __future__ import annotations

from solo_unicorn.tui.board.screen import BoardScreen
from solo_unicorn.tui.kit.keyboard.keyline import KeyLine
from solo_unicorn.tui.kit.lines import Lines
from solo_unicorn.tui.kit.palette_screen import Palette
from solo_unicorn.tui.kit.sheets.choose import ChooseScreen
from solo_unicorn.tui.kit.sheets.help import HelpScreen
from solo_unicorn.tui.mission.screen import MissionScreen
from solo_unicorn.tui.project.projects import ProjectsScreen
from solo_unicorn.workspace import operations, queries

from .conftest import Story, ready, shown, text, until


async def test_another_project_is_opened_and_opened_again_next_time(story: Story) -> None:
    other = story.workspace.write(operations.projects.create, "Other")
    async with story.app().run_test(size=(160, 45)) as pilot:
        await ready(pilot)
        await pilot.press("p")
        await until(
            pilot, lambda: isinstance(pilot.app.screen, ProjectsScreen) and len(pilot.app.screen.lines.rows) == 2
        )
        await pilot.press("down", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, BoardScreen) and "Other" in text(pilot).splitlines()[0])
        await until(pilot, lambda: story.workspace.meta("board.project") == other.id)


async def test_a_project_is_made(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        await ready(pilot)
        await pilot.press("p")
        await until(
            pilot, lambda: isinstance(pilot.app.screen, ProjectsScreen) and len(pilot.app.screen.lines.rows) == 1
        )
        await pilot.press("n", *"Side", "enter")
        await until(
            pilot, lambda: any(project.name == "Side" for project in story.workspace.read(queries.projects.list_all))
        )
        await until(pilot, lambda: "Side" in text(pilot).splitlines()[0])


async def test_the_palette_runs_what_a_key_does(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        await ready(pilot)
        await pilot.press("ctrl+p")
        await until(pilot, lambda: "Write a new mission" in text(pilot))
        await pilot.press(*"to the top")
        await until(pilot, lambda: "to the top of its list" in text(pilot) and "Write a new mission" not in text(pilot))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, BoardScreen))
        await pilot.press("j", "ctrl+p", *"to the top")
        await until(pilot, lambda: "to the top of its list" in text(pilot) and "Write a new mission" not in text(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: story.titles("todo")[0].startswith("Design tokens"))


async def test_a_letter_that_comes_after_the_palette_was_left_starts_no_search(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        await ready(pilot)
        await pilot.press("ctrl+p")
        await until(pilot, lambda: "Write a new mission" in text(pilot))
        palette = pilot.app.screen
        assert isinstance(palette, Palette)
        palette.dismiss()
        assert palette._gather_commands("lo") is None
        await until(pilot, lambda: isinstance(pilot.app.screen, BoardScreen))


async def test_the_palette_finds_missions(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        await ready(pilot)
        await pilot.press("ctrl+p", *"flaky login")
        await until(
            pilot,
            lambda: (
                "Fix flaky login test" in text(pilot).splitlines()[6] or "M-12  Fix flaky login test" in text(pilot)
            ),
        )
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, MissionScreen))


async def test_help_names_every_key_of_the_board_and_the_marks(story: Story) -> None:
    async with story.app().run_test(size=(160, 95)) as pilot:
        await ready(pilot)
        await pilot.press("question_mark")
        await until(pilot, lambda: "Write a new mission" in text(pilot))
        for words in ("Delete the mission; u restores it", "⇧←", "waits for you", "p>=4"):
            assert words in text(pilot)
        assert pilot.app.screen.query(KeyLine) is not None


async def test_two_boards_over_one_workspace(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as one:
        first = await ready(one)
        await one.press("n")
        await until(one, lambda: one.app.focused is not None and one.app.focused.id == "title")
        await one.press(*"From the first", "ctrl+s")
        await until(one, lambda: "From the first" in shown(first)["todo"])


async def test_help_is_searched_and_does_what_is_found(story: Story) -> None:
    async with story.app().run_test(size=(120, 40)) as pilot:
        await ready(pilot)
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(pilot.app.screen, HelpScreen))
        lines = pilot.app.screen.query_one("#keys", Lines)
        everything = len(lines.rows)
        await pilot.press("slash", *"swim lanes")
        await until(pilot, lambda: len(lines.rows) == 2)
        await pilot.press("escape")
        await until(pilot, lambda: len(lines.rows) == everything)
        await pilot.press("slash", *"swim lanes", "enter")
        await until(pilot, lambda: lines.has_focus and len(lines.rows) == 2)
        await pilot.press("down", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, ChooseScreen))
