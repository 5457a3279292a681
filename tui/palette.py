"""The command palette: every binding that works here, the projects, the missions, and the themes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any

from textual.command import DiscoveryHit, Hit, Hits, Provider

from ..workspace import queries
from .board.screen import BoardScreen
from .kit.application import Application
from .kit.drawing import ASCII
from .kit.keyboard.keys import KeyEntry, entries

MISSIONS = 12


class Entries(Provider):
    """Entries come from the bindings themselves, so that nothing has two names."""

    @property
    def application(self) -> Application:
        """The application, by its own type."""
        assert isinstance(self.app, Application)
        return self.app

    @property
    def board(self) -> BoardScreen | None:
        """The board below whatever is open."""
        return next((screen for screen in self.app.screen_stack if isinstance(screen, BoardScreen)), None)

    async def discover(self) -> Hits:
        """All commands, before anything is typed."""
        for title, run, help_text in self._commands():
            yield DiscoveryHit(title, run, help=help_text)

    async def search(self, query: str) -> Hits:
        """Commands by their words, then missions by full text."""
        matcher = self.matcher(query)
        for title, run, help_text in self._commands():
            if (score := max(matcher.match(title), matcher.match(help_text) * 0.6)) > 0:
                yield Hit(score, matcher.highlight(title), run, help=help_text)
        async for hit in self._missions(query):
            yield hit

    def _commands(self) -> list[tuple[str, Callable[[], Any], str]]:
        found: list[tuple[str, Callable[[], Any], str]] = []
        for entry in entries(self.screen):
            if entry.enabled and not entry.binding.action.startswith(("cursor", "page(", "go(")):
                found.append((self._title(entry), partial(self._run, entry), entry.binding.tooltip))
        board = self.board
        for project in board.model.summary.projects if board is not None else ():
            found.append((f"open {project.name}", partial(self._open_project, project.id), "Show this project's board"))
        return found

    def _title(self, entry: KeyEntry) -> str:
        keys = ", ".join(entry.keys)
        return f"{entry.binding.description}  ({keys.translate(ASCII) if self.app.has_class('-plain') else keys})"

    async def _run(self, entry: KeyEntry) -> None:
        await self.app.run_action(entry.binding.action, default_namespace=entry.node)

    async def _missions(self, query: str) -> AsyncIterator[Hit]:
        board = self.board
        if board is None or len(query) < 2:
            return
        project = board.model.summary.project
        hits = await self.application.read(queries.missions.search, query, project.id if project else None, MISSIONS)
        for place, hit in enumerate(hits or ()):
            yield Hit(
                0.5 - place / 100,
                f"{hit.ref}  {hit.title}",
                partial(self._open_mission, hit.ref),
                text=hit.title,
                help="Go in",
            )

    def _open_mission(self, ref: str) -> None:
        if (board := self.board) is not None:
            board.open_mission(ref)

    async def _open_project(self, project_id: str) -> None:
        if (board := self.board) is not None:
            while self.app.screen is not board:
                self.app.pop_screen()
            await board.open_project(project_id)
