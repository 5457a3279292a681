"""The mission room: all of one mission, and everything a person decides about it."""

from __future__ import annotations

from typing import Any, Final, Literal

from textual import getters, on, work
from textual.app import ComposeResult
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Button, ContentSwitcher, Input

from ...missions.entities import Session
from ...missions.ids import short_id
from ...sync.workspace import Workspace
from .. import mission_data
from ..app import SoloUnicornApp
from ..changes_pane import ChangesPane
from ..keyline import KeyLine
from ..keys import binding
from ..lines import Lines
from ..mission_data import MissionData
from ..mission_rows import session_line, title_line
from ..paint import Drawn
from ..panes import Dependencies, History, Overview, Pane, Plan, Review
from ..session_pane import SessionPane
from ..tabline import Tab, TabLine

TabName = Literal["overview", "plan", "session", "changes", "review", "dependencies", "history"]
TABS: Final[tuple[TabName, ...]] = ("overview", "plan", "session", "changes", "review", "dependencies", "history")
PANES: Final[dict[TabName, Any]] = {
    "overview": Overview,
    "plan": Plan,
    "session": SessionPane,
    "changes": ChangesPane,
    "review": Review,
    "dependencies": Dependencies,
    "history": History,
}
FOCUS: Final = {
    "overview": "#description",
    "plan": "#solution",
    "session": "#transcript",
    "changes": "#diff",
    "review": "#to-check",
    "dependencies": "#links",
    "history": "#events",
}


class TitleLine(Drawn):
    """Title and place of the mission."""

    data: MissionData | None = None

    def show(self, data: MissionData) -> None:
        """Draw it."""
        self.data = data
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """The line."""
        app = self.app
        assert isinstance(app, SoloUnicornApp)
        return self.draw(title_line(self.data, app.marks, self.size.width) if self.data else [], self.size.width)


class Rule(Drawn):
    """A thin line."""

    def render_line(self, y: int) -> Strip:
        """The line."""
        return self.draw([("─" * self.size.width, "rule")], self.size.width)


class MissionScreen(Screen[None]):
    """Tabs over one mission, live."""

    CSS_PATH = "mission.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012
    BINDING_GROUP_TITLE = "Mission"
    BINDINGS = [  # noqa: RUF012
        binding("mission.back", "escape,q", "back", "board", "Back to the board"),
        binding("mission.next_tab", "tab,L", "tab(1)", "next", "The next tab"),
        binding("mission.previous_tab", "shift+tab,H", "tab(-1)", "previous tab", "The tab before", show=False),
        binding("mission.approve", "a", "approve", "approve", "Approve the stage under review"),
        binding("mission.reject", "x", "reject", "reject", "Send the stage back with feedback"),
        binding("mission.answer", "r", "answer", "answer", "Answer the agent's question"),
        binding("mission.say", "s", "say", "say", "Say something to the agent while it works"),
        binding("mission.interrupt", "i", "interrupt", "interrupt", "Interrupt what the agent does; it listens then"),
        binding("mission.stop", "S", "stop", "stop", "Stop the session; its work is kept"),
        binding(
            "mission.ready",
            "space",
            "ready",
            "ready",
            "The main switch: an agent may (or may not yet) take this mission",
        ),
        binding("mission.edit", "e", "edit", "edit", "Change the mission"),
        binding("mission.land", "M", "land", "land again", "Try the failed landing again", show=False),
        *(
            binding(f"mission.tab_{name}", str(number), f"go_to('{name}')", name, f"Show {name}", show=False)
            for number, name in enumerate(TABS, 1)
        ),
    ]
    app = getters.app(SoloUnicornApp)
    tabs = getters.query_one(TabLine)

    def __init__(self, ref: str, *, tab: str | None = None) -> None:
        super().__init__()
        self.ref = ref
        self.data: MissionData | None = None
        self.tab: TabName = next((name for name in TABS if name == tab), "overview")
        self._chosen = tab is not None
        self._reading = False
        self._again = False

    def compose(self) -> ComposeResult:
        """Title, tabs, the part that is open, keys."""
        yield TitleLine(id="title")
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
        if self.data is None or not self.is_mounted:
            return
        self.query_one(TitleLine).show(self.data)
        switcher = self.query_one(ContentSwitcher)
        if not switcher.query(f"#{self.tab}"):
            await switcher.mount(PANES[self.tab](self.app.marks))
        switcher.current = self.tab
        pane: Pane = switcher.get_child_by_id(self.tab)  # type: ignore[assignment]
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
            "review": (marks.waits if mission.review_status == "pending" else "", "wait"),
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

    @on(TabLine.Chosen)
    async def _tab_clicked(self, event: TabLine.Chosen) -> None:
        await self.action_go_to(event.tab)

    @on(SessionPane.Switched)
    async def _switched(self) -> None:
        await self._show()

    # -- actions -------------------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what makes sense now is offered."""
        mission, live = (self.data.mission, self.data.live) if self.data else (None, None)
        if action in ("approve", "reject"):
            return mission is not None and mission.review_status == "pending"
        if action == "answer":
            return mission is not None and mission.question is not None
        if action in ("say", "interrupt", "stop"):
            return live is not None
        if action == "land":
            return mission is not None and mission.landing_status == "failed"
        return True

    def action_back(self) -> None:
        """To the board; first out of the line that is typed on."""
        if isinstance(self.focused, Input):
            self._focus_pane()
        else:
            self.dismiss(None)

    async def action_tab(self, step: int) -> None:
        """The tab beside."""
        await self.action_go_to(TABS[(TABS.index(self.tab) + step) % len(TABS)])

    async def action_go_to(self, name: str) -> None:
        """A tab by name."""
        self.tab = next(tab for tab in TABS if tab == name)
        await self._show()
        self._focus_pane()

    @work
    async def action_approve(self) -> None:
        """Approve the stage."""
        approved = await self.app.perform(Workspace.approve, self.ref)
        if approved is not None:
            self.app.tell(
                f"{short_id(approved.number)}: {approved.stage} next"
                if not approved.landing_status
                else "Approved: it lands now"
            )
            self.reload()

    @work
    async def action_reject(self) -> None:
        """Send it back."""
        from .write import WriteScreen

        stage = self.data.mission.stage if self.data else "stage"
        sheet = WriteScreen(
            f"Reject the {stage}",
            why="The agent goes on in the same conversation with your words.",
            button="Reject",
            needed="Say what to change",
        )
        feedback = await self.app.push_screen_wait(sheet)
        if feedback and await self.app.perform(Workspace.reject, self.ref, feedback) is not None:
            self.app.tell("Sent back with your feedback")
            self.reload()

    @work
    async def action_answer(self) -> None:
        """Answer the question."""
        from .write import WriteScreen

        question = (self.data.mission.question if self.data else None) or ""
        text = await self.app.push_screen_wait(
            WriteScreen("Answer", why=question, button="Answer", needed="Write an answer")
        )
        if text and await self.app.perform(Workspace.answer, self.ref, text) is not None:
            self.app.tell("Answered; the same conversation goes on")
            self.reload()

    async def action_say(self) -> None:
        """Type to the agent."""
        await self.action_go_to("session")
        self.query_one("#say", Input).focus()

    @on(SessionPane.Said)
    @work
    async def _said(self, event: SessionPane.Said) -> None:
        await self._ask("say", event.session, {"text": event.text})

    @work
    async def action_interrupt(self) -> None:
        """Interrupt the agent."""
        if self.data and self.data.live and await self._ask("interrupt_session", self.data.live):
            self.app.tell("Interrupted; say what it should do instead")

    @work
    async def action_stop(self) -> None:
        """Stop the session."""
        from .confirm import ConfirmScreen

        live = self.data.live if self.data else None
        if live is None:
            return
        question = (
            f"Stop {live.agent_name} at {live.stage}? Its work stays in the worktree, the mission is no longer ready."
        )
        if await self.app.push_screen_wait(ConfirmScreen(question, "Stop it")) and await self._ask(
            "stop_session", live
        ):
            self.app.tell("Asked to stop")

    async def _ask(self, kind: str, session: Session, payload: dict[str, Any] | None = None) -> bool:
        made = await self.app.perform(Workspace.request, kind, mission=self.ref, session=session.id, payload=payload)
        return made is not None

    @work
    async def action_ready(self) -> None:
        """The main switch."""
        if self.data and await self.app.perform(Workspace.set_ready, self.ref, not self.data.mission.ready) is not None:
            self.reload()

    @work
    async def action_land(self) -> None:
        """Try the landing again."""
        if await self.app.perform(Workspace.retry_landing, self.ref) is not None:
            self.reload()

    @work
    async def action_edit(self) -> None:
        """Change the mission."""
        from .form import MissionForm

        if self.data is None:
            return
        form = MissionForm(self.data.project.id, mission_id=self.data.mission.id)
        if await self.app.push_screen_wait(form) is not None:
            self.reload()

    @on(Button.Pressed, "#approve")
    def _approve_pressed(self) -> None:
        self.action_approve()

    @on(Button.Pressed, "#reject")
    def _reject_pressed(self) -> None:
        self.action_reject()

    @on(Lines.Chosen, "#links")
    def _other(self, event: Lines.Chosen) -> None:
        if isinstance(event.row.key, str):
            self.app.push_screen(MissionScreen(event.row.key))
