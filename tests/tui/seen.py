"""What a terminal shows of the application: every cell with its colours, for any number of colours."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from rich.color import Color, ColorSystem
from rich.style import Style
from rich.terminal_theme import TerminalTheme
from textual.geometry import Region
from textual.strip import Strip

from solo_unicorn.tui.app import SoloUnicornApp

Triplet = tuple[int, int, int]

XTERM = TerminalTheme(
    (0, 0, 0),
    (229, 229, 229),
    [(0, 0, 0), (205, 0, 0), (0, 205, 0), (205, 205, 0), (0, 0, 238), (205, 0, 205), (0, 205, 205), (229, 229, 229)],
    [
        (127, 127, 127),
        (255, 0, 0),
        (0, 255, 0),
        (255, 255, 0),
        (92, 92, 255),
        (255, 0, 255),
        (0, 255, 255),
        (255, 255, 255),
    ],
)
PAPER = TerminalTheme((255, 255, 255), (0, 0, 0), [*XTERM.ansi_colors._colors[:8]], [*XTERM.ansi_colors._colors[8:]])
"""The same with a light background."""


class Cell(NamedTuple):
    """One character as it is shown."""

    text: str
    front: Triplet
    ground: Triplet
    emphasis: str
    """What shows without colour: bold, underlined, reversed."""

    @property
    def contrast(self) -> float:
        """Of the character to its own background."""
        return contrast(self.front, self.ground)


Screen = list[list[Cell]]


def seen(app: SoloUnicornApp, depth: ColorSystem, lines: list[Strip] | None = None) -> Screen:
    """The screen (or these lines of it), cell by cell, on an xterm with so many colours."""
    palette = XTERM if app.current_theme.dark else PAPER
    known: dict[Style | None, tuple[Triplet, Triplet, str]] = {}
    rows: Screen = []
    for strip in app.screen._compositor.render_strips() if lines is None else lines:
        row: list[Cell] = []
        for text, style, _ in strip:
            if style not in known:
                known[style] = resolved(style or Style.null(), depth, palette)
            shown = known[style]
            row += [Cell(letter, *shown) for letter in text]
        rows.append(row)
    return rows


@lru_cache(4096)
def resolved(style: Style, depth: ColorSystem, palette: TerminalTheme) -> tuple[Triplet, Triplet, str]:
    """Text colour, background, and what is there without either."""

    def shown(colour: Color | None, *, front: bool) -> Triplet:
        colour = colour or Color.default()
        return colour.downgrade(depth).get_truecolor(palette, foreground=front)

    front, ground = shown(style.color, front=True), shown(style.bgcolor, front=False)
    if style.dim:
        front = (front[0] * 2 // 3, front[1] * 2 // 3, front[2] * 2 // 3)
    if style.reverse:
        front, ground = ground, front
    emphasis = "".join(
        name[0]
        for name, on in {"bold": style.bold, "underlined": style.underline, "reversed": style.reverse}.items()
        if on
    )
    return front, ground, emphasis


def within(screen: Screen, region: Region) -> Screen:
    """The part of the screen in a region."""
    return [row[region.x : region.right] for row in screen[region.y : region.bottom]]


def told_apart(one: Screen, other: Screen, least: float = 1.5) -> bool:
    """Whether two pictures of the same place differ by a mark, by emphasis, or by more than this contrast."""
    for row, others in zip(one, other, strict=True):
        for a, b in zip(row, others, strict=True):
            if (a.text, a.emphasis) != (b.text, b.emphasis) or contrast(a.ground, b.ground) > least:
                return True
            if a.text.strip() and contrast(a.front, b.front) > least:
                return True
    return False


@lru_cache(4096)
def contrast(one: Triplet, other: Triplet) -> float:
    """The contrast ratio of two colours (WCAG 2.2)."""
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def luminance(colour: Triplet) -> float:
    """Relative luminance (WCAG 2.2)."""
    parts = [
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in (v / 255 for v in colour)
    ]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]
