"""What people ask of a running service through the workspace: stop, interrupt, say, scan, clean, merge, drain.

A request stays in the workspace until it is done: asked for twice does no harm, forgotten would.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from functools import partial

from ..config.correlation import correlation
from ..config.log import logger
from ..missions.board import ServiceRequest
from ..missions.entities import SYSTEM, USER
from ..missions.errors import NotFound, SoloUnicornError
from ..workspace import operations
from .context import ServiceContext
from .session.runner import SessionRunner
from .session.sessions import Sessions
from .supervisor import reason

Job = Callable[[ServiceRequest], Awaitable[None]]


class Requests:
    """Does what was asked, with the sessions that run now; a job is begun by its request and not awaited."""

    def __init__(self, context: ServiceContext, sessions: Sessions, jobs: Mapping[str, Job]) -> None:
        self._context = context
        self._sessions = sessions
        self._jobs = jobs
        self._log = logger("workstation")

    async def do(self, request: ServiceRequest) -> None:
        """Do it, tell in the mission's history when it could not be done, and strike it off."""
        if request.kind == "sync":
            return  # whichever process holds its lock answers it (sync/client/synchroniser.py)
        correlation.set(request.correlation_id)
        self._log.info("asked", extra={"request": request.kind, "mission": request.mission_id})
        try:
            await self._answer(request)
        except SoloUnicornError as error:
            await self._tell(request, error)
        except Exception as error:  # a fault of the program: asked again, it would break off again
            self._log.exception("request broke off", extra={"request": request.kind})
            await self._tell(request, error)
        await self._context.workspace.write_as(SYSTEM, operations.workstation.finish_request, request.id)
        correlation.set("")

    async def _answer(self, request: ServiceRequest) -> None:
        match request.kind:
            case "stop_session":
                await self._runner_for(request).stop()
            case "interrupt_session":
                await self._runner_for(request).interrupt()
            case "say":
                await self._say(request, str(request.payload.get("text", "")))
            case kind if kind in self._jobs:
                self._context.supervisor.begin(_words(request), partial(self._do_job, request))
            case kind:
                raise SoloUnicornError(f"This service knows no request {kind!r}", todo="restart the service")

    async def _say(self, request: ServiceRequest, text: str) -> None:
        """Hand a person's words to the agent; what cannot be handed over now is kept for its next turn, and told."""
        later = ""
        try:
            await self._runner_for(request).say(text)
        except SoloUnicornError as error:
            later = error.why or error.what
        if request.mission_id is not None:
            await self._context.workspace.write_as(
                USER, operations.dispatch.said, request.mission_id, text, later=later
            )

    async def _do_job(self, request: ServiceRequest) -> None:
        try:
            await self._jobs[request.kind](request)
        except Exception as error:
            await self._tell(request, error)
            raise

    def _runner_for(self, request: ServiceRequest) -> SessionRunner:
        runner = self._sessions.find(request.session_id, request.mission_id)
        if runner is None:
            raise NotFound("No session runs there", why="it has ended meanwhile")
        return runner

    async def _tell(self, request: ServiceRequest, error: Exception) -> None:
        self._log.warning("not done", extra={"request": request.kind, "why": reason(error)})
        if request.mission_id is None:
            return
        note = f"{_words(request)} could not be done: {reason(error)}"
        if said := request.payload.get("text"):
            note += f"\n\n{said}"  # somebody's words are not lost because a session ended meanwhile
        with suppress(NotFound):
            await self._context.workspace.write_as(
                SYSTEM, operations.missions.add_note, request.mission_id, "progress", note
            )


def _words(request: ServiceRequest) -> str:
    return request.kind.replace("_", " ").capitalize()
