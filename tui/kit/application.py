"""What every screen may ask of the application: operations of the workspace, settings, the clock, and child commands.

Screens and panes name this class and no other application (`app = getters.app(Application)`).
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

from rich.color import ColorSystem
from textual import work
from textual.app import App
from textual.events import Event, Key, Paste
from textual.filter import LineFilter
from textual.keys import _character_to_key
from textual.signal import Signal

from ...config.correlation import new_correlation
from ...config.settings import Settings
from ...missions.errors import SoloUnicornError, sentences
from ...workspace.thread import WorkspaceThread
from .colours.readable import InAscii, Readable
from .commands import ChildCommands, Commands
from .keyboard.ahead import TypedAhead
from .marks import PLAIN, Marks, marks_for
from .terminal import Terminal

if TYPE_CHECKING:
    from ...missions.entities import Author
    from ...workspace.change import Change
    from ...workspace.store import Connection
    from ...workspace.workspace import Workspace
    from ...workstation.client import Keeper, ServiceInfo

P = ParamSpec("P")
T = TypeVar("T")


def local_time() -> datetime:
    """Now, in the time zone of this machine."""
    return datetime.now().astimezone()


class Application(App[None]):
    """Owns the workspace thread, the settings in force and the news from other processes; has no screen of its own.

    `path`: the workspace's file, by default the one of the home. `serve`: keep the workstation service running while
    the application does. `clock` and `commands` are the seams of the tests.
    """

    def __init__(
        self,
        *,
        path: Path | None = None,
        settings: Settings | None = None,
        directory: Path | None = None,
        serve: bool = True,
        clock: Callable[[], datetime] = local_time,
        commands: Commands | None = None,
    ) -> None:
        super().__init__(ansi_color=True if os.environ.get("NO_COLOR") else None)
        self._readable = Readable(self._is_dark)
        self._filters.append(self._readable)
        self.paint_for(None if self.no_color else self.console._color_system)  # no public way
        self.workspace = WorkspaceThread(path)
        self.settings = settings or Settings()
        self.directory = directory
        self.clock = clock
        self.commands: Commands = ChildCommands() if commands is None else commands
        self.marks: Marks = marks_for(os.environ)
        if self.marks is PLAIN:
            self._filters.append(InAscii())
        self.terminal = Terminal(self)
        self.workspace_changed: Signal[None] = Signal(self, "workspace_changed")
        """News for screens: some process changed the workspace."""
        self.service: ServiceInfo | SoloUnicornError | None = None
        self.service_changed: Signal[None] = Signal(self, "service_changed")
        self._told_layout = False
        self._ahead = TypedAhead(self)
        self._serve = serve
        self._keeper: Keeper | None = None
        self.connected = False
        """Whether the workspace is open."""

    # -- start and end -------------------------------------------------------------------------------------------

    async def connect(self) -> None:
        """Open the workspace for good; called by the board once it is painted."""
        try:
            await self.workspace.open()
        except SoloUnicornError as error:
            self.complain(error)
            return
        self.connected = True
        self.workspace.on_change(lambda: self.workspace_changed.publish(None))
        self.workspace.on_lost(self._lost)
        if self._serve:
            from ...workstation.client import Keeper

            self._keeper = Keeper(self._heard).start()

    def _lost(self, error: SoloUnicornError) -> None:
        """Nothing is saved any more: say so, and go on saying it at the top of the board."""
        self.complain(error, seconds=60 * 60)
        self.service_changed.publish(None)

    async def on_unmount(self) -> None:
        """Let go of the service and the workspace, once nothing runs any more that could use them."""
        await self._ahead.close()
        if self._keeper is not None:
            self._keeper.close()
        await self._end_workers()
        if self.connected:
            await self.workspace.close()

    async def _end_workers(self) -> None:
        """Cancel all workers and wait for their ends; also those that messages started while the screens were left."""
        while self.workers:
            for worker in self.workers:
                if not worker.is_cancelled:  # a second time would end what it still has to do
                    worker.cancel()
            await asyncio.gather(*(worker.wait() for worker in self.workers), return_exceptions=True)
            await asyncio.sleep(0)  # the manager forgets a worker in a callback of its task

    def _heard(self, news: ServiceInfo | SoloUnicornError | None) -> None:
        """What the keeper says, in its own thread."""

        def tell() -> None:
            self.service = news
            self.service_changed.publish(None)

        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(tell)

    def wake_service(self) -> None:
        """Bring the service back after a person stopped it."""
        if self._keeper is not None:
            self._keeper.wake()

    def paint_for(self, depth: ColorSystem | None) -> None:
        """Paint for a terminal with so many colours; None: whatever is painted, no colour comes through."""
        self._readable.depth = depth
        self.set_class(depth is ColorSystem.EIGHT_BIT, "-256")
        self.set_class(depth is ColorSystem.STANDARD, "-16")

    def line_filters_for(self, depth: ColorSystem) -> list[LineFilter]:
        """What a terminal with so many colours gets its lines through."""
        others = [one for one in self.get_line_filters() if one is not self._readable]
        return [*others, Readable(self._is_dark, depth)]

    def _is_dark(self) -> bool:
        return self.current_theme.dark

    @work(group="theme", exclusive=True)
    async def choose_theme(self, name: str) -> None:
        """Show these colours, now and at the next start."""
        from ...config import edit

        self.theme = name
        try:
            await asyncio.to_thread(edit.set_value, "ui.theme", name)
        except SoloUnicornError as error:
            self.complain(error)

    @property
    def is_seen(self) -> bool:
        """Whether somebody can see the screen: a stopped process and a closed terminal show nothing."""
        return self._running and self._driver is not None

    # -- keys ----------------------------------------------------------------------------------------------------

    async def on_event(self, event: Event) -> None:
        """Keys of another layout do what the Latin ones on them do; what is pasted brings nothing a terminal obeys."""
        if not isinstance(event, Key | Paste) or event.is_forwarded:
            await super().on_event(event)
            return
        if self._ahead.must_wait(event):
            return
        if isinstance(event, Key):
            event = self._as_latin(event)
        else:
            from textual.widgets import Input

            from .keyboard.pasting import pasted

            event.text = pasted(event.text, in_a_line=isinstance(self.focused, Input))
        at, before = self.focused or self.screen, set(self.workers)
        await super().on_event(event)
        self._ahead.acted(at, before)

    def _as_latin(self, event: Key) -> Key:
        *held, name = event.key.split("+")
        if name.isascii() or len(name) != 1 or event.key in self.screen.active_bindings:
            return event
        from textual.widgets import Input, TextArea

        from .keyboard.layouts import twin

        if not held and isinstance(self.focused, Input | TextArea):
            return event
        latin = twin(name)
        if latin is not None:
            return Key("+".join([*held, _character_to_key(latin)]), latin if not held else None)
        if name.isalpha() and not self._told_layout:
            self._told_layout = True
            self.notify(
                f"No command here has the key {name}. Switch the keyboard to a Latin layout, or set your own keys: "
                "`[keys]` in the settings.",
                title="Another keyboard layout",
                severity="warning",
                markup=False,
            )
        return event

    # -- doing things --------------------------------------------------------------------------------------------

    async def perform(
        self, operation: Callable[Concatenate[Workspace, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T | None:
        """Run an operation of the workspace on its thread; an error is told to the person and gives None."""
        new_correlation()
        try:
            return await self.workspace.run(operation, *args, **kwargs)
        except SoloUnicornError as error:
            self.complain(error)
            return None

    async def read(
        self, query: Callable[Concatenate[Connection, P], T], /, *args: P.args, **kwargs: P.kwargs
    ) -> T | None:
        """What a query of the workspace finds; an error is told to the person and gives None."""
        return await self.perform(lambda workspace: workspace.read(query, *args, **kwargs))

    async def write(
        self, operation: Callable[Concatenate[Change, P], T], /, *args: P.args, **kwargs: P.kwargs
    ) -> T | None:
        """Change the workspace in the person's name; an error is told to the person and gives None."""
        return await self.perform(lambda workspace: workspace.write(operation, *args, **kwargs))

    async def write_as(
        self, by: Author, operation: Callable[Concatenate[Change, P], T], /, *args: P.args, **kwargs: P.kwargs
    ) -> T | None:
        """As `write`, in the name of `by`."""
        return await self.perform(lambda workspace: workspace.write_as(by, operation, *args, **kwargs))

    def complain(self, error: SoloUnicornError, *, seconds: float = 8) -> None:
        """Say what happened, why, and what to do."""
        rest = sentences(error.why, error.todo)
        self.notify(rest, title=error.what, severity="error", timeout=seconds, markup=False)

    def tell(self, sentence: str) -> None:
        """Say that something was done."""
        self.notify(sentence, timeout=3, markup=False)
