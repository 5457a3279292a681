"""One visitor's board: a process of its own, fed with keys and giving back what to paint."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

from textual_serve.app_service import AppService

QUIT_SECONDS: Final = 5.0
BOARD: Final = (sys.executable, "-P", "-m", "solo_unicorn.tui.web.served")


class WebVisitor(AppService):
    """The board's process. It gets no shell and no secret of the gate, neither as an argument nor as a variable."""

    async def _open_app_process(self, width: int = 80, height: int = 24) -> Process:
        environment = self._build_environment(width=width, height=height)
        environment["TEXTUAL_DRIVER"] = "solo_unicorn.tui.web.driver:FocusedWebDriver"
        environment.pop("LINES", None)
        process = await asyncio.create_subprocess_exec(
            *BOARD, *filter(None, [self.command]), stdin=PIPE, stdout=PIPE, stderr=PIPE, env=environment
        )
        self._process, self._stdin = process, process.stdin
        return process

    lost: Callable[[], Awaitable[None]]
    """Called when the process is gone, whatever ended it."""

    async def run(self) -> None:
        """Pass on what the board paints until its process is gone."""
        await super().run()
        await self.lost()

    async def stop(self) -> None:
        """Ask the board to close; one that does not is ended."""
        try:
            await asyncio.wait_for(super().stop(), QUIT_SECONDS)
        except TimeoutError:
            process = self._process
            if process is not None and process.returncode is None:
                with suppress(ProcessLookupError):
                    process.terminate()
                await process.wait()
