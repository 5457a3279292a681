"""Textual's own driver, which takes the terminal over from the first frame instead of clearing it."""

from __future__ import annotations

from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver

from .early_screen import EarlyScreen

ALTERNATE_SCREEN = "\x1b[?1049h"


def driver_after(early: EarlyScreen) -> type[Driver]:
    """The driver of an application whose first frame stands already."""

    class TakingOver(LinuxDriver):
        """Enters the alternate screen when it is not entered yet, and leaves the terminal as it was before all."""

        def write(self, data: str) -> None:
            """Entering the alternate screen again would clear what stands on it."""
            if not (early.stands and data == ALTERNATE_SCREEN):
                super().write(data)

        def start_application_mode(self) -> None:
            """Begin to read keys; those typed meanwhile come first."""
            super().start_application_mode()  # type: ignore[no-untyped-call]
            if early.stands and (before := early.take_over()) is not None:
                self.attrs_before = before

    return TakingOver
