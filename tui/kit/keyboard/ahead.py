"""Keys one after the other: what is typed while a key still opens a place, or changes a card, is for what comes of it.

Textual hands keys on as they come: those typed right behind the one that opens a form were commands of the board below.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable
from typing import Any, Final

from textual.app import App
from textual.events import Key, Paste
from textual.message_pump import MessagePump
from textual.worker import Worker

PATIENCE: Final = 2.0
"""Seconds that a key waits at most for what the one before it began."""
ALWAYS: Final = frozenset({"ctrl+q", "ctrl+z"})
"""Keys that wait for nothing."""
DOING: Final = frozenset({"default", "writes", "edits", "answers", "steps", "stops", "projects"})
"""Groups of the workers that do what a key asks for; all others read in the background."""


class TypedAhead:
    """Lets the application take the next key once the one before it is done with, or has opened its screen."""

    def __init__(self, app: App[Any]) -> None:
        self._app = app
        self._typed: deque[Key | Paste] = deque()
        self._settling: asyncio.Task[None] | None = None

    def must_wait(self, event: Key | Paste) -> bool:
        """Whether the event is kept for later."""
        if isinstance(event, Key) and event.key in ALWAYS:
            return False
        screen, focused = self._app.screen, self._app.focused
        if not screen.is_mounted or not (focused is None or focused.is_mounted):
            self.acted(screen, self._app.workers)
        if self._settling is None:
            return False
        self._typed.append(event)
        return True

    def acted(self, at: MessagePump, before: Iterable[Worker[object]]) -> None:
        """A key was handed to `at`, when the workers were these."""
        if self._settling is None:
            self._settling = asyncio.create_task(self._settle(at, frozenset(before)))

    async def close(self) -> None:
        """Nothing is taken any more."""
        self._typed.clear()
        if self._settling is not None:
            self._settling.cancel()
            await asyncio.gather(self._settling, return_exceptions=True)

    async def _settle(self, at: MessagePump, before: frozenset[Worker[object]]) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                await self._until_done(at, before)
        except TimeoutError:
            pass  # it takes long, and says so where it stands
        if not (self._typed and self._app.call_later(self._next)):
            self._settling = None

    async def _next(self) -> None:
        """Take what waited; in the application's own turn, so that no later key comes before it."""
        self._settling = None
        while self._typed and self._settling is None:
            await self._app.on_event(self._typed.popleft())

    async def _until_done(self, at: MessagePump, before: frozenset[Worker[object]]) -> None:
        app, changed = self._app, asyncio.Event()
        node: MessagePump | None = at
        while node is not None:  # the key, and what was posted because of it, go this way
            await _turn(node)
            node = node._parent
        app.screen_change_signal.subscribe(app, lambda _: changed.set(), immediate=True)
        try:
            while doing := await self._doing(before):
                opens = asyncio.ensure_future(changed.wait())
                await asyncio.wait({*doing, opens}, return_when=asyncio.FIRST_COMPLETED)
                opens.cancel()
                changed.clear()
        finally:
            app.screen_change_signal.unsubscribe(app)
        await _turn(app)  # a focus is set there

    async def _doing(self, before: frozenset[Worker[object]]) -> set[asyncio.Task[object]]:
        """What was begun since and still runs on the screen on top; what runs on one below waits for that to end."""
        screen = None
        while screen is not self._app.screen:
            screen = self._app.screen
            await screen._mounted_event.wait()
            await _turn(screen)
        return {
            worker._task
            for worker in self._app.workers
            if worker not in before
            and worker.group in DOING
            and worker._task
            and not worker._task.done()
            and worker.node.screen is screen
        }


async def _turn(node: MessagePump) -> None:
    """Until a node has gone through the messages that it has now."""
    done = asyncio.Event()
    if node.is_running and node.call_later(done.set):
        await done.wait()
