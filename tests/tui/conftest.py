"""Fixtures of the screen tests: a workspace with a story in it, the application over it, and how to wait."""

from __future__ import annotations

import importlib.util
import re
import shutil
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode
from textual.app import App
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet
from textual.pilot import Pilot
from textual.widgets import Input, TextArea

from solo_unicorn.config import paths
from solo_unicorn.config.settings import Settings
from solo_unicorn.missions.board import Card
from solo_unicorn.missions.entities import LISTS, SYSTEM, Json, ListName
from solo_unicorn.missions.errors import UsageError
from solo_unicorn.tui.app import SoloUnicornApp
from solo_unicorn.tui.board.board import Board
from solo_unicorn.tui.board.data import opening
from solo_unicorn.tui.board.screen import BoardScreen
from solo_unicorn.tui.kit.commands import ChildCommands, Commands, Heard
from solo_unicorn.tui.kit.keyboard.keyline import KeyLine
from solo_unicorn.workspace import operations, queries
from solo_unicorn.workspace.workspace import Workspace

from ..typed import parse
from .terminals import Terminal

DEADLINE = 10.0
ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def still_world(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No blinking, no animation, one time zone, Unicode marks, all colours."""
    monkeypatch.setattr(Input, "_toggle_cursor", lambda self: None)
    monkeypatch.setattr(TextArea, "_toggle_cursor_blink_visible", lambda self: None)
    monkeypatch.setenv("TEXTUAL_ANIMATIONS", "none")
    monkeypatch.setenv("SOLO_UNICORN_MARKS", "unicode")
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.delenv("COLORFGBG", raising=False)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture(autouse=True, scope="session")
def styles_parsed_once() -> Iterator[None]:
    """Applications of one process share what was read of a style sheet in the same colours: a tenth of these tests."""
    parse = Stylesheet._parse_rules
    known: dict[tuple[object, ...], list[RuleSet]] = {}

    def parse_once(self: Stylesheet, css: str, *place: Any, **more: Any) -> list[RuleSet]:
        key = (css, place, frozenset(more.items()), frozenset(self._variables.items()))
        if key not in known:
            known[key] = parse(self, css, *place, **more)
        return known[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Stylesheet, "_parse_rules", parse_once)
        yield


@pytest.fixture(scope="session")
def picture() -> ModuleType:
    """The story of the pictures in docs, which the tests look at too."""
    spec = importlib.util.spec_from_file_location("story", ROOT / "docs" / "story.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def understood(*words: str) -> None:
    """Whether our own command line takes these words, which a screen would have a child process run."""
    try:
        parse(*words, "--json")
    except UsageError as error:
        raise AssertionError(f"{words}: {error}") from error


Answer = Callable[..., Json | Awaitable[Json]]


class Commanded(list[tuple[str, ...]]):
    """Commands that are noted in place of being run; our own command line must understand them.

    `answer` gives what a command says; programs that are not ours run in earnest.
    """

    def __init__(self, answer: Answer = lambda *arguments: {}) -> None:
        super().__init__()
        self.answer = answer
        self.opened: list[str] = []
        """What was handed to the system's opener."""
        self.run = ChildCommands().run

    async def ask(self, *arguments: str, seconds: float = 60.0, heard: Heard | None = None) -> Json:
        """Note it."""
        understood(*arguments)
        self.append(arguments)
        said = self.answer(*arguments)
        return await said if isinstance(said, Awaitable) else said

    async def open_outside(self, target: str) -> None:
        """Note it."""
        self.opened.append(target)


@dataclass
class Story:
    """A told workspace: `workspace` is another process's connection to it."""

    path: Path
    project: str
    now: datetime
    workspace: Workspace = field(repr=False)
    commands: Commands | None = None
    """In place of child processes."""

    def app(self, **more: Any) -> SoloUnicornApp:
        """The application over it, without a service, at the time of the story."""
        options: dict[str, Any] = {"path": self.path, "settings": Settings(), "serve": False, "clock": lambda: self.now}
        options["commands"] = self.commands
        return SoloUnicornApp(lambda: opening(self.path, None, None), **(options | more))

    def card(self, title: str) -> Card:
        """A card by the beginning of its title, as it is in the workspace now."""
        cards = [card for name in LISTS for card in self.workspace.read(queries.board.cards, self.project, name)]
        return next(card for card in cards if card.title.startswith(title))

    def titles(self, in_list: ListName) -> list[str]:
        """The titles of a list in board order."""
        return [card.title for card in self.workspace.read(queries.board.cards, self.project, in_list)]


@dataclass(frozen=True)
class Told:
    """The shop of the picture, told once; each test gets a copy."""

    directory: Path
    project: str
    now: datetime

    def copy(self, to: Path) -> Path:
        """Into a directory; returns the workspace's file there."""
        shutil.copytree(self.directory, to, dirs_exist_ok=True)
        return to / "workspace.db"


@pytest.fixture(scope="session")
def told(picture: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Told:
    """The shop, in a home that nothing else uses."""
    directory = tmp_path_factory.mktemp("told")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("SOLO_UNICORN_HOME", str(directory))
        store = directory / "store"
        return Told(store, picture.tell(store / "workspace.db"), picture.NOW)


@pytest.fixture
def story(home: Path, told: Told) -> Iterator[Story]:
    """The shop of the picture."""
    path = told.copy(paths.workspace_db().parent)
    with Workspace.open(path) as workspace:
        yield Story(path, told.project, told.now, workspace)


def text(pilot: Pilot[Any]) -> str:
    """The screen."""
    assert isinstance(pilot.app, SoloUnicornApp)
    return screen_text(pilot.app)


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> Commanded:
    """The child commands that were asked for; none is run."""
    from solo_unicorn.tui.workstation import data as workstation_data

    monkeypatch.setattr(workstation_data, "service_status", lambda: {"state": "running", "pid": 7, "version": "1.0"})
    return Commanded()


async def until(pilot: Pilot[Any], wanted: Callable[..., object], what: str = "") -> None:
    """Let the application go on until something is so; fails after the deadline."""
    end = time.monotonic() + DEADLINE
    while True:
        try:
            if wanted():
                return
        except Exception:  # not there yet: a screen that is still coming
            if time.monotonic() > end:
                raise
        assert time.monotonic() < end, f"did not happen: {what or wanted}"
        await pilot.pause(0.01)


async def ready(pilot: Pilot[Any]) -> Board:
    """The board with everything read; returns it."""
    app = pilot.app
    assert isinstance(app, SoloUnicornApp)
    await until(pilot, lambda: app.connected, "the workspace opens")
    await until(pilot, lambda: isinstance(app.screen, BoardScreen) and app.screen.model.complete, "all cards are read")
    await app.workers.wait_for_complete()
    await pilot.pause()
    return app.screen.query_one(Board)


def screen_text(app: App[Any]) -> str:
    """What the screen shows, as lines without their trailing spaces."""
    strips = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips) + "\n"


def shown(board: Board) -> dict[str, list[str]]:
    """The titles in each column as the board shows them."""
    return {name: [card.title for card in column.cards] for name, column in board.columns.items()}


def words(text: str) -> set[str]:
    """What is said, without lines and frames."""
    return set(re.findall(r"[\w$%]+", text))


async def same_in_every_theme(pilot: Pilot[Any], dark: str) -> None:
    """Light shows what dark shows; the terminal's own colours, and none, the same words: no colour is a meaning."""
    app = pilot.app

    async def shown_in(theme: str) -> str:
        app.theme = theme
        await pilot.pause()
        await pilot.pause()
        return screen_text(app)

    assert await shown_in("unicorn-light") == dark
    bare = await shown_in("ansi-dark")  # sheets hide what is below them, and Markdown sets code otherwise
    assert words(bare) <= words(dark)
    if app.screen.query(KeyLine):
        assert bare.splitlines()[-1] == dark.splitlines()[-1]
    assert app.screen.is_modal or words(bare) == words(dark)
    assert await shown_in("unicorn-dark") == dark


@pytest.fixture
def on_terminal(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Terminal]]:
    """Opens a program on a terminal; the home has the sample project."""
    for name, value in {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LC_ALL": "C.UTF-8"}.items():
        monkeypatch.setenv(name, value)
    for name in ("NO_COLOR", "COLUMNS", "LINES"):
        monkeypatch.delenv(name, raising=False)
    with Workspace.open() as workspace:
        workspace.write_as(SYSTEM, operations.sample.create)
    opened: list[Terminal] = []

    def open_terminal(script: str) -> Terminal:
        opened.append(Terminal(script))
        return opened[-1]

    yield open_terminal
    for terminal in opened:
        terminal.close()


class TextFile(SingleFileSnapshotExtension):
    """One text file for each screen, to be read in a review."""

    _file_extension = "txt"
    _write_mode = WriteMode.TEXT


@pytest.fixture
def looks(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    """Compares with the text kept beside the tests."""
    return snapshot.use_extension(TextFile)
