"""What is no longer needed: worktrees of finished missions, transcripts of long ago, the write-ahead log.

Worktrees of finished missions are given back, and those unused for long removed once a day; both fail closed
(worktrees/pool/pool.py), so doing them twice or being killed half-way loses nothing.
"""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from ...agents import launch
from ...config import paths
from ...config.log import logger
from ...missions.entities import SYSTEM, ProjectRepository, Worktree
from ...missions.errors import NotFound, SoloUnicornError
from ...missions.waits import left
from ...workspace import operations, queries
from ...workspace.integrity import backup
from ...workspace.workspace import Workspace
from ...worktrees import noted_states
from ...worktrees.git import hooks_held
from ...worktrees.rescue_refs import forget_held_elsewhere, forget_landed_branches
from ..context import ServiceContext
from ..session.held import held_by
from ..session.preparing import script_note

DAY = 24 * 60 * 60
FOLD_SECONDS, FOLD_BYTES = 30.0, 4 << 20
CLEANED = "worktrees.cleanedAt"
CLEAN_EVERY = timedelta(days=1)


class GarbageCollector:
    """Gives back and removes what nobody needs."""

    def __init__(self, context: ServiceContext) -> None:
        self._context = context
        self._cleaning = asyncio.Lock()
        self._log_seen = (0, 0)
        self._log = logger("workstation.gc")

    async def clean_daily(self) -> float:
        """Give back and clean when a day has passed since that was done; seconds until it is due again."""
        last = await self._context.workspace.run(lambda workspace: workspace.meta(CLEANED))
        wait = timedelta()
        with suppress(ValueError):  # a date that cannot be read counts as none
            wait = left(datetime.fromisoformat(last), CLEAN_EVERY, datetime.now(UTC)) if last else timedelta()
        if wait <= timedelta():
            await self.clean()
            wait = CLEAN_EVERY
        return max(60.0, wait.total_seconds())

    async def fold_log(self) -> float:
        """Fold the workspace's write-ahead log into its file when it has grown, or when nothing happens any more.

        Nobody else does. Returns the seconds until the next look.
        """
        log = paths.workspace_db().with_name(paths.workspace_db().name + "-wal")
        with suppress(FileNotFoundError):
            found = await asyncio.to_thread(log.stat)
            seen, self._log_seen = self._log_seen, (found.st_size, found.st_mtime_ns)
            if found.st_size > FOLD_BYTES or (found.st_size and seen == self._log_seen):
                await self._context.workspace.run(Workspace.checkpoint)
        return FOLD_SECONDS

    async def back_up_daily(self) -> float:
        """Make a backup once a day, if something was written since the last one; seconds until the next look."""
        keep, home = self._context.settings.workstation.backups, paths.home()
        begun = await self._context.workspace.read(queries.workstation.begun_at)
        if not keep or begun is None:
            return backup.DAY
        wait = await asyncio.to_thread(backup.daily_due_in, home, time.time(), begun.timestamp())
        if wait <= 0:
            made = await asyncio.to_thread(backup.back_up_daily, home, keep=keep)
            self._log.info("backed up", extra={"place": str(made.place), "bytes": made.size})
            wait = backup.DAY
        return max(60.0, wait)

    async def settle(self) -> None:
        """At start: give back what a killed service did not come to, settle what git and records disagree on.

        Each counts against its repository's limit as long as it is not settled.
        """
        async with self._cleaning:
            await self.give_back()
            await self._in_each_repository(self._reconcile)

    async def _reconcile(self, repository: ProjectRepository) -> None:
        async with self._context.pool_turn(repository.id):
            for orphan in await self._context.git(self._context.pool.reconcile, repository):
                self._log.info("orphan", extra={"path": str(orphan.path), "kind": orphan.kind, "what": orphan.what_now})

    async def clean(self) -> None:
        """Give back what finished missions held, settle orphans, remove what was unused for `worktrees.keep_days`."""
        async with self._cleaning:
            await self.give_back()
            await self._in_each_repository(self._clean_one)
            await self._remove_old_runs()
            now = datetime.now(UTC).isoformat()
            await self._context.workspace.run(lambda workspace: workspace.set_meta(CLEANED, now))

    async def _in_each_repository(self, work: Callable[[ProjectRepository], Awaitable[None]]) -> None:
        """What is wrong with one repository does not keep the others from being cleaned."""

        async def one(repository: ProjectRepository) -> None:
            try:
                await work(repository)
            except (SoloUnicornError, OSError) as error:
                self._log.warning("not cleaned", extra={"repository": repository.name, "why": str(error)})

        for repository in await self._context.workspace.read(queries.projects.repositories):
            await self._context.supervisor.tried(f"cleaning {repository.name}", partial(one, repository))

    async def _remove_old_runs(self) -> None:
        days = self._context.settings.sessions.keep_days
        if days:
            needed = await self._context.workspace.read(queries.sessions.to_keep)
            try:
                removed = await asyncio.to_thread(remove_old_runs, paths.runs_dir(), needed, days)
                self._log.info("old transcripts removed", extra={"sessions": removed})
            except OSError as error:
                self._log.warning("old transcripts not removed", extra={"why": str(error)})

    async def _clean_one(self, repository: ProjectRepository) -> None:
        context = self._context
        live = await context.workspace.run(lambda workspace: workspace.read(queries.sessions.find, active=True))
        used = {session.worktree_path for session in live}
        await self._reconcile(repository)
        removals = await context.git(
            context.pool.clean,
            repository,
            days=context.settings.worktrees.keep_days,
            in_use=lambda path: str(path) in used,
        )
        before = datetime.now(UTC) - timedelta(days=context.settings.worktrees.keep_days)
        landed = await context.git(forget_landed_branches, repository.local_path, before=before)
        held = await context.git(forget_held_elsewhere, repository.local_path)
        stale = await context.git(noted_states.noted, repository.local_path, before=before)
        await context.git(
            noted_states.forget, repository.local_path, await context.workspace.run(partial(_over, ids=stale))
        )
        if landed or held:
            self._log.info("refs cleared up", extra={"branches": landed, "rescued": held})
        for removal in removals:
            if removal.removed:
                self._log.info("worktree removed", extra={"path": str(removal.path), "why": removal.why})

    async def give_back(self) -> None:
        """Make the worktrees of missions vacant that are done or gone and that nobody works on."""
        for worktree in await self._context.workspace.run(worktrees_to_give_back):
            await give_back(self._context, worktree)


async def give_back(context: ServiceContext, worktree: Worktree) -> None:
    """Make a worktree vacant: what is uncommitted is committed on its branch, its mission no longer names it.

    Does nothing when the worktree has changed hands since `worktree` was read. Where it cannot be done now, it is kept,
    and the next cleaning tries again.
    """

    async def work() -> None:
        try:
            async with context.pool_turn(worktree.repository_id):
                slots = await context.workspace.read(queries.workstation.worktrees, worktree.repository_id)
                if any((slot.id, slot.mission_id) == (worktree.id, worktree.mission_id) for slot in slots):
                    await _give_back(context, worktree)
        except SoloUnicornError as error:
            logger("workstation.gc").warning("worktree kept", extra={"worktree": worktree.path, "why": str(error)})

    async def keep(why: str) -> None:
        note = f"The worktree {worktree.path} could not be released: {why}"
        await context.workspace.run(_note, worktree, note)

    await context.supervisor.until_done(f"giving back {Path(worktree.path).name}", work, give_up=keep)


async def _give_back(context: ServiceContext, worktree: Worktree) -> None:
    with suppress(NotFound):  # a repository that was removed has no script to run
        repository = await context.workspace.read(queries.projects.repository, worktree.repository_id)
        ran = await context.git(context.pool.teardown, worktree, repository)
        if ran is not None:
            logger("workstation.gc").info(ran.sentence, extra={"worktree": worktree.path})
            await context.workspace.run(_note, worktree, script_note(ran))
    session = await context.workspace.run(_session_of, worktree)
    await context.workspace.run(_forget_worktree, worktree)  # first: who is killed here is helped by the next cleaning
    told: list[str] = []
    await context.git(partial(_release, context, worktree, session, told.append))
    for sentence in told:
        await context.workspace.run(_note, worktree, sentence)
    context.full.over(worktree.repository_id)
    logger("workstation.gc").info("worktree given back", extra={"worktree": worktree.path})


def _over(workspace: Workspace, ids: list[str]) -> list[str]:
    """Those of the missions that are done or gone."""

    def over(mission_id: str) -> bool:
        try:
            return workspace.read(queries.missions.get, mission_id).list == "done"
        except NotFound:
            return True

    return [one for one in ids if over(one)]


def _release(context: ServiceContext, worktree: Worktree, session: str | None, told: Callable[[str], object]) -> None:
    """On a git thread; hooks are held as the agent was that worked there last."""
    with hooks_held(held_by(session)):
        context.pool.release(worktree, told=told)


def _session_of(workspace: Workspace, worktree: Worktree) -> str | None:
    """The session that worked there last."""
    if worktree.mission_id is None:
        return None
    with suppress(NotFound):  # its project was removed
        if sessions := workspace.read(queries.sessions.find, worktree.mission_id):
            return sessions[-1].id
    return None


def _note(workspace: Workspace, worktree: Worktree, note: str) -> None:
    with suppress(NotFound):
        workspace.write_as(SYSTEM, operations.missions.add_note, worktree.mission_id or "", "progress", note)


def _forget_worktree(workspace: Workspace, worktree: Worktree) -> None:
    with suppress(NotFound):
        mission = workspace.read(queries.missions.get, worktree.mission_id or "")
        if mission.worktree_path == worktree.path:
            workspace.write_as(SYSTEM, operations.workstation.set_mission_worktree, mission.id, None, None)


def worktrees_to_give_back(workspace: Workspace) -> list[Worktree]:
    """Those whose mission is done or gone, without a live session (domain.md, Worktrees)."""
    used = {session.worktree_path for session in workspace.read(queries.sessions.find, active=True)}
    found = []
    for worktree in workspace.read(queries.workstation.worktrees):
        if worktree.mission_id is None or worktree.path in used or not Path(worktree.path).exists():
            continue
        try:
            mission = workspace.read(queries.missions.get, worktree.mission_id)
        except NotFound:
            found.append(worktree)
            continue
        if mission.list == "done" and mission.agent_session_status == "INACTIVE":
            found.append(worktree)
    return found


def remove_old_runs(runs: Path, needed: set[str], days: float) -> list[str]:
    """Remove the run directories that nobody needs and that nothing was written to for `days`; their names.

    What may still be asked for stays: see `sessions_to_keep`; a directory that a host holds; one that changed lately. A
    directory that is not a session of this workspace is let go by the same rules.
    """
    removed = []
    before = time.time() - days * DAY
    for run_dir in sorted(runs.iterdir()):
        if run_dir.name in needed or run_dir.is_symlink() or not run_dir.is_dir() or _written(run_dir) > before:
            continue
        if launch.seal(run_dir):  # no host holds it, and none can be started in it any more
            shutil.rmtree(run_dir)
            removed.append(run_dir.name)
    return removed


def _written(run_dir: Path) -> float:
    """When it or one of its files was written last."""
    return max(path.lstat().st_mtime for path in (run_dir, *run_dir.iterdir()))
