"""What every key does on the screen below, from the bindings in force."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

from textual import getters, on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import Screen
from textual.widgets import Input

from ..application import Application
from ..keyboard.keyline import KeyLine
from ..keyboard.keys import KeyEntry, binding, entries
from ..leaving import Sheet
from ..lines import Lines, Row, row

KEYS, KEYS_NARROW = 14, 9

LEGEND = (
    ("running", "running"),
    ("unasked", "its agent asks for no permissions, or cannot be made to follow the project's rules"),
    ("waits", "waits for you"),
    ("ready", "ready"),
    ("blocked", "blocked"),
    ("attention", "needs attention"),
    ("parked", "parked by a usage limit"),
    ("retry", "failed, will be retried"),
    ("branch", "pull request, landing"),
)


@runtime_checkable
class MoreHelp(Protocol):
    """A screen that has more to explain than its keys: titles with a line of text each."""

    MORE_HELP: Sequence[tuple[str, str]]


class HelpScreen(Sheet[None]):
    """Keys, words and marks."""

    CSS_PATH = "help.tcss"
    BINDINGS = [  # noqa: RUF012
        binding("help.close", "escape,question_mark,q", "close", "close", "Leave the search, then the screen"),
        binding("help.search", "slash", "search", "search", "Search the keys", label="/"),
    ]

    BINDING_GROUP_TITLE = "Help"
    app = getters.app(Application)

    def __init__(self, below: Screen[Any]) -> None:
        super().__init__(classes="sheet")
        self.below = below

    def compose(self) -> ComposeResult:
        with Vertical(classes="box") as box:
            box.border_title = "Keys"
            yield Input(placeholder="type words, then enter", id="words")
            yield Lines(self.app.marks, cursor=True, id="keys", empty="No key matches these words.")
        yield KeyLine(self.app.marks)

    def on_mount(self) -> None:
        """Show what the bindings say."""
        self.query_one(Input).display = False
        lines = self.query_one(Lines)
        lines.set_rows(self._rows())
        lines.focus()

    def action_search(self) -> None:
        """Show only what some words are about."""
        entry = self.query_one(Input)
        entry.display = True
        entry.focus()

    def action_close(self) -> None:
        """Leave the search, then the screen."""
        entry = self.query_one(Input)
        if entry.display:
            entry.clear()
            entry.display = False
            self.query_one(Lines).focus()
        else:
            self.dismiss(None)

    @on(Input.Changed)
    def _search(self, event: Input.Changed) -> None:
        self.query_one(Lines).set_rows(self._rows(event.value))

    @on(Input.Submitted)
    def _found(self) -> None:
        self.query_one(Lines).focus()

    @on(Lines.Chosen)
    def _chosen(self, event: Lines.Chosen) -> None:
        """Enter or a click does what the key does; on any other line it goes back."""
        self.dismiss(None)
        if isinstance(event.row.key, KeyEntry) and event.row.key.enabled:
            entry = event.row.key
            self.app.call_later(self.app.run_action, entry.binding.action, entry.node)

    def _rows(self, search: str = "") -> list[Row]:
        rows: list[Row] = []
        words = search.lower().split()
        group = ""
        marks, wide = self.app.marks, KEYS if self.app.size.width >= 80 else KEYS_NARROW
        for entry in entries(self.below):
            said = " ".join((*entry.keys, entry.binding.description, entry.binding.tooltip)).lower()
            if not all(word in said for word in words):
                continue
            name = getattr(entry.node, "BINDING_GROUP_TITLE", None) or "Everywhere"
            if name != group:
                rows += [*([row("")] if rows else []), row((name, "strong"))]
                group = name
            keys = " ".join(dict.fromkeys(entry.keys))
            rows.append(row((f"  {keys:<{wide}} ", "key"), entry.binding.tooltip, key=entry, indent=wide + 3))
        if words:
            return rows
        rows += [row(""), row(("Marks", "strong"))]
        rows += [
            row((f"  {getattr(marks, mark):<{wide}} ", "brand"), meaning, indent=wide + 3) for mark, meaning in LEGEND
        ]
        bars = " ".join(marks.bars)
        rows.append(row((f"  {bars:<{wide}} ", "brand"), "priority 1 to 5", indent=wide + 3))
        if isinstance(self.below, MoreHelp):
            for title, text in self.below.MORE_HELP:
                rows += [row(""), row((title, "strong")), row(f"  {text}")]
        rows += [
            row(""),
            row(("ctrl+p finds everything. Every key can be changed under [keys] in the settings.", "faint")),
        ]
        return rows
