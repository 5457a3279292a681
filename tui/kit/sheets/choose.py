"""A few things to choose from, each with its own key: a list to move to, what to copy, how to see the board."""

from __future__ import annotations

from collections.abc import Sequence

from textual import getters, on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.events import Key

from ....missions.records import record
from ..application import Application
from ..keyboard.keyline import KeyLine
from ..keyboard.keys import binding
from ..leaving import Sheet
from ..lines import Lines, row


@record
class Choice:
    """One thing: the key that takes it, what it is called, more about it, and what the screen gives for it."""

    key: str
    word: str
    note: str
    value: str


class ChooseScreen(Sheet[str | None]):
    """Gives the value chosen, or None."""

    CSS_PATH = "small_sheet.tcss"
    BINDING_GROUP_TITLE = "Choice"
    BINDINGS = [  # noqa: RUF012
        binding("choose.cancel", "escape", "dismiss", "cancel", "Close without choosing")
    ]
    app = getters.app(Application)

    def __init__(self, heading: str, choices: Sequence[Choice], *, now: str | None = None) -> None:
        super().__init__(classes="sheet small")
        self.heading, self.choices, self.now = heading, choices, now

    def compose(self) -> ComposeResult:
        with Vertical(classes="box") as box:
            box.border_title = self.heading
            yield Lines(self.app.marks, cursor=True, empty="Nothing to choose from.")
        yield KeyLine(self.app.marks)

    def on_mount(self) -> None:
        lines = self.query_one(Lines)
        lines.counting = False
        wide = max((len(one.word) for one in self.choices), default=0)
        lines.styles.height = max(1, len(self.choices))
        lines.set_rows(
            [
                row(
                    (f" {one.key} ", "key"),
                    (f"{one.word:<{wide}}  ", "strong"),
                    (one.note, "faint"),
                    key=one.value,
                    wrap=False,
                )
                for one in self.choices
            ]
        )
        lines.cursor = next((at for at, one in enumerate(self.choices) if one.value == self.now), 0)
        lines.focus()

    def on_key(self, event: Key) -> None:
        """The key of a choice takes it."""
        for one in self.choices:
            if event.character == one.key:
                event.stop()
                self.dismiss(one.value)
                return

    @on(Lines.Chosen)
    def _chosen(self, event: Lines.Chosen) -> None:
        self.dismiss(str(event.row.key))
