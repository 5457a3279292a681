"""The first frame: what stands before Textual is there is what Textual then paints."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pyte
import pytest
from rich.console import Console

from solo_unicorn import __version__
from solo_unicorn.config import paths
from solo_unicorn.config.settings import BoardSettings, ScreenSettings, Settings
from solo_unicorn.missions.entities import SYSTEM
from solo_unicorn.missions.rules.creating import MissionDraft
from solo_unicorn.tui.app import SoloUnicornApp
from solo_unicorn.tui.board import keeping_looks
from solo_unicorn.tui.board.data import SCREENFUL, opening
from solo_unicorn.tui.board.screen import BoardScreen
from solo_unicorn.tui.kit import looks
from solo_unicorn.tui.kit.colours.theme import DARK, LIGHT
from solo_unicorn.tui.kit.keyboard.keyline import KeyLine
from solo_unicorn.tui.kit.marks import PLAIN, UNICODE, Marks
from solo_unicorn.tui.start import open_board as start
from solo_unicorn.tui.start.first_frame import painted, rows
from solo_unicorn.workspace import operations, queries
from solo_unicorn.workspace.store import latest_format
from solo_unicorn.workspace.workspace import Workspace

from ..conftest import Story, ready

SIZES = ((160, 45), (80, 24), (40, 20), (24, 10))
Cells = list[list[pyte.screens.Char]]


@pytest.fixture(autouse=True)
def many_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("TEXTUAL_COLOR_SYSTEM", raising=False)


def cells(said: str, size: tuple[int, int]) -> Cells:
    """What a terminal shows that was told this; the colours of a blank are its background only."""
    screen = pyte.Screen(*size)
    pyte.Stream(screen).feed(said)
    found = [[screen.buffer[y][x] for x in range(size[0])] for y in range(size[1])]
    return [[cell._replace(fg="", bold=False) if cell.data == " " else cell for cell in row] for row in found]


def text(shown: Cells) -> list[str]:
    return ["".join(cell.data for cell in row) for row in shown]


def painted_by_textual(app: SoloUnicornApp, size: tuple[int, int]) -> Cells:
    console = Console(force_terminal=True, color_system="truecolor", width=size[0])
    strips = app.screen._compositor.render_strips()
    return cells("\r\n".join(strip.render(console) for strip in strips), size)


def painted_early(app: SoloUnicornApp, story: Story, size: tuple[int, int]) -> Cells:
    found = looks.find(app.settings.ui.theme, app.settings.keys, paths.home(), __version__)
    assert found is not None and isinstance(app.screen, BoardScreen)
    drawn = rows(
        opening(story.path, None, None),
        found,
        app.marks,
        size,
        story.now,
        slots=app.settings.workstation.slots,
        density=app.screen.density,
    )
    return cells(painted(drawn, found), size)


async def assert_same(story: Story, size: tuple[int, int], settings: Settings | None = None) -> None:
    app = story.app(settings=settings or Settings())
    async with app.run_test(size=size) as pilot:
        await ready(pilot)
        assert isinstance(app.screen, BoardScreen)
        app.screen.model.hold({})  # why ready missions do not run is looked for once the board is painted
        app.screen.show()
        await pilot.pause()
        early, late = painted_early(app, story, size), painted_by_textual(app, size)
        assert text(early) == text(late)
        assert early == late


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("density", ["normal", "compact", "detailed"])
async def test_it_is_the_frame_that_textual_paints(story: Story, size: tuple[int, int], density: str) -> None:
    await assert_same(story, size, Settings(board=BoardSettings(density=density)))


@pytest.mark.parametrize("size", SIZES[:3], ids=str)
async def test_so_it_is_without_colour(story: Story, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    await assert_same(story, size)


async def test_so_it_is_in_a_light_terminal_and_with_plain_marks(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLORFGBG", "0;15")
    monkeypatch.setenv("SOLO_UNICORN_MARKS", "plain")
    await assert_same(story, (100, 30))


async def test_so_it_is_with_lists_longer_than_what_is_read_first(story: Story) -> None:
    for number in range(SCREENFUL + 20):
        story.workspace.write(operations.missions.create, story.project, MissionDraft(title=f"{number}"))
    await assert_same(story, (160, 45))


async def test_a_theme_and_keys_of_ones_own_are_known_from_the_start_before(story: Story) -> None:
    settings = Settings(ui=ScreenSettings(theme="nord"), keys={"board.new": "N"})
    assert looks.find("nord", settings.keys, paths.home(), __version__) is None
    await assert_same(story, (120, 30), settings)
    assert looks.find("nord", settings.keys, paths.home(), "another version") is None
    assert looks.find("nord", {"board.new": "M"}, paths.home(), __version__) is None


async def test_the_looks_that_ship_are_those_of_the_board(
    story: Story, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """Changed on purpose? `pytest --snapshot-update` writes them anew."""
    keys: list[list[str]] = []
    themes: dict[str, object] = {}
    for name in (DARK.name, LIGHT.name, looks.COLOURLESS):
        if name == looks.COLOURLESS:
            monkeypatch.setenv("NO_COLOR", "1")
        app = story.app()
        async with app.run_test(size=(160, 45)) as pilot:
            app.theme = name
            await ready(pilot)
            assert isinstance(app.screen, BoardScreen)
            themes[name] = keeping_looks.styles_of(app, app.screen.surfaces)
            keys = [[key.key, key.word, key.action] for key in app.screen.query_one(KeyLine).keys]
    made = {"keys": keys, "themes": themes}
    if request.config.getoption("update_snapshots", default=False):
        looks.SHIPPED.write_text(json.dumps(made, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")
    assert json.loads(looks.SHIPPED.read_text(encoding="utf-8")) == made


def test_fewer_colours_than_a_theme_needs_are_left_to_textual(home: Path) -> None:
    assert looks.find("", {}, home, __version__, {"TERM": "xterm-256color"}) is not None
    assert looks.find("", {}, home, __version__, {"TERM": "xterm-kitty"}) is not None
    assert looks.find("", {}, home, __version__, {"TERM": "xterm"}) is None
    assert looks.find("", {}, home, __version__, {"TERM": "xterm", "NO_COLOR": "1"}) is not None
    assert looks.find("", {}, home, __version__, {"TERM": "xterm-256color", "TEXTUAL_COLOR_SYSTEM": "standard"}) is None


# -- where there is none ---------------------------------------------------------------------------------------------


def no_workspace(file: Path) -> None:
    file.unlink()


def empty_file(file: Path) -> None:
    file.write_bytes(b"")


def damaged(file: Path) -> None:
    file.write_bytes(b"this is not a database, but it is long enough to be taken for one" * 100)


def newer(file: Path) -> None:
    with sqlite3.connect(file) as connection:
        connection.execute(f"PRAGMA user_version = {latest_format() + 1}")
    connection.close()


def older(file: Path) -> None:
    with sqlite3.connect(file) as connection:
        connection.execute(f"PRAGMA user_version = {latest_format() - 1}")
    connection.close()


def without_projects(file: Path) -> None:
    with Workspace.open(file) as workspace:
        for project in workspace.read(queries.projects.list_all):
            workspace.write(operations.projects.delete, project.id)


@pytest.mark.parametrize("trouble", [no_workspace, empty_file, damaged, newer, older, without_projects])
def test_a_workspace_that_is_not_simply_readable_is_left_to_the_usual_way(
    home: Path, trouble: Callable[[Path], None]
) -> None:
    with Workspace.open() as workspace:
        workspace.write_as(SYSTEM, operations.sample.create)
    file = paths.workspace_db()
    trouble(file)
    before = file.read_bytes() if file.exists() else None
    with ExitStack() as stack:
        assert start.glimpse(stack, None, None) is None
    assert (file.read_bytes() if file.exists() else None) == before, "a look changes nothing"


def test_a_locked_workspace_is_not_waited_for(home: Path) -> None:
    with Workspace.open() as workspace:
        workspace.write_as(SYSTEM, operations.sample.create)
    other = sqlite3.connect(paths.workspace_db(), isolation_level=None)
    other.execute("PRAGMA locking_mode = EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")
    try:
        with ExitStack() as stack:
            assert start.glimpse(stack, None, None) is None
    finally:
        other.close()


def test_a_project_that_there_is_not_is_an_error_of_the_usual_way(home: Path) -> None:
    with Workspace.open() as workspace:
        workspace.write_as(SYSTEM, operations.sample.create)
    with ExitStack() as stack:
        assert start.glimpse(stack, "nothing of that name", None) is None


def test_a_terminal_that_is_none_gets_none(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Workspace.open() as workspace:
        workspace.write_as(SYSTEM, operations.sample.create)
    snapshot = opening(None, None, None)
    now = datetime.now().astimezone()
    assert start.first_frame(snapshot, Settings(), now=now) is None  # standard input of the tests is not a terminal
    monkeypatch.setattr("sys.__stdin__", type("Terminal", (), {"isatty": lambda self: True})())
    monkeypatch.setattr("solo_unicorn.tui.start.early_screen.size_of", lambda: (80, 24))
    assert start.first_frame(snapshot, Settings(), now=now) is not None
    for variable, value in {"TERM": "dumb", "TEXTUAL_DRIVER": "somewhere:Else"}.items():
        with monkeypatch.context() as changed:
            changed.setenv(variable, value)
            assert start.first_frame(snapshot, Settings(), now=now) is None
    monkeypatch.setattr("solo_unicorn.tui.start.early_screen.size_of", lambda: (40, 7))
    assert start.first_frame(snapshot, Settings(), now=now) is None


@pytest.mark.parametrize("marks", [UNICODE, PLAIN], ids=["unicode", "plain"])
def test_what_an_agent_says_does_not_command_the_terminal(story: Story, marks: Marks) -> None:
    found = looks.find("", {}, paths.home(), __version__)
    assert found is not None
    snapshot = opening(story.path, None, None)
    bad = [replace(card, title="bad \x1b[2J title", question="\x1b[3J?") for card in snapshot.lists["todo"]]
    snapshot = replace(snapshot, lists={**snapshot.lists, "todo": bad})
    said = painted(rows(snapshot, found, marks, (160, 60), story.now, slots=4, density="normal"), found)
    assert "\x1b[2J" not in said and "\x1b[3J" not in said
    assert "bad" in "\n".join(text(cells(said, (160, 60))))
