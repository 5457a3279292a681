"""What every key does on the screen below, from the bindings in force."""

from __future__ import annotations

from typing import Any

from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen, Screen
from textual.widgets import Static

from ..keys import binding, entries
from ..marks import Marks

LEGEND = (
    ("running", "running"), ("waits", "waits for you"), ("ready", "ready"), ("blocked", "blocked"),
    ("attention", "needs attention"), ("parked", "parked by a limit"), ("retry", "failed, tries again"), ("branch", "pull request, landing"),
)  # fmt: skip


class HelpScreen(ModalScreen[None]):
    """Keys, words and marks; any key closes it."""

    CSS_PATH = "help.tcss"
    BINDINGS = [  # noqa: RUF012
        binding("help.close", "escape,question_mark,q,enter", "dismiss", "close", "Back to where you were"),
        binding("help.up", "up,k", "scroll(-1)", "up", "Scroll up", show=False),
        binding("help.down", "down,j", "scroll(1)", "down", "Scroll down", show=False),
    ]

    def __init__(self, below: Screen[Any]) -> None:
        super().__init__(classes="sheet")
        self.below = below

    def compose(self) -> ComposeResult:
        """One table."""
        with Vertical(classes="box"), VerticalScroll(can_focus=False):
            yield Static(self._table(), id="keys")

    def action_scroll(self, step: int) -> None:
        """Up or down."""
        self.query_one(VerticalScroll).scroll_relative(y=step * 3, animate=False)

    def _table(self) -> Content:
        parts: list[Content | str | tuple[str, str]] = []
        group = ""
        marks: Marks = getattr(self.app, "marks", Marks())
        for entry in entries(self.below):
            name = getattr(entry.node, "BINDING_GROUP_TITLE", None) or "Everywhere"
            if name != group:
                parts.append((f"{'' if not group else chr(10)}{name}\n", "bold"))
                group = name
            keys = " ".join(dict.fromkeys(entry.keys))
            parts += [(f"  {keys:<14} ", "bold $primary"), f"{entry.binding.tooltip}\n"]
        parts.append(("\nMarks\n", "bold"))
        for name, meaning in LEGEND:
            parts.append(f"  {getattr(marks, name):<14} {meaning}\n")
        parts.append(f"  {marks.bars[0]} {marks.bars[2]} {marks.bars[4]}          priority 1, 3, 5\n")
        parts.append(("\nctrl+p finds everything; every key can be changed under [keys] of the settings.", "$text-muted"))
        return Content.assemble(*parts)
