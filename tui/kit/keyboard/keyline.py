"""The last line: the keys that matter here, built from the bindings in force; a click does what the key does."""

from __future__ import annotations

from typing import Final

from textual.dom import DOMNode
from textual.events import Click
from textual.screen import Screen
from textual.strip import Strip

from ..marks import UNICODE, Marks
from ..paint import Drawn
from .key_row import Key, Places, key_row
from .keys import entries

WORDS: Final = {"board.move_left": "move"}
"""What the line says where one word stands for several keys."""
FIRST: Final = ("mission.approve", "mission.reject")
"""Bindings whose keys stand before all others: the verdict is what a review is for."""


class KeyLine(Drawn):
    """One line, drawn; it follows the focus."""

    ALLOW_SELECT = False

    def __init__(self, marks: Marks = UNICODE) -> None:
        super().__init__()
        self.marks = marks
        self.keys: list[Key] = []
        self._owners: list[DOMNode] = []
        """The node that each key belongs to."""
        self._places: Places = []
        self.pending = ""
        """What was typed and waits for the key that acts."""

    def on_mount(self) -> None:
        """Follow the bindings of the screen."""
        self.screen.bindings_updated_signal.subscribe(self, self._follow)
        self._follow(self.screen)

    def _follow(self, screen: Screen[object]) -> None:
        keys: list[Key] = []
        nodes: list[DOMNode] = []
        for entry in sorted(entries(screen), key=lambda entry: entry.binding.id not in FIRST):
            if entry.binding.show and entry.enabled:
                shown = entry.binding.key_display or entry.keys[0]
                word = WORDS.get(entry.binding.id or "", entry.binding.description)
                keys.append(Key(shown, word, entry.binding.action))
                nodes.append(entry.node)
        keys.append(Key("ctrl+p", "everything", "app.command_palette"))
        self._owners = [*nodes, self]
        if keys != self.keys:
            self.keys = keys
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """The keys that fit; help and palette always do."""
        width = self.size.width - len(self.pending) - 2 if self.pending else self.size.width
        row, self._places = key_row(self.keys, max(1, width), self.marks)
        return self.strip([*row, (f" {self.pending} ", "active", "")] if self.pending else row)

    def say_pending(self, pending: str) -> None:
        """Show what was typed and waits for the key that acts, such as a number."""
        if pending != self.pending:
            self.pending = pending
            self.refresh()

    async def on_click(self, event: Click) -> None:
        """Do what the key does."""
        for start, end, index in self._places:
            if start <= event.x < end:
                await self.app.run_action(self.keys[index].action, default_namespace=self._owners[index])
                return
