"""The terminal says whether its background is light, and is believed now and at the next start."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from solo_unicorn.config import paths
from solo_unicorn.config.settings import ScreenSettings, Settings
from solo_unicorn.tui.kit.colours.background import ASK, PIECES, Answers, keep
from solo_unicorn.tui.kit.colours.theme import DARK, LIGHT
from solo_unicorn.tui.kit.looks import BACKGROUND, own_theme

from ..conftest import Story, ready
from ..terminals import BOARD, Terminal

WHITE = "\x1b]11;rgb:ffff/ffff/ffff\x1b\\"


@pytest.mark.parametrize(
    ("pieces", "rest", "heard"),
    [
        ([WHITE], "", [True]),
        (["\x1b]11;rgb:1111/1515/1b1b\x07"], "", [False]),
        (["j" + WHITE + "k"], "jk", [True]),
        (["\x1b]11;rgb:ff/ff", "/f0\x07x"], "x", [True]),
        (["\x1b]1", "1;rgb:0/0/0\x1b", "\\x"], "x", [False]),
        (["\x1b[A", "\x1b", "q"], "\x1b[A\x1bq", []),
        (["\x1b]", "q" * 40], "\x1b]" + "q" * 40, []),
    ],
)
def test_the_answer_is_taken_out_of_what_is_typed(pieces: list[str], rest: str, heard: list[bool]) -> None:
    said: list[bool] = []
    answers = Answers(said.append)
    assert "".join(map(answers.take_out, pieces)) == rest
    assert said == heard


def test_after_a_while_no_answer_is_expected() -> None:
    answers = Answers(lambda light: pytest.fail("too late"))
    assert [answers.take_out("j") for _ in range(PIECES)] == ["j"] * PIECES
    assert answers.take_out(WHITE) == WHITE


def test_what_was_said_holds_for_the_same_kind_of_terminal() -> None:
    here, there = {"TERM": "xterm-256color"}, {"TERM": "screen", "COLORFGBG": "0;15"}
    keep(True, paths.home(), here)
    assert own_theme(here, paths.home()) == own_theme(there, paths.home()) == LIGHT.name
    keep(False, paths.home(), here)
    assert own_theme(here | {"COLORFGBG": "0;15"}, paths.home()) == DARK.name
    assert own_theme(there, paths.home()) == LIGHT.name


async def test_a_theme_that_was_chosen_stays(story: Story) -> None:
    app = story.app(settings=Settings(ui=ScreenSettings(theme=DARK.name)))
    async with app.run_test() as pilot:
        await ready(pilot)
        app.background_is(True)
        assert app.theme == DARK.name


@pytest.mark.slow
def test_a_light_terminal_gets_the_light_theme(on_terminal: Callable[[str], Terminal]) -> None:
    terminal = on_terminal(BOARD)
    terminal.listen(lambda: ASK.encode() in terminal.said)
    terminal.type(b"j" + WHITE.encode() + b"k")
    ground = LIGHT.background
    assert ground is not None
    terminal.listen(lambda: terminal.screen.buffer[30][2].bg == ground.removeprefix("#"))
    assert (paths.home() / BACKGROUND).read_text(encoding="utf-8").startswith("light ")
    terminal.type(b"\x11")
    terminal.listen(terminal.ended)
    again = on_terminal(BOARD)
    again.listen(lambda: again.screen.buffer[30][2].bg == ground.removeprefix("#"))
    assert ASK.encode() not in again.said.partition(b"Todo")[0]
    again.type(b"\x11")
    again.listen(again.ended)
