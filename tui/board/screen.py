"""The board screen: what runs, what waits for you, what is stuck, at one glance."""

from __future__ import annotations

import gc
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec

from textual import on, work
from textual.events import Mount, Resize
from textual.worker import Worker

from ...missions.filters import query
from ..kit.keyboard.keyline import KeyLine
from ..kit.looks import Surface
from ..kit.paint import Drawn
from . import adding, missions, navigation, view_actions
from .data import Snapshot
from .keys import SCREEN_KEYS
from .live import LiveBoard
from .messages import Arranged, CursorMoved, Marked, MoveWished, NewWished, Typed, Wished
from .preview_placement import PreviewBeside
from .topline import TopLine

if TYPE_CHECKING:
    from .filter_line import FilterLine
    from .quick_add import QuickAdd

P = ParamSpec("P")
PAINT_SECONDS = 0.03
"""Left to the terminal to take the first paint in, before the rest of the cards is read."""
READING = frozenset({"open", "edit", "copy", "keys"})
"""Wishes that write nothing themselves."""


def in_worker(
    operation: Callable[Concatenate[LiveBoard, P], Coroutine[Any, Any, None]], **worker: Any
) -> Callable[Concatenate[LiveBoard, P], Worker[None]]:
    """An action of the screen that runs an operation of it in a worker; `worker` as for `run_worker`."""

    def action(self: LiveBoard, /, *args: P.args, **kwargs: P.kwargs) -> Worker[None]:
        return self.run_worker(operation(self, *args, **kwargs), **worker)

    action.__doc__ = operation.__doc__
    return action


class BoardScreen(LiveBoard):
    """What keys, clicks and wishes do on the board; each in a function of its own."""

    BINDING_GROUP_TITLE = "Board"
    BINDINGS = SCREEN_KEYS
    MORE_HELP = (("Filter", query.EXAMPLE),)

    def __init__(self, first: Snapshot) -> None:
        super().__init__(first)
        self.beside = PreviewBeside(self)
        self._came_from: str | None = None
        """The project that was open before this one."""

    @on(Mount)
    def _mounted(self) -> None:
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
            await adding.welcome(self)
        await self._load_all()
        self.stir()
        await adding.tell_unlinked(self)

    @property
    def surfaces(self) -> Mapping[Surface, Drawn]:
        """A widget of each kind of surface that the first frame draws on."""
        return {"board": self.board.headings, "edge": self.top}

    # -- reading -------------------------------------------------------------------------------------------------

    async def refresh_model(self) -> None:
        """Read what changed; whoever goes through the tutorial is told what comes next."""
        await super().refresh_model()
        project = self.model.summary.project
        if project is not None and project.is_sample:
            from ..welcome.tutorial import follow

            await follow(self.app, project.id)

    async def open_project(self, project_id: str | None) -> None:
        """Show another project, or the same read anew."""
        before = self.model.summary.project
        await super().open_project(project_id)
        after = self.model.summary.project
        if before is not None and after is not None and before.id != after.id:
            self._came_from = before.id

    # -- wishes of the board -------------------------------------------------------------------------------------

    @on(Wished)
    def _wished(self, event: Wished) -> None:
        doing = missions.fulfil(self, event.wish, event.card, event.cards or (event.card,))
        self.run_worker(doing, group="default" if event.wish in READING else "writes")

    @on(NewWished)
    @work
    async def _new(self, event: NewWished) -> None:
        await adding.new_mission(self, event)

    @work(group="writes")
    async def on_quick_add_added(self, event: QuickAdd.Added) -> None:
        """Make a mission of the line."""
        await adding.add_line(self, event)

    def on_quick_add_closed(self, event: QuickAdd.Closed) -> None:
        """Back to the cards."""
        adding.close_line(self, event.text)

    @on(MoveWished)
    @work(group="writes")
    async def _move(self, event: MoveWished) -> None:
        await missions.move(self, event)

    @work
    async def open_mission(self, mission_id: str, tab: str | None = None) -> None:
        """Go into a mission."""
        await missions.open_mission(self, mission_id, tab)

    action_undo = in_worker(missions.undo, group="writes")
    action_redo = in_worker(missions.redo, group="writes")

    # -- looks ---------------------------------------------------------------------------------------------------

    def looked(self) -> None:
        """The board is looked at in another way."""
        super().looked()
        self.beside.show()

    @on(Arranged)
    def _arranged(self, event: Arranged) -> None:
        view = replace(self.model.view, collapsed=event.collapsed, folded=event.folded)
        self.model.view = view
        self.run_worker(view_actions.keep_view(self, view), group="views")

    @on(Typed)
    def _typed(self, event: Typed) -> None:
        self.query_one(KeyLine).say_pending(event.pending)

    @on(Marked)
    def _marked(self, event: Marked) -> None:
        self.top.show(marked=event.count)

    @on(CursorMoved)
    def _cursor_moved(self) -> None:
        self.beside.follow()

    @on(Resize)
    def _resized(self) -> None:
        """The preview stands beside the board, or below it where there is no room."""
        self.beside.fit()

    @on(TopLine.Clicked)
    async def _top_clicked(self, event: TopLine.Clicked) -> None:
        await self.run_action(event.action)

    def on_filter_line_changed(self, event: FilterLine.Changed) -> None:
        """Filter as it is written."""
        self.query_text = event.text
        self.show()

    def on_filter_line_kept(self) -> None:
        """Keep the filter and go back to the cards, where there are any."""
        self.query("#filter-line").remove()
        self.go_to_a_card()
        self.board.focus()

    @work
    async def on_filter_line_save_wished(self, event: FilterLine.SaveWished) -> None:
        """Keep the filter under a name."""
        await view_actions.save_filter(self, event.text)

    def action_preview(self) -> None:
        """Show the preview, or take it away."""
        view_actions.set_view(self, replace(self.model.view, preview=not self.model.view.preview))

    def action_density(self) -> None:
        """Compact, normal, detailed, and again."""
        view_actions.next_density(self)

    def action_filter(self) -> None:
        """Open the filter line."""
        view_actions.open_filter(self)

    def action_escape(self) -> None:
        """Out of what is under way: a drag, else the filter line, else the marks, else the filter."""
        view_actions.escape(self)

    async def action_leave(self) -> None:
        """Close what is open here, else the application."""
        if not view_actions.close_open(self):
            await self.app.run_action("app.quit")

    @work(group="projects", exclusive=True)
    async def action_last_project(self) -> None:
        """The project that was open before this one."""
        known = {project.id for project in self.model.summary.projects}
        if self._came_from in known:
            await self.open_project(self._came_from)

    action_lanes = in_worker(view_actions.choose_lanes)
    action_filters = in_worker(view_actions.choose_filter)
    action_projects = in_worker(view_actions.choose_project)
    action_beside = in_worker(view_actions.beside, group="projects", exclusive=True)

    # -- doors ---------------------------------------------------------------------------------------------------

    action_inbox = in_worker(navigation.inbox)
    action_workstation = in_worker(navigation.workstation)
    action_metrics = in_worker(navigation.metrics)
    action_project = in_worker(navigation.project)
    action_conflicts = in_worker(navigation.conflicts)
    action_pause = in_worker(navigation.pause, group="writes")
    action_remove_sample = in_worker(navigation.remove_sample, group="writes")
