"""Textual's command palette, held to what any key may do to it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from textual.await_complete import AwaitComplete
from textual.command import CommandPalette
from textual.theme import ThemeProvider
from textual.worker import Worker

from .application import Application


class Themes(ThemeProvider):
    """The themes by name; the chosen one is kept in the settings."""

    @property
    def commands(self) -> list[tuple[str, Callable[[], None]]]:
        """Each name with what it does."""
        app = self.app
        assert isinstance(app, Application)
        return [(name, partial(_choose, app, name)) for name in sorted(app.available_themes)]


def _choose(app: Application, name: str) -> None:
    app.choose_theme(name)


class Palette(CommandPalette):
    """Closes once, however fast keys arrive."""

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
