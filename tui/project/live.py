"""One project: its settings, repositories, flows, actors, memory, permissions and members."""

from __future__ import annotations

import asyncio
from typing import Any, Final, Literal, get_args

from textual import getters, on, work
from textual.app import ComposeResult
from textual.widget import Widget
from textual.widgets import ContentSwitcher

from ..kit.application import Application
from ..kit.keyboard.keyline import KeyLine
from ..kit.keyboard.keys import binding
from ..kit.leaving import PlaceScreen
from ..kit.lines import Lines, row
from ..kit.tabline import Tab, TabLine
from . import data as project_data
from .data import ProjectData
from .members import Members
from .panes import Actors, Flows, MemoryPane, PermissionsPane, Repositories, SettingsPane

TabName = Literal["settings", "repositories", "flows", "actors", "memory", "permissions", "members"]
TABS: Final[tuple[TabName, ...]] = get_args(TabName)
FOCUS: Final = {"settings": "#project-fields", "permissions": "#rules", "members": "#people"}


class LiveProject(PlaceScreen[None]):
    """Heading, tabs, keys; read anew whenever any process changes something."""

    CSS_PATH = "project.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (80, "-wide")]  # noqa: RUF012
    BINDING_GROUP_TITLE = "Project"
    BINDINGS = [  # noqa: RUF012
        binding("project.back", "escape,q", "back", "board", "Leave the details, then go back to the board"),
        binding("project.next_tab", "tab,L", "tab(1)", "next", "The next tab"),
        binding("project.previous_tab", "shift+tab,H", "tab(-1)", "previous tab", "The previous tab", show=False),
        *(
            binding(f"project.tab_{name}", str(number), f"go_to('{name}')", name, f"Show {name}", show=False)
            for number, name in enumerate(TABS, 1)
        ),
    ]
    app = getters.app(Application)

    def __init__(self, project_id: str, *, tab: TabName = "settings") -> None:
        super().__init__()
        self.ref = project_id
        self.tab = tab
        self.data: ProjectData | None = None
        self._showing = asyncio.Lock()

    def compose(self) -> ComposeResult:
        yield Lines(self.app.marks, id="head")
        yield TabLine()
        yield ContentSwitcher()
        yield KeyLine(self.app.marks)

    def on_mount(self) -> None:
        """Read now and on news."""
        self.query_one("#head", Lines).can_focus = False
        self.app.workspace_changed.subscribe(self, lambda _: self.reload())
        self.reload()

    @work(exclusive=True, group="project")
    async def reload(self) -> None:
        """Read the project anew."""
        data = await self.app.perform(project_data.read, self.ref)
        if data is None:
            if self.is_current:
                self.dismiss(None)
            return
        first = self.data is None
        self.data = data
        await self.show()
        if first:
            self.focus_pane()

    async def show(self) -> None:
        """Show the open tab."""
        async with self._showing:
            await self._show()

    async def _show(self) -> None:
        data, tab = self.data, self.tab
        if data is None or self.is_gone:
            return
        switcher = self.query_one(ContentSwitcher)
        if not switcher.query(f"#{tab}"):
            await switcher.mount(self._pane())
            if self.is_gone:
                return
        switcher.current = tab
        pane: Any = switcher.get_child_by_id(tab)
        await pane.show(data, self.app.clock())
        counts = {
            "repositories": len(data.repositories),
            "flows": len(data.flows),
            "actors": len(data.actors),
            "memory": len(data.memory),
            "permissions": len(data.rules),
        }
        tabs = [Tab(name, name.capitalize(), str(counts.get(name) or "")) for name in TABS]
        project = data.project
        self.query_one(TabLine).show(tabs, self.tab, "")
        state = "paused" if project.paused else project.status
        where = project.hub or "on this machine"
        self.query_one("#head", Lines).set_rows(
            [row((" Project  ", "brand"), (project.name, "strong"), (f"   {state}   {where}", "faint"), wrap=False)]
        )
        self.refresh_bindings()

    def _pane(self) -> Widget:
        marks = self.app.marks
        match self.tab:
            case "settings":
                return SettingsPane(marks)
            case "repositories":
                return Repositories(marks, self.tab)
            case "flows":
                return Flows(marks, self.tab)
            case "actors":
                return Actors(marks, self.tab)
            case "memory":
                return MemoryPane(marks, self.tab)
            case "permissions":
                return PermissionsPane(marks)
            case "members":
                return Members(marks)

    def focus_pane(self) -> None:
        """The first thing of the tab."""
        for found in self.query(FOCUS.get(self.tab, f"#{self.tab}-list")).results(Widget):
            found.focus()

    @on(TabLine.Chosen)
    async def _tab_clicked(self, event: TabLine.Chosen) -> None:
        await self.action_go_to(event.tab)

    async def action_tab(self, step: int) -> None:
        await self.action_go_to(TABS[(TABS.index(self.tab) + step) % len(TABS)])

    async def action_go_to(self, name: str) -> None:
        """A tab by name."""
        self.tab = next(tab for tab in TABS if tab == name)
        await self.show()
        self.focus_pane()

    def action_back(self) -> None:
        """Out of the details, then out."""
        if self.focused is not None and (self.focused.id or "").endswith("-details"):
            self.focus_pane()
        else:
            self.dismiss(None)
