"""What a mission that starts does not wait for: large files copied into its worktree, its base looked up anew.

Nothing depends on such a job: the next claim copies what is missing, and a base that is not looked up is one that is
known less well. So a job that fails is logged, and one that is cut off is forgotten.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from ..config.log import logger
from ..missions.entities import SYSTEM, Mission, ProjectRepository
from ..missions.errors import SoloUnicornError
from ..workspace import operations
from ..worktrees.bases import refreshed
from ..worktrees.includes import Pending
from .context import ServiceContext

REFRESH_SECONDS = 300.0
"""How often one branch of one repository is asked for at most."""


class Background:
    """Owns what goes on beside sessions; `close` lets go of it."""

    def __init__(self, context: ServiceContext, clock: Callable[[], float]) -> None:
        self._context = context
        self._clock = clock
        self._tasks: set[asyncio.Task[None]] = set()
        self._asked: dict[tuple[str, str], float] = {}
        self._log = logger("workstation.background")

    def copy(self, pending: Pending) -> None:
        """Copy large files while the agent starts."""
        self._begin(self._copy(pending), "copy")

    def refresh(self, repository: ProjectRepository, mission: Mission, base: str) -> None:
        """Ask the remote for the base of a mission that just started from it, and say when the two differ."""
        key, now = (repository.id, base), self._clock()
        if repository.remote_url and now - self._asked.get(key, -REFRESH_SECONDS) >= REFRESH_SECONDS:
            self._asked[key] = now
            self._begin(self._refresh(repository, mission, base), "refresh")

    async def close(self) -> None:
        """Let go: git that still runs ends by itself."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _begin(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=f"background {name}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _copy(self, pending: Pending) -> None:
        try:
            await self._context.git(pending.finish)
        except (OSError, SoloUnicornError) as error:
            self._log.warning("not all files were copied", extra={"files": list(pending.names), "why": str(error)})

    async def _refresh(self, repository: ProjectRepository, mission: Mission, base: str) -> None:
        try:
            said = await self._context.git(refreshed, repository.local_path, base)
            if said:
                await self._context.workspace.run(
                    lambda workspace: workspace.write_as(
                        SYSTEM, operations.missions.add_note, mission.id, "progress", said
                    )
                )
        except SoloUnicornError as error:
            self._log.info("base not looked up", extra={"repository": repository.name, "why": str(error)})


def background_of(context: ServiceContext) -> Background:
    """The background jobs of a service, on the event loop's clock."""
    return Background(context, asyncio.get_running_loop().time)
