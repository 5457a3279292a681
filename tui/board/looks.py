"""How the board is looked at: filter, lanes, density, collapsed lists, preview, and which project."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from textual import on, work
from textual.timer import Timer

from ...missions.query_words import Vocabulary
from ..kit.keyline import KeyLine
from ..kit.keys import binding
from ..kit.operations import Workspace
from . import data
from .live import LiveBoard
from .messages import Arranged, CursorMoved, Marked, Typed
from .rows.lanes import LANES
from .topline import TopLine
from .view import DENSITIES, BoardView

if TYPE_CHECKING:
    from .filter_line import FilterLine

REST_SECONDS = 0.06
"""The cursor rests on a card for this long before the preview reads it."""
BESIDE = 100
"""With fewer cells the preview stands below the board."""


class BoardLooks(LiveBoard):
    """Ways to look at the same cards."""

    BINDINGS = [  # noqa: RUF012
        binding(
            "board.preview", "v", "preview", "preview", "What the mission under the cursor is about, beside the board"
        ),
        binding("board.filter", "slash", "filter", "filter", "Show only the cards that meet a filter", label="/"),
        binding("board.filters", "F", "filters", "saved filters", "Filters that the project keeps by name", show=False),
        binding(
            "board.lanes", "s", "lanes", "swim lanes", "Swim lanes by priority, repository, agent or actor", show=False
        ),
        binding("board.density", "z", "density", "density", "Show less or more of each card", show=False),
        binding("board.projects", "p", "projects", "projects", "Open another project, or make one", show=False),
        binding(
            "board.next_project", "right_square_bracket", "beside(1)", "next project", "The next project", show=False
        ),
        binding(
            "board.previous_project",
            "left_square_bracket",
            "beside(-1)",
            "previous project",
            "The project before",
            show=False,
        ),
        binding(
            "board.last_project",
            "grave_accent",
            "last_project",
            "last project",
            "The project you came from",
            show=False,
        ),
        binding(
            "board.escape",
            "escape",
            "escape",
            "clear",
            "Let go of a dragged card, else take the marks away, else clear the filter",
            show=False,
        ),
    ]
    _came_from: str | None = None
    _resting: Timer | None = None

    # -- the view ------------------------------------------------------------------------------------------------

    def set_view(self, view: BoardView) -> None:
        """Look at the project in this way, now and next time."""
        self.model.view = view
        self.looked()
        self._keep_view(view)

    @work(group="views")
    async def _keep_view(self, view: BoardView) -> None:
        project = self.model.summary.project
        if project is not None and self.app.connected:
            await self.app.perform(data.remember_view, project.id, view)

    @on(Arranged)
    def _arranged(self, event: Arranged) -> None:
        self.model.view = replace(self.model.view, collapsed=event.collapsed, folded=event.folded)
        self._keep_view(self.model.view)

    @on(Typed)
    def _typed(self, event: Typed) -> None:
        self.query_one(KeyLine).say_pending(event.pending)

    @on(Marked)
    def _marked(self, event: Marked) -> None:
        self.top.show(marked=event.count)

    @work
    async def action_lanes(self) -> None:
        """Choose the lanes."""
        from ..kit.sheets.choose import Choice, ChooseScreen

        notes = {"": "the plain board", "priority": "most urgent first"}
        choices = [
            Choice((by or "none")[0] if by != "actor" else "c", by or "none", notes.get(by, f"one for each {by}"), by)
            for by in LANES
        ]
        chosen = await self.app.push_screen_wait(ChooseScreen("Swim lanes by", choices, now=self.model.view.lanes))
        lanes = next((by for by in LANES if by == chosen), None)
        if lanes is not None and lanes != self.model.view.lanes:
            self.set_view(replace(self.model.view, lanes=lanes, folded=frozenset()))

    def action_density(self) -> None:
        """Compact, normal, detailed, and again."""
        density = DENSITIES[(DENSITIES.index(self.density) + 1) % len(DENSITIES)]
        self.set_view(replace(self.model.view, density=density))
        self.app.tell(f"{density.capitalize()} cards")

    # -- preview -------------------------------------------------------------------------------------------------

    def action_preview(self) -> None:
        """Show it, or take it away."""
        self.model.view = replace(self.model.view, preview=not self.model.view.preview)
        self._keep_view(self.model.view)
        self.looked()

    def looked(self) -> None:
        """The board is looked at in another way."""
        super().looked()
        self.show_preview()

    def show_preview(self) -> None:
        """Bring the preview in or out, as the view says."""
        there = self.query("#preview")
        if self.model.view.preview and not there:
            from .preview import Preview

            self.mount(Preview(self.app.marks))
            self.on_resize()
            self.call_after_refresh(self._read_preview)
        elif not self.model.view.preview and there:
            there.remove()

    def on_resize(self) -> None:
        """The preview stands beside the board, or below it where there is no room."""
        below = self.size.width < BESIDE
        self.set_class(below, "-below")
        for preview in self.query("#preview"):
            preview.styles.height = max(5, self.size.height * 2 // 5) if below else max(3, self.size.height - 2)

    @on(CursorMoved)
    def _cursor_moved(self) -> None:
        if self.model.view.preview:
            if self._resting is not None:
                self._resting.stop()
            self._resting = self.set_timer(REST_SECONDS, self._read_preview)

    @work(group="preview", exclusive=True)
    async def _read_preview(self) -> None:
        from .preview import Preview, preview_rows

        shown = self.query(Preview)
        card = self.board.card
        if not shown or not self.app.connected:
            return
        read = await self.app.perform(data.preview, card.id) if card is not None else None
        if self.query(Preview):
            shown.first().show(preview_rows(read, self.app.marks, self.app.clock()) if read is not None else [])

    # -- filter --------------------------------------------------------------------------------------------------

    @on(TopLine.Clicked)
    async def _top_clicked(self, event: TopLine.Clicked) -> None:
        await self.run_action(event.action)

    def action_filter(self) -> None:
        """Open the filter line."""
        if not self.query("#filter-line"):
            from .filter_line import FilterLine

            saved = self.model.summary.filters
            known = Vocabulary.of((card for cards in self.model.lists.values() for card in cards), saved)
            self.mount(FilterLine(self.query_text, known, saved, self.app.marks))

    def on_filter_line_changed(self, event: FilterLine.Changed) -> None:
        """Filter as it is written."""
        self.query_text = event.text
        self.show()

    def on_filter_line_kept(self) -> None:
        """Keep the filter and go back to the cards."""
        self.query("#filter-line").remove()
        self.board.focus()

    @work
    async def on_filter_line_save_wished(self, event: FilterLine.SaveWished) -> None:
        """Keep the filter under a name."""
        from ..kit.sheets.line import LineScreen

        project = self.model.summary.project
        if project is None or not event.text:
            return
        about = f"{event.text}\nA name of small letters and digits; @name stands for the filter."
        name = await self.app.push_screen_wait(LineScreen("Keep the filter as", about=about))
        if name:
            kept = await self.app.perform(_save, project.id, name, event.text)
            if kept:
                await self.refresh_model()
                self.app.tell(f"Saved: @{kept} in a filter stands for it")

    @work
    async def action_filters(self) -> None:
        """Choose a saved filter."""
        from .filters import FiltersScreen

        project = self.model.summary.project
        if project is None:
            return
        chosen = await self.app.push_screen_wait(FiltersScreen(project.id, self.model.summary.filters))
        await self.refresh_model()
        if chosen is not None:
            self.query_text = chosen
            self.show()

    def action_escape(self) -> None:
        """Out of what is under way: a drag, else the filter line, else the marks, else the filter."""
        if self.board.dragging.end():
            return
        if not self.query("#filter-line") and self.board.marking.clear():
            return
        self.query("#filter-line").remove()
        self.query_text = ""
        self.show()
        self.board.focus()

    # -- projects ------------------------------------------------------------------------------------------------

    @work
    async def action_projects(self) -> None:
        """Another project."""
        from ..project.projects import ProjectsScreen

        chosen = await self.app.push_screen_wait(ProjectsScreen(self.model.summary.project))
        if chosen is not None:
            await self.open_project(chosen)

    @work(group="projects", exclusive=True)
    async def action_beside(self, step: int) -> None:
        """The next project, or the one before."""
        around = self.model.summary
        ids = [project.id for project in around.projects]
        if around.project is not None and len(ids) > 1:
            await self.open_project(ids[(ids.index(around.project.id) + step) % len(ids)])

    @work(group="projects", exclusive=True)
    async def action_last_project(self) -> None:
        """The project that was open before this one."""
        known = {project.id for project in self.model.summary.projects}
        if self._came_from in known:
            await self.open_project(self._came_from)

    async def open_project(self, project_id: str | None) -> None:
        """Show another project, or the same read anew."""
        before = self.model.summary.project
        await super().open_project(project_id)
        after = self.model.summary.project
        if before is not None and after is not None and before.id != after.id:
            self._came_from = before.id


def _save(workspace: Workspace, project_id: str, name: str, text: str) -> str:
    workspace.save_filter(project_id, name, text)
    return name.strip().removeprefix("@").lower()
