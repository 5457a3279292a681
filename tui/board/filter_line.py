"""The line where a filter is written, and above it what may come next or what is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.strip import Strip
from textual.widgets import Input

from ...missions.filters.query import EXAMPLE, QueryError, compile_query
from ...missions.filters.words import Vocabulary, completed, completions
from ..kit.drawing import Line
from ..kit.keyboard.keys import binding
from ..kit.marks import UNICODE, Marks
from ..kit.paint import Drawn


class Hint(Drawn):
    """One line: completions with the one that tab takes, or the fault of what is written."""

    def __init__(self, marks: Marks = UNICODE) -> None:
        super().__init__()
        self.marks = marks
        self.line: Line = []

    def say(self, line: Line) -> None:
        if line != self.line:
            self.line = line
            self.refresh()

    def render_line(self, y: int) -> Strip:
        return self.draw([(" ", ""), *self.line], self.size.width, ellipsis=self.marks.ellipsis)


class FilterLine(Vertical):
    """Posts `Changed` as it is written, `Kept` on enter, `SaveWished` to keep it under a name."""

    BINDING_GROUP_TITLE = "Filter"
    BINDINGS: ClassVar[list[BindingType]] = [
        binding(
            "filter.complete",
            "tab,down",
            "complete(1)",
            "complete",
            "Insert the first suggestion; press again for the next",
        ),
        binding(
            "filter.back", "shift+tab,up", "complete(-1)", "previous one", "Insert the previous suggestion", show=False
        ),
        binding("filter.save", "ctrl+s", "save", "save", "Save the filter under a name, to use it as @name"),
    ]

    @dataclass
    class Changed(Message):
        text: str

    @dataclass
    class Kept(Message):
        """The filter is complete."""

    @dataclass
    class SaveWished(Message):
        """The person wants to save the filter under a name."""

        text: str

    def __init__(self, text: str, known: Vocabulary, saved: dict[str, str], marks: Marks = UNICODE) -> None:
        super().__init__(id="filter-line", classes="below")
        self.known, self.saved, self.marks = known, saved, marks
        self.hint = Hint(marks)
        self.entry = Input(text, placeholder=EXAMPLE, id="filter")
        self._offered: Sequence[str] = ()
        self._taken = -1
        self._base = (text, len(text))
        """Text and cursor before a completion was taken."""

    def compose(self) -> ComposeResult:
        """Hint above, entry below."""
        yield self.hint
        yield self.entry

    def on_mount(self) -> None:
        self.entry.focus()
        self._look()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter as it is written."""
        event.stop()
        if self._taken < 0 or event.value != self._with(self._taken)[0]:
            self._taken = -1
        self._look()
        self.post_message(self.Changed(event.value.strip()))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(self.Kept())

    def action_complete(self, step: int) -> None:
        """Complete with the next of the words offered."""
        if len(self._offered) == 1 and self._taken == 0:  # taken: on to what may follow it
            self._taken = -1
            self._look()
        if not self._offered:
            return
        self._taken = (self._taken + step) % len(self._offered) if self._taken >= 0 or step > 0 else -1
        text, cursor = self._with(self._taken)
        self.entry.value = text
        self.entry.cursor_position = cursor
        self._look()

    def action_save(self) -> None:
        """Ask the screen to save the filter under a name."""
        self.post_message(self.SaveWished(self.entry.value.strip()))

    def _with(self, place: int) -> tuple[str, int]:
        return completed(*self._base, self._offered[place])

    def _look(self) -> None:
        """What may come next, else what is wrong."""
        text, cursor = self.entry.value, self.entry.cursor_position
        if self._taken < 0:
            self._base = (text, cursor)
            self._offered = completions(text, cursor, self.known)
        line: Line = [("tab ", "key")]
        for place, word in enumerate(self._offered):
            line += [(word, "active" if place == self._taken else "faint"), ("  ", "")]
        try:
            compile_query(text, self.saved)
        except QueryError as error:
            if not self._offered or text[cursor - 1 : cursor].isspace():
                line = [(f"{self.marks.attention} {error.what}", "bad"), (f"  {error.todo}", "faint")]
        self.hint.say(line if self._offered or len(line) > 1 else [("enter keeps it, escape clears it", "faint")])
