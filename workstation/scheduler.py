"""One loop that looks at the workspace and brings about what is due.

Each pass asks the workspace for everything anew, in this order: sessions that nobody follows (after a restart: all of
them), what people asked for, landings, missions that may start. A pass is begun by a change of the workspace, by the
end of a session or landing, and by the next time at which something becomes due. Nothing that matters is remembered
between passes, so the first pass of a service that was started after a crash is like any other.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from datetime import UTC, datetime

from ..missions.entities import SYSTEM
from ..missions.errors import Conflict, NotFound
from ..missions.ids import short_id
from ..workspace import operations, queries
from .context import ServiceContext
from .dispatch import BrokenClaim, Wish, claim_next
from .event_cursor import EventCursor
from .hub.synchronising import Synchronising
from .landing.landings import Landings
from .requests import Requests
from .session.lease import waking_clock
from .session.sessions import Sessions
from .upkeep.pressure import LimitsReport

LONGEST_WAIT = 300.0
"""Seconds after which the workspace is looked at even when nothing told of a change (a clock may have been set)."""
BREATH_SECONDS, LONGEST_BREATH_SECONDS = 0.02, 2.0


class Scheduler:
    """Begins what is due: sessions, requests, landings."""

    def __init__(
        self,
        context: ServiceContext,
        *,
        sessions: Sessions,
        landings: Landings,
        requests: Requests,
        synchronising: Synchronising,
        limits: LimitsReport,
        scanned: asyncio.Event,
    ) -> None:
        """`scanned` is set once it is known which agents there are."""
        self.draining = False
        self.paused = False
        self.next_at: datetime | None = None
        """When something becomes due by time alone."""
        self.cleared = asyncio.Event()
        """To be set once what a killed service left half-done is in order."""
        self.adopted = asyncio.Event()
        """Set once every session that runs is followed."""
        self._context = context
        self._sessions = sessions
        self._landings = landings
        self._requests = requests
        self._synchronising = synchronising
        self._limits = limits
        self._scanned = scanned
        self._cursor = EventCursor(context)
        self._set_aside: dict[str, asyncio.Task[None]] = {}
        """Missions whose claim broke off, which are tried apart from the others."""
        self._looked = False
        self._in_pass = False

    @property
    def settled(self) -> bool:
        """Whether a whole look was taken, agents and all, and nothing happened since."""
        return self._looked and not self._context.wakeup.rung.is_set() and not self._in_pass

    @property
    def expects_work(self) -> bool:
        """Whether something will start by itself when its time comes, so that the service is still needed."""
        return self.next_at is not None and not self.draining and not self.paused

    def drain(self) -> None:
        """Take up nothing new; what runs is finished, then the service leaves."""
        self.draining = True
        self._context.wakeup.stirred()

    async def schedule(self) -> float:
        """Wait until there is something to look at, and make one pass; the seconds before the next.

        Many changes make one pass, and a long queue never takes more than half of the workspace's thread.
        """
        wakeup = self._context.wakeup
        try:
            async with asyncio.timeout(self._seconds_to_wait()):  # wait_for swallows a cancellation that races
                await wakeup.rung.wait()
        except TimeoutError:
            wakeup.due = True
        began = time.monotonic()
        due, wakeup.due, self._in_pass = wakeup.due, False, True
        wakeup.rung.clear()
        try:
            await self._pass(due)
        except BaseException:
            wakeup.due = True  # what this pass has taken in already is looked at again, whole
            wakeup.rung.set()
            raise
        finally:
            self._in_pass = False
        wakeup.stirred()
        return min(max(time.monotonic() - began, BREATH_SECONDS), LONGEST_BREATH_SECONDS)

    async def _pass(self, due: bool) -> None:
        context, workspace = self._context, self._context.workspace
        news = await self._cursor.take()
        requests = await workspace.read(queries.workstation.requests)
        was_paused, self.paused = self.paused, await workspace.read(queries.workstation.paused)
        if not (due or news.any or requests or was_paused != self.paused):
            return  # a session told of its progress: nothing follows from that
        for session in await workspace.run(lambda workspace: workspace.read(queries.sessions.find, active=True)):
            if session.workstation_id == context.workstation_id and session.id not in self._sessions:
                self._sessions.follow(session, news.cause_of(session.mission_id), claimed_here=False)
        self.adopted.set()
        for request in requests:
            await self._requests.do(request)
        if not len(self._sessions):
            await workspace.run(operations.dispatch.release_stale_claims)
        if not self.draining and self.cleared.is_set():
            await self._landings.begin()
            if self._scanned.is_set() and context.mcp.up.is_set():
                await self._dispatch()
        self.next_at = await workspace.read(queries.sessions.next_dispatch_at, now=workspace.now())
        mcp_is_known = context.mcp.up.is_set() or context.mcp.tried
        self._looked = self._looked or (self._scanned.is_set() and self.cleared.is_set() and mcp_is_known)

    async def _dispatch(self) -> None:
        """Claim and start as long as there is a mission that may start and a slot for it."""
        await self._limits.tell()
        wishes: list[Wish] = []
        while not self.draining:
            wishes.clear()
            try:
                if not await self._claim_next(wishes):
                    self._synchronising.wish(wishes)
                    return
            except BrokenClaim as error:
                self._try_apart(error)

    async def _claim_next(self, wishes: list[Wish] | None = None, only: str | None = None) -> bool:
        """Claim a mission and follow its session; False when there is none."""
        context = self._context
        since, now = waking_clock(), asyncio.get_running_loop().time()
        rows = await context.workspace.read(queries.workstation.worktrees) if context.full else []
        session = await context.workspace.run(
            claim_next,
            slots=context.settings.workstation.slots,
            workstation_id=context.workstation_id,
            full=context.full.still(now, rows),
            granted=self._synchronising.granted(),
            wishes=wishes,
            but=self._set_aside.keys() - {only},
            only=only,
        )
        if session is None:
            return False
        self._synchronising.taken(session.mission_id)
        self._sessions.follow(session, self._cursor.cause_of(session.mission_id), claimed_here=True, since=since)
        return True

    def _try_apart(self, broken: BrokenClaim) -> None:
        """Go on without a mission that breaks the claim; it is retried automatically, and then left to a person."""
        mission, faults = broken.mission, [broken.cause]

        async def again() -> None:
            if faults:
                raise faults.pop()  # the first one counts, and is followed by the first pause
            try:
                await self._claim_next(only=mission.id)
            except BrokenClaim as error:
                raise error.cause from None

        async def ask(why: str) -> None:
            question = f"Try again? Its start could not be prepared: {why}"
            with suppress(Conflict, NotFound):  # moved or deleted meanwhile
                await self._context.workspace.write_as(SYSTEM, operations.review.ask_question, mission.id, question)

        def over(_: object) -> None:
            del self._set_aside[mission.id]
            self._context.wakeup.look()

        task = self._context.supervisor.keep(f"start of {short_id(mission.number)}", again, give_up=ask)
        self._set_aside[mission.id] = task
        task.add_done_callback(over)

    def _seconds_to_wait(self) -> float:
        now = asyncio.get_running_loop().time()
        waits = self._context.full.waits(now)
        if self.next_at is not None:
            waits.append((self.next_at - datetime.now(UTC)).total_seconds())
        return max(0.0, min([LONGEST_WAIT, *waits])) + 0.01
