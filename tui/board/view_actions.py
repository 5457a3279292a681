"""How the board is looked at: filter, lanes, density, collapsed lists, and which project."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ...missions.filters.words import Vocabulary
from ...workspace import operations
from . import data
from .live import LiveBoard
from .rows.lanes import LANES
from .view import DENSITIES, BoardView

if TYPE_CHECKING:
    from ...workspace.workspace import Workspace


def set_view(screen: LiveBoard, view: BoardView) -> None:
    """Look at the project in this way, now and next time."""
    screen.model.view = view
    screen.looked()
    screen.run_worker(keep_view(screen, view), group="views")


async def keep_view(screen: LiveBoard, view: BoardView) -> None:
    """Look at the open project in this way next time."""
    project = screen.model.summary.project
    if project is not None and screen.app.connected:
        await screen.app.perform(data.remember_view, project.id, view)


async def choose_lanes(screen: LiveBoard) -> None:
    """Choose the lanes."""
    from ..kit.sheets.choose import Choice, ChooseScreen

    notes = {"": "the plain board", "priority": "most urgent first"}
    choices = [
        Choice((by or "none")[0] if by != "actor" else "c", by or "none", notes.get(by, f"one for each {by}"), by)
        for by in LANES
    ]
    chosen = await screen.app.push_screen_wait(ChooseScreen("Swim lanes by", choices, now=screen.model.view.lanes))
    lanes = next((by for by in LANES if by == chosen), None)
    if lanes is not None and lanes != screen.model.view.lanes:
        set_view(screen, replace(screen.model.view, lanes=lanes, folded=frozenset()))


def next_density(screen: LiveBoard) -> None:
    """Compact, normal, detailed, and again."""
    density = DENSITIES[(DENSITIES.index(screen.density) + 1) % len(DENSITIES)]
    set_view(screen, replace(screen.model.view, density=density))
    screen.app.tell(f"{density.capitalize()} cards")


def open_filter(screen: LiveBoard) -> None:
    """Open the filter line."""
    if not screen.query("#filter-line, #quick-add"):
        from .filter_line import FilterLine

        saved = screen.model.summary.filters
        known = Vocabulary.of((card for cards in screen.model.lists.values() for card in cards), saved)
        screen.mount(FilterLine(screen.query_text, known, saved, screen.app.marks))


async def save_filter(screen: LiveBoard, text: str) -> None:
    """Keep the filter under a name."""
    from ..kit.sheets.line import LineScreen

    project = screen.model.summary.project
    if project is None or not text:
        return
    about = f"{text}\nUse lower-case letters and digits; @name stands for the filter."
    name = await screen.app.push_screen_wait(LineScreen("Save the filter as", about=about))
    if name:
        kept = await screen.app.perform(_save, project.id, name, text)
        if kept:
            await screen.refresh_model()
            screen.app.tell(f"Saved: @{kept} in a filter stands for it")


async def choose_filter(screen: LiveBoard) -> None:
    """Choose a saved filter."""
    from .filters import FiltersScreen

    project = screen.model.summary.project
    if project is None:
        return
    chosen = await screen.app.push_screen_wait(FiltersScreen(project.id, screen.model.summary.filters))
    await screen.refresh_model()
    if chosen is not None:
        screen.query_text = chosen
        screen.show()


def escape(screen: LiveBoard) -> None:
    """Out of what is under way: a drag, else the filter line, else the marks, else the filter."""
    if screen.board.dragging.end():
        return
    if not screen.query("#filter-line") and screen.board.marking.clear():
        return
    screen.query("#filter-line").remove()
    screen.query_text = ""
    screen.show()
    screen.board.focus()


def close_open(screen: LiveBoard) -> bool:
    """Close the marks or the filter, else the preview; False when nothing is open."""
    if screen.board.marking.selection.ids or screen.query_text or screen.query("#filter-line"):
        escape(screen)
    elif screen.model.view.preview:
        set_view(screen, replace(screen.model.view, preview=False))
    else:
        return False
    return True


async def choose_project(screen: LiveBoard) -> None:
    """Another project."""
    from ..project.projects import ProjectsScreen

    chosen = await screen.app.push_screen_wait(ProjectsScreen(screen.model.summary.project))
    if chosen is not None:
        await screen.open_project(chosen)


async def beside(screen: LiveBoard, step: int) -> None:
    """The next project, or the one before."""
    around = screen.model.summary
    ids = [project.id for project in around.projects]
    if around.project is not None and len(ids) > 1:
        await screen.open_project(ids[(ids.index(around.project.id) + step) % len(ids)])


def _save(workspace: Workspace, project_id: str, name: str, text: str) -> str:
    workspace.write(operations.filters.save, project_id, name, text)
    return name.strip().removeprefix("@").lower()
