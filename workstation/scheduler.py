"""The work of the service: one loop that looks at the workspace and brings about what is due.

Each pass asks the workspace for everything anew, in this order: sessions that nobody follows (after a restart: all of
them), what people asked for, landings, missions that may start. A pass is begun by a change of the workspace, by the
end of a session or landing, and by the next time at which something becomes due. Nothing that matters is remembered
between passes, so the first pass of a service that was started after a crash is like any other.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from ..config import log, watch
from ..config.correlation import correlation
from ..missions.board import Request
from ..missions.eligibility import WorkstationLimits
from ..missions.errors import SoloUnicornError
from ..system.backoff import Backoff
from ..workspace import operations, queries
from .agent_health import AgentHealth
from .background import background_of
from .context import ServiceContext
from .dispatch import Wish, claim_next
from .event_cursor import EventCursor
from .first_commits import link_first_commits
from .gc import GarbageCollector
from .hub.synchronising import Synchronising
from .landing.landings import Landings
from .landing.pull_requests import PullRequests
from .mirror.mirroring import Mirroring
from .pressure import limits
from .requests import Requests
from .session.lease import waking_clock
from .session.runner import SessionRunner
from .status import orphans

LONGEST_WAIT = 300.0
"""Seconds after which the workspace is looked at even when nothing told of a change (a clock may have been set)."""
BREATH_SECONDS, LONGEST_BREATH_SECONDS = 0.02, 2.0
BROKEN_FIRST, BROKEN_LONGEST = 0.5, 30.0


class Scheduler:
    """Everything that runs in one service; `on_change` is called when it may have become idle, or no longer is."""

    def __init__(self, context: ServiceContext, on_change: Callable[[], None]) -> None:
        self.context = context
        self.draining = False
        self.paused = False
        self.problem = ""
        """Why the last pass broke off; empty while all is well."""
        self.next_at: datetime | None = None
        """When something becomes due by time alone."""
        self._limits: WorkstationLimits | None = None
        self._on_change = on_change
        self._awake = asyncio.Event()
        self._news = EventCursor(context, self.wake)
        self._pull_requests = PullRequests(context, self.look)
        context.background = self._background = background_of(context)
        context.look_at_pull_request = self._pull_requests.look
        self._landings = Landings(context, self._pull_requests, self.look)
        self._agents = AgentHealth(context, self.look)
        self._gc = GarbageCollector(context)
        self._mirroring = Mirroring(context)
        self._synchronising = Synchronising(context.workspace, self.look)
        context.renew_at_hub = self._synchronising.renew
        self._runners: dict[str, SessionRunner] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._chores: set[asyncio.Task[None]] = set()
        self._requests = Requests(
            context.workspace,
            self._runners,
            {
                "scan_agents": lambda _: self._chore(self._agents.scan(), "agent scan"),
                "clean_worktrees": lambda _: self._chore(self._gc.clean(), "clean"),
                "merge_pull_request": self._merge,
                "drain": lambda _: self.drain(),
                "fetch_file": lambda request: self._chore(self._synchronising.fetch(request), "file"),
            },
        )
        self._scanned = asyncio.Event()
        self._adopted = asyncio.Event()
        self._cleared = asyncio.Event()
        self._due = True
        self._settled = False
        self._in_pass = False
        self._log = log.logger("workstation")

    # ---- for the service

    @property
    def busy(self) -> bool:
        """Whether a session or a landing runs."""
        return bool(self._runners) or self._landings.busy

    @property
    def sessions(self) -> int:
        """Sessions that are followed."""
        return len(self._runners)

    @property
    def settled(self) -> bool:
        """Whether a whole look was taken, agents and all, and nothing happened since: `busy` and `next_at` are true."""
        return self._settled and not self._awake.is_set() and not self._in_pass

    @property
    def expects_work(self) -> bool:
        """Whether something will start by itself when its time comes, so that the service is still needed."""
        return self.next_at is not None and not self.draining and not self.paused

    def start(self) -> None:
        """Begin; everything else happens in tasks that `close` ends."""
        self._chore(self._open_mcp(), "mcp")
        self._chore(self._first_scan(), "agents")
        self._chore(self._clear_ground(), "ground")
        self._chore(self._schedule(), "schedule")
        self._chore(self._follow_settings(), "settings")
        self._chore(self._agents.watch_held(), "held agents")
        self._chore(self._gc.clean_daily(), "worktrees")
        self._chore(self._gc.fold_log(), "log")
        self._chore(self._patiently(lambda: link_first_commits(self.context), "first commits"), "first commits")
        self._chore(self._mirroring.keep_up(), "mirrors")
        self._chore(self._patiently(self._synchronising.synchronise, "synchronising"), "synchronising")
        self._chore(self._patiently(self._pull_requests.follow, "pull requests"), "pull requests")

    def _merge(self, request: Request) -> None:
        if request.mission_id is not None:
            self._chore(self._pull_requests.merge(request.mission_id), "merge")

    def wake(self) -> None:
        """Somebody changed the workspace: see what."""
        self._awake.set()

    def look(self) -> None:
        """Look at everything anew."""
        self._due = True
        self._awake.set()
        self._on_change()

    def drain(self) -> None:
        """Take up nothing new; what runs is finished, then the service leaves."""
        self.draining = True
        self._on_change()

    async def stop_sessions(self) -> None:
        """Stop every session and wait until each is over (`workstation stop --force`)."""
        self.draining = True
        await self._adopted.wait()
        while self._tasks:
            await asyncio.gather(*(runner.stop() for runner in list(self._runners.values())))
            await asyncio.wait(list(self._tasks.values()), timeout=1.0)

    async def close(self) -> None:
        """Let go of everything; agents and their hosts go on."""
        tasks = [*self._chores, *self._tasks.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._background.close()
        await self._landings.close()
        self._pull_requests.close()
        self._news.close()
        await self.context.close()

    # ---- the loop

    async def _schedule(self) -> None:
        await self._patiently(self._tell_of_orphans, "orphans")
        await self._patiently(self._tell_limits, "settings")
        self._news.open()
        self._awake.set()
        while True:
            try:
                async with asyncio.timeout(self._seconds_to_wait()):  # wait_for swallows a cancellation that races
                    await self._awake.wait()
            except TimeoutError:
                self._due = True
            self._in_pass = True
            self._awake.clear()
            began = time.monotonic()
            await self._patiently(self._pass, "pass")
            self._in_pass = False
            self._on_change()
            # many changes make one pass, and a long queue never takes more than half of the workspace's thread
            await asyncio.sleep(min(max(time.monotonic() - began, BREATH_SECONDS), LONGEST_BREATH_SECONDS))

    async def _tell_limits(self) -> None:
        now = await asyncio.to_thread(limits, self.context.settings)
        if self._limits and now.pressure and self._limits.pressure:  # its figures move all the time: told once
            now = replace(now, pressure=self._limits.pressure)
        if now != self._limits:
            await self.context.workspace.run(operations.workstation.set_limits, now)
            self._limits = now

    async def _tell_of_orphans(self) -> None:
        live = await self.context.workspace.run(lambda workspace: workspace.read(queries.sessions.find, active=True))
        for name in await asyncio.to_thread(orphans, {session.id for session in live}):
            self._log.warning("a host runs without a live session", extra={"session": name})

    async def _patiently(self, step: Callable[[], Coroutine[Any, Any, None]], name: str) -> None:
        """Do it, again after a pause while it breaks off: a locked file or a full disk passes, this loop does not."""
        pause = Backoff(BROKEN_FIRST, BROKEN_LONGEST)
        while True:
            try:
                await step()
            except Exception as error:
                self.problem = f"{name}: {error}"
                self._log.error(f"{name} broke off, trying again", exc_info=error)
                await asyncio.sleep(pause.next())
            else:
                self.problem = ""
                return

    async def _pass(self) -> None:
        due, self._due = self._due, False
        try:
            await self._look(due)
        except BaseException:
            self._due = True  # what this pass has taken in already is looked at again, whole
            raise

    async def _look(self, due: bool) -> None:
        workspace = self.context.workspace
        news = await self._news.take()
        requests = await workspace.read(queries.workstation.requests)
        was_paused, self.paused = self.paused, await workspace.read(queries.workstation.paused)
        if not (due or news.any or requests or was_paused != self.paused):
            return  # a session told of its progress: nothing follows from that
        for session in await workspace.run(lambda workspace: workspace.read(queries.sessions.find, active=True)):
            if session.workstation_id == self.context.workstation_id and session.id not in self._runners:
                self._follow(
                    SessionRunner(self.context, session, claimed_here=False), news.cause_of(session.mission_id)
                )
        self._adopted.set()
        for request in requests:
            await self._requests.do(request)
        if not self._runners:
            await workspace.run(operations.dispatch.release_stale_claims)
        if not self.draining and self._cleared.is_set():
            await self._landings.begin()
            if self._scanned.is_set() and self.context.mcp.up.is_set():
                await self._dispatch(news)
        self.next_at = await workspace.read(queries.sessions.next_dispatch_at, now=workspace.now())
        mcp_is_known = self.context.mcp.up.is_set() or self.context.mcp.problem != ""
        self._settled = self._settled or (self._scanned.is_set() and self._cleared.is_set() and mcp_is_known)

    async def _dispatch(self, news: EventCursor) -> None:
        """Claim and start as long as there is a mission that may start and a slot for it."""
        await self._tell_limits()
        slots, workstation = self.context.settings.workstation.slots, self.context.workstation_id
        while True:
            since = waking_clock()
            if self.draining:
                return
            now = asyncio.get_running_loop().time()
            full = frozenset(repository for repository, until in self.context.full.items() if until > now)
            granted, wishes = self._synchronising.granted(), list[Wish]()
            session = await self.context.workspace.run(
                claim_next, slots=slots, workstation_id=workstation, full=full, granted=granted, wishes=wishes
            )
            if session is None:
                self._synchronising.wish(wishes)
                return
            self._synchronising.taken(session.mission_id)
            cause = news.cause_of(session.mission_id)
            self._follow(SessionRunner(self.context, session, claimed_here=True, since=since), cause)

    def _follow(self, runner: SessionRunner, cause: str) -> None:
        """Carry a session to its end in a task of its own, under the correlation of what began it."""
        correlation.set(cause)
        task = asyncio.create_task(runner.run_to_end(), name=f"session {runner.session.id}")
        correlation.set("")
        self._runners[runner.session.id] = runner
        self._tasks[runner.session.id] = task
        task.add_done_callback(lambda done: self._session_over(runner.session.id, done))

    def _session_over(self, session_id: str, task: asyncio.Task[None]) -> None:
        del self._runners[session_id], self._tasks[session_id]
        if not task.cancelled() and (error := task.exception()) is not None:
            self._log.error("session runner broke off, it is followed anew", exc_info=error)
            asyncio.get_running_loop().call_later(BROKEN_LONGEST, self.look)
        else:
            self.look()

    # ---- what goes on beside it

    async def _open_mcp(self) -> None:
        await self.context.mcp.open()
        self.look()

    async def _first_scan(self) -> None:
        await self._patiently(self._agents.scan, "agent scan")
        self._scanned.set()
        self.look()

    async def _clear_ground(self) -> None:
        """What a killed service left half-done in repositories, before anything new begins there."""
        await self._patiently(self._landings.recover, "landings")
        await self._patiently(self._gc.settle, "worktrees")
        self._cleared.set()
        self.look()

    async def _follow_settings(self) -> None:
        async for found in watch.changes(asyncio.Event(), self.context.settings):
            if isinstance(found, SoloUnicornError):
                self._log.warning("settings not taken over", extra={"why": str(found)})
                continue
            agents_changed = found.agents != self.context.settings.agents
            if found.log != self.context.settings.log:
                log.setup("service", level=found.log.level)
            self.context.settings = found
            await self._patiently(self._tell_limits, "settings")
            self._log.info("settings taken over")
            if agents_changed:
                await self._patiently(self._agents.scan, "agent scan")
            self.look()

    def _seconds_to_wait(self) -> float:
        now = asyncio.get_running_loop().time()
        waits = [until - now for until in self.context.full.values() if until > now]
        if self.next_at is not None:
            waits.append((self.next_at - datetime.now(UTC)).total_seconds())
        return max(0.0, min([LONGEST_WAIT, *waits])) + 0.01

    def _chore(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._chores.add(task)
        task.add_done_callback(self._chore_over)

    def _chore_over(self, task: asyncio.Task[None]) -> None:
        self._chores.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.problem = f"{task.get_name()}: {error}"
            self._log.error(f"{task.get_name()} broke off", exc_info=error)
