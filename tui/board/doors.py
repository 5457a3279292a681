"""The doors from the board to the places that are not open all day; each screen is imported when it is opened."""

from __future__ import annotations

from textual import work

from ..kit.keys import binding
from .live import LiveBoard


class Doors(LiveBoard):
    """Metrics and the project's own screens."""

    BINDINGS = [  # noqa: RUF012
        binding(
            "board.metrics", "M", "metrics", "metrics", "How the work goes: plots by week, agents compared", show=False
        ),
        binding(
            "board.project",
            "comma",
            "project",
            "project settings",
            "This project: settings, repositories, flows, actors, memory, members",
            show=False,
        ),
        binding(
            "board.conflicts",
            "U",
            "conflicts",
            "hub",
            "This machine and the hub: conflicts, what was refused",
            show=False,
        ),
    ]

    async def refresh_model(self) -> None:
        """Whoever goes through the tutorial is told what comes next."""
        await super().refresh_model()
        project = self.model.summary.project
        if project is not None and project.is_sample:
            from ..welcome.teaching import follow

            await follow(self.app, project.id)

    @work
    async def action_metrics(self) -> None:
        """Plots."""
        from ..project.metrics import MetricsScreen

        await self.app.push_screen_wait(MetricsScreen(self.model.summary.project))

    @work
    async def action_project(self) -> None:
        """The project's own screen."""
        from ..project.screen import ProjectScreen

        project = self.model.summary.project
        if project is not None:
            await self.app.push_screen_wait(ProjectScreen(project.id))
            await self.open_project(project.id)

    @work
    async def action_conflicts(self) -> None:
        """Where this machine and the hub differ."""
        from ..hub.conflicts import ConflictsScreen

        project = self.model.summary.project
        await self.app.push_screen_wait(ConflictsScreen(project.id if project is not None else None))
