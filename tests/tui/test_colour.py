"""Colour as it is painted: every screen in every theme and number of colours, resolved to what a terminal shows.

Text has 4.5:1 against its own background and a mark 3:1 (WCAG 2.2, AA). In our own themes text has 4:1 before the last
filter sees to that: it is for other themes and for few colours, and must not hide that colours were chosen badly. What
has the focus, and what is chosen in a list, is told apart without colour.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import pytest
from rich.color import ColorSystem
from textual.color import Color
from textual.pilot import Pilot
from textual.strip import Strip
from textual.widget import Widget

from solo_unicorn.tui.app import SoloUnicornApp
from solo_unicorn.tui.board.board import Board
from solo_unicorn.tui.kit.check import Check
from solo_unicorn.tui.kit.colours.readable import Readable
from solo_unicorn.tui.kit.colours.theme import DARK, LIGHT
from solo_unicorn.tui.kit.lines import Lines
from solo_unicorn.workspace import operations

from .conftest import Story, ready, text, until
from .rooms import ROOMS, Open, quiet
from .seen import Cell, Screen, seen, told_apart, within

__all__ = ["quiet"]

OWN = (DARK.name, LIGHT.name)
THEMES = (*OWN, "nord", "dracula", "solarized-light", "gruvbox", "textual-light", "ansi-dark", "ansi-light")
DEPTHS = (ColorSystem.TRUECOLOR, ColorSystem.EIGHT_BIT, ColorSystem.STANDARD)
LINES = "+|-`"
"""What frames and trees are made of without Unicode."""
QUICK = ("board", "form", "changes-comment", "welcome-agents")
"""Rooms with diffs, fields, boxes and lists, in the run of every day; the others are as many minutes."""


def keys(*pressed: str, words: str = "") -> Open:
    """The board after some keys."""

    async def go(pilot: Pilot[None], story: Story) -> None:
        await ready(pilot)
        await pilot.press(*pressed)
        await until(pilot, lambda: words in text(pilot))
        await pilot.pause()

    return go


async def beside(pilot: Pilot[None], story: Story) -> None:
    """The diff in two columns."""
    await ROOMS["changes-comment"](pilot, story)
    await pilot.press("s")
    await until(pilot, lambda: "await charge" in text(pilot) and "│" in text(pilot))


async def commented(pilot: Pilot[None], story: Story) -> None:
    """A review with comments on lines."""
    card = story.card("Search: typo")
    story.workspace.write(operations.comments.add, card.id, "src/pay/retry.ts", 12, "new", "Three times at most")
    await ROOMS["review"](pilot, story)


EVERYWHERE: dict[str, Open] = {
    "board": keys("l", "j"),
    "board-marked": keys("x", "x"),
    "board-preview": keys("v"),
    "filter": keys("slash", *"p>=4"),
    "help": keys("question_mark", words="Write a"),
    "palette": keys("ctrl+p"),
    "form": keys("e", words="starts from"),
    "form-new": keys("n", words="starts from"),
    "changes-beside": beside,
    "review-comments": commented,
    **ROOMS,
}
OWN_GROUNDS = {"changes", "changes-comment", "changes-beside", "changes-tour", "palette"}
"""Their backgrounds with 256 colours are others on purpose, or what is found still comes in."""
every_room = pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in EVERYWHERE]
)


async def painted(app: SoloUnicornApp, pilot: Pilot[None], theme: str, depth: ColorSystem) -> list[Strip]:
    """The lines of the screen for so many colours, before the last filter makes them readable."""
    app.theme = theme
    app.paint_for(depth)
    app._readable.enabled = False
    for screen in app.screen_stack:
        for widget in screen.walk_children(with_self=True):
            widget.refresh()
    await pilot.pause()
    await pilot.pause()
    return app.screen._compositor.render_strips()


async def in_themes(pilot: Pilot[None], themes: Sequence[str]) -> AsyncIterator[tuple[str, ColorSystem | None, Screen]]:
    """The screen in each theme as terminals show it; None: every colour, and nothing mended, in our own themes alone.

    A rule for few colours names roles, not themes: where it changes nothing in ours, it changes nothing in others, and
    the same lines are resolved for each terminal.
    """
    app = pilot.app
    assert isinstance(app, SoloUnicornApp)
    has_own_rule: set[ColorSystem] = set()
    for theme in themes:
        whole = await painted(app, pilot, theme, ColorSystem.TRUECOLOR)
        if theme in OWN:
            yield theme, None, seen(app, ColorSystem.TRUECOLOR, whole)
        for depth in DEPTHS:
            lines = whole
            if depth is not ColorSystem.TRUECOLOR and (theme in OWN or depth in has_own_rule):
                lines = await painted(app, pilot, theme, depth)
                if lines != whole:
                    has_own_rule.add(depth)
            readable = Readable(app._is_dark, depth)
            yield theme, depth, seen(app, depth, [line.apply_filter(readable, Color(0, 0, 0)) for line in lines])


def unreadable(screen: Screen, least: float) -> set[str]:
    """The words and marks that cannot be read, each with its contrast."""
    found: set[str] = set()
    for row in screen:
        word: list[Cell] = []
        for cell in [*row, None]:
            if cell is not None and cell.text.strip() and not "\u2500" <= cell.text <= "\u259f":
                word.append(cell)
                continue
            shown = "".join(one.text for one in word)
            bad = [one for one in word if one.contrast < (least if one.text.isalnum() or one.text.isascii() else 3)]
            if bad and not set(shown) <= set(LINES):
                worst = min(bad, key=lambda one: one.contrast)
                found.add(f"{shown} {worst.contrast:.2f} {tuple(worst.front)} on {tuple(worst.ground)}")
            word = []
    return found


def coloured_greys(whole: Screen, few: Screen) -> set[object]:
    """The grey backgrounds that became a colour with fewer colours, as dark panels became navy."""
    return {
        (tuple(one.ground), tuple(other.ground), other.text)
        for row, others in zip(whole, few, strict=True)
        for one, other in zip(row, others, strict=True)
        if max(one.ground) - min(one.ground) < 24 and len(set(other.ground)) > 1
    }


@every_room
async def test_everything_can_be_read(story: Story, quiet: None, name: str) -> None:
    bad: dict[str, set[str]] = {}
    async with story.app().run_test(size=(120, 40)) as pilot:
        await EVERYWHERE[name](pilot, story)
        async for theme, depth, screen in in_themes(pilot, OWN if name in QUICK else THEMES):
            sheets = [one.region for one in pilot.app.screen.children if pilot.app.screen.is_modal and one.display]
            if depth is None and sheets:  # what lies below a sheet is dimmed on purpose
                screen = [row for region in sheets for row in within(screen, region)]
            if depth is ColorSystem.TRUECOLOR:
                whole = screen
            elif depth is ColorSystem.EIGHT_BIT and name not in OWN_GROUNDS:
                assert coloured_greys(whole, screen) == set()
            if found := unreadable(screen, 4.5 if depth else 4.0):
                bad[f"{theme} {depth}"] = found
    if bad:
        pytest.fail("\n".join(f"{where}: {what}" for where, what in bad.items()), pytrace=False)


@pytest.mark.parametrize("colours", ["none", pytest.param("ours", marks=pytest.mark.slow)])
@every_room
async def test_what_has_the_focus_and_what_is_chosen_stands_out(
    story: Story, quiet: None, name: str, colours: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if colours == "none":
        monkeypatch.setenv("NO_COLOR", "1")
    app = story.app()
    async with app.run_test(size=(120, 40)) as pilot:
        await EVERYWHERE[name](pilot, story)
        for theme in OWN if colours == "ours" else (app.theme,):
            app.theme = theme
            await pilot.pause()
            await stands_out(pilot)


async def stands_out(pilot: Pilot[None]) -> None:
    """What has the focus, the row under a cursor and a box that is on are told from those that are not."""
    app = pilot.app
    assert isinstance(app, SoloUnicornApp)
    where = f"in {app.theme}"
    chain = [one for one in app.screen.focus_chain if one.region and (not isinstance(one, Lines) or one.rows)]
    chain = [one for one in chain if not isinstance(one, Board)]  # it has the focus when nothing else shows it
    for one in chain:
        await focus(pilot, one)
        here = seen(app, ColorSystem.TRUECOLOR)
        for other in chain:
            if other is not one:
                await focus(pilot, other)
                there = seen(app, ColorSystem.TRUECOLOR)
                if not told_apart(within(here, one.region), within(there, one.region)):
                    pytest.fail(f"{one} looks the same with and without focus {where}", pytrace=False)
                break
        if isinstance(one, Lines) and one.selects and len(one.rows) > 1:
            await moves(pilot, one)
        if isinstance(one, Check):
            one.toggle()
            await pilot.pause()
            assert marks(within(seen(app, ColorSystem.TRUECOLOR), one.region)) != marks(within(here, one.region)), (
                f"{one} looks the same on and off {where}"
            )
            one.toggle()
            await pilot.pause()


def marks(screen: Screen) -> str:
    """The first line as text."""
    return "".join(cell.text for cell in screen[0])


async def focus(pilot: Pilot[None], widget: Widget) -> None:
    """As Tab does."""
    widget.focus(scroll_visible=False)
    await pilot.pause()


async def moves(pilot: Pilot[None], lines: Lines) -> None:
    """The row under the cursor looks otherwise than it does without it."""
    app = pilot.app
    assert isinstance(app, SoloUnicornApp)
    await focus(pilot, lines)
    lines.cursor = 0
    await pilot.pause()
    first = within(seen(app, ColorSystem.TRUECOLOR), lines.region)
    lines.cursor = len(lines.rows) - 1
    lines.scroll_to(y=0, animate=False, force=True, immediate=True)
    await pilot.pause()
    last = within(seen(app, ColorSystem.TRUECOLOR), lines.region)
    if not told_apart(first, last):
        pytest.fail(f"{lines} does not show where its cursor is", pytrace=False)
