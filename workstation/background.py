"""What a mission that starts does not wait for: large files copied into its worktree, its base looked up anew.

Nothing depends on such a job: the next claim copies what is missing, and a base that is not looked up is one that is
known less well. So a job that fails is logged, and one that is cut off is forgotten.
"""

from __future__ import annotations

import asyncio
from functools import partial

from ..config.log import logger
from ..missions.entities import SYSTEM, Mission, ProjectRepository
from ..missions.errors import SoloUnicornError
from ..workspace import operations
from ..workspace.thread import WorkspaceThread
from ..worktrees.bases import refreshed
from ..worktrees.pool.includes import Pending
from .supervisor import Supervisor

REFRESH_SECONDS = 300.0
"""How often one branch of one repository is asked for at most."""


class Background:
    """Begins what goes on beside sessions."""

    def __init__(self, supervisor: Supervisor, workspace: WorkspaceThread) -> None:
        self._supervisor = supervisor
        self._workspace = workspace
        self._asked: dict[tuple[str, str], float] = {}
        self._log = logger("workstation.background")

    def copy(self, pending: Pending) -> None:
        """Copy large files while the agent starts."""
        self._supervisor.begin("copying large files", partial(self._copy, pending))

    def refresh(self, repository: ProjectRepository, mission: Mission, base: str) -> None:
        """Ask the remote for the base of a mission that just started from it, and say when the two differ."""
        key, now = (repository.id, base), asyncio.get_running_loop().time()
        if repository.remote_url and now - self._asked.get(key, -REFRESH_SECONDS) >= REFRESH_SECONDS:
            self._asked[key] = now
            self._supervisor.begin("looking up branches", partial(self._refresh, repository, mission, base))

    async def _copy(self, pending: Pending) -> None:
        try:
            await asyncio.to_thread(pending.finish)
        except (OSError, SoloUnicornError) as error:
            self._log.warning("not all files were copied", extra={"files": list(pending.names), "why": str(error)})

    async def _refresh(self, repository: ProjectRepository, mission: Mission, base: str) -> None:
        try:
            said = await asyncio.to_thread(refreshed, repository.local_path, base)
            if said:
                await self._workspace.run(
                    lambda workspace: workspace.write_as(
                        SYSTEM, operations.missions.add_note, mission.id, "progress", said
                    )
                )
        except SoloUnicornError as error:
            self._log.info("base not looked up", extra={"repository": repository.name, "why": str(error)})
