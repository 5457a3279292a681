"""The mission room as it is now: its tabs, read from the workspace and kept up to date."""

from __future__ import annotations

import asyncio
from typing import Any, Final, Literal, get_args

from textual import getters, on, work
from textual.app import ComposeResult
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import ContentSwitcher

from ..kit.application import Application
from ..kit.keyboard.keyline import KeyLine
from ..kit.leaving import PlaceScreen
from ..kit.paint import Drawn
from ..kit.tabline import Tab, TabLine
from . import data as mission_data
from .changes.pane import ChangesPane
from .data import MissionData
from .files import FilesPane
from .flow import FlowPane
from .panes import Dependencies, History, Overview, Pane, Plan
from .review import ReviewPane
from .rows import session_line, title_line
from .session import SessionPane
from .where_line import WhereLine

TabName = Literal["overview", "flow", "plan", "session", "changes", "review", "dependencies", "history", "files"]
TABS: Final[tuple[TabName, ...]] = get_args(TabName)
PANES: Final[dict[TabName, Any]] = {
    "overview": Overview,
    "flow": FlowPane,
    "plan": Plan,
    "session": SessionPane,
    "changes": ChangesPane,
    "review": ReviewPane,
    "dependencies": Dependencies,
    "history": History,
    "files": FilesPane,
}
FOCUS: Final[dict[TabName, str]] = {
    "overview": "#description",
    "flow": "#stages",
    "files": "#attached",
    "plan": "#solution",
    "session": "#transcript",
    "changes": "#diff",
    "review": "#to-check",
    "dependencies": "#links",
    "history": "#events",
}


def pane_id(tab: TabName) -> str:
    """The id of a tab's pane; the changes have a list called files."""
    return "files-tab" if tab == "files" else tab


def _count(data: MissionData) -> str:
    return str(sum(one.open for one in data.comments) or "")


class TitleLine(Drawn):
    """Title and place of the mission."""

    data: MissionData | None = None

    def show(self, data: MissionData) -> None:
        self.data = data
        self.refresh()

    def render_line(self, y: int) -> Strip:
        app = self.app
        assert isinstance(app, Application)
        return self.draw(title_line(self.data, app.marks, self.size.width) if self.data else [], self.size.width)


class Rule(Drawn):
    def render_line(self, y: int) -> Strip:
        return self.draw([("─" * self.size.width, "rule")], self.size.width)


class LiveMission(PlaceScreen[None]):
    """Title, tabs over one mission, keys; read anew whenever any process changes something."""

    CSS_PATH = "mission.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012
    app = getters.app(Application)
    tabs = getters.query_one(TabLine)

    def __init__(self, ref: str, *, tab: str | None = None) -> None:
        super().__init__()
        self.ref = ref
        self.data: MissionData | None = None
        wished: list[TabName] = [name for name in TABS if name == tab]
        self.tab: TabName = wished[0] if wished else "overview"
        self._chosen = tab is not None
        self._reading = False
        self._again = False
        self._showing = asyncio.Lock()

    def compose(self) -> ComposeResult:
        """Title, place, tabs, the part that is open, keys."""
        yield TitleLine(id="title")
        yield WhereLine(self.app.marks)
        yield TabLine()
        yield Rule(id="rule")
        yield ContentSwitcher()
        yield KeyLine(self.app.marks)

    def on_mount(self) -> None:
        """Read it, and again whenever any process changes something."""
        self.app.workspace_changed.subscribe(self, lambda _: self.reload())
        self.set_interval(1.0, self._tick)
        self.reload()

    # -- reading and showing -------------------------------------------------------------------------------------

    @work
    async def reload(self) -> None:
        """Read the mission anew; once more when news came while it was read."""
        if self._reading:
            self._again = True
            return
        self._reading = True
        try:
            data = await self.app.perform(mission_data.read, self.ref)
        finally:
            self._reading = False
        if data is None:
            if self.is_current:
                self.dismiss(None)
            return
        first = self.data is None
        self.data = data
        if first and not self._chosen:
            self.tab = self._opening_tab(data)
        await self._show()
        if first:
            self._focus_pane()
        if self._again:
            self._again = False
            self.reload()

    @staticmethod
    def _opening_tab(data: MissionData) -> TabName:
        """Where the person is needed, else what runs, else the overview."""
        if data.mission.review_status == "pending":
            return "review"
        return "session" if data.live is not None else "overview"

    async def _show(self) -> None:
        async with self._showing:
            await self._show_pane()

    async def _show_pane(self) -> None:
        if self.data is None or self.is_gone:
            return
        self.query_one(TitleLine).show(self.data)
        self.query_one(WhereLine).show(self.data)
        switcher, tab = self.query_one(ContentSwitcher), self.tab
        if not switcher.query(f"#{pane_id(tab)}"):
            await switcher.mount(PANES[tab](self.app.marks))
            if self.is_gone:
                return
        switcher.current = pane_id(tab)
        pane: Pane = switcher.get_child_by_id(pane_id(tab))  # type: ignore[assignment]
        await pane.show(self.data, self.app.clock())
        self._show_tabs()
        self.refresh_bindings()

    def _show_tabs(self) -> None:
        data = self.data
        if data is None:
            return
        mission, marks = data.mission, self.app.marks
        changes = self.query(ChangesPane)
        open_links = sum(not view.resolved for view in data.dependencies if view.direction == "blocked_by")
        notes: dict[TabName, tuple[str, str]] = {
            "plan": (f"{mission.tasks_current}/{len(mission.tasks)}" if mission.tasks else "", "faint"),
            "session": (marks.running if data.live else "", "run"),
            "changes": (changes.first().counts if changes else "", "faint"),
            "review": (marks.waits if mission.review_status == "pending" else _count(data), "wait"),
            "files": (str(len(data.attachments) or ""), "faint"),
            "dependencies": (str(len(data.dependencies) or ""), "bad" if open_links else "faint"),
        }
        tabs = [Tab(name, name.capitalize(), *notes.get(name, ("", "faint"))) for name in TABS]
        session = data.live or (data.sessions[-1] if data.sessions else None)
        self.tabs.show(tabs, self.tab, session_line(session, self.app.clock(), marks))

    def _tick(self) -> None:
        if self.is_current and self.data is not None and self.data.live is not None:
            self._show_tabs()

    def _focus_pane(self) -> None:
        found = self.query(FOCUS[self.tab])
        if found:
            found.first(Widget).focus()

    @on(ChangesPane.Read)
    def _diff_read(self) -> None:
        self._show_tabs()

    @on(TabLine.Chosen)
    async def _tab_clicked(self, event: TabLine.Chosen) -> None:
        await self.action_go_to(event.tab)

    @on(SessionPane.Switched)
    async def _switched(self) -> None:
        await self._show()

    async def action_tab(self, step: int) -> None:
        await self.action_go_to(TABS[(TABS.index(self.tab) + step) % len(TABS)])

    async def action_go_to(self, name: str) -> None:
        """A tab by name."""
        self.tab = next(tab for tab in TABS if tab == name)
        await self._show()
        self._focus_pane()
