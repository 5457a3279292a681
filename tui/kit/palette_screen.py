"""Textual's command palette, held to what any key may do to it."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from textual.await_complete import AwaitComplete
from textual.command import CommandPalette
from textual.worker import Worker


class Palette(CommandPalette):
    """It is left once, however fast its keys come."""

    DEFAULT_CSS = "Palette { background: $background 60%; }"

    def dismiss(self, result: Any = None) -> AwaitComplete:
        """Leave it; nothing when it is left already, where Textual would take away what is below."""
        if self.app.screen is not self:
            return AwaitComplete()
        self.workers.cancel_node(self)  # a search that goes on would find its list gone
        return super().dismiss(result)

    def _gather_commands(self, search_value: str) -> Worker[None] | None:  # type: ignore[override]
        """Search; not when it is left already and a letter comes after."""
        return super()._gather_commands(search_value) if self.app.screen is self else None

    def _action_command_list(self, action: str) -> None:
        """Pages of a list that is not measured yet are no pages: Textual looks for its lines all the same."""
        with suppress(KeyError):
            super()._action_command_list(action)
