"""The application: which screens, commands and keys there are everywhere, and the board as the first screen."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import SystemCommand
from textual.binding import Binding
from textual.dom import DOMNode
from textual.screen import Screen
from textual.widget import Widget

from ..config import paths
from .board.data import Snapshot
from .kit.application import Application
from .kit.colours.theme import THEMES, own_variables, theme_name
from .kit.keyboard.keys import binding
from .kit.leaving import is_gone
from .kit.looks import DARK_NAME, LIGHT_NAME, OWN
from .kit.marks import PLAIN
from .kit.paint import COMPONENTS

if TYPE_CHECKING:
    from textual.actions import ActionParseResult
    from textual.command import Provider


def _commands() -> type[Provider]:
    from .palette import Entries

    return Entries


class SoloUnicornApp(Application):
    """Solo Unicorn on a terminal."""

    TITLE = "Solo Unicorn"
    COMPONENT_CLASSES: ClassVar[set[str]] = COMPONENTS
    CSS_PATH = ["app.tcss", "board/board.tcss"]  # noqa: RUF012 (Textual's own declaration)
    ENABLE_COMMAND_PALETTE = True
    COMMANDS = {_commands}  # noqa: RUF012
    BINDINGS = [  # noqa: RUF012
        binding("app.help", "question_mark,f1", "help", "keys", "Show what every key does here", label="?"),
        binding(
            "app.quit",
            "ctrl+q",
            "quit",
            "quit",
            "Close the board; running sessions continue",
            show=False,
            priority=True,
        ),
        binding("app.theme", "f2", "change_theme", "theme", "Choose a theme", show=False),
        binding(
            "app.jump",
            "ctrl+o,semicolon",
            "jump",
            "jump",
            "Label everything with a letter, and type one to go there",
            show=False,
        ),
        binding(
            "app.suspend",
            "ctrl+z",
            "suspend_process",
            "to the shell",
            "Return to the shell; `fg` resumes",
            show=False,
            priority=True,
        ),
    ]

    def __init__(self, opening: Callable[[], Snapshot], **more: Any) -> None:
        """`opening` gives the first screenful; `more`: see Application."""
        super().__init__(**more)
        self.opening = opening
        self._clashes_told: set[str] = set()
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = theme_name(self.settings.ui.theme, self.available_themes, home=paths.home())
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
        """Open the workspace, then say what is wrong with the keys of the settings."""
        await super().connect()
        wish = self.settings.ui.theme
        if wish and wish not in self.available_themes:
            self.notify(f"{wish} is not the name of a theme. F2 shows them all.", title="Theme", severity="warning")
        if self.connected and self.settings.keys:
            from .all_keys import known_bindings
            from .kit.keyboard.keys import clashes

            known = {name: one.binding for name, one in known_bindings().items()}
            for sentence in clashes(self.settings.keys, known):
                self.notify(f"{sentence}.", title="Keys in the settings", severity="warning", timeout=8, markup=False)

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

    def background_is(self, light: bool) -> None:
        """What the terminal said of its background: our theme for it, unless a person chose one."""
        from .kit.colours.background import keep

        keep(light, paths.home())
        if not self.settings.ui.theme and self.theme in OWN:
            self.theme = LIGHT_NAME if light else DARK_NAME

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
        from .kit.palette_screen import Palette

        if not isinstance(self.screen, Palette):
            self.push_screen(Palette())

    def search_themes(self) -> None:
        """Choose a theme, each shown by its name."""
        from .kit.palette_screen import Palette, Themes

        if not isinstance(self.screen, Palette):
            self.push_screen(Palette(providers=[Themes], placeholder="Search for themes…"))

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
                "Give one of them another key under [keys] in the settings.",
                title=f"{names} share a key",
                severity="warning",
                markup=False,
            )
