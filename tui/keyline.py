"""The last line: the keys that matter here, built from the bindings in force; a click does what the key does."""

from __future__ import annotations

from typing import Final

from rich.cells import cell_len
from textual.events import Click
from textual.screen import Screen
from textual.strip import Strip

from .card import Line
from .keys import entries
from .marks import UNICODE, Marks
from .paint import Drawn

WORDS: Final = {"board.move_left": "move"}
"""What the line says where one word stands for several keys."""
SHORT: Final = {"ctrl+p": "^p", "space": "␣"}
NARROW: Final = 60
Key = tuple[str, str, str, object]
"""Key, word, action and the node that it belongs to."""


class KeyLine(Drawn):
    """One line, drawn; it follows the focus."""

    ALLOW_SELECT = False

    def __init__(self, marks: Marks = UNICODE) -> None:
        super().__init__()
        self.marks = marks
        self._keys: list[Key] = []
        self._places: list[tuple[int, int, str, object]] = []

    def on_mount(self) -> None:
        """Follow the bindings of the screen."""
        self.screen.bindings_updated_signal.subscribe(self, self._follow)
        self._follow(self.screen)

    def _follow(self, screen: Screen[object]) -> None:
        keys: list[Key] = []
        for entry in entries(screen):
            if entry.binding.show and entry.enabled:
                shown = entry.binding.key_display or entry.keys[0]
                word = WORDS.get(entry.binding.id or "", entry.binding.description)
                keys.append((shown, word, entry.binding.action, entry.node))
        keys.append(("ctrl+p", "everything", "app.command_palette", self))
        if keys != self._keys:
            self._keys = keys
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """The keys that fit; help and palette always do."""
        width = self.size.width
        keys = (
            self._keys
            if width >= NARROW
            else [(SHORT.get(key, key), word, act, node) for key, word, act, node in self._keys]
        )
        last = [entry for entry in keys if entry[2] in ("app.command_palette", "help")]
        first = [entry for entry in keys if entry not in last]
        shown = [*first, *last]
        while first and sum(_width(entry) for entry in shown) > width:
            first.pop()
            shown = [*first, *last]
        line: Line = []
        self._places = []
        at = 0
        for key, word, action, node in shown:
            room = _width((key, word, action, node))
            line += [(" ", ""), (key, "key"), (f" {word} ", "faint")]
            self._places.append((at, at + room, action, node))
            at += room
        return self.draw(line, width, ellipsis=self.marks.ellipsis)

    async def on_click(self, event: Click) -> None:
        """Do what the key does."""
        for start, end, action, node in self._places:
            if start <= event.x < end:
                await self.app.run_action(action, default_namespace=node)  # type: ignore[arg-type]
                return


def _width(entry: Key) -> int:
    return cell_len(entry[0]) + cell_len(entry[1]) + 3
