"""New missions: in the form, or line by line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .live import LiveBoard
from .messages import NewWished

if TYPE_CHECKING:
    from .quick_add import QuickAdd


async def new_mission(screen: LiveBoard, event: NewWished) -> None:
    """Write a new mission in a list."""
    project = screen.model.summary.project
    if project is None:
        await welcome(screen)
    elif event.in_a_line:
        await _open_line(screen, event, project.id)
    else:
        from ..mission.form import MissionForm

        made = await screen.app.push_screen_wait(MissionForm(project.id, in_list=event.in_list))
        if made is not None:
            await screen.refresh_model()
            screen.board.select(made)


async def welcome(screen: LiveBoard) -> None:
    """The first steps, where there is no project."""
    from ..welcome.screen import WelcomeScreen

    opened = await screen.app.push_screen_wait(WelcomeScreen(screen.app.directory))
    if opened is not None:
        await screen.open_project(opened)


async def tell_unlinked(screen: LiveBoard) -> None:
    """Say that the board is not that of this directory, and how it gets one."""
    from ..project.creating import unlinked

    root = await screen.app.perform(unlinked, screen.app.directory)
    if root is not None:
        screen.app.notify(
            f"{root.name}, the repository of this directory, is in no project. `p`, then `n` makes one for it.",
            timeout=20,
            markup=False,
        )


async def _open_line(screen: LiveBoard, event: NewWished, project_id: str) -> None:
    from .quick_add import QuickAdd, repositories

    known = await screen.app.perform(repositories, project_id, screen.app.directory)
    if known is not None and not screen.query(QuickAdd):
        screen.query("#filter-line").remove()
        await screen.mount(QuickAdd(screen.new_title, event.in_list, known, screen.app.marks))


async def add_line(screen: LiveBoard, event: QuickAdd.Added) -> None:
    """Make a mission of the line, and put the cursor on it."""
    from .quick_add import QuickAdd, add, understood

    project, entry = screen.model.summary.project, screen.query(QuickAdd)
    if project is None or not entry:
        return
    asked = entry.first()
    made = await screen.app.perform(
        add, project.id, understood(event.text), asked.in_list, asked.known, ready=event.ready
    )
    if made is not None:
        if asked.entry.value == event.text:
            asked.entry.clear()
        if screen.new_title == event.text:  # the line was closed in the meantime
            screen.new_title = ""
        await screen.refresh_model()
        screen.board.select(made.id)


def close_line(screen: LiveBoard, text: str) -> None:
    """Back to the cards; what is written comes back with the line."""
    screen.new_title = text
    screen.query("#quick-add").remove()
    screen.board.focus()
