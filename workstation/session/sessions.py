"""The sessions that this service follows, each in a task of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from ...config.correlation import correlation
from ...missions.entities import Session
from ..context import ServiceContext
from .preparing import ReadComments
from .runner import SessionRunner


class Sessions:
    """Follows sessions from their claim, or from when they were found, to their ends."""

    def __init__(
        self,
        context: ServiceContext,
        *,
        renew_at_hub: Callable[[Session], Awaitable[bool]],
        read_comments: ReadComments,
    ) -> None:
        self._context = context
        self._renew_at_hub = renew_at_hub
        self._read_comments = read_comments
        self._runners: dict[str, SessionRunner] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def __len__(self) -> int:
        return len(self._runners)

    def __contains__(self, session_id: str) -> bool:
        return session_id in self._runners

    def follow(self, session: Session, cause: str, *, claimed_here: bool, since: float | None = None) -> None:
        """Carry a session to its end, under the correlation of what began it; as `SessionRunner`."""
        runner = SessionRunner(
            self._context,
            session,
            renew_at_hub=self._renew_at_hub,
            read_comments=self._read_comments,
            claimed_here=claimed_here,
            since=since,
        )
        correlation.set(cause)
        task = self._context.supervisor.keep(f"session {session.id}", runner.run_to_end)
        correlation.set("")
        self._runners[session.id], self._tasks[session.id] = runner, task
        task.add_done_callback(lambda _: self._over(session.id))

    def find(self, session_id: str | None, mission_id: str | None) -> SessionRunner | None:
        """The runner of that session, or without its id of that mission."""
        for runner in self._runners.values():
            if session_id == runner.session.id or (session_id is None and mission_id == runner.session.mission_id):
                return runner
        return None

    async def stop_all(self) -> None:
        """Stop every session and wait until each is over."""
        while self._tasks:
            await asyncio.gather(*(runner.stop() for runner in list(self._runners.values())))
            await asyncio.wait(list(self._tasks.values()), timeout=1.0)

    def _over(self, session_id: str) -> None:
        del self._runners[session_id], self._tasks[session_id]
        self._context.wakeup.look()
