"""What people ask of a running service through the workspace: stop, interrupt, say, scan, clean, merge, drain.

A request stays in the workspace until it is done: asked for twice does no harm, forgotten would.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress

from ..config.correlation import correlation
from ..config.log import logger
from ..missions.board import Request
from ..missions.entities import SYSTEM
from ..missions.errors import NotFound, SoloUnicornError
from ..workspace import operations
from ..workspace.thread import WorkspaceThread
from .session.runner import SessionRunner

Chore = Callable[[Request], None]


class Requests:
    """Does what was asked, with the sessions that run now; a chore is begun by its request and not awaited."""

    def __init__(
        self, workspace: WorkspaceThread, runners: Mapping[str, SessionRunner], chores: Mapping[str, Chore]
    ) -> None:
        self._workspace = workspace
        self._runners = runners
        self._chores = chores
        self._log = logger("workstation")

    async def do(self, request: Request) -> None:
        """Do it, tell in the mission's history when it could not be done, and strike it off."""
        if request.kind == "sync":
            return  # whichever process holds its lock answers it (sync/client/synchroniser.py)
        correlation.set(request.correlation_id)
        self._log.info("asked", extra={"request": request.kind, "mission": request.mission_id})
        try:
            await self._answer(request)
        except SoloUnicornError as error:
            self._log.warning("not done", extra={"request": request.kind, "why": str(error)})
            await self._tell(request, error)
        await self._workspace.write_as(SYSTEM, operations.workstation.finish_request, request.id)
        correlation.set("")

    async def _answer(self, request: Request) -> None:
        match request.kind:
            case "stop_session":
                await self._runner_for(request).stop()
            case "interrupt_session":
                await self._runner_for(request).interrupt()
            case "say":
                await self._runner_for(request).say(str(request.payload.get("text", "")))
            case kind if kind in self._chores:
                self._chores[kind](request)
            case kind:
                raise SoloUnicornError(f"This service knows no request {kind!r}", todo="restart the service")

    def _runner_for(self, request: Request) -> SessionRunner:
        for runner in self._runners.values():
            if request.session_id == runner.session.id:
                return runner
            if request.session_id is None and request.mission_id == runner.session.mission_id:
                return runner
        raise NotFound("No session runs there", why="it has ended meanwhile")

    async def _tell(self, request: Request, error: SoloUnicornError) -> None:
        if request.mission_id is None:
            return
        note = f"{request.kind.replace('_', ' ').capitalize()} could not be done: {error}"
        if said := request.payload.get("text"):
            note += f"\n\n{said}"  # somebody's words are not lost because a session ended meanwhile
        with suppress(NotFound):
            await self._workspace.write_as(SYSTEM, operations.missions.add_note, request.mission_id, "progress", note)
