"""The agent as our child: its pipes, and its end."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

EXIT_SECONDS: Final = 5.0
CHUNK_LIMIT: Final = 1 << 20
LINE_SHOWN: Final = 1 << 12


class Program:
    """A started agent; `ended` is set when its process is gone, whoever still holds its pipes."""

    def __init__(
        self,
        command: tuple[str, ...],
        cwd: Path,
        *,
        own_group: bool,
        quiet: bool,
        complained: Callable[[str], object] = lambda _: None,
    ) -> None:
        """Raises OSError when it cannot be started.

        In a process group of its own a stop reaches it through us, after the protocol had its say; what it writes to
        its standard error goes to ours, and so to the session host's, unless it is to be `quiet`, and `complained` is
        called on the loop with each line of it.
        """
        self._popen = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL if quiet else subprocess.PIPE,
            cwd=cwd,
            process_group=0 if own_group else None,
        )
        self._own_group = own_group
        self._complained = complained
        self.reader = asyncio.StreamReader(limit=CHUNK_LIMIT)
        self.ended = asyncio.Event()
        self._input: asyncio.WriteTransport | None = None
        self._output: asyncio.ReadTransport | None = None

    async def connect(self) -> None:
        """Take up its pipes."""
        loop = asyncio.get_running_loop()
        self._output, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(self.reader), self._popen.stdout
        )
        self._input, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, self._popen.stdin)

        def wait() -> None:
            self._popen.wait()
            if not loop.is_closed():
                with suppress(RuntimeError):  # it was closed this very moment
                    loop.call_soon_threadsafe(self.ended.set)

        def pass_on() -> None:
            assert self._popen.stderr is not None
            with self._popen.stderr as lines:
                while line := lines.readline(LINE_SHOWN):  # a longer one in pieces
                    os.write(2, line)
                    with suppress(RuntimeError):  # the loop is closed
                        loop.call_soon_threadsafe(self._complained, line.decode("utf-8", "replace"))

        threading.Thread(target=wait, name="agent", daemon=True).start()
        if self._popen.stderr is not None:
            threading.Thread(target=pass_on, name="its standard error", daemon=True).start()

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._popen.returncode

    def write(self, data: bytes) -> None:
        """To its standard input, while that is open."""
        if self._input is not None and not self._input.is_closing():
            self._input.write(data)

    async def end(self) -> None:
        """Close its input and wait for it; what does not go by itself is ended."""
        if self._input is not None:
            self._input.close()
        try:
            for number in (signal.SIGTERM, signal.SIGKILL, None):
                with suppress(TimeoutError):
                    async with asyncio.timeout(EXIT_SECONDS):
                        await self.ended.wait()
                        return
                if number is not None:
                    self._signal(number)
        except asyncio.CancelledError:
            self._signal(signal.SIGKILL)
            raise
        finally:
            if self._output is not None:
                self._output.close()

    def _signal(self, number: signal.Signals) -> None:
        if self._popen.poll() is None:
            with suppress(ProcessLookupError):
                (os.killpg if self._own_group else os.kill)(self._popen.pid, number)
