"""Colours as the terminal can show them: whatever a theme wishes, text can be read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.color import Color, ColorSystem
from rich.segment import Segment
from rich.style import Style
from textual.color import Color as ThemeColor

from solo_unicorn.tui.kit.colours.readable import XTERM, Readable, contrast, nearest, oklab
from solo_unicorn.tui.kit.drawing import READ

COLOURS = st.tuples(*[st.integers(0, 255)] * 3)
DEPTHS = [ColorSystem.TRUECOLOR, ColorSystem.EIGHT_BIT, ColorSystem.STANDARD]


def shown(text: str, style: Style, depth: ColorSystem, *, dark: bool = True) -> Style:
    """The style that the terminal gets."""
    (segment,) = Readable(lambda: dark, depth).apply([Segment(text, style)], ThemeColor(0, 0, 0))
    assert segment.text == text and segment.style is not None
    return segment.style


@pytest.mark.parametrize("depth", DEPTHS, ids=lambda depth: depth.name)
@given(front=COLOURS, ground=COLOURS, text=st.sampled_from(["word", "●", "f(", "▏▎"]))
def test_text_and_marks_can_be_read_whatever_a_theme_wishes(
    depth: ColorSystem, front: tuple[int, int, int], ground: tuple[int, int, int], text: str
) -> None:
    style = shown(text, Style.from_color(Color.from_rgb(*front), Color.from_rgb(*ground)), depth)
    assert style.color is not None and style.bgcolor is not None
    colours = style.color.get_truecolor(XTERM), style.bgcolor.get_truecolor(XTERM, foreground=False)
    assert contrast(*colours) >= {"word": 4.5, "●": 4.5, "f(": 4.5, "▏▎": 0}[text]
    assert style.color.downgrade(depth) == style.color, "the terminal has this colour itself"


@pytest.mark.parametrize("panel", [(31, 38, 49), (23, 28, 36), (230, 231, 227), (59, 66, 82)])
def test_a_grey_field_stays_grey_in_256_colours(panel: tuple[int, int, int]) -> None:
    """The nearest by red, green and blue was a saturated navy; the blank before a field's text has no text colour."""
    for front in (Color.from_rgb(255, 0, 0), None):
        style = shown("x", Style.from_color(front, Color.from_rgb(*panel)), ColorSystem.EIGHT_BIT)
        assert style.bgcolor is not None
        ground = style.bgcolor.get_truecolor(XTERM, foreground=False)
        assert len(set(ground)) == 1 and abs(oklab(ground)[0] - oklab(panel)[0]) < 0.05


def test_a_good_thing_does_not_turn_red_where_its_green_cannot_be_read() -> None:
    white, green = (255, 255, 255), (0, 112, 79)
    assert nearest(green, (0, 1, 2, 4, 9), white, 4.5) == 0


@pytest.mark.parametrize("dark", [True, False])
def test_a_terminal_s_own_colours_are_left_alone_but_for_those_that_its_ground_swallows(dark: bool) -> None:
    default = shown("word", Style.parse("bold default on default"), ColorSystem.TRUECOLOR, dark=dark)
    assert default == Style.parse("bold default on default")
    blue = shown("word", Style.parse("blue on default"), ColorSystem.TRUECOLOR, dark=dark).color
    assert blue is not None and (blue.number == 4) is not dark, "blue is too dark to be read on black"
    yellow = shown("word", Style.parse("yellow on default"), ColorSystem.TRUECOLOR, dark=dark).color
    assert yellow is not None and (yellow.number == 3) is dark, "yellow is too light to be read on white"


@pytest.mark.parametrize("text", ["a", "日", "{", "▶ ", "│ word"])
def test_what_is_read(text: str) -> None:
    assert READ.search(text)


@pytest.mark.parametrize("text", ["│", "▔▔", "   ", "+--+", "|", ""])
def test_lines_and_blocks_may_be_faint(text: str) -> None:
    assert not READ.search(text)
