"""The letters of jump mode, above the screen below."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from textual.app import ComposeResult
from textual.events import Key, MouseDown
from textual.screen import Screen
from textual.widgets import Static

from ..keyboard.jump import Jumpable, Target, labelled
from ..keyboard.keys import binding
from ..leaving import Sheet


class JumpScreen(Sheet[None]):
    """One key goes there; any other goes nowhere."""

    DEFAULT_CSS = """
    JumpScreen > Static {
        position: absolute; width: auto; height: 1; padding: 0 1;
        background: $warning; color: $background; text-style: bold;
    }
    JumpScreen:ansi > Static { background: ansi_default; color: ansi_default; text-style: reverse bold; }
    """
    BINDING_GROUP_TITLE = "Jump"
    BINDINGS = [  # noqa: RUF012
        binding("jump.cancel", "escape", "dismiss", "cancel", "Stay where you are")
    ]

    def __init__(self, found: Sequence[Target]) -> None:
        super().__init__()
        self.places = dict(labelled(found))

    def compose(self) -> ComposeResult:
        """A letter on each."""
        for label, target in self.places.items():
            letter = Static(label, markup=False)
            letter.styles.offset = (target.x, target.y)
            yield letter

    def on_key(self, event: Key) -> None:
        event.stop()
        target = self.places.get(event.character or "")
        self.dismiss(None)
        if target is not None:
            self.app.call_later(target.go)

    def on_mouse_down(self, event: MouseDown) -> None:
        """The mouse goes where it wants."""
        self.dismiss(None)


def targets(screen: Screen[Any]) -> list[Target]:
    """Everything on a screen that can be gone to: places within its widgets, else the widgets that take the focus."""
    found: list[Target] = []
    for widget in screen.query("*"):
        if not widget.display or not widget.region or not screen.region.overlaps(widget.region):
            continue
        if isinstance(widget, Jumpable):
            found += widget.jump_targets()
        elif widget.focusable and not any(isinstance(one, Jumpable) for one in widget.ancestors):
            found.append(Target(widget.region.x, widget.region.y, widget.focus))
    return found
