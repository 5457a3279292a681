"""The workstation: which agents there are, what runs, in which worktrees, and why the rest does not run."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

from textual import getters, on, work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from ...missions.entities import JsonObject, Session
from ...missions.errors import SoloUnicornError
from ...workspace import operations, queries
from ..kit.ages import size
from ..kit.application import Application
from ..kit.keyboard.keyline import KeyLine
from ..kit.keyboard.keys import binding
from ..kit.leaving import PlaceScreen
from ..kit.lines import Lines, Row, row
from . import data as panel
from . import machine


class WorkstationScreen(PlaceScreen[str | None]):
    """Gives the mission that the person wants to see, or None."""

    CSS_PATH = "workstation.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012
    BINDING_GROUP_TITLE = "Workstation"
    BINDINGS = [  # noqa: RUF012
        binding("workstation.back", "escape,q", "dismiss", "board", "Back to the board"),
        binding("workstation.next", "tab", "app.focus_next", "next", "The next panel"),
        binding(
            "workstation.pause", "p", "pause", "pause", "Pause or resume taking new work; running sessions continue"
        ),
        binding("workstation.stop", "x", "stop", "stop session", "Stop the session under the cursor; its work is kept"),
        binding(
            "workstation.drain",
            "d",
            "drain",
            "drain",
            "Start nothing new; the service stops when its sessions have ended",
        ),
        binding("workstation.scan", "s", "scan", "look for agents", "Find installed agents and check each"),
        binding(
            "workstation.clean", "c", "clean", "clean worktrees", "Remove vacant worktrees; never one with work in it"
        ),
        binding(
            "workstation.service", "S", "service", "start/stop service", "Stop or start the service; sessions continue"
        ),
    ]
    AUTO_FOCUS = "#sessions"
    app = getters.app(Application)

    def __init__(self) -> None:
        super().__init__()
        self.status: JsonObject | SoloUnicornError | None = None
        self.data: panel.WorkstationData | None = None
        self.rates = machine.Rates()
        self.sizes: dict[str, int] = {}
        self.records: list[dict[str, object]] = []
        self._busy = False

    def compose(self) -> ComposeResult:
        """Six panels below a heading."""
        marks = self.app.marks
        head = Lines(marks, id="head")
        head.least = 1
        yield head
        with Vertical(id="panels"):
            with Horizontal(id="upper"):
                yield _titled(Lines(marks, id="agents", empty="No agents known yet. s finds them."), "Agents")
                yield _titled(Lines(marks, id="sessions", cursor=True, empty="Nothing is running."), "Sessions")
                yield _titled(
                    Lines(marks, id="queue", cursor=True, empty="No ready mission is waiting."), "Why not running"
                )
            with Horizontal(id="lower"):
                yield _titled(
                    Lines(marks, id="worktrees", cursor=True, empty="None yet: a mission's first run creates one."),
                    "Worktrees",
                )
                yield _titled(Lines(marks, id="sync"), "Sync")
                yield _titled(Lines(marks, id="log", follow=True, empty="The log is empty."), "Log")
        yield KeyLine(marks)

    def on_mount(self) -> None:
        """Read now, on news, and what changes by itself every second or few."""
        self.query_one("#head", Lines).can_focus = False
        self.app.workspace_changed.subscribe(self, lambda _: self.reload())
        self.app.service_changed.subscribe(self, lambda _: self._ask_service())
        self.set_interval(1.0, self._tick)
        self.set_interval(5.0, self._ask_service)
        self.set_interval(60.0, self._measure)
        self.reload()
        self._ask_service()

    @work(exclusive=True, group="panel")
    async def reload(self) -> None:
        data = await self.app.perform(panel.read)
        if data is not None:
            first = self.data is None
            self.data = data
            self._show()
            if first:
                self._measure()

    @work(exclusive=True, group="status")
    async def _ask_service(self) -> None:
        self.status = await asyncio.to_thread(panel.service_status)
        self.records = await asyncio.to_thread(machine.log_tail)
        state = await self.app.perform(queries.connection.sync_state)  # time alone makes it another one
        if self.data is not None and state is not None:
            self.data = replace(self.data, sync=state)
        self._show()

    @work(exclusive=True, group="sizes")
    async def _measure(self) -> None:
        if self.data is not None:
            self.sizes = await machine.sizes(self.app.commands, [slot.path for slot in self.data.worktrees])
            self._show()

    def _tick(self) -> None:
        if self.data is not None and self.is_current:
            self.rates.look([session.id for session, _ in self.data.sessions], time.monotonic())
            self._show()

    def _show(self) -> None:
        data, marks, now = self.data, self.app.marks, self.app.clock()
        if data is None or self.is_gone:
            return
        for name, rows in (
            ("head", [self._head(data), *panel.problem_rows(self.status, marks)]),
            ("agents", panel.agent_rows(data, marks, now)),
            ("sessions", panel.session_rows(data, marks, now, self.rates.rates)),
            ("queue", panel.queue_rows(data, marks)),
            ("worktrees", panel.worktree_rows(data, marks, now, self.sizes)),
            ("sync", panel.sync_rows(data, marks, now)),
            ("log", machine.log_rows(self.records, marks, now)),
        ):
            self.query_one(f"#{name}", Lines).set_rows(rows)
        vacant = sum(slot.mission_id is None for slot in data.worktrees)
        total = f", {size(sum(self.sizes.values()))}" if self.sizes else ""
        self.query_one("#worktrees").border_title = f"Worktrees  {len(data.worktrees)}, {vacant} vacant{total}"
        self.query_one("#queue").border_title = f"Why not running  {len(data.queue)}"
        self.refresh_bindings()

    def _head(self, data: panel.WorkstationData) -> Row:
        running, slots = len(data.sessions), self.app.settings.workstation.slots
        if data.paused:
            state = (f"{self.app.marks.parked} paused: running sessions continue, p resumes", "wait")
        else:
            state = ("taking work", "good")
        return row(
            (" Workstation  ", "brand"),
            (f"{data.workstation.name}   ", "strong"),
            state,
            (f"   {running} of {slots} running   {machine.free_space()}   ", "faint"),
            *panel.service_parts(self.status, self.app.marks),
            wrap=False,
        )

    # -- actions -------------------------------------------------------------------------------------------------

    @on(Lines.Chosen)
    def _open(self, event: Lines.Chosen) -> None:
        key = event.row.key.mission_id if isinstance(event.row.key, Session) else event.row.key
        if isinstance(key, str):
            self.dismiss(key)

    @work
    async def action_pause(self) -> None:
        if self.data is not None:
            await self.app.perform(operations.workstation.set_paused, not self.data.paused)
            self.reload()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A session can be stopped where there is one, a service drained where it runs."""
        if action == "stop":
            return self._session is not None
        return isinstance(self.status, dict) if action == "drain" else True

    @property
    def _session(self) -> Session | None:
        """The session under the cursor of its panel."""
        lines = self.query_one("#sessions", Lines) if self.data is not None else None
        if lines is None or lines.cursor is None or lines.cursor >= len(lines.rows):
            return None
        key = lines.rows[lines.cursor].key
        return key if isinstance(key, Session) else None

    @work(group="stops")
    async def action_stop(self) -> None:
        """Stop a session, after a question."""
        from ..kit.sheets.confirm import ConfirmScreen

        session = self._session
        if session is None:
            return
        question = f"Stop {session.agent_name} at {session.stage}? Its work stays in the worktree."
        if not await self.app.push_screen_wait(ConfirmScreen(question, "Stop it")):
            return
        asked = await self.app.write(
            operations.workstation.request, "stop_session", mission=session.mission_id, session=session.id
        )
        if asked is not None:
            self.app.tell("Asked to stop")

    @work(group="stops")
    async def action_drain(self) -> None:
        """Let what runs come to its end, then leave."""
        if await self.app.write(operations.workstation.request, "drain") is not None:
            self.app.tell("Draining: nothing new starts, and the service stops when its sessions have ended")
            self._ask_service()

    async def action_scan(self) -> None:
        self._command("Looking for agents …", "agent", "scan")

    async def action_clean(self) -> None:
        self._command("Removing vacant worktrees …", "worktree", "clean")

    async def action_service(self) -> None:
        """Start or stop the service."""
        if isinstance(self.status, dict):
            self._command("Stopping the service; sessions continue …", "workstation", "stop")
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
            await self.app.commands.ask(*arguments)
        except SoloUnicornError as error:
            self.app.complain(error)
        finally:
            self._busy = False
        self.reload()
        self._ask_service()


def _titled(lines: Lines, title: str) -> Lines:
    lines.border_title = title
    return lines
