"""The workstation: which agents there are, what runs, in which worktrees, and why the rest does not run."""

from __future__ import annotations

import asyncio

from textual import getters, on, work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.screen import Screen

from ...missions.entities import JsonObject
from ...missions.errors import SoloUnicornError
from ...sync.workspace import Workspace
from .. import workstation_data as panel
from ..app import SoloUnicornApp
from ..child import ask
from ..keyline import KeyLine
from ..keys import binding
from ..lines import Lines, row


class WorkstationScreen(Screen[str | None]):
    """Gives the mission that the person wants to see, or None."""

    CSS_PATH = "workstation.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012
    BINDING_GROUP_TITLE = "Workstation"
    BINDINGS = [  # noqa: RUF012
        binding("workstation.back", "escape,q", "dismiss", "board", "Back to the board"),
        binding("workstation.next", "tab", "app.focus_next", "next", "The next panel"),
        binding("workstation.pause", "p", "pause", "pause", "Pause or resume taking new work; what runs goes on"),
        binding("workstation.scan", "s", "scan", "look for agents", "Look for installed agents and check each"),
        binding(
            "workstation.clean", "c", "clean", "clean worktrees", "Remove vacant worktrees; never one with work in it"
        ),
        binding(
            "workstation.service",
            "S",
            "service",
            "start/stop service",
            "Stop the service, or start it again; sessions go on",
        ),
    ]
    AUTO_FOCUS = "#sessions"
    app = getters.app(SoloUnicornApp)

    def __init__(self) -> None:
        super().__init__()
        self.status: JsonObject | SoloUnicornError | None = None
        self.data: panel.WorkstationData | None = None
        self._busy = False

    def compose(self) -> ComposeResult:
        """Five panels."""
        marks = self.app.marks
        yield Lines(marks, id="head")
        with Vertical(id="panels"):
            with Horizontal(id="upper"):
                yield _titled(Lines(marks, id="agents", empty="No agents known yet. s looks for them."), "Agents")
                yield _titled(Lines(marks, id="sessions", cursor=True, empty="Nothing runs."), "Sessions")
                yield _titled(
                    Lines(marks, id="queue", cursor=True, empty="Nothing is ready and waiting."), "Why not running"
                )
            with Horizontal(id="lower"):
                yield _titled(
                    Lines(marks, id="worktrees", cursor=True, empty="None yet: a mission's first run makes one."),
                    "Worktrees",
                )
                yield _titled(Lines(marks, id="service"), "Service")
        yield KeyLine(marks)

    def on_mount(self) -> None:
        """Read now, on news, and the service's figures every few seconds."""
        self.query_one("#head", Lines).can_focus = False
        self.app.workspace_changed.subscribe(self, lambda _: self.reload())
        self.app.service_changed.subscribe(self, lambda _: self._ask_service())
        self.set_interval(1.0, self._show)
        self.set_interval(5.0, self._ask_service)
        self.reload()
        self._ask_service()

    @work(exclusive=True, group="panel")
    async def reload(self) -> None:
        """Read the workspace."""
        data = await self.app.perform(panel.read)
        if data is not None:
            self.data = data
            self._show()

    @work(exclusive=True, group="status")
    async def _ask_service(self) -> None:
        self.status = await asyncio.to_thread(panel.service_status)
        self._show()

    def _show(self) -> None:
        data, marks, now = self.data, self.app.marks, self.app.clock()
        if data is None or not self.is_mounted:
            return
        running, slots = len(data.sessions), self.app.settings.workstation.slots
        state = ("paused", "wait") if data.paused else ("taking work", "good")
        head = row(
            (" Workstation  ", "brand"),
            (f"{data.workstation.name}   ", "strong"),
            state,
            (f"   {running} of {slots} running", "faint"),
        )
        vacant = sum(slot.mission_id is None for slot in data.worktrees)
        for name, rows in (
            ("head", [head]),
            ("agents", panel.agent_rows(data, marks, now)),
            ("sessions", panel.session_rows(data, marks, now)),
            ("queue", panel.queue_rows(data, marks)),
            ("worktrees", panel.worktree_rows(data, marks, now)),
            ("service", panel.service_rows(self.status, data, marks)),
        ):
            self.query_one(f"#{name}", Lines).set_rows(rows)
        self.query_one("#worktrees").border_title = f"Worktrees  {len(data.worktrees)}, {vacant} vacant"
        self.query_one("#queue").border_title = f"Why not running  {len(data.queue)}"

    # -- actions -------------------------------------------------------------------------------------------------

    @on(Lines.Chosen)
    def _open(self, event: Lines.Chosen) -> None:
        if isinstance(event.row.key, str):
            self.dismiss(event.row.key)

    @work
    async def action_pause(self) -> None:
        """Pause or resume."""
        if self.data is not None:
            await self.app.perform(Workspace.set_workstation_paused, not self.data.paused)
            self.reload()

    async def action_scan(self) -> None:
        """Look for agents."""
        self._command("Looking for agents …", "agent", "scan")

    async def action_clean(self) -> None:
        """Remove vacant worktrees."""
        self._command("Removing vacant worktrees …", "worktree", "clean")

    async def action_service(self) -> None:
        """Start or stop the service."""
        if isinstance(self.status, dict):
            self._command("Stopping the service; sessions go on …", "workstation", "stop")
        else:
            self.app.wake_service()
            self.app.tell("Starting the service …")

    @work(group="commands")
    async def _command(self, said: str, *arguments: str) -> None:
        if self._busy:
            return
        self._busy = True
        self.app.tell(said)
        try:
            await ask(*arguments)
        except SoloUnicornError as error:
            self.app.complain(error)
        finally:
            self._busy = False
        self.reload()
        self._ask_service()


def _titled(lines: Lines, title: str) -> Lines:
    lines.border_title = title
    return lines
