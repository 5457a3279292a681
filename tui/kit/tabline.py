"""The tabs of a screen on one line, drawn; a click posts which one is wanted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from rich.cells import cell_len
from textual.events import Click
from textual.message import Message
from textual.strip import Strip

from ...missions.records import record
from .drawing import Line
from .keyboard.jump import Target
from .paint import Drawn


@record
class Tab:
    """A tab with what is worth knowing before opening it."""

    id: str
    name: str
    note: str = ""
    role: str = "faint"


class TabLine(Drawn):
    """Tabs at the left, a remark at the right."""

    ALLOW_SELECT = False

    @dataclass
    class Chosen(Message):
        """A tab was clicked."""

        tab: str

    def __init__(self) -> None:
        super().__init__()
        self.tabs: Sequence[Tab] = ()
        self.active = ""
        self.remark = ""
        self._places: list[tuple[int, int, str]] = []

    def show(self, tabs: Sequence[Tab], active: str, remark: str) -> None:
        """Draw anew if anything differs."""
        if (list(tabs), active, remark) != (list(self.tabs), self.active, self.remark):
            self.tabs, self.active, self.remark = tabs, active, remark
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """The line; on narrow screens the names of the other tabs are cut."""
        width = self.size.width
        texts = [(tab, f" {tab.name} ") for tab in self.tabs]
        room = sum(cell_len(text) + cell_len(tab.note) + bool(tab.note) for tab, text in texts)
        if room + 1 > width:
            texts = [(tab, f" {tab.name} " if tab.id == self.active else f" {tab.name[:3]}") for tab in self.tabs]
        line: Line = []
        at = 0
        self._places = []
        for tab, text in texts:
            note = f"{tab.note} " if tab.note and text.endswith(" ") else ""
            role = "active" if tab.id == self.active else ""
            line += [(text, role), (note, role or tab.role)]
            end = at + cell_len(text) + cell_len(note)
            self._places.append((at, end, tab.id))
            at = end
        if at + cell_len(self.remark) + 2 <= width:
            line += [(" " * (width - at - cell_len(self.remark) - 1), ""), (self.remark, "faint"), (" ", "")]
        return self.draw(line, width)

    def jump_targets(self) -> Iterator[Target]:
        for start, _, tab in self._places:
            yield Target(self.region.x + start, self.region.y, partial(self.post_message, self.Chosen(tab)))

    def on_click(self, event: Click) -> None:
        """Say which tab is wanted."""
        for start, end, tab in self._places:
            if start <= event.x < end:
                self.post_message(self.Chosen(tab))
