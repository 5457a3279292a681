"""A question before something that cannot be taken back."""

from __future__ import annotations

from textual import getters, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Button, Static

from ..application import Application
from ..keyboard.keyline import KeyLine
from ..keyboard.keys import binding
from ..leaving import Sheet


class ConfirmScreen(Sheet[bool]):
    """True only when the person says so."""

    CSS_PATH = "confirm.tcss"
    BINDING_GROUP_TITLE = "Question"
    BINDINGS = [  # noqa: RUF012
        binding("confirm.yes", "y", "answer(True)", "yes", "Do it"),
        binding("confirm.no", "n,escape", "answer(False)", "no", "Leave it"),
    ]
    app = getters.app(Application)

    def __init__(self, question: str, yes: str) -> None:
        super().__init__(classes="sheet")
        self.question, self.yes = question, yes

    def compose(self) -> ComposeResult:
        """Question and two buttons."""
        with Vertical(classes="box"):
            yield Static(self.question, markup=False)
            with Horizontal():
                yield Button(f"{self.yes}  (y)", variant="warning", id="yes", compact=True)
                yield Button("No  (n)", id="no", compact=True)
        yield KeyLine(self.app.marks)

    def action_answer(self, yes: bool) -> None:
        self.dismiss(yes)

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        self.dismiss(event.button.id == "yes")
