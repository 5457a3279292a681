"""Mirrors of a project in its checkouts: the memory both ways, solutions and tasks outwards (a setting per project).

Woken by every change of the workspace and, through watchfiles, of the mirrored folders. A look that finds nothing new
costs a few reads; everything is compared by content, so looking twice or being killed in between loses nothing.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from ...config.log import logger
from ...missions.errors import SoloUnicornError
from ...workspace import queries
from ...workspace.workspace import Workspace
from ..context import ServiceContext
from . import memory_files, mission_files

BREATH_SECONDS = 0.1
"""Many changes make one look."""
LONGEST_WAIT_SECONDS = 60.0
"""A look anyway after this long: file systems without notifications."""


@dataclass(frozen=True, slots=True)
class CheckoutMirror:
    """What one checkout shows of its project."""

    project_id: str
    checkout: Path
    memory: bool
    documents: bool

    @property
    def marker(self) -> str:
        """Where the workspace remembers up to which event the documents were written."""
        return memory_files.key(self.checkout).replace("memory.mirror", "documents.mirror")


class Mirroring:
    """Keeps the mirrors of one service."""

    def __init__(self, context: ServiceContext) -> None:
        self._context = context
        self._due = asyncio.Event()
        self._log = logger("workstation.mirror")

    async def keep_up(self) -> None:
        """Bring folders and workspace together at every change of either, for as long as the service runs."""
        stop, begin = self._context.workspace.on_change(self._due.set), self._context.supervisor.begin
        watcher: asyncio.Task[bool] | None = None
        watched: set[Path] = set()
        try:
            while True:
                self._due.clear()
                mirrors = await self._context.workspace.run(mirrors_of)
                for mirror in mirrors:
                    await self._look(mirror)
                folders = {one.checkout for one in mirrors if one.memory}
                if folders != watched or (watcher and watcher.done()):
                    await _end(watcher)
                    watched = folders
                    watcher = begin("watching mirrored folders", partial(self._watch, folders)) if folders else None
                with suppress(TimeoutError):
                    async with asyncio.timeout(LONGEST_WAIT_SECONDS if mirrors else None):
                        await self._due.wait()
                await asyncio.sleep(BREATH_SECONDS)
        finally:
            stop()
            await _end(watcher)

    async def _look(self, mirror: CheckoutMirror) -> None:
        try:
            if mirror.memory:
                await self._memory(mirror)
            if mirror.documents:
                await self._documents(mirror)
        except (OSError, SoloUnicornError) as problem:
            self._log.warning("not mirrored", extra={"checkout": str(mirror.checkout), "why": str(problem)})

    async def _memory(self, mirror: CheckoutMirror) -> None:
        context, where = self._context, memory_files.key(mirror.checkout)
        found = await context.git(memory_files.read, mirror.checkout)
        merged = await context.workspace.run(memory_files.merge, mirror.project_id, where, found, datetime.now(UTC))
        written = await context.git(memory_files.write, mirror.checkout, merged, found)
        await context.workspace.run(memory_files.remember, where, merged, written)
        if merged.write or merged.taken or merged.keep or found.strange:
            self._log.info(
                "memory mirrored",
                extra={
                    "checkout": str(mirror.checkout),
                    "written": sorted(merged.write),
                    "taken": list(merged.taken),
                    "conflicts": sorted(merged.keep),
                    "left": found.strange,
                },
            )

    async def _documents(self, mirror: CheckoutMirror) -> None:
        workspace = self._context.workspace
        marker = await workspace.run(Workspace.meta, mirror.marker)
        since = int(marker) if marker else None
        if since is not None and await workspace.read(queries.board.last_seq) == since:
            return
        files, newest = await workspace.run(mission_files.changed, mirror.project_id, since)
        written = await self._context.git(mission_files.write, mirror.checkout, files)
        await workspace.run(Workspace.set_meta, mirror.marker, str(newest))
        if written:
            self._log.info("documents mirrored", extra={"checkout": str(mirror.checkout), "files": written})

    async def _watch(self, checkouts: set[Path]) -> None:
        """Be woken by changes of the memory folders; they are made here, because a missing one cannot be watched."""
        import watchfiles

        folders = []
        for checkout in checkouts:
            folder = checkout / memory_files.FOLDER
            with suppress(OSError):
                folder.mkdir(parents=True, exist_ok=True)
                folders.append(folder)
        if not folders:
            return
        async for _ in watchfiles.awatch(*folders, debounce=1000, step=500, recursive=False):
            self._due.set()


def mirrors_of(workspace: Workspace) -> list[CheckoutMirror]:
    """Every checkout of a project that wants a mirror."""
    return [
        CheckoutMirror(project.id, Path(repository.local_path), project.mirror_memory, project.mirror_documents)
        for project in workspace.read(queries.projects.list_all)
        if project.mirror_memory or project.mirror_documents
        for repository in workspace.read(queries.projects.repositories, project.id)
        if repository.local_path and not repository.is_managed_clone and Path(repository.local_path).is_dir()
    ]


async def _end(task: asyncio.Task[bool] | None) -> None:
    if task is not None:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
