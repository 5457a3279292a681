"""How the screens look: text at three sizes, two pictures, every theme, no colour, and no traceback at any size."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from textual.color import Color
from textual.pilot import Pilot

from solo_unicorn.config.settings import BoardSettings, ScreenSettings, Settings
from solo_unicorn.tui.app import SoloUnicornApp
from solo_unicorn.tui.kit.colours.theme import DARK, LIGHT, theme_name

from .conftest import Story, ready, same_in_every_theme, screen_text, text, until
from .mission.test_screen import enter

SIZES = [(160, 45), (80, 24), (40, 20)]


async def go(pilot: Pilot[Any], story: Story, screen: str) -> None:
    """Open one of the screens and wait until it shows what it is about."""
    app = pilot.app
    assert isinstance(app, SoloUnicornApp)
    if screen in ("overview", "plan", "session", "review", "dependencies", "history"):
        titles = {"review": "Search: typo", "dependencies": "Dark mode"}
        await enter(pilot, story, titles.get(screen, "Checkout"), screen)
        await app.animator.wait_for_idle()
        words = {
            "overview": "Payments",
            "plan": "Idempotency",
            "session": "claude",
            "review": "approves",
            "dependencies": "Waits for",
            "history": "wrote",
        }
        await until(pilot, lambda: words[screen] in screen_text(app))
    else:
        await ready(pilot)
        keys = {
            "board": [],
            "form": ["e"],
            "inbox": ["i"],
            "help": ["question_mark"],
            "projects": ["p"],
            "filter": ["slash", *"p>=4"],
        }
        await pilot.press(*keys[screen])
        words = {
            "board": "Rate",
            "form": "priority",
            "inbox": "question",
            "help": "Write a",
            "projects": "open",
            "filter": "p>=4",
        }
        await until(pilot, lambda: words[screen] in screen_text(app) or (screen == "form" and app.screen._as_opened))  # type: ignore[attr-defined]
    for _ in range(3):
        await pilot.pause()


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize(
    "screen",
    [
        "board",
        "filter",
        "form",
        "inbox",
        "help",
        "projects",
        "overview",
        "plan",
        "session",
        "review",
        "dependencies",
        "history",
    ],
)
async def test_screens(story: Story, looks: SnapshotAssertion, screen: str, size: tuple[int, int]) -> None:
    app = story.app()
    async with app.run_test(size=size) as pilot:
        await go(pilot, story, screen)
        assert screen_text(app) == looks


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("screen", ["board", "filter", "form", "help"])
async def test_screens_in_every_theme(story: Story, screen: str, size: tuple[int, int]) -> None:
    async with story.app().run_test(size=size) as pilot:
        await go(pilot, story, screen)
        await same_in_every_theme(pilot, text(pilot))


async def test_compact_density(story: Story, looks: SnapshotAssertion) -> None:
    app = story.app(settings=Settings(board=BoardSettings(density="compact")))
    async with app.run_test(size=(160, 24)) as pilot:
        await ready(pilot)
        await pilot.press("j", "l", "j")
        await pilot.pause()
        assert screen_text(app) == looks


async def test_plain_marks(story: Story, looks: SnapshotAssertion, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOLO_UNICORN_MARKS", "plain")
    app = story.app()
    async with app.run_test(size=(130, 24)) as pilot:
        await ready(pilot)
        text = screen_text(app)
        assert text == looks
        assert text.isascii()


@pytest.mark.parametrize("theme", [DARK.name, LIGHT.name])
def test_pictures(story: Story, snap_compare: Callable[..., bool], theme: str) -> None:
    async def go(pilot: Pilot[Any]) -> None:
        await ready(pilot)
        await pilot.press("l", "j")
        await pilot.pause()

    app = story.app(settings=Settings(ui=ScreenSettings(theme=theme)))
    assert snap_compare(app, terminal_size=(120, 32), run_before=go)


@pytest.mark.slow
@pytest.mark.parametrize("size", [(40, 10), (20, 5), (10, 3), (1, 1), (300, 90), (26, 60)], ids=str)
async def test_any_size_is_usable_or_empty_and_never_a_traceback(story: Story, size: tuple[int, int]) -> None:
    app = story.app()
    async with app.run_test(size=size) as pilot:
        await ready(pilot)
        await pilot.press(
            "j",
            "l",
            "L",
            "e",
            "escape",
            "n",
            "escape",
            "enter",
            "tab",
            "tab",
            "escape",
            "question_mark",
            "escape",
            "w",
            "escape",
        )
        if size == (40, 10):
            await pilot.press("g", "1", "g", "g")
            assert "Rate-limit" in screen_text(app)


@pytest.mark.slow
async def test_a_storm_of_sizes(story: Story) -> None:
    app = story.app()
    async with app.run_test(size=(160, 45)) as pilot:
        await ready(pilot)
        sizes = random.Random(7)
        for _ in range(25):
            await pilot.resize_terminal(sizes.randint(2, 200), sizes.randint(2, 60))
            await pilot.press(sizes.choice(["j", "k", "l", "h"]))
        await pilot.resize_terminal(160, 45)
        await pilot.pause()
        assert "Loop 2" in screen_text(app)


@pytest.mark.slow
async def test_every_theme_draws_the_board(story: Story) -> None:
    app = story.app()
    async with app.run_test(size=(100, 24)) as pilot:
        await ready(pilot)
        for name in app.available_themes:
            app.theme = name
            await pilot.pause()
            assert "acme-shop" in screen_text(app), name


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours (WCAG 2.2)."""

    def luminance(name: str) -> float:
        parts = [
            value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
            for value in Color.parse(name).normalized
        ]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
def test_every_colour_of_ours_can_be_read(theme: Any) -> None:
    """WCAG AA for text: 4.5 to 1 against every background that text stands on."""
    colours = [
        theme.primary,
        theme.secondary,
        theme.accent,
        theme.warning,
        theme.error,
        theme.success,
        theme.foreground,
        theme.variables["faint"],
        theme.variables["number"],
    ]
    for ground in (theme.background, theme.surface, theme.panel):
        for colour in colours:
            assert contrast(colour, ground) >= 4.5, (colour, ground)


async def test_without_colour_there_is_no_colour_code_and_nothing_is_lost(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_colour = story.app()
    async with with_colour.run_test(size=(160, 45)) as pilot:
        await ready(pilot)
        text = screen_text(with_colour)
    monkeypatch.setenv("NO_COLOR", "1")
    app = story.app()
    async with app.run_test(size=(160, 45)) as pilot:
        await ready(pilot)
        assert app.theme == "ansi-dark"
        assert screen_text(app) == text
        strips = app.screen._compositor.render_strips()
        for strip in strips:
            for filtered in app._filters:
                strip = strip.apply_filter(filtered, app.screen.background_colors[1]) if filtered.enabled else strip
            assert not re.search(r"\x1b\[[0-9;]*(3[0-8]|4[0-8])[;m]", strip.render(app.console)), strip.text
        styles = {
            segment.style.bold
            for strip in strips
            for segment in strip
            if "Rate-limit" in segment.text and segment.style
        }
        assert True in styles  # the chosen card stands out without colour too


@pytest.mark.parametrize(
    ("environ", "wish", "theme"),
    [
        ({}, "", "unicorn-dark"),
        ({"COLORFGBG": "0;15"}, "", "unicorn-light"),
        ({}, "nord", "nord"),
        ({}, "nonsense", "unicorn-dark"),
        ({"NO_COLOR": "1"}, "nord", "ansi-dark"),
    ],
)
def test_the_theme_to_begin_with(environ: dict[str, str], wish: str, theme: str) -> None:
    assert theme_name(wish, {"nord": 1, "unicorn-dark": 1}, environ) == theme
