"""The board screen: what runs, what waits for you, what is stuck, at one glance."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import TYPE_CHECKING

from textual import on, work
from textual.binding import Binding

from ...missions import query
from ...missions.board import Card
from ...missions.ids import short_id
from ..app import SoloUnicornApp
from ..board import Board
from ..headings import NAMES
from ..keys import binding, clashes
from ..operations import Workspace
from ..topline import TopLine
from .doors import Doors

if TYPE_CHECKING:
    from textual.widgets import Input

PAINT_SECONDS = 0.03
"""Left to the terminal to take the first paint in, before the rest of the cards is read."""


class BoardScreen(Doors):
    """What a person does on the board, and the doors to every other screen."""

    BINDING_GROUP_TITLE = "Board"
    BINDINGS = [  # noqa: RUF012
        binding("board.filter", "slash", "filter", "filter", "Show only the cards that meet a filter", label="/"),
        binding("board.undo", "u", "undo", "undo", "Take back what you did last on this board"),
        binding("board.redo", "ctrl+r", "redo", "redo", "Do again what was undone", show=False),
        binding("board.inbox", "i", "inbox", "inbox", "Everything that waits for you"),
        binding(
            "board.workstation",
            "w",
            "workstation",
            "workstation",
            "Agents, sessions, worktrees, and why what is not running",
        ),
        binding("board.projects", "p", "projects", "projects", "Open another project, or make one", show=False),
        binding(
            "board.pause", "P", "pause", "pause", "Pause or resume giving this project's missions to agents", show=False
        ),
        binding(
            "board.remove_sample", "X", "remove_sample", "remove the sample", "Remove the sample project", show=False
        ),
        binding(
            "board.escape", "escape", "escape", "clear", "Let go of a dragged card, else clear the filter", show=False
        ),
    ]

    def on_mount(self) -> None:
        """Paint what was read already; all else comes after the first paint."""
        self.board.tick(self.app.clock())
        self.show()
        self.call_after_refresh(self.set_timer, PAINT_SECONDS, self._start)

    @work(exit_on_error=True)
    async def _start(self) -> None:
        gc.freeze()
        gc.enable()
        app = self.app
        await app.connect()
        if not app.connected:
            return
        self._check_keymap()
        from ..keeping_looks import keep

        keep(app)
        app.workspace_changed.subscribe(self, lambda _: self.stir())
        app.service_changed.subscribe(self, lambda _: self._show_service())
        self.set_interval(1.0, self._tick)
        if self.model.summary.project is None:
            await self._welcome()
        await self.load_all()
        self.stir()

    def _check_keymap(self) -> None:
        """Say what is wrong with the keys that the settings give to the board."""
        known = {
            bound.id: bound
            for owner in (Board, BoardScreen, SoloUnicornApp)
            for bound in owner.BINDINGS
            if isinstance(bound, Binding)
        }
        mine = {
            name: keys for name, keys in self.app.settings.keys.items() if name.partition(".")[0] in ("board", "app")
        }
        for sentence in clashes(mine, {name: bound for name, bound in known.items() if name}):
            self.app.notify(f"{sentence}.", title="Keys in the settings", severity="warning", timeout=8, markup=False)

    # -- wishes of the board -------------------------------------------------------------------------------------

    @on(Board.Wished)
    def _wished(self, event: Board.Wished) -> None:
        card = event.card
        match event.wish:
            case "open":
                self.open_mission(card.id)
            case "edit":
                self.edit_mission(card.id)
            case "ready":
                self._switch_ready(card)
            case "delete":
                self._delete(card)

    @on(Board.NewWished)
    @work
    async def _new(self, event: Board.NewWished) -> None:
        if self.model.summary.project is None:
            await self._welcome()
            return
        from .form import MissionForm

        made = await self.app.push_screen_wait(MissionForm(self.model.summary.project.id, in_list=event.in_list))
        if made is not None:
            await self.refresh_model()
            self.board.select(made)

    @on(Board.MoveWished)
    @work(group="writes")
    async def _move(self, event: Board.MoveWished) -> None:
        moved = await self.app.perform(
            Workspace.move_mission, event.card.id, event.to_list, before=event.before, after=event.after, top=event.top
        )
        if moved is not None:
            await self.refresh_model()
            if event.to_list != event.card.list:
                self.app.tell(f"{short_id(moved.number)} to {NAMES[event.to_list]}")

    @work(group="writes")
    async def _switch_ready(self, card: Card) -> None:
        ready = not card.ready
        mission = await self.app.perform(Workspace.set_ready, card.id, ready)
        if mission is None:
            return
        await self.refresh_model()
        why = await self.app.perform(Workspace.why_not, card.id) if ready else None
        if why:
            self.app.tell(f"{short_id(mission.number)} is ready; it waits: {why}")

    @work(group="writes")
    async def _delete(self, card: Card) -> None:
        if await self.app.perform(Workspace.delete_mission, card.id) is not None:
            await self.refresh_model()
            self.app.tell(f"{short_id(card.number)} deleted; u brings it back")

    @work
    async def open_mission(self, mission_id: str, tab: str | None = None) -> None:
        """Go into a mission."""
        from .mission import MissionScreen

        await self.app.push_screen_wait(MissionScreen(mission_id, tab=tab))
        await self.refresh_model()

    @work
    async def edit_mission(self, mission_id: str) -> None:
        """Change a mission in the form."""
        from .form import MissionForm

        card = self.model.card(mission_id)
        if card is None:
            return
        if await self.app.push_screen_wait(MissionForm(card.project_id, mission_id=mission_id)) is not None:
            await self.refresh_model()

    # -- actions -------------------------------------------------------------------------------------------------

    @on(TopLine.Clicked)
    async def _top_clicked(self, event: TopLine.Clicked) -> None:
        await self.run_action(event.action)

    def action_filter(self) -> None:
        """Open the filter line."""
        if not self.query("#filter"):
            from textual.widgets import Input

            entry = Input(self.query_text, placeholder=query.EXAMPLE, id="filter", compact=True)
            self.mount(entry)
            entry.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter as it is typed."""
        self.query_text = event.value.strip()
        self.show()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Keep the filter and go back to the cards."""
        event.input.remove()
        self.board.focus()

    def action_escape(self) -> None:
        """Out of what is under way: a drag, else the filter."""
        if self.board.end_drag():
            return
        for entry in self.query("#filter"):
            entry.remove()
        self.query_text = ""
        self.show()
        self.board.focus()

    @work(group="writes")
    async def action_undo(self) -> None:
        """Take back the last step."""
        await self._step(Workspace.undo)

    @work(group="writes")
    async def action_redo(self) -> None:
        """Do the undone step again."""
        await self._step(Workspace.redo)

    async def _step(self, operation: Callable[[Workspace, str], str]) -> None:
        project = self.model.summary.project
        if project is not None and (said := await self.app.perform(operation, project.id)):
            await self.refresh_model()
            self.app.tell(said)

    @work
    async def action_inbox(self) -> None:
        """What waits for the person."""
        from .inbox import InboxScreen

        inbox = InboxScreen()
        chosen = await self.app.push_screen_wait(inbox)
        await self.refresh_model()
        if chosen is not None:
            self.open_mission(chosen, inbox.tab)

    @work
    async def action_workstation(self) -> None:
        """Agents, sessions, worktrees."""
        from .workstation import WorkstationScreen

        chosen = await self.app.push_screen_wait(WorkstationScreen())
        await self.refresh_model()
        if chosen is not None:
            self.open_mission(chosen)

    @work
    async def action_projects(self) -> None:
        """Another project."""
        from .projects import ProjectsScreen

        chosen = await self.app.push_screen_wait(ProjectsScreen(self.model.summary.project))
        if chosen is not None:
            await self.open_project(chosen)

    @work(group="writes")
    async def action_pause(self) -> None:
        """Pause or resume the project."""
        project = self.model.summary.project
        if project is None:
            return
        if await self.app.perform(Workspace.update_project, project.id, {"paused": not project.paused}) is not None:
            await self.refresh_model()
            word = "goes on" if project.paused else "is paused: what runs goes on, nothing new starts"
            self.app.tell(f"{project.name} {word}")

    @work(group="writes")
    async def action_remove_sample(self) -> None:
        """Remove the sample project."""
        sample = next((project for project in self.model.summary.projects if project.is_sample), None)
        if sample is None:
            return

        def remove(workspace: Workspace, ref: str) -> bool:
            workspace.delete_project(ref)
            return True

        if await self.app.perform(remove, sample.id):
            others = [project for project in self.model.summary.projects if project.id != sample.id]
            await self.open_project(others[0].id if others else None)
            self.app.tell("The sample is gone")
            if not others:
                await self._welcome()

    async def _welcome(self) -> None:
        from .welcome import WelcomeScreen

        opened = await self.app.push_screen_wait(WelcomeScreen(self.app.directory))
        if opened is not None:
            await self.open_project(opened)
