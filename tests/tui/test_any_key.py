"""No key in any state ends the application: random keys on all screens, while other processes change the workspace."""

from __future__ import annotations

import asyncio
import os
import random
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from textual.app import App
from textual.events import Key
from textual.pilot import Pilot

from solo_unicorn.missions.entities import LISTS, SYSTEM, Author, CodeAgent, Json, Usage, service_of
from solo_unicorn.missions.errors import SoloUnicornError
from solo_unicorn.missions.rules.creating import MissionDraft
from solo_unicorn.tui.all_keys import known_bindings
from solo_unicorn.tui.kit.commands import Heard
from solo_unicorn.workspace import operations, queries
from solo_unicorn.workspace.workspace import Workspace

from .conftest import Story, Told, ready

LEAVES = frozenset({"ctrl+q", "ctrl+z"})
"""Keys that end or stop the application, as they should."""
KEYS = sorted(
    {key.strip() for one in known_bindings().values() for key in one.binding.key.split(",")}
    | {*"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789é世@:-"}
    | {"space", "enter", "escape", "tab", "shift+tab", "up", "down", "left", "right", "home", "end", "backspace"}
    | {"pageup", "pagedown", "ctrl+p", "ctrl+c", "ctrl+a", "ctrl+e", "ctrl+u", "ctrl+w", "alt+x", "f1", "f5", "f12"}
    - LEAVES
)
OFTEN = ["j", "j", "enter", "escape", "escape", "tab", "l", "1", "question_mark", "ctrl+p", "x", "v", "slash"]
SIZES = [(160, 45), (80, 24), (40, 20), (12, 4)]
RUNS = int(os.environ.get("SOLO_UNICORN_TEST_EXAMPLES", "3"))
SETTLE = 8
"""Keys that are typed before the screen is waited for."""


class World:
    """What other processes do meanwhile."""

    def __init__(self, story: Story, chance: random.Random) -> None:
        self.story, self.chance = story, chance

    def turn(self) -> None:
        """One thing happens, or is refused by the rules."""
        workspace, chance = self.story.workspace, self.chance
        cards = [card for name in LISTS for card in workspace.read(queries.board.cards, self.story.project, name)]
        card = chance.choice(cards) if cards else None
        agent = Author("agent", "claude")
        with suppress(SoloUnicornError):
            match chance.randrange(9):
                case 0:
                    title = "".join(chance.choice("aé世 …") for _ in range(chance.randrange(1, 60)))
                    workspace.write(operations.missions.create, self.story.project, MissionDraft(title=f"M{title}"))
                case 1 if card:
                    workspace.write(operations.missions.move, card.id, chance.choice(LISTS), top=True)
                case 2 if card:
                    workspace.write(operations.missions.delete, card.id)
                case 3 if card:
                    workspace.write_as(
                        agent, operations.review.ask_question, card.id, "Which?\n" + "long " * chance.randrange(60)
                    )
                case 4 if card:
                    workspace.write_as(agent, operations.review.request_review, card.id, "done", "look")
                case 5 if card:
                    self._claim(workspace, card.id)
                case 6:
                    for session in workspace.read(queries.sessions.find, active=True)[:1]:
                        usage = Usage(chance.randrange(10**7), 5, 0, None, 1)
                        workspace.write_as(
                            SYSTEM,
                            operations.sessions.progress,
                            session.id,
                            activity="\x1b[2Jedits\t世",
                            usage=usage,
                            at=self.story.now,
                        )
                case 7:
                    for session in workspace.read(queries.sessions.find, active=True)[:1]:
                        workspace.write_as(
                            service_of(session.id),
                            operations.sessions.end,
                            session.id,
                            chance.choice(["failed", "unknown", "completed"]),
                            "so",
                        )
                case _:
                    workspace.write(operations.undo.undo, self.story.project)

    def _claim(self, workspace: Workspace, mission_id: str) -> None:
        workspace.write(operations.missions.set_ready, mission_id, True)
        agent = CodeAgent("claude", "claude", "Claude Code", slots=9, binary="/usr/bin/claude", state="ready")
        number = self.chance.randrange(10**20)
        workspace.write_as(
            SYSTEM,
            operations.dispatch.claim,
            mission_id,
            session_id=f"S{number:025}",
            agent=agent,
            workstation_id=operations.workstation.this_machine(workspace).id,
        )


def press(app: App[Any], key: str) -> None:
    """Type a key without waiting for what it does."""
    character = key if len(key) == 1 else {"space": " "}.get(key)
    driver = app._driver
    assert driver is not None
    driver.send_message(Key(key, character))


async def type_all(story: Story, keys: list[str], size: tuple[int, int], chance: random.Random) -> None:
    """Type the keys; whatever goes wrong names them."""
    world = World(story, chance)
    app = story.app(commands=Nothing())
    typed: list[str] = []
    async with app.run_test(size=size) as pilot:
        await ready(pilot)
        for place, key in enumerate(keys):
            typed.append(key)
            press(app, key)
            await asyncio.sleep(0)
            if place % SETTLE == 0:
                if chance.random() < 0.3:
                    world.turn()
                if chance.random() < 0.05:
                    await resize(pilot, chance)
                await pilot.pause()
            assert app._exception is None, typed
        await pilot.pause()
        assert app._exception is None, typed
        assert app.is_running, typed


async def resize(pilot: Pilot[Any], chance: random.Random) -> None:
    """Another size of the terminal."""
    await pilot.resize_terminal(chance.randint(1, 200), chance.randint(1, 60))


class Nothing:
    """Commands of which none does anything: no program is started by what is typed."""

    async def ask(self, *arguments: str, seconds: float = 60.0, heard: Heard | None = None) -> Json:
        return {}

    async def run(
        self, program: str, *arguments: str, seconds: float = 60.0, heard: Heard | None = None
    ) -> tuple[str, str, int]:
        return "{}", "", 0

    async def open_outside(self, target: str) -> None:
        """Nothing is shown."""


def no_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    """No browser, and no end by accident."""

    async def stay(app: App[object]) -> None:
        """Quitting by the palette is no accident either."""

    monkeypatch.setattr(App, "open_url", lambda *arguments, **more: None)
    monkeypatch.setattr(App, "action_quit", stay)


def random_keys(told: Told, number: int, runs: int, length: int) -> Callable[[], None]:
    """A test that types `runs` × `length` keys, the same for the same number."""
    key = st.one_of(st.sampled_from(KEYS), st.sampled_from(OFTEN))

    @seed(number)
    @settings(
        max_examples=runs,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(
        keys=st.lists(key, min_size=length, max_size=length), size=st.sampled_from(SIZES), world=st.integers(0, 10**6)
    )
    def run(keys: list[str], size: tuple[int, int], world: int) -> None:
        with tempfile.TemporaryDirectory(prefix="su-") as directory:
            path = told.copy(Path(directory))
            with Workspace.open(path) as workspace:
                story = Story(path, told.project, told.now, workspace)
                asyncio.run(type_all(story, keys, size, random.Random(world)))

    return run


@pytest.fixture(autouse=True)
def alone(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the machine is touched."""
    no_browser(monkeypatch)


def test_some_random_keys(told: Told) -> None:
    random_keys(told, 0, runs=2, length=120)()


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("number", range(1, 9))
def test_thousands_of_random_keys(told: Told, number: int) -> None:
    random_keys(told, number, runs=RUNS, length=250)()
