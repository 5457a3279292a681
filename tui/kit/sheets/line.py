"""A sheet for one line: a name, a number, a path."""

from __future__ import annotations

from textual import getters, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Button, Input, Static

from ..application import Application
from ..keyboard.keyline import KeyLine
from ..keyboard.keys import binding
from ..leaving import Sheet


class LineScreen(Sheet[str | None]):
    """Gives the line, stripped (it may be empty), or None when the person went away."""

    CSS_PATH = "line.tcss"
    BINDING_GROUP_TITLE = "Line"
    BINDINGS = [  # noqa: RUF012
        binding("line.keep", "ctrl+s", "keep", "keep", "Save; so does enter", priority=True),
        binding("line.cancel", "escape", "dismiss", "cancel", "Cancel", priority=True),
    ]
    app = getters.app(Application)

    def __init__(self, heading: str, *, text: str = "", about: str = "", number: bool = False) -> None:
        super().__init__(classes="sheet")
        self.heading, self.text, self.about, self.number = heading, text, about, number

    def compose(self) -> ComposeResult:
        """Heading, line, the way out."""
        with Vertical(classes="box") as box:
            box.border_title = self.heading
            if self.about:
                yield Static(self.about, classes="hint", markup=False)
            yield Input(self.text, type="integer" if self.number else "text", max_length=2000)
            with Horizontal():
                yield Button("Keep  (enter)", variant="primary", id="keep", compact=True)
                yield Button("Cancel  (esc)", id="cancel", compact=True)
        yield KeyLine(self.app.marks)

    def action_keep(self) -> None:
        self.dismiss(self.query_one(Input).value.strip())

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_keep()

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        if event.button.id == "keep":
            self.action_keep()
        else:
            self.dismiss(None)
