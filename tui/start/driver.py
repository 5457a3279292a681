"""Textual's own driver, which takes the terminal over from the first frame instead of clearing it, and gives it back
when the program is told to end.
"""

from __future__ import annotations

import asyncio
import os
import select
import signal
from codecs import getincrementaldecoder
from functools import partial
from typing import TYPE_CHECKING, Final

from textual._xterm_parser import XTermParser
from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver
from textual.events import Resize
from textual.geometry import Size

from ..kit.colours.background import ASK, Answers

if TYPE_CHECKING:
    from .early_screen import EarlyScreen

ALTERNATE_SCREEN: Final = "\x1b[?1049h"
TICK: Final = 0.1
"""Seconds after which a lone escape is a key, at most."""


def driver_after(early: EarlyScreen | None, *, ask_background: bool = False) -> type[Driver]:
    """The driver of an application, whose first frame may stand already.

    `ask_background`: ask the terminal whether its background is light, and tell `background_is` of the application.
    """

    class TakingOver(LinuxDriver):
        """Enters the alternate screen when it is not entered yet, and leaves the terminal as it was before all."""

        def write(self, data: str) -> None:
            """Entering the alternate screen again would clear what stands on it."""
            if not (early and early.stands and data == ALTERNATE_SCREEN):
                super().write(data)

        def start_application_mode(self) -> None:
            """Begin to read keys; those typed meanwhile come first."""
            size = self._get_terminal_size()
            super().start_application_mode()  # type: ignore[no-untyped-call]
            if early and early.stands and (before := early.take_over()) is not None:
                self.attrs_before = before
            end = partial(self._app.exit, return_code=128 + signal.SIGTERM)
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, end)
            asyncio.get_running_loop().add_signal_handler(signal.SIGWINCH, self._measure)
            if self._get_terminal_size() != size:
                self._measure()
            if ask_background:
                self.write(ASK)

        def run_input_thread(self) -> None:
            """As Textual's own, with the terminal's answer taken out before it would be understood as keys."""
            answers = Answers(partial(self._loop.call_soon_threadsafe, self._app.background_is))  # type: ignore[attr-defined]
            parser = XTermParser(self._debug)
            decode = getincrementaldecoder("utf-8")("replace").decode
            while not self.exit_event.is_set():
                if select.select([self.fileno], [], [], TICK)[0]:
                    typed = decode(os.read(self.fileno, 4096))
                    if not typed:  # the terminal is gone (hangup.py), or half a character came
                        self.exit_event.wait(TICK)
                    for message in parser.feed(answers.take_out(typed) if ask_background else typed):
                        self.process_message(message)
                for message in parser.tick():
                    self.process_message(message)

        def _measure(self) -> None:
            """Tell the size of now. Textual's own handler can interrupt itself, and then tells an old one last."""
            if not self._in_band_window_resize:
                size = Size(*self._get_terminal_size())
                self._app.post_message(Resize(size, size))

        def close(self) -> None:
            """The terminal is given back: being told to end ends the program at once again."""
            asyncio.get_running_loop().remove_signal_handler(signal.SIGTERM)
            super().close()

    return TakingOver
