"""What every part of one running service shares."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from ..config import paths
from ..config.settings import Settings
from ..missions.entities import Session
from ..missions.ids import new_ulid
from ..workspace import operations
from ..workspace.thread import WorkspaceThread
from ..workspace.workspace import Workspace
from ..worktrees.pool import Pool
from ..worktrees.slots import WorkspaceSlots
from .hosting import McpHosting
from .threads import DaemonThreads

if TYPE_CHECKING:
    from .background import Background

P = ParamSpec("P")
T = TypeVar("T")


def _slots(thread: WorkspaceThread, loop: asyncio.AbstractEventLoop) -> WorkspaceSlots:
    """The pool is called on a git thread; what it asks is answered on the workspace's thread."""

    def ask(function: Callable[[Workspace], T], /) -> T:
        return asyncio.run_coroutine_threadsafe(thread.run(function), loop).result()

    return WorkspaceSlots(ask)


@dataclass(slots=True)
class ServiceContext:
    """The open workspace, the settings in force, the MCP server, and the worktrees."""

    workspace: WorkspaceThread
    settings: Settings
    mcp: McpHosting
    pool: Pool
    workstation_id: str
    background: Background | None = None
    look_at_pull_request: Callable[[str], Awaitable[None]] | None = None
    """Takes in what is new in a mission's open pull request."""
    renew_at_hub: Callable[[Session], Awaitable[bool]] | None = None
    """Renews the claim of a session where its project's hub has it too."""
    _turns: defaultdict[str, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))
    full: dict[str, float] = field(default_factory=dict)
    """Repositories whose pool had no worktree left, with the event loop's time until which they are not asked again."""

    def pool_turn(self, repository_id: str) -> asyncio.Lock:
        """Held while a worktree of that repository changes hands: who gives one back must know that it still has it."""
        return self._turns[repository_id]

    @classmethod
    async def open(cls, settings: Settings) -> ServiceContext:
        """Open the workspace; raises what `Workspace.open` raises. The MCP server is not up yet."""
        asyncio.get_running_loop().set_default_executor(DaemonThreads())
        workspace = await WorkspaceThread().open()
        workstation = await workspace.run(operations.workstation.this_machine)
        slots = _slots(workspace, asyncio.get_running_loop())
        pool = Pool(slots, paths.worktrees_dir(), clock=lambda: datetime.now(UTC), new_id=new_ulid)
        return cls(workspace, settings, McpHosting(workspace, settings.mcp.port), pool, workstation.id)

    async def git(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run something that blocks (git, files of a repository) off the event loop, under the caller's correlation."""
        return await asyncio.to_thread(function, *args, **kwargs)

    async def close(self) -> None:
        """Let go of everything. Git that still runs is not waited for: what it does can be repeated or is whole."""
        await self.mcp.close()
        await self.workspace.close()
