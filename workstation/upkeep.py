"""Keeping the picture of this machine true: its code agents, and its worktrees.

Agents are looked at when the service starts, when a person asks, when settings change, and now and then while one is
held (signed out, broken). Worktrees of finished missions are given back, and those unused for long removed once a day;
both fail closed (worktrees/pool.py), so doing them twice or being killed half-way loses nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ..agents import catalogue, detection
from ..config import paths
from ..config.log import logger
from ..missions.entities import SYSTEM, CodeAgent, ProjectRepository, Worktree
from ..missions.errors import NotFound, SoloUnicornError
from ..system.backoff import Backoff
from ..workspace.workspace import Workspace
from ..worktrees.kept import forget_held_elsewhere, forget_landed_branches
from .preparing import script_note
from .tidying import remove_old_runs
from .workplace import Workplace

SCAN_DEADLINE_SECONDS = 5.0
HELD_FIRST_SECONDS, HELD_LONGEST_SECONDS = 5.0, 60.0
"""How soon agents are looked at again while one of them is held; the pause doubles."""
FOLD_SECONDS, FOLD_BYTES = 30.0, 4 << 20
CLEANED = "worktrees.cleanedAt"
CLEAN_EVERY = timedelta(days=1)


class Upkeep:
    """Looks after agents and worktrees; `on_change` is called when missions may be able to start now."""

    def __init__(self, place: Workplace, on_change: Callable[[], None]) -> None:
        self._place = place
        self._on_change = on_change
        self._scanning = asyncio.Lock()
        self._cleaning = asyncio.Lock()
        self._log = logger("workstation.upkeep")

    async def scan(self, *, asked: bool = True) -> None:
        """Find the agents of this machine and record them.

        An agent that a run found signed out, and that cannot be asked whether it is signed in again, is held until a
        person asks for a look (or the service starts): a look by itself would set it to work in vain for ever.
        """
        async with self._scanning:
            settings = self._place.settings
            found = await asyncio.to_thread(detection.scan, settings, SCAN_DEADLINE_SECONDS)
            if not asked:
                before = {agent.name: agent for agent in await self._place.desk.run(Workspace.agents)}
                mute = await asyncio.to_thread(_cannot_be_asked)
                found = [_still_held(agent, before.get(agent.name), mute) for agent in found]
            await self._place.desk.run(Workspace.set_agents, found)
        self._log.info("agents scanned", extra={"agents": {agent.name: agent.state for agent in found}})
        self._on_change()

    async def watch_held(self) -> None:
        """While an enabled agent is signed out or broken, look again now and then."""
        pause = Backoff(HELD_FIRST_SECONDS, HELD_LONGEST_SECONDS)
        while True:
            await asyncio.sleep(pause.next())
            try:
                agents = await self._place.desk.run(Workspace.agents)
                held = any(is_held(agent) for agent in agents)
                if held:
                    await self.scan(asked=False)
                else:
                    pause.reset()
            except SoloUnicornError as error:
                self._log.warning("agents not scanned", extra={"why": str(error)})

    async def clean_daily(self) -> None:
        """Give back and clean worktrees at start when a day has passed, then once a day."""
        while True:
            wait = CLEAN_EVERY
            try:
                last = await self._place.desk.run(lambda workspace: workspace.meta(CLEANED))
                wait = CLEAN_EVERY - (datetime.now(UTC) - datetime.fromisoformat(last)) if last else timedelta()
                if wait <= timedelta():
                    await self.clean()
                    wait = CLEAN_EVERY
            except (SoloUnicornError, ValueError) as error:
                self._log.warning("worktrees not cleaned", extra={"why": str(error)})
            await asyncio.sleep(max(60.0, wait.total_seconds()))

    async def fold_log(self) -> None:
        """Fold the workspace's write-ahead log into its file when it has grown; nobody else does."""
        log = paths.workspace_db().with_name(paths.workspace_db().name + "-wal")
        while True:
            await asyncio.sleep(FOLD_SECONDS)
            try:
                if (await asyncio.to_thread(log.stat)).st_size > FOLD_BYTES:
                    await self._place.desk.run(Workspace.checkpoint)
            except (SoloUnicornError, OSError) as error:
                self._log.warning("log not folded", extra={"why": str(error)})

    async def settle(self) -> None:
        """At start: give back what a killed service did not come to, settle what git and records disagree on.

        Each counts against its repository's limit as long as it is not settled.
        """
        await self.give_back()
        for repository in await self._place.desk.run(Workspace.repositories):
            try:
                await self._reconcile(repository)
            except SoloUnicornError as error:
                self._log.warning("worktrees not settled", extra={"repository": repository.name, "why": str(error)})

    async def _reconcile(self, repository: ProjectRepository) -> None:
        async with self._place.pool_turn(repository.id):
            for orphan in await self._place.git(self._place.pool.reconcile, repository):
                self._log.info("orphan", extra={"path": str(orphan.path), "kind": orphan.kind, "what": orphan.what_now})

    async def clean(self) -> None:
        """Give back what finished missions held, settle orphans, remove what was unused for `worktrees.keep_days`."""
        async with self._cleaning:
            await self.give_back()
            for repository in await self._place.desk.run(Workspace.repositories):
                try:
                    await self._clean_one(repository)
                except SoloUnicornError as error:
                    self._log.warning("not cleaned", extra={"repository": repository.name, "why": str(error)})
            await self._remove_old_runs()
            now = datetime.now(UTC).isoformat()
            await self._place.desk.run(lambda workspace: workspace.set_meta(CLEANED, now))

    async def _remove_old_runs(self) -> None:
        days = self._place.settings.sessions.keep_days
        if days:
            needed = await self._place.desk.run(Workspace.sessions_to_keep)
            try:
                removed = await asyncio.to_thread(remove_old_runs, paths.runs_dir(), needed, days)
                self._log.info("old transcripts removed", extra={"sessions": removed})
            except OSError as error:
                self._log.warning("old transcripts not removed", extra={"why": str(error)})

    async def _clean_one(self, repository: ProjectRepository) -> None:
        place = self._place
        live = await place.desk.run(lambda workspace: workspace.sessions(active=True))
        used = {session.worktree_path for session in live}
        await self._reconcile(repository)
        removals = await place.git(
            place.pool.clean, repository, days=place.settings.worktrees.keep_days, in_use=lambda path: str(path) in used
        )
        before = datetime.now(UTC) - timedelta(days=place.settings.worktrees.keep_days)
        landed = await place.git(forget_landed_branches, repository.local_path, before=before)
        held = await place.git(forget_held_elsewhere, repository.local_path)
        if landed or held:
            self._log.info("refs cleared up", extra={"branches": landed, "rescued": held})
        for removal in removals:
            if removal.removed:
                self._log.info("worktree removed", extra={"path": str(removal.path), "why": removal.why})

    async def give_back(self) -> None:
        """Make the worktrees of missions vacant that are done or gone and that nobody works on."""
        for worktree in await self._place.desk.run(worktrees_to_give_back):
            try:
                await give_back(self._place, worktree)
                self._log.info("worktree given back", extra={"worktree": worktree.path})
            except SoloUnicornError as error:
                self._log.warning("worktree kept", extra={"worktree": worktree.path, "why": str(error)})


async def give_back(place: Workplace, worktree: Worktree) -> None:
    """Make a worktree vacant: what is uncommitted is committed on its branch, its mission no longer names it.

    Does nothing when the worktree has changed hands since `worktree` was read.
    """
    async with place.pool_turn(worktree.repository_id):
        slots = await place.desk.run(Workspace.worktrees, worktree.repository_id)
        if any((slot.id, slot.mission_id) == (worktree.id, worktree.mission_id) for slot in slots):
            await _give_back(place, worktree)


async def _give_back(place: Workplace, worktree: Worktree) -> None:
    with suppress(NotFound):  # a repository that was removed has no script to run
        repository = await place.desk.run(Workspace.repository, worktree.repository_id)
        ran = await place.git(place.pool.teardown, worktree, repository)
        if ran is not None:
            logger("workstation.upkeep").info(ran.sentence, extra={"worktree": worktree.path})
            await place.desk.run(_note_teardown, worktree, script_note(ran))
    await place.desk.run(_forget_worktree, worktree)  # first: who is killed here is helped by the next cleaning
    await place.git(place.pool.release, worktree)
    place.full.pop(worktree.repository_id, None)


def _note_teardown(workspace: Workspace, worktree: Worktree, note: str) -> None:
    with suppress(NotFound):
        workspace.add_note(worktree.mission_id or "", "progress", note, by=SYSTEM)


def _forget_worktree(workspace: Workspace, worktree: Worktree) -> None:
    with suppress(NotFound):
        mission = workspace.mission(worktree.mission_id or "")
        if mission.worktree_path == worktree.path:
            workspace.set_mission_worktree(mission.id, None, None)


def _cannot_be_asked() -> frozenset[str]:
    entries = catalogue.load(own=paths.home() / "agents").values()
    return frozenset(entry.type for entry in entries if detection.only_a_run_tells(entry.sign_in_check))


def _still_held(found: CodeAgent, before: CodeAgent | None, mute: frozenset[str]) -> CodeAgent:
    if before is not None and before.state == "signed_out" and found.state == "ready" and found.type in mute:
        return replace(found, state="signed_out", detail=before.detail)
    return found


def is_held(agent: CodeAgent) -> bool:
    """Whether a look may find it better than the last one did."""
    return agent.enabled and agent.state in ("signed_out", "broken", "too_old")


def worktrees_to_give_back(workspace: Workspace) -> list[Worktree]:
    """Those whose mission is done or gone, without a live session (domain.md, Worktrees)."""
    used = {session.worktree_path for session in workspace.sessions(active=True)}
    found = []
    for worktree in workspace.worktrees():
        if worktree.mission_id is None or worktree.path in used or not Path(worktree.path).exists():
            continue
        try:
            mission = workspace.mission(worktree.mission_id)
        except NotFound:
            found.append(worktree)
            continue
        if mission.list == "done" and mission.agent_session_status == "INACTIVE":
            found.append(worktree)
    return found
