"""No key in any state ends the application."""

from __future__ import annotations

import random

import pytest

from solo_unicorn.missions.entities import Json
from solo_unicorn.tui import changes_pane, welcome_data
from solo_unicorn.tui.screens import workstation

from .conftest import Story, ready

KEYS = [
    *"abcdefghijklmnoprstuvwxyz",
    *"ABCDEGHJKLMPRSTX",
    *"1234567",
    "space",
    "enter",
    "escape",
    "tab",
    "shift+tab",
    "up",
    "down",
    "left",
    "right",
    "home",
    "end",
    "pageup",
    "pagedown",
    "slash",
    "question_mark",
    "delete",
    "backspace",
    "ctrl+s",
    "ctrl+r",
    "ctrl+p",
    "ctrl+f",
    "ctrl+b",
    "left_square_bracket",
    "right_square_bracket",
    "shift+left",
    "shift+right",
    "shift+up",
    "shift+down",
    "f1",
]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
async def test_random_keys(story: Story, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    async def ask(*arguments: str, seconds: float = 60.0) -> Json:
        return {}

    for module in (changes_pane, welcome_data, workstation):
        monkeypatch.setattr(module, "ask", ask)
    keys = random.Random(seed)
    app = story.app()
    async with app.run_test(size=keys.choice([(160, 45), (80, 24), (40, 20)])) as pilot:
        await ready(pilot)
        pressed: list[str] = []
        for _ in range(150):
            pressed.append(keys.choice(KEYS))
            await pilot.press(pressed[-1])
            assert app._exception is None, pressed
        assert app.is_running, pressed
