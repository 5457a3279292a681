"""The doors from the board to the places that are not open all day; each screen is imported when it is opened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...workspace import operations
from .adding import welcome
from .live import LiveBoard
from .missions import open_mission

if TYPE_CHECKING:
    from ...workspace.workspace import Workspace


async def inbox(screen: LiveBoard) -> None:
    """What waits for the person."""
    from ..inbox.screen import InboxScreen

    inbox = InboxScreen()
    chosen = await screen.app.push_screen_wait(inbox)
    await screen.refresh_model()
    if chosen is not None:
        await open_mission(screen, chosen, inbox.tab)


async def workstation(screen: LiveBoard) -> None:
    """Agents, sessions, worktrees."""
    from ..workstation.screen import WorkstationScreen

    chosen = await screen.app.push_screen_wait(WorkstationScreen())
    await screen.refresh_model()
    if chosen is not None:
        await open_mission(screen, chosen)


async def metrics(screen: LiveBoard) -> None:
    from ..project.metrics import MetricsScreen

    await screen.app.push_screen_wait(MetricsScreen(screen.model.summary.project))


async def project(screen: LiveBoard) -> None:
    """The project's own screen."""
    from ..project.screen import ProjectScreen

    project = screen.model.summary.project
    if project is not None:
        await screen.app.push_screen_wait(ProjectScreen(project.id))
        await screen.open_project(project.id)


async def conflicts(screen: LiveBoard) -> None:
    """Where this machine and the hub differ."""
    from ..hub.conflicts import ConflictsScreen

    project = screen.model.summary.project
    await screen.app.push_screen_wait(ConflictsScreen(project.id if project is not None else None))


async def pause(screen: LiveBoard) -> None:
    """Pause or resume the project."""
    project = screen.model.summary.project
    if project is None:
        return
    if await screen.app.write(operations.projects.edit, project.id, {"paused": not project.paused}) is not None:
        await screen.refresh_model()
        word = "starts missions again" if project.paused else "is paused: running sessions continue, nothing new starts"
        screen.app.tell(f"{project.name} {word}")


async def remove_sample(screen: LiveBoard) -> None:
    """Remove the sample project."""
    sample = next((project for project in screen.model.summary.projects if project.is_sample), None)
    if sample is None:
        return

    def remove(workspace: Workspace, ref: str) -> bool:
        workspace.write(operations.projects.delete, ref)
        return True

    if await screen.app.perform(remove, sample.id):
        others = [project for project in screen.model.summary.projects if project.id != sample.id]
        await screen.open_project(others[0].id if others else None)
        screen.app.tell("The sample is removed")
        if not others:
            await welcome(screen)
