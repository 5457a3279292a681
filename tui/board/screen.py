"""The board screen: what runs, what waits for you, what is stuck, at one glance."""

from __future__ import annotations

import gc
from collections.abc import Mapping

from textual import work

from ...missions import query
from ..kit.keyline import KeyLine
from ..kit.keys import binding
from ..kit.looks import Surface
from ..kit.operations import Workspace
from ..kit.paint import Drawn
from .doors import Doors
from .work import BoardWork

PAINT_SECONDS = 0.03
"""Left to the terminal to take the first paint in, before the rest of the cards is read."""


class BoardScreen(BoardWork, Doors):
    """The doors to every other screen."""

    BINDING_GROUP_TITLE = "Board"
    MORE_HELP = (("Filter", query.EXAMPLE),)
    BINDINGS = [  # noqa: RUF012
        binding("board.inbox", "i", "inbox", "inbox", "Everything that waits for you"),
        binding(
            "board.workstation",
            "w",
            "workstation",
            "workstation",
            "Agents, sessions, worktrees, and why what is not running",
        ),
        binding(
            "board.pause", "P", "pause", "pause", "Pause or resume giving this project's missions to agents", show=False
        ),
        binding(
            "board.remove_sample", "X", "remove_sample", "remove the sample", "Remove the sample project", show=False
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
        from .keeping_looks import keep

        keep(app, self.surfaces, self.query_one(KeyLine).keys)
        app.workspace_changed.subscribe(self, lambda _: self.stir())
        app.service_changed.subscribe(self, lambda _: self._show_service())
        self.set_interval(1.0, self._tick)
        if self.model.summary.project is None:
            await self.welcome()
        await self.load_all()
        self.stir()

    @property
    def surfaces(self) -> Mapping[Surface, Drawn]:
        """A widget of each kind of surface that the first frame draws on."""
        return {"board": self.board.headings, "edge": self.top}

    # -- actions -------------------------------------------------------------------------------------------------

    @work
    async def action_inbox(self) -> None:
        """What waits for the person."""
        from ..inbox.screen import InboxScreen

        inbox = InboxScreen()
        chosen = await self.app.push_screen_wait(inbox)
        await self.refresh_model()
        if chosen is not None:
            self.open_mission(chosen, inbox.tab)

    @work
    async def action_workstation(self) -> None:
        """Agents, sessions, worktrees."""
        from ..workstation.screen import WorkstationScreen

        chosen = await self.app.push_screen_wait(WorkstationScreen())
        await self.refresh_model()
        if chosen is not None:
            self.open_mission(chosen)

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
                await self.welcome()
