"""Textual's driver for browsers, with the keyboard from the beginning: there is no click to wait for."""

from __future__ import annotations

from textual import events
from textual.drivers.web_driver import WebDriver


class FocusedWebDriver(WebDriver):
    """The one it stands on begins without focus; the page says when it loses it."""

    def start_application_mode(self) -> None:
        """Begin to read what the browser sends."""
        super().start_application_mode()
        self._app.call_later(self._app.post_message, events.AppFocus())
