"""Colours as the terminal can show them, and never too faint to read, whatever theme they come from.

The last filter before the terminal; each filter is asked for every line of a repaint, so what must be done to all
lines is done here (same_cells.py too). Letters and marks get at least 4.5:1 against their own background (WCAG 2.2,
AA); lines and blocks keep their colours. A terminal with 256 or 16 colours gets the nearest of those that keep this.
Grey stays grey and a hue its hue, to which the distance between red, green and blue does not see: a dark panel became
navy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from math import atan2, cbrt, degrees, dist, hypot
from typing import Final

from rich.color import Color, ColorSystem
from rich.segment import Segment
from rich.style import Style
from rich.terminal_theme import TerminalTheme
from textual.color import Color as ThemeColor
from textual.filter import LineFilter

from ..drawing import FRAMES, READ
from ..same_cells import same_cells

Triplet = tuple[int, int, int]

LEAST: Final = 4.5
LINE: Final = 3.0
"""Lines and blocks in a terminal of 16 colours, where they would go under, if the theme shows them at all."""
SEEN: Final = 1.3
GREY: Final = 0.035
"""Chroma (OKLab) below which a colour is a shade of grey."""
HUE: Final = 50
"""Degrees between two hues that still count as the same one."""
XTERM: Final = TerminalTheme(
    (0, 0, 0),
    (229, 229, 229),
    [(0, 0, 0), (205, 0, 0), (0, 205, 0), (205, 205, 0), (0, 0, 238), (205, 0, 205), (0, 205, 205), (229, 229, 229)],
    [
        *((127, 127, 127), (255, 0, 0), (0, 255, 0), (255, 255, 0)),
        *((92, 92, 255), (255, 0, 255), (0, 255, 255), (255, 255, 255)),
    ],
)
"""The first 16 colours as xterm has them; people change them."""
FEW: Final = (*range(8), *range(9, 16))
"""Those that are chosen from: some palettes make the bright black their background."""
CHOICES: Final = {ColorSystem.EIGHT_BIT: tuple(range(16, 256)), ColorSystem.STANDARD: FEW}


class InAscii(LineFilter):
    """The frames, bars and arrows of Textual's own widgets, for a terminal that has only ASCII characters."""

    def apply(self, segments: list[Segment], background: ThemeColor) -> list[Segment]:
        """The same segments, of the same width."""
        return [
            segment
            if segment.text.isascii()
            else Segment(segment.text.translate(FRAMES), segment.style, segment.control)
            for segment in segments
        ]


class Readable(LineFilter):
    """`is_dark`: whether the theme in force is a dark one; `depth`: how many colours the terminal has."""

    def __init__(self, is_dark: Callable[[], bool], depth: ColorSystem | None = None) -> None:
        super().__init__()
        self.depth = depth
        self._is_dark = is_dark
        self._shown = lru_cache(4096)(self._work_out)

    def apply(self, segments: list[Segment], background: ThemeColor) -> list[Segment]:
        """The same segments, readable, and as wide in any terminal as they were reckoned."""
        dark, depth, shown = self._is_dark(), self.depth, self._shown
        texts = same_cells([segment.text for segment in segments])
        return [
            Segment(text, shown(style, LEAST if READ.search(text) else 0.0, dark, depth), control)
            if style is not None
            else Segment(text, style, control)
            for text, (_, style, control) in zip(texts, segments, strict=True)
        ]

    def _work_out(self, style: Style, least: float, dark: bool, depth: ColorSystem | None) -> Style:
        front, ground = style.color or Color.default(), style.bgcolor or Color.default()
        choices = CHOICES.get(depth) if depth is not None else None
        if front.triplet is None and ground.triplet is not None and choices is not None:  # nothing but a background
            return style + Style(bgcolor=Color.from_ansi(nearest(ground.triplet, choices)))
        if front.triplet is None or ground.triplet is None:
            return self._of_palette(style, front, ground, least, dark)
        if style.dim:
            style += Style(dim=False)  # how much fainter is the terminal's affair
        text, below = front.triplet, ground.triplet
        if choices is None:
            return style + Style.from_color(Color.from_rgb(*strengthened(text, below, least)))
        number = nearest(below, choices)
        if choices is FEW and contrast(text, below) >= SEEN:
            least = max(least, LINE)
        chosen = nearest(text, choices, triplet_of(number), least)
        return style + Style.from_color(Color.from_ansi(chosen), Color.from_ansi(number))

    def _of_palette(self, style: Style, front: Color, ground: Color, least: float, dark: bool) -> Style:
        """A theme of the terminal's own colours: what is not readable becomes the default colour, or a bright one."""
        if front.is_default:
            return style
        below = ground.get_truecolor(XTERM, foreground=False) if not ground.is_default else _ground(dark)
        text = front.get_truecolor(XTERM)
        if style.dim and not ground.is_default:
            style += Style(dim=False)  # how much fainter is the terminal's affair: on a colour it may be too much
        if contrast(text, below) >= least:
            return style
        chosen = nearest(text, FEW, below, least)
        if ground.is_default and _is_grey(triplet_of(chosen)):
            return style + Style.from_color(Color.default())
        return style + Style.from_color(Color.from_ansi(chosen))


def _ground(dark: bool) -> Triplet:
    return (0, 0, 0) if dark else (255, 255, 255)


@lru_cache(256)
def triplet_of(number: int) -> Triplet:
    """Red, green and blue of a colour of the palette of 256."""
    return Color.from_ansi(number).get_truecolor(XTERM)


def strengthened(text: Triplet, below: Triplet, least: float) -> Triplet:
    """The text's colour, as far towards white or black as the contrast needs."""
    if contrast(text, below) >= least:
        return text
    end = max(((0, 0, 0), (255, 255, 255)), key=lambda one: contrast(one, below))
    for step in range(1, 20):
        red, green, blue = (round(start + (to - start) * step / 20) for start, to in zip(text, end, strict=True))
        if contrast((red, green, blue), below) >= least:
            return red, green, blue
    return end


@lru_cache(4096)
def nearest(wish: Triplet, choices: tuple[int, ...], below: Triplet | None = None, least: float = 0.0) -> int:
    """The colour of the palette that is nearest to a wished one, with at least this contrast to what is below it.

    Grey for a shade of grey, the same hue for a hue; grey too where no such hue can be read.
    """

    exact = next((one for one in choices if triplet_of(one) == wish), None)
    if exact is not None and (below is None or contrast(wish, below) >= least):
        return exact

    def distance(one: int) -> tuple[int, float]:
        turn = round(_turn(wish, triplet_of(one))) if choices == FEW and hues else 0  # of few colours the hue decides
        return turn, dist(oklab(wish), oklab(triplet_of(one)))

    able = [one for one in choices if below is None or contrast(triplet_of(one), below) >= least] or list(choices)
    greys = [one for one in able if len(set(triplet_of(one))) == 1]
    near = HUE if choices == FEW else HUE / 2
    hues = [] if _is_grey(wish) else [one for one in able if one not in greys and _turn(wish, triplet_of(one)) <= near]
    return min(hues or greys or able, key=distance)


def _is_grey(colour: Triplet) -> bool:
    _, a, b = oklab(colour)
    return hypot(a, b) < GREY


def _turn(one: Triplet, other: Triplet) -> float:
    """Degrees between two hues."""
    (_, a, b), (_, c, d) = oklab(one), oklab(other)
    turn = abs(degrees(atan2(b, a) - atan2(d, c))) % 360
    return min(turn, 360 - turn)


@lru_cache(4096)
def oklab(colour: Triplet) -> tuple[float, float, float]:
    """Lightness and two axes of colour, in which distances are as the eye sees them (Björn Ottosson, 2020)."""
    red, green, blue = map(_linear, colour)
    long = cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue)
    middle = cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue)
    short = cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue)
    return (
        0.2104542553 * long + 0.7936177850 * middle - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * middle + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * middle - 0.8086757660 * short,
    )


def contrast(one: Iterable[int], other: Iterable[int]) -> float:
    """The contrast ratio of two colours (WCAG 2.2)."""
    high, low = sorted((luminance(tuple(one)), luminance(tuple(other))), reverse=True)
    return (high + 0.05) / (low + 0.05)


@lru_cache(4096)
def luminance(colour: tuple[int, ...]) -> float:
    """Relative luminance (WCAG 2.2)."""
    red, green, blue = map(_linear, colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(value: int) -> float:
    part = value / 255
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
