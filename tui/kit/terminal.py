"""What we say to the terminal itself, beside what Textual paints: title, bell, desktop notification."""

from __future__ import annotations

from typing import Any

from textual.app import App


class Terminal:
    """The one place that writes escape sequences of its own."""

    def __init__(self, app: App[Any]) -> None:
        self._app = app

    def title(self, text: str) -> None:
        """Name the window or tab (OSC 0)."""
        self._write(f"\x1b]0;{_clean(text)}\x07")

    def notify(self, text: str) -> None:
        """A notice of the desktop, in the two ways that terminals know (OSC 9 and OSC 777), and the bell."""
        said = _clean(text).replace(";", ",")
        self._write(f"\x1b]9;{said}\x07\x1b]777;notify;Solo Unicorn;{said}\x07\x07")

    def bell(self) -> None:
        """The bell alone."""
        self._write("\x07")

    def _write(self, sequence: str) -> None:
        driver = self._app._driver  # no public way
        if driver is not None and not self._app.is_headless:
            driver.write(sequence)


def _clean(text: str) -> str:
    return "".join(character for character in text if character.isprintable())
