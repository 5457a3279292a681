"""A Markdown document that scrolls; Textual's Markdown is imported when the first one is shown."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.widgets import Markdown

from .keyboard.keys import binding


class Document(VerticalScroll):
    """Shows a text; shows it anew only when it differs."""

    BINDING_GROUP_TITLE = "Text"
    BINDINGS: ClassVar[list[BindingType]] = [
        binding("text.up", "up,k", "scroll_up", "up", "Scroll up", show=False),
        binding("text.down", "down,j", "scroll_down", "down", "Scroll down", show=False),
        binding("text.page_up", "pageup,ctrl+b", "page_up", "page up", "A screenful up", show=False),
        binding("text.page_down", "pagedown,ctrl+f", "page_down", "page down", "A screenful down", show=False),
        binding("text.top", "home,g", "scroll_home", "top", "To the beginning", show=False),
        binding("text.bottom", "end,G", "scroll_end", "bottom", "To the end", show=False),
    ]

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._text: str | None = None
        self._wanted = ""

    def compose(self) -> ComposeResult:
        yield Markdown(open_links=False)

    async def on_mount(self) -> None:
        """Show what was asked for before the widget was there."""
        await self.show(self._wanted)

    async def show(self, text: str) -> None:
        self._wanted = text
        if self.children and text != self._text:
            self._text = text
            await self.query_one(Markdown).update(text)
