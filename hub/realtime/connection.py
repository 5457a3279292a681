"""One socket: what goes out in which order, and what becomes of a reader that is too slow.

What is offered within one turn of the loop leaves as one frame. An idle connection holds no task but its reader.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

from .envelopes import CLOSE_TOO_SLOW, frame
from .rooms import View, nudge_text

QUEUE_MESSAGES: Final = 1_000
QUEUE_CHARACTERS: Final = 1024 * 1024
"""What may wait for one reader before it is called too slow."""
FRAME_CHARACTERS: Final = 128 * 1024
UNWRITABLE_SECONDS: Final = 30.0

SendText = Callable[[str], Awaitable[None]]
Close = Callable[[int, str], Awaitable[None]]


class SocketConnection:
    """The sending side of a socket. Implements `rooms.Subscriber`."""

    def __init__(self, identifier: str, send: SendText, close: Close, abort: Callable[[], None] | None = None) -> None:
        self.identifier = identifier
        self.joined: dict[str, View] = {}
        self.ended = asyncio.Event()
        """Set when the connection is to end: its reader leaves."""
        self._send = send
        self._close = close
        self._abort = abort
        self._waiting: list[str] = []
        self._characters = 0
        self._nudges: dict[str, int] = {}
        self._sender: asyncio.Task[None] | None = None

    def offer(self, text: str, /) -> None:
        """Send soon, in order; a reader that leaves too much waiting is closed with a reason."""
        if self.ended.is_set():
            return
        self._waiting.append(text)
        self._characters += len(text)
        if len(self._waiting) > QUEUE_MESSAGES or self._characters > QUEUE_CHARACTERS:
            self.end(CLOSE_TOO_SLOW, "too slow: more than a megabyte or a thousand messages were waiting")
        else:
            self._start()

    def nudge(self, project: str, seq: int, /) -> None:
        """Tell of the newest change; an older one that still waits is left out."""
        if not self.ended.is_set():
            self._nudges[project] = max(seq, self._nudges.get(project, 0))
            self._start()

    def end(self, code: int, reason: str) -> None:
        """Close; queued messages are dropped."""
        if self.ended.is_set():
            return
        self.ended.set()
        self._waiting.clear()
        self._nudges.clear()
        sender, self._sender = self._sender, asyncio.create_task(self._finish(code, reason))
        if sender:
            sender.cancel()

    async def goodbye(self, text: str, code: int, reason: str) -> None:
        """Send one last message, then close."""
        if self.ended.is_set():
            return
        with suppress(TimeoutError, Exception):
            async with asyncio.timeout(1):
                await self._send(text)
        self.end(code, reason)

    async def closed(self) -> None:
        """Let go of the tasks of a connection whose reader has left."""
        self.ended.set()
        if self._sender:
            with suppress(TimeoutError, asyncio.CancelledError):
                await asyncio.wait_for(self._sender, 2)

    def _start(self) -> None:
        if self._sender is None or self._sender.done():
            self._sender = asyncio.create_task(self._drain())

    async def _drain(self) -> None:
        """Until nothing waits. A socket that takes nothing for half a minute is dropped."""
        while self._waiting or self._nudges:
            await asyncio.sleep(0)
            text = frame(self._taken())
            try:
                async with asyncio.timeout(UNWRITABLE_SECONDS):
                    await self._send(text)
            except TimeoutError:
                self.end(CLOSE_TOO_SLOW, "too slow: nothing was read for 30 seconds")
            except Exception:  # the socket is gone; its reader hears that by itself
                self.ended.set()
                return

    def _taken(self) -> list[str]:
        """What goes into the next frame: nudges, then messages in order up to a frame's size."""
        taken = [nudge_text(project, seq) for project, seq in self._nudges.items()]
        self._nudges.clear()
        size = count = 0
        for text in self._waiting:
            if count and size + len(text) > FRAME_CHARACTERS:
                break
            size, count = size + len(text), count + 1
        taken += self._waiting[:count]
        del self._waiting[:count]
        self._characters -= size
        return taken

    async def _finish(self, code: int, reason: str) -> None:
        """The closing handshake, or, for a socket that takes nothing, its end without one."""
        try:
            async with asyncio.timeout(2):
                await self._close(code, reason)
        except Exception:
            if self._abort:
                self._abort()
