"""Wrapping of parts, and lists that follow their end."""

from __future__ import annotations

from typing import ClassVar

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.app import App, ComposeResult

from solo_unicorn.tui.kit.lines import Lines, row
from solo_unicorn.tui.kit.paint import COMPONENTS
from solo_unicorn.tui.kit.wrapping import wrap_parts

from ..conftest import ROOT, until


def text_of(line: list[tuple[str, str]]) -> str:
    """A line as plain text."""
    return "".join(text for text, _ in line)


def test_what_follows_the_indent_hangs_below_itself() -> None:
    lines = wrap_parts([("M-1  ", "strong"), ("one two three four five six", "")], 16, indent=5)
    assert [text_of(line) for line in lines] == ["M-1  one two", "     three four", "     five six"]
    assert lines[0][0] == ("M-1  ", "strong")


def test_line_ends_make_lines() -> None:
    assert [text_of(line) for line in wrap_parts([("a\nb", ""), ("c", "key")], 20)] == ["a", "bc"]


@given(
    parts=st.lists(st.tuples(st.text(max_size=30), st.sampled_from(["", "faint", "key"])), max_size=5),
    width=st.integers(4, 60),
    indent=st.integers(0, 20),
)
def test_no_line_is_wider_and_no_word_is_lost(parts: list[tuple[str, str]], width: int, indent: int) -> None:
    lines = wrap_parts(parts, width, indent)
    assert lines
    for line in lines:
        assert cell_len(text_of(line).rstrip()) <= max(width, 4) + min(indent, 8)


class ListApp(App[None]):
    """A list alone."""

    COMPONENT_CLASSES: ClassVar[set[str]] = COMPONENTS
    CSS_PATH = str(ROOT / "tui" / "app.tcss")

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """The variables of our style sheet."""
        return {"faint": "#888888", "rule": "#444444", "number": "#aaaaaa"}

    def compose(self) -> ComposeResult:
        """The list."""
        yield Lines(cursor=True, follow=True)


async def test_the_end_is_followed_until_the_reader_goes_up() -> None:
    app = ListApp()
    async with app.run_test(size=(40, 10)) as pilot:
        lines = app.query_one(Lines)
        rows = [row(f"line {number}", key=number) for number in range(100)]
        lines.set_rows(rows)
        await until(pilot, lambda: lines.scroll_offset.y == lines.max_scroll_y == 90)
        lines.set_rows([*rows, row("one more")])
        assert lines.scroll_offset.y == 91
        await pilot.press("pageup")
        assert not lines.following
        here = lines.scroll_offset.y
        lines.set_rows([*rows, row("one more"), row("and another")])
        assert lines.scroll_offset.y == here
        await pilot.press("end")
        assert lines.cursor == 101


async def test_enter_and_a_click_choose() -> None:
    app = ListApp()
    chosen: list[object] = []
    async with app.run_test(
        size=(40, 10), message_hook=lambda m: chosen.append(m.row.key) if isinstance(m, Lines.Chosen) else None
    ) as pilot:
        lines = app.query_one(Lines)
        lines.set_rows([row(f"line {number}", key=number) for number in range(5)])
        lines.cursor = 2
        lines.focus()
        await pilot.press("enter")
        await pilot.click(Lines, offset=(3, 4))
        assert chosen[0] == 2
        assert chosen[-1] == 4
