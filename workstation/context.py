"""What every part of one running service shares; complete once it is made."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import ParamSpec, TypeVar

from ..config import paths
from ..config.settings import Settings
from ..missions.entities import SYSTEM, Worktree
from ..missions.ids import new_ulid
from ..workspace import operations, queries
from ..workspace.thread import WorkspaceThread
from ..workspace.workspace import Workspace
from ..worktrees.pool.pool import Pool
from .background import Background
from .full_repositories import FullRepositories
from .hosting import McpHosting
from .supervisor import Supervisor
from .threads import DaemonThreads

P = ParamSpec("P")
T = TypeVar("T")


class ThreadedSlots:
    """The pool's slots, kept in the workspace: called on a git thread, answered on the workspace's thread."""

    def __init__(self, workspace: WorkspaceThread, loop: asyncio.AbstractEventLoop) -> None:
        self._workspace = workspace
        self._loop = loop

    def worktrees(self, repository: str | None = None) -> list[Worktree]:
        """The recorded worktrees of one repository, or of all."""
        return self._ask(lambda workspace: workspace.read(queries.workstation.worktrees, repository))

    def put_worktree(self, worktree: Worktree) -> None:
        self._ask(lambda workspace: workspace.write_as(SYSTEM, operations.workstation.put_worktree, worktree))

    def remove_worktree(self, worktree_id: str) -> None:
        self._ask(lambda workspace: workspace.write_as(SYSTEM, operations.workstation.remove_worktree, worktree_id))

    def _ask(self, operation: Callable[[Workspace], T]) -> T:
        return asyncio.run_coroutine_threadsafe(self._workspace.run(operation), self._loop).result()


class Wakeup:
    """What begins the next pass of the scheduler."""

    def __init__(self, stirred: Callable[[], None]) -> None:
        """`stirred` is called when the service may have become idle, or no longer is."""
        self.stirred = stirred
        self.rung = asyncio.Event()
        self.due = True
        """Everything is to be looked at anew."""

    def ring(self) -> None:
        """Somebody changed the workspace: see what."""
        self.rung.set()

    def look(self) -> None:
        """Look at everything anew."""
        self.due = True
        self.rung.set()
        self.stirred()


@dataclass(slots=True)
class ServiceContext:
    """The open workspace, the settings in force, the owner of all tasks, the MCP server, and the worktrees."""

    workspace: WorkspaceThread
    settings: Settings
    mcp: McpHosting
    pool: Pool
    workstation_id: str
    supervisor: Supervisor
    background: Background
    wakeup: Wakeup
    _turns: defaultdict[str, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))
    full: FullRepositories = field(default_factory=FullRepositories)

    def pool_turn(self, repository_id: str) -> asyncio.Lock:
        """Held while a worktree of that repository changes hands: who gives one back must know that it still has it."""
        return self._turns[repository_id]

    @classmethod
    async def open(cls, settings: Settings, stirred: Callable[[], None]) -> ServiceContext:
        """Open the workspace; raises what `Workspace.open` raises. The MCP server is not up yet.

        `stirred` is called when something changed that bears on whether the service is still needed.
        """
        asyncio.get_running_loop().set_default_executor(DaemonThreads())
        workspace = await WorkspaceThread().open()
        workstation = await workspace.run(operations.workstation.this_machine)
        slots = ThreadedSlots(workspace, asyncio.get_running_loop())
        pool = Pool(slots, paths.worktrees_dir(), clock=lambda: datetime.now(UTC), new_id=new_ulid)
        supervisor = Supervisor(stirred)
        return cls(
            workspace=workspace,
            settings=settings,
            mcp=McpHosting(workspace, settings.mcp.port),
            pool=pool,
            workstation_id=workstation.id,
            supervisor=supervisor,
            background=Background(supervisor, workspace),
            wakeup=Wakeup(stirred),
        )

    async def git(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run something that blocks (git, files of a repository) off the event loop, under the caller's correlation."""
        return await asyncio.to_thread(function, *args, **kwargs)

    async def close(self) -> None:
        """Let go of everything. Git that still runs is not waited for: what it does can be repeated or is whole."""
        await self.supervisor.close()
        await self.mcp.close()
        await self.workspace.close()
