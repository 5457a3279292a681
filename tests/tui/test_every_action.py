"""Every action of every screen beside the board, by key and by mouse; a binding that no room enables fails here."""

from __future__ import annotations

import inspect
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from textual.binding import Binding
from textual.dom import DOMNode
from textual.widgets import Input, TextArea

from solo_unicorn import tui
from solo_unicorn.tui.kit.keyboard.keyline import KeyLine
from solo_unicorn.tui.palette import Entries
from solo_unicorn.workspace.workspace import Workspace

from .conftest import Story, Told
from .rooms import ROOMS, Open, quiet

__all__ = ["quiet"]
pytestmark = pytest.mark.slow

BOARD = (
    *("board.", "app.", "form.", "help.", "list.", "text.", "jump.", "filter", "preview."),
    *("shortcuts.", "keys.", "ask.", "choose.", "quick.", "picker."),
)
"""Prefixes of what belongs to the board and to every list; their own tests press them."""


def declared() -> dict[str, str]:
    """Every binding id of the screens and panes beside the board, with the class that declares it."""
    found: dict[str, str] = {}
    root = Path(inspect.getfile(tui)).parent
    for file in (file for file in root.rglob("*.py") if file.parent.name != "web"):
        name = ".".join(file.relative_to(root).with_suffix("").parts)
        module = import_module(f"solo_unicorn.tui.{name}")
        for one in vars(module).values():
            if inspect.isclass(one) and issubclass(one, DOMNode) and one.__module__ == module.__name__:
                for bound in one.__dict__.get("BINDINGS", ()):
                    if isinstance(bound, Binding) and bound.id and not bound.id.startswith(BOARD):
                        found[bound.id] = one.__name__
    return found


SEEN: dict[str, set[str]] = {}
"""What each room enabled, filled by the test below when it runs first in this process."""


async def pressed_and_clicked(story: Story, name: str) -> set[str]:
    """Press and click everything that a room enables; returns the ids. Nothing is carried out."""
    app = story.app()
    async with app.run_test(size=(400, 45)) as pilot:
        await ROOMS[name](pilot, story)
        for _ in range(3):
            await pilot.pause()
        done: list[tuple[str, Any]] = []

        async def run_action(action: Any, default_namespace: Any = None, *more: Any) -> bool:
            target, word, given = app._parse_action(action, default_namespace or app)
            if not target.check_action(word, given):  # the same key may mean another thing further out
                return False
            done.append((str(action), default_namespace))
            return True

        active = {key: one for key, one in app.screen.active_bindings.items() if one.enabled and one.binding.id}
        mine = {key: one for key, one in active.items() if not (one.binding.id or "").startswith(BOARD)}
        app.run_action = run_action  # type: ignore[method-assign, assignment]
        typing = isinstance(app.focused, Input | TextArea)
        for key, one in mine.items():
            if typing and len(key) == 1:
                continue
            done.clear()
            await pilot.press(key)
            assert (one.binding.action, one.node) in done, f"{key} does not reach {one.binding.id} in {name}"
        lines = app.screen.query(KeyLine)
        offered = {title for title, _, _ in Entries(app.screen)._commands()}
        for one in {found.binding.id: found for found in mine.values()}.values():
            place = next((at for at in lines.first()._places if at[2] == one.binding.action), None) if lines else None
            if place is not None:
                done.clear()
                await pilot.click(lines.first(), offset=(place[0] + 1, 0))
                assert any(action == one.binding.action for action, _ in done), f"a click on {one.binding.id} in {name}"
            else:
                words = one.binding.description
                buttons = {str(button.label).lower() for button in app.screen.query("Button").results()}  # type: ignore[attr-defined]
                by_button = any(word in label for label in buttons for word in (words, words.split()[0]))
                assert any(title.startswith(words) for title in offered) or by_button, f"no mouse for {one.binding.id}"
        return {str(one.binding.id) for one in mine.values()}


@pytest.mark.parametrize("name", ROOMS)
async def test_by_key_and_by_mouse(story: Story, quiet: None, name: str) -> None:
    SEEN[name] = await pressed_and_clicked(story, name)
    assert SEEN[name]


async def test_no_binding_is_without_a_test(story: Story, quiet: None, told: Told, tmp_path: Path) -> None:
    """Each binding that a class declares is enabled, pressed and clicked in some room."""
    seen: set[str] = set().union(*SEEN.values()) if SEEN else set()
    missing = {name: owner for name, owner in declared().items() if name not in seen}
    for name, open_room in ROOMS.items():
        if not missing:
            break
        if name in SEEN:
            continue
        path = told.copy(tmp_path / name)
        with Workspace.open(path) as workspace:  # another worker had this room: only look what it enables
            await enabled(Story(path, told.project, story.now, workspace, story.commands), open_room, missing)
    assert missing.keys() <= {"gallery.decline"}, "an invitation: tests/tui/hub/test_gallery.py presses it"


async def enabled(story: Story, open_room: Open, missing: dict[str, str]) -> None:
    """Take out of `missing` what a room enables."""
    app = story.app()
    async with app.run_test(size=(160, 45)) as pilot:
        await open_room(pilot, story)
        for _ in range(3):
            await pilot.pause()
        for one in app.screen.active_bindings.values():
            if one.enabled:
                missing.pop(one.binding.id or "", None)
