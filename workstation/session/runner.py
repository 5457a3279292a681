"""One session from its claim to its end: prepare, start, follow, judge, end.

Written so that the service may be killed at any line and a second one carries on. A runner begins by looking at what is
there (`HostHandle.state`) and never remembers anything a restart would need:

    claimed, nothing started      the run directory is sealed (no agent can ever start from it), the claim given back
    host started, row not updated the host holds its lock: followed; `placement.json` says what the row lacks
    host runs                     followed from the transcript's first byte (transcript_fold.py)
    host ended                    judged late, from the same files
    host vanished                 what it left is ended by proof of identity, the work kept in a ref, outcome unknown

Ending a session is one transaction and does nothing the second time. Nothing is called failed while its host lives.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Literal

from ...agents import launch
from ...agents.sandbox.choosing import NoSandbox
from ...agents.verdict import NO_TOOLS, Judgement
from ...config import paths
from ...config.log import logger
from ...missions.entities import SYSTEM, Session, service_of
from ...missions.errors import Conflict, NotFound, SoloUnicornError, TryAgain
from ...missions.ids import short_id
from ...system.disk import is_full
from ...workspace import operations, queries
from ...worktrees.pool.records import BranchTaken, PoolFull
from ...worktrees.repository.repositories import UnusableRepository
from ..context import ServiceContext
from . import full_disk
from .lease import ClaimLease, Superseded, waking_clock
from .outcome_policy import UNSTARTED, end, goes_on_by_itself, judge, starts_again_at, works_in_vain
from .preparing import Prepared, ReadComments, prepare
from .proving import note_as_told, prove_finished, read_finished
from .run_files import changes_elsewhere, forget_token, kept_work, placement, write_placement
from .transcript_fold import TranscriptFold

LOOK_SECONDS = 0.15
"""How often a running session's files are looked at."""
NOTE_SECONDS = 0.3
"""Progress is written to the workspace at most this often."""

WAIT_SECONDS = 600.0
"""For so long a host is told that its agent is busy; told anew after half of it."""

StopReason = Literal["cancelled", "superseded"]


class SessionRunner:
    """Carries one session to its end; cancelling it lets go of the session and stops nothing."""

    def __init__(
        self,
        context: ServiceContext,
        session: Session,
        *,
        renew_at_hub: Callable[[Session], Awaitable[bool]],
        read_comments: ReadComments,
        claimed_here: bool,
        since: float | None = None,
    ) -> None:
        """`renew_at_hub`: renews the claim where the project's hub has it too, False when it is no longer ours.

        `claimed_here`: just claimed by this service, so nothing was started yet; `since`: the clock before that.
        """
        self.session = session
        self._context = context
        self._renew_at_hub = renew_at_hub
        self._read_comments = read_comments
        self._claimed_here = claimed_here
        self._run_dir = paths.runs_dir() / session.id
        self._handle = launch.attach(self._run_dir)
        self._stop: StopReason | None = None
        self._stop_told = False
        self._aborted = False
        self._waits_since: float | None = None
        """When its host was told last that it is busy."""
        self._answered = False
        """Its agent was told to work again because its model answered."""
        self._broke_off = False
        """Whether its course was begun before."""
        self._log = logger("workstation.session")
        self._lease = ClaimLease(
            self._renew,
            seconds=context.settings.sessions.lease_seconds,
            since=waking_clock() if since is None else since,
        )
        self._said = {"session": session.id, "mission": session.mission_id}

    async def run_to_end(self) -> None:
        """Until the session is over, however often something in between fails for a while.

        A locked workspace or a full disk passes, and the session's files are there to be looked at again. A fault of
        the program that comes again and again ends it with an unknown outcome, once its agent has ended.
        """
        name = f"session {self.session.id}"
        with suppress(NotFound):
            mission = await self._context.workspace.read(queries.missions.get, self.session.mission_id)
            name = f"session of {short_id(mission.number)}"
        await self._context.supervisor.until_done(
            name, partial(self._under_lease, self._carry), give_up=self._give_up_following
        )

    async def _give_up_following(self, why: str) -> None:
        await self._under_lease(partial(self._end_unfollowed, why))

    async def _under_lease(self, course: Callable[[], Awaitable[None]]) -> None:
        """Take a course while the claim is renewed; give way when it turns out to be lost."""
        if self._broke_off:
            self._claimed_here = False
            with suppress(SoloUnicornError):
                if not await self._renew():
                    await self._give_way("the mission is no longer this session's")
                    return
        self._broke_off = True
        work = asyncio.ensure_future(course())
        lease = asyncio.create_task(self._lease.keep(), name=f"lease {self.session.id}")
        try:
            await asyncio.wait((work, lease), return_when=asyncio.FIRST_COMPLETED)
            (work if work.done() else lease).result()
        except Superseded as error:
            await self._give_way(str(error))
        finally:
            for task in (work, lease):
                task.cancel()
            await asyncio.gather(work, lease, return_exceptions=True)

    # ---- what a person asks for

    async def say(self, text: str) -> None:
        """Hand a person's words to the agent; raises SoloUnicornError when it does not listen (any more)."""
        await asyncio.to_thread(self._handle.say, text)

    async def interrupt(self) -> None:
        """Break off what the agent does now."""
        await asyncio.to_thread(self._handle.interrupt)

    async def stop(self, reason: StopReason = "cancelled") -> None:
        """Ask the agent to end, then make it; the session ends when its process has."""
        self._stop = reason
        await self._tell_to_stop()

    async def _tell_to_stop(self) -> None:
        """Pass the stop on, once a host listens; before that `_start` heeds it, and `_follow` says it again."""
        if self._stop is not None and not self._stop_told:
            with suppress(SoloUnicornError):
                await asyncio.to_thread(self._handle.stop, self._stop)
                self._stop_told = True

    # ---- its course

    async def _carry(self) -> None:
        state = await asyncio.to_thread(self._handle.state)
        if state == "never_started" and self.session.phase == "running":  # it ran: its directory was removed since
            await asyncio.to_thread(launch.seal, self._run_dir)
            await self._end_lost(TranscriptFold(self._run_dir, self._handle.parser))
            return
        if state == "never_started":
            if not self._claimed_here:
                await self._give_claim_back("the service ended before the agent was started")
                return
            if not await self._start():
                return
            state = "running"
        elif self.session.phase == "preparing":
            await self._note_started(placement(self._run_dir))
        await self._follow(lost=state == "lost")

    async def _start(self) -> bool:
        """Prepare and start; False when the session ended on the way."""
        try:
            await self._context.mcp.up.wait()
            prepared = await prepare(self._context, self.session, self._run_dir, self._read_comments)
            if self._stop:
                return await self._end_unstarted("cancelled", "stopped before its agent was started")
            await self._lease.ensure()
            await self._context.git(write_placement, self._run_dir, prepared)
            pid = await self._context.git(launch.start, self._run_dir)
        except Superseded:
            raise
        except PoolFull as error:  # no fault of the mission's: it waits for a worktree, no attempt counts
            await self._give_claim_back(str(error))
            return False
        except (SoloUnicornError, OSError) as error:
            if is_full(error):
                await self._give_claim_back(await full_disk.park(self._context, self.session, error))
                return False
            in_vain = isinstance(error, (UnusableRepository, BranchTaken, NoSandbox))
            return await self._end_unstarted("failed", f"{UNSTARTED}: {error}", in_vain=in_vain)
        except Exception as error:  # counted like any other: passed over, it would be repeated for ever
            self._log.exception("preparing broke off", extra=self._said)
            return await self._end_unstarted("failed", f"{UNSTARTED}: {error!r}")
        await full_disk.begun(self._context, self.session)
        self._log.info("agent started", extra=self._said | {"host": pid, "worktree": prepared.worktree})
        await self._note_started(prepared)
        return True

    async def _end_unstarted(
        self, outcome: Literal["cancelled", "failed"], reason: str, *, in_vain: bool = False
    ) -> bool:
        """End a session that has no agent. Should one have started after all, it is followed: True.

        Its agent had no chance, so no attempt counts. `in_vain`: the next one would not start either, before a person
        has done something about it.
        """
        if not await asyncio.to_thread(launch.seal, self._run_dir):
            await self._note_started(placement(self._run_dir))
            return True
        ended = await asyncio.to_thread(self._handle.outcome)
        if ended is not None and not ended.sealed:
            return True  # it started and is over: judged by what it left
        self._log.warning("session not started", extra=self._said | {"why": reason})
        again_at = None
        if outcome == "failed" and not in_vain:
            settings = self._context.settings.sessions
            again_at = await self._context.workspace.run(starts_again_at, self.session.id, settings)
        await self._end(Judgement(outcome, reason, reset_at=again_at, no_chance=True))
        return False

    async def _give_claim_back(self, why: str) -> None:
        """Nothing runs and nothing can be started any more: the mission may be claimed anew."""
        if await asyncio.to_thread(launch.seal, self._run_dir) and await self._context.git(self._handle.end_leftovers):
            await self._context.workspace.write_as(
                service_of(self.session.id), operations.sessions.release, self.session.id, why
            )
            self._log.info("claim given back", extra=self._said | {"why": why})
        else:
            raise SoloUnicornError("The session has just been started", why="its host took the lock during the check")

    async def _note_started(self, prepared: Prepared) -> None:
        self.session = await self._context.workspace.write_as(
            service_of(self.session.id),
            operations.sessions.begin,
            self.session.id,
            host_pid=self._handle.pid or 0,
            worktree_path=prepared.worktree,
            branch=prepared.branch,
            base_commit=prepared.base_commit,
            folder=prepared.folder,
            resumed=prepared.resumed,
            unheld=prepared.unheld,
            sandbox=prepared.sandbox,
        )

    async def _follow(self, *, lost: bool) -> None:
        """Read on until the host has let go of its lock, then judge."""
        reading = TranscriptFold(self._run_dir, self._handle.parser, self._context.settings.budget.prices)
        clock = asyncio.get_running_loop().time
        noted_at, noted_offset = clock(), self.session.transcript_offset
        while True:
            alive, grown = await asyncio.to_thread(self._look, reading)
            if reading.offset > noted_offset and (not alive or clock() - noted_at >= NOTE_SECONDS):
                await self._note(reading)
                noted_at, noted_offset = clock(), reading.offset
            if not alive:
                break
            await self._tell_to_stop()
            await self._stop_without_tools(reading)
            await self._tell_it_is_busy(reading)
            if not grown:
                await asyncio.sleep(LOOK_SECONDS)
        outcome = await asyncio.to_thread(self._handle.outcome)
        if outcome is None:
            await self._end_lost(reading)
        else:
            judgement = await self._context.workspace.run(judge, self.session.id, reading, outcome)
            anew = judgement.nudged or (judgement.conversation_lost and self.session.resumed)
            await self._end(await full_disk.judged(self._context, self.session, judgement), resume=anew)

    async def _stop_without_tools(self, reading: TranscriptFold) -> None:
        """An agent that cannot reach our tools cannot finish its stage: it is not left to work in vain."""
        vain = works_in_vain(self.session.id, reading, datetime.now(UTC).timestamp())
        why = reading.verdict.abort_reason or (NO_TOOLS if vain else None)
        if why is not None and not self._aborted:
            self._aborted = True
            self._log.warning("agent without our tools", extra=self._said | {"why": why})
            with suppress(SoloUnicornError):
                await asyncio.to_thread(self._handle.stop, "mcp")

    async def _tell_it_is_busy(self, reading: TranscriptFold) -> None:
        """Its host sees silence; what it is busy with is in its transcript."""
        longest = self._context.settings.sessions.tool_minutes * 60
        busy = bool(reading.life.busy_with(datetime.now(UTC).timestamp(), longest))
        now = asyncio.get_running_loop().time()
        if busy and (self._waits_since is None or now - self._waits_since > WAIT_SECONDS / 2):
            self._waits_since, seconds = now, WAIT_SECONDS
        elif not busy and self._waits_since is not None:
            self._waits_since, seconds = None, 0.0
        else:
            return
        with suppress(SoloUnicornError):  # it is about to end
            await asyncio.to_thread(self._handle.wait, seconds)

    def _look(self, reading: TranscriptFold) -> tuple[bool, bool]:
        """Whether the host lives, and whether there was something new. In this order: after a death all is there."""
        alive = self._handle.alive()
        before = reading.offset
        if alive:
            reading.take()
        else:
            reading.take_all()
        return alive, reading.offset > before

    async def _note(self, reading: TranscriptFold) -> None:
        self.session = await self._context.workspace.write_as(
            SYSTEM,
            operations.sessions.progress,
            self.session.id,
            activity=reading.activity,
            usage=reading.usage,
            context=reading.context,
            conversation_id=reading.verdict.conversation_id,
            transcript_offset=reading.offset,
            at=reading.last_at,
        )
        if reading.verdict.answered and not self._answered:
            self._answered = True
            await self._context.workspace.run(operations.workstation.agent_answered, self.session.agent_name)

    # ---- its end

    async def _end(self, judgement: Judgement, *, resume: bool = False) -> None:
        """End it in the workspace, under a valid lease."""
        await self._lease.ensure()
        settings = self._context.settings.sessions
        finished = await self._context.workspace.run(read_finished, self.session.id)
        proof = await prove_finished(self._context, finished) if finished else None
        await self._tell_of_changes_elsewhere()
        await self._lease.ensure()
        mission = await self._context.workspace.run(
            lambda workspace: end(workspace, self.session.id, judgement, settings, resume=resume, proof=proof)
        )
        if finished:
            await self._context.git(note_as_told, finished)
        await asyncio.to_thread(forget_token, self._run_dir)
        self._log.info(
            "session ended",
            extra=self._said | {"outcome": judgement.outcome, "why": judgement.reason, "list": mission.list},
        )

    async def _tell_of_changes_elsewhere(self) -> None:
        """What changed outside of the worktree while the agent worked goes into the mission's history."""
        if note := await self._context.git(changes_elsewhere, self._run_dir):
            self._log.warning("changed outside of the worktree", extra=self._said | {"note": note})
            await self._context.workspace.write_as(
                SYSTEM, operations.missions.add_note, self.session.mission_id, "progress", note
            )

    async def _end_lost(self, reading: TranscriptFold) -> None:
        """Neither a host nor its word: prove that nothing of it lives, keep the work, say that nobody knows.

        The mission goes on by itself once, with the same conversation where the agent can; after a second loss in a row
        a person decides.
        """
        if not await self._context.git(self._handle.end_leftovers):
            raise TryAgain("Processes of the lost session still run", why="they could not be ended")
        judgement = await self._context.workspace.run(judge, self.session.id, reading, None)
        if judgement.outcome == "unknown":
            kept = await self._context.git(kept_work, self.session)
            judgement = replace(judgement, reason=judgement.reason + kept)
        again = await self._context.workspace.run(goes_on_by_itself, self.session.id)
        await self._end(judgement, resume=again)

    async def _end_unfollowed(self, why: str) -> None:
        """Its agent goes on to its own end, which nobody can judge."""
        self._log.error("session no longer followed", extra=self._said | {"why": why})
        await self._wait_for_end()
        if await asyncio.to_thread(self._handle.state) == "never_started":
            await asyncio.to_thread(launch.seal, self._run_dir)
        elif not await self._context.git(self._handle.end_leftovers):
            raise TryAgain("Processes of the session still run", why="they could not be ended")
        outcome: Literal["cancelled", "unknown"] = "cancelled" if self._stop else "unknown"
        await self._end(Judgement(outcome, f"the service could not follow the session: {why}"))

    async def _wait_for_end(self) -> None:
        while await asyncio.to_thread(self._handle.alive):  # noqa: ASYNC110 - another process, nothing to wait on
            await asyncio.sleep(LOOK_SECONDS)

    async def _give_way(self, why: str) -> None:
        """Somebody else has the mission: stop our agent, leave the mission alone, keep worktree and transcript."""
        self._log.warning("session superseded", extra=self._said | {"why": why})
        await self.stop("superseded")
        await self._wait_for_end()
        with suppress(Conflict):  # the mission has no session at all any more
            await self._context.workspace.write_as(
                service_of(self.session.id), operations.sessions.end, self.session.id, "cancelled", why
            )

    async def _renew(self) -> bool:
        held = await self._context.workspace.read(queries.sessions.holds_claim, self.session.id)
        return held and await self._renew_at_hub(self.session)
