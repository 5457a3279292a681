"""Text of any script: the same width in every terminal, keys of other layouts, what is pasted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len, get_character_cell_size
from textual.events import Paste
from textual.widgets import Input, TextArea

from solo_unicorn.missions.rules.creating import MissionDraft
from solo_unicorn.tui.kit.keyboard.layouts import LAYOUTS, TWINS, twin
from solo_unicorn.tui.kit.keyboard.pasting import pasted
from solo_unicorn.tui.kit.same_cells import same_cells
from solo_unicorn.tui.mission.form import MissionForm
from solo_unicorn.workspace import operations

from ..conftest import Story, ready, screen_text, text, until


def each_by_itself(text: str) -> int:
    """Cells in a terminal that knows of no characters made of several, such as tmux."""
    return sum(map(get_character_cell_size, text))


@pytest.mark.parametrize(
    ("said", "painted"),
    [
        ("⚠️ warning ❤️ heart", "⚠  warning ❤  heart"),
        ("👩‍💻 onboarding", "👩 onboarding"),
        ("🏳️‍🌈 theme", "🏳  theme"),
        ("👍🏽 ok", "👍 ok"),
        ("می‌خواهم", "می‌خواهم"),
        ("क्‍ष हिन्दी   │", "क्ष हिन्दी  │"),
        ("é e\u0301 漢字", "é e\u0301 漢字"),
    ],
)
def test_what_terminals_disagree_on_is_painted_as_all_draw_it(said: str, painted: str) -> None:
    assert same_cells([said]) == [painted]


@given(
    st.lists(st.text(st.sampled_from("a é漢字\u200d\ufe0f⚠❤👩💻🏽क्षहم‌ی\u0301 "), max_size=12), min_size=1, max_size=5)
)
def test_a_line_keeps_its_width(texts: list[str]) -> None:
    """Counted as Textual does, and as a terminal does that takes each character by itself."""
    width = sum(map(cell_len, texts))
    painted = same_cells([*texts, "    " * 12])
    assert sum(map(cell_len, painted)) == sum(map(each_by_itself, painted)) == width + 48


async def test_borders_stand_in_one_column_whatever_the_titles(story: Story) -> None:
    for title in ("⚠️ warning ❤️ heart", "क्‍ष हिन्दी", "👩‍💻 onboarding", "می‌خواهم صفحه را درست کنم"):
        story.workspace.write(operations.missions.create, story.project, MissionDraft(title=title, priority=5))
    app = story.app()
    async with app.run_test(size=(160, 45)) as pilot:
        board = await ready(pilot)
        column = board.columns["todo"].region
        rows = screen_text(app).splitlines()[column.y : column.bottom]
        assert any("warning" in row for row in rows) and any("صفحه" in row for row in rows)
        for row in rows:
            assert each_by_itself(row[: row.index("│", 2 if row.startswith("│") else 0)]) >= 0
            ends = [at for at, letter in enumerate(row) if letter in "│┃"]
            assert column.right - 1 in {each_by_itself(row[:end]) for end in ends}, row


def test_layouts_do_not_contradict_latin_keys() -> None:
    assert all(not letter.isascii() for letter in TWINS)
    for name, rows in LAYOUTS.items():
        assert [len(row) for row in rows] == [12, 11, 10], name
    assert [twin(letter) for letter in "тТνΣמن"] == ["n", "N", "n", "S", "n", "k"]
    assert twin("n") is None and twin("é") is None


async def test_keys_work_in_another_layout_and_text_stays_what_it_is(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        board = await ready(pilot)
        await pilot.press("о")  # j
        assert board.cursor.place == 1
        await pilot.press("т")  # n
        await until(pilot, lambda: isinstance(pilot.app.screen, MissionForm))
        title = pilot.app.screen.query_one("#title", Input)
        await until(pilot, lambda: title.has_focus)
        await pilot.press(*"тест")
        assert title.value == "тест"


async def test_a_key_of_no_known_layout_is_told_once(story: Story) -> None:
    async with story.app().run_test(size=(160, 45), notifications=True) as pilot:
        await ready(pilot)
        await pilot.press("ლ", "ñ", "ø")
        assert [one.title for one in pilot.app._notifications] == ["Another keyboard layout"]
        assert "No command here has the key ñ" in text(pilot)


@pytest.mark.parametrize(
    ("clip", "line", "lines"),
    [
        ("plain", "plain", "plain"),
        ("bad\x1b[31mred\x1b[0m", "badred", "badred"),
        ("\x1b]0;title\x07here", "here", "here"),
        ("a\tb\r\nc\n", "a b c", "a\tb\nc\n"),
        ("bell\x07 null\x00 c1\x9b", "bell  null  c1 ", "bell  null  c1 "),
        ("👩‍💻 می‌خواهم", "👩‍💻 می‌خواهم", "👩‍💻 می‌خواهم"),
    ],
)
async def test_what_is_pasted_is_taken_without_what_a_terminal_obeys(clip: str, line: str, lines: str) -> None:
    assert pasted(clip, in_a_line=True) == line
    assert pasted(clip, in_a_line=False) == lines


async def test_a_pasted_title_is_on_one_line_and_can_be_saved(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        await ready(pilot)
        await pilot.press("n")
        await until(pilot, lambda: isinstance(pilot.app.screen, MissionForm) and pilot.app.screen.data is not None)
        pilot.app.post_message(Paste("Retry\x1b[1m payments\n\tthree times\n"))
        title = pilot.app.screen.query_one("#title", Input)
        await until(pilot, lambda: title.value == "Retry payments three times")
        pilot.app.screen.query_one("#description", TextArea).focus()
        pilot.app.post_message(Paste("one\r\ntwo\x07"))
        await until(pilot, lambda: pilot.app.screen.query_one("#description", TextArea).text == "one\ntwo ")
        await pilot.press("ctrl+s")
        await until(pilot, lambda: "Retry payments three times" in story.titles("todo"))


@pytest.mark.parametrize("keys", [["n"], ["comma"], ["M"], ["m"], ["question_mark"], ["slash"], ["ctrl+p"], ["w"]])
async def test_plain_marks_leave_no_frame_bar_or_arrow_beyond_ascii(
    story: Story, monkeypatch: pytest.MonkeyPatch, keys: list[str]
) -> None:
    monkeypatch.setenv("SOLO_UNICORN_MARKS", "plain")
    app = story.app()
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await ready(pilot)
        await pilot.press(*keys)
        await until(pilot, lambda: app.screen_stack[1:] or app.screen.query("#filter-line"))
        app.notify("Moved", title="Card")
        await until(pilot, lambda: "Moved" in screen_text(app))
        assert {letter for letter in screen_text(app) if not letter.isascii()} <= {"—", "·"}
