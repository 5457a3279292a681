"""Bindings: complete, unique, rebindable."""

from __future__ import annotations

from typing import Any

import pytest
from textual.binding import Binding

from solo_unicorn.config.settings import Settings
from solo_unicorn.tui.all_keys import owners
from solo_unicorn.tui.kit.keyboard.keys import clashes, key_name
from solo_unicorn.tui.mission.form import MissionForm

from ..conftest import Story, ready, until


def bindings() -> list[tuple[str, Binding]]:
    """Every binding of ours with its owner's name."""
    made: list[Any] = [(owner.__name__, bound) for owner in owners() for bound in vars(owner)["BINDINGS"]]
    return made


def test_every_binding_has_an_id_a_word_and_a_sentence() -> None:
    assert len(bindings()) > 80
    for owner, bound in bindings():
        assert isinstance(bound, Binding), owner
        assert bound.id and "." in bound.id and bound.description and bound.tooltip, (owner, bound)
        assert bound.tooltip[0].isupper(), bound


def test_ids_are_unique() -> None:
    ids = [bound.id or "" for _, bound in bindings()]
    assert sorted(set(ids)) == sorted(ids)


def test_no_two_commands_of_one_owner_share_a_key() -> None:
    for owner in owners():
        keys = [key for bound in vars(owner)["BINDINGS"] for key in bound.key.split(",")]
        assert sorted(set(keys)) == sorted(keys), owner


async def test_keys_of_the_settings_are_in_force(story: Story) -> None:
    app = story.app(settings=Settings(keys={"board.new": "insert,N"}))
    async with app.run_test(size=(160, 45)) as pilot:
        await ready(pilot)
        await pilot.press("n")
        assert not isinstance(app.screen, MissionForm)
        await pilot.press("N")
        await until(pilot, lambda: isinstance(app.screen, MissionForm))


async def test_a_clash_is_told(story: Story) -> None:
    app = story.app(settings=Settings(keys={"board.edit": "n"}))
    async with app.run_test(size=(160, 45), notifications=True) as pilot:
        await ready(pilot)
        await until(
            pilot, lambda: any("board.edit and board.new both want n" in one.message for one in app._notifications)
        )


@pytest.mark.parametrize(
    ("keymap", "said"),
    [
        ({"board.nonsense": "x"}, ["keys.board.nonsense names no command; the palette lists them"]),
        ({"board.edit": "n"}, ["keys.board.edit and board.new both want n"]),
        ({"board.new": "insert"}, []),
    ],
)
def test_what_is_wrong_with_a_keymap(keymap: dict[str, str], said: list[str]) -> None:
    known = {bound.id: bound for _, bound in bindings() if bound.id}
    assert clashes(keymap, known) == said


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("enter", "⏎"),
        ("shift+left", "⇧←"),
        ("question_mark", "?"),
        ("equals_sign", "="),
        ("H", "H"),
        ("ctrl+p", "ctrl+p"),
        ("ctrl+underscore", "ctrl+_"),
    ],
)
def test_keys_as_people_read_them(key: str, name: str) -> None:
    assert key_name(key) == name


def test_no_key_is_shown_under_a_name_that_stands_on_no_keyboard() -> None:
    shown = {key_name(key.strip()) for _, bound in bindings() for key in bound.key.split(",")}
    assert not [name for name in shown if "_" in name.removesuffix("_")]
    assert "=" in shown and "plus" not in shown and "minus" not in shown
