"""The application: owns the workspace thread, the settings in force and the news from other processes.

Screens ask it to `perform` operations of the Workspace; it says what went wrong and never shows a traceback for it.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Concatenate, ParamSpec, TypeVar

from textual.app import App, SystemCommand
from textual.binding import Binding
from textual.dom import DOMNode
from textual.screen import Screen
from textual.signal import Signal
from textual.widget import Widget

from ..config.correlation import new_correlation
from ..config.settings import Settings
from ..missions.errors import SoloUnicornError
from ..workspace.thread import WorkspaceThread
from .board.data import Snapshot
from .kit.keys import binding
from .kit.leaving import is_gone
from .kit.marks import PLAIN, Marks, marks_for
from .kit.operations import Workspace
from .kit.paint import COMPONENTS
from .kit.terminal import Terminal
from .kit.theme import DARK, LIGHT, own_variables, theme_name

if TYPE_CHECKING:
    from textual.actions import ActionParseResult
    from textual.command import Provider

    from ..workstation.client import Keeper, ServiceInfo
    from .board.screen import BoardScreen

P = ParamSpec("P")
T = TypeVar("T")


def _commands() -> type[Provider]:
    from .kit.palette import Commands

    return Commands


class SoloUnicornApp(App[None]):
    """Solo Unicorn on a terminal."""

    TITLE = "Solo Unicorn"
    COMPONENT_CLASSES: ClassVar[set[str]] = COMPONENTS
    CSS_PATH = ["app.tcss", "board/board.tcss"]  # noqa: RUF012 (Textual's own declaration)
    ENABLE_COMMAND_PALETTE = True
    COMMANDS = {_commands}  # noqa: RUF012
    BINDINGS = [  # noqa: RUF012
        binding("app.help", "question_mark,f1", "help", "keys", "What every key does here", label="?"),
        binding("app.quit", "ctrl+q", "quit", "quit", "Close the board; what runs goes on", show=False, priority=True),
        binding("app.theme", "f2", "change_theme", "theme", "Choose other colours", show=False),
        binding(
            "app.jump",
            "ctrl+o,semicolon",
            "jump",
            "jump",
            "Put a letter on everything, and go where it is typed",
            show=False,
        ),
        binding(
            "app.suspend",
            "ctrl+z",
            "suspend_process",
            "to the shell",
            "Step aside; `fg` in the shell comes back",
            show=False,
            priority=True,
        ),
    ]

    def __init__(
        self,
        opening: Callable[[], Snapshot],
        *,
        path: Path | None = None,
        settings: Settings | None = None,
        directory: Path | None = None,
        serve: bool = True,
        clock: Callable[[], datetime] = lambda: datetime.now().astimezone(),
    ) -> None:
        super().__init__(ansi_color=True if os.environ.get("NO_COLOR") else None)
        self.opening = opening
        self.face = WorkspaceThread(path)
        self.settings = settings or Settings()
        self.directory = directory
        self.clock = clock
        self.marks: Marks = marks_for(os.environ)
        self.terminal = Terminal(self)
        self.workspace_changed: Signal[None] = Signal(self, "workspace_changed")
        """News for screens: some process changed the workspace."""
        self.service: ServiceInfo | SoloUnicornError | None = None
        self.service_changed: Signal[None] = Signal(self, "service_changed")
        self._serve = serve
        self._keeper: Keeper | None = None
        self.connected = False
        """Whether the workspace is open."""
        self.register_theme(DARK)
        self.register_theme(LIGHT)
        self.theme = theme_name(self.settings.ui.theme, self.available_themes)
        self.set_class(self.marks is PLAIN, "-plain")
        if self.settings.ui.motion == "reduced":
            self.animation_level = "none"
        self.set_keymap(self.settings.keys)

    # -- start and end -------------------------------------------------------------------------------------------

    def get_default_screen(self) -> Screen[Any]:
        """The board is the first thing there is."""
        from .board.screen import BoardScreen

        return BoardScreen(self.opening())

    def on_mount(self) -> None:
        """Paint again after the shell has painted over it."""
        self.app_resume_signal.subscribe(self, lambda _: self.refresh(layout=True))

    def get_css_variables(self) -> dict[str, str]:
        """The theme's variables, with ours made from its colours where it has none."""
        found = super().get_css_variables()
        self.theme_variables = {**own_variables(self.current_theme, found), **found}
        return self.theme_variables

    async def connect(self) -> None:
        """Open the workspace for good; called by the board once it is painted."""
        try:
            await self.face.open()
        except SoloUnicornError as error:
            self.complain(error)
            return
        self.connected = True
        self.face.on_change(lambda: self.workspace_changed.publish(None))
        if self._serve:
            from ..workstation.client import Keeper

            self._keeper = Keeper(self._heard).start()

    async def _shutdown(self) -> None:
        """What still runs for screens ends before they do: it would find them gone."""
        self.workers.cancel_all()
        await super()._shutdown()

    async def _flush_next_callbacks(self) -> None:
        """What waits for the application is done to its end, also when a worker that asks for a screen comes to do it.

        A worker that is cancelled while it waits for a screen's end would cancel that screen's tasks, and with them
        whoever waits for the same: the application itself, which ended without a word (Textual 8.2).
        """
        await asyncio.shield(super()._flush_next_callbacks())

    async def on_unmount(self) -> None:
        """Let go of the service and the workspace, once nothing runs any more that could use them."""
        if self._keeper is not None:
            self._keeper.close()
        await self._end_workers()
        if self.connected:
            await self.face.close()

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

    @property
    def is_seen(self) -> bool:
        """Whether somebody can see the screen: a stopped process and a closed terminal show nothing."""
        return self._running and self._driver is not None

    @property
    def board_screen(self) -> BoardScreen | None:
        """The board below whatever is open."""
        from .board.screen import BoardScreen

        return next((screen for screen in self.screen_stack if isinstance(screen, BoardScreen)), None)

    # -- doing things --------------------------------------------------------------------------------------------

    async def perform(
        self, operation: Callable[Concatenate[Workspace, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T | None:
        """Run an operation of the workspace on its thread; an error is told to the person and gives None."""
        new_correlation()
        try:
            return await self.face.run(operation, *args, **kwargs)
        except SoloUnicornError as error:
            self.complain(error)
            return None

    def complain(self, error: SoloUnicornError) -> None:
        """Say what happened, why, and what to do."""
        rest = ". ".join(part[0].upper() + part[1:].rstrip(".") for part in (error.why, error.todo) if part)
        self.notify(f"{rest}." if rest else "", title=error.what, severity="error", timeout=8, markup=False)

    def tell(self, sentence: str) -> None:
        """Say that something was done."""
        self.notify(sentence, timeout=3, markup=False)

    # -- actions -------------------------------------------------------------------------------------------------

    async def run_action(
        self,
        action: str | ActionParseResult,
        default_namespace: DOMNode | None = None,
        namespaces: Mapping[str, DOMNode] | None = None,
    ) -> bool:
        """A key that comes before its screen is there, or after it was left, does nothing."""
        node = default_namespace
        if isinstance(node, Widget) and (is_gone(node) or not node.is_mounted):
            return False
        return await super().run_action(action, default_namespace, namespaces)

    def action_help(self) -> None:
        """Show the keys of what is focused."""
        from .kit.sheets.help import HelpScreen

        if not isinstance(self.screen, HelpScreen):
            self.push_screen(HelpScreen(self.screen))

    def action_jump(self) -> None:
        """Label what can be reached."""
        from .kit.sheets.jump import JumpScreen, targets

        found = targets(self.screen)
        if found and not isinstance(self.screen, JumpScreen):
            self.push_screen(JumpScreen(found))

    def action_command_palette(self) -> None:
        """Find everything."""
        from .kit.palette_screen import Palette

        if not isinstance(self.screen, Palette):
            self.push_screen(Palette())

    def search_themes(self) -> None:
        """Choose a theme, each shown by its name."""
        from textual.theme import ThemeProvider

        from .kit.palette_screen import Palette

        if not isinstance(self.screen, Palette):
            self.push_screen(Palette(providers=[ThemeProvider], placeholder="Search for themes…"))

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Nothing beside our own commands, which are made from the bindings."""
        return ()

    def handle_bindings_clash(self, clashed_bindings: set[Binding], node: DOMNode) -> None:
        """Two commands want one key: say so once for each pair."""
        names = " and ".join(sorted(bound.id or bound.action for bound in clashed_bindings))
        told = f"{type(node).__name__}:{names}"
        if told not in self._clashes_told:
            self._clashes_told.add(told)
            self.notify(
                "Give one of them another key under [keys] of the settings.",
                title=f"{names} share a key",
                severity="warning",
            )

    _clashes_told: set[str] = set()  # noqa: RUF012
