"""One short answer: the name of a filter, for instance."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from ..keys import binding


class AskScreen(ModalScreen[str | None]):
    """Gives what was written, or None."""

    CSS_PATH = "small_sheet.tcss"
    BINDING_GROUP_TITLE = "Question"
    BINDINGS = [  # noqa: RUF012
        binding("ask.cancel", "escape", "dismiss", "cancel", "Away without an answer"),
    ]

    def __init__(self, heading: str, *, why: str = "", text: str = "", placeholder: str = "") -> None:
        super().__init__(classes="sheet small")
        self.heading, self.why, self.text, self.placeholder = heading, why, text, placeholder

    def compose(self) -> ComposeResult:
        """What it is about, and a line for the answer."""
        with Vertical(classes="box") as box:
            box.border_title = self.heading
            if self.why:
                yield Static(self.why, classes="hint", markup=False)
            yield Input(self.text, placeholder=self.placeholder, max_length=200, compact=True)

    @on(Input.Submitted)
    def _answered(self, event: Input.Submitted) -> None:
        event.stop()
        self.dismiss(event.value.strip() or None)
