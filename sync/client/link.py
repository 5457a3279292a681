"""One account at one hub: when it is read and written to, and one cycle of that at a time."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from contextlib import suppress
from random import Random
from typing import Any, TypeVar

from ...config.log import logger
from ...missions.entities import SYSTEM
from ...missions.errors import SoloUnicornError
from ...workspace.sync_state.outbox import OutboxEntry
from ...workspace.thread import WorkspaceThread
from ...workspace.workspace import Workspace
from .. import replica
from ..replica.capabilities import Capabilities
from ..replica.connecting import Account
from ..replica.exchange import detect, parts, pull, push
from ..replica.messages import Answer, Exchange, Response, retry_after, server_time
from ..replica.trouble import Trouble
from .pace import HOURLY_LIMIT, SUSPECT_AGAIN, Attempts, Pace, SendAllowance, poll_interval
from .reporting import Report
from .transport import Transport

T = TypeVar("T")
AT_ONCE = 4
DETECT_SECONDS = 3600.0
SIGNED_OUT_SECONDS = 25.0
"""How soon an account whose sign-in has ended is tried again, without one."""
LONG_READ_SECONDS = 10.0
"""A reading that takes longer is told of while it lasts."""
HARD = frozenset({"signed_out", "keychain", "credentials", "renewal", "busy", "not_ready"})
"""Troubles that end sending at once, whatever else is on its way."""
SAME_TIME = 60.0
"""A clock that differs by more than this from the hub's is told of; nothing depends on it."""


class AccountLink:
    """One account at one hub: what it may ask when, and one cycle of pulling and pushing at a time."""

    def __init__(
        self,
        workspace: WorkspaceThread,
        account: Account,
        transport: Transport,
        report: Report,
        random: Random,
        clock: Callable[[], float],
        wall: Callable[[], float],
    ) -> None:
        self.account = account
        self.transport = transport
        self.report = report
        self.pace = Pace(random)
        self.attempts = Attempts(random)
        self.skew = 0.0
        self._workspace = workspace
        self._clock = clock
        self._wall = wall
        self._can: Capabilities | None = None
        self._detected = -DETECT_SECONDS
        self._server: tuple[float, float] | None = None
        self._socket_open = False
        self._heard_from = 0
        """How many answers came from the hub."""
        self._failing = False
        self.recovered: Callable[[], None] = _nothing
        """Called when the hub answers again after it did not."""
        self._accepted = False
        """A project was read in this cycle: the hub takes our token."""
        self._limit = HOURLY_LIMIT
        """Requests an hour that the hub allows, as its last answer says."""
        self._changed = False
        """Somebody signed in or out: what is known of the tokens is read anew."""
        self._unread: dict[str, Trouble] = {}
        """Projects that the hub does not let us read: nothing of them is sent either."""
        self._kept = clock()
        self._awake = asyncio.Event()
        self._retry = asyncio.Event()
        self._files: asyncio.Task[Trouble | None] | None = None
        self._one = asyncio.Lock()
        self._nudged = False
        self._nudges = SendAllowance()
        self._pulled = -math.inf
        self._mirrored: frozenset[object] = frozenset()
        self._suspects_at = clock() + SUSPECT_AGAIN
        self._log = logger("sync")

    # -- when

    async def keep_synchronised(self) -> None:
        """Cycle after cycle: what changed here is sent at once, the hub is read when it nudges and by the clock.

        The next reading is an absolute moment: whatever wakes this loop meanwhile does not put it off.
        """
        while True:
            self._awake.clear()
            began = self._clock()
            pulling = began >= self._next_pull
            if pulling:
                self._nudged, self._pulled = False, began  # a nudge that comes meanwhile is another one
            try:
                broke_off = any(one.of_hub for one in await self.cycle(pulling=pulling))
            except (SoloUnicornError, OSError) as error:  # a full disk, a locked file: it passes
                self.pace.failed(self._clock())
                self._log.warning("synchronisation failed", extra={"why": str(error)})
                broke_off = True
            if broke_off:
                self._read_next()
            await self._rest(began)

    def wake(self, account: Account | None = None) -> None:
        """There may be something to send; a sign-in that changed (`account`) is tried at once."""
        if account is not None and account != self.account:
            self.account = account
            self._changed = True
            self.pace.probe()
            self._retry.set()
            self._read_next()
        self._awake.set()

    def nudge(self) -> None:
        """There is something to read."""
        if not self._nudged:  # one that waits for its turn says it for all
            self._nudged = True
            self._awake.set()

    @property
    def socket_open(self) -> bool:
        """Whether nudges come: polling is for certainty only then."""
        return self._socket_open

    @socket_open.setter
    def socket_open(self, is_open: bool) -> None:
        self._socket_open = is_open
        self._awake.set()  # the next reading is at another time now

    @property
    def _poll_interval(self) -> float:
        return poll_interval(len(self._mirrored), self._limit, socket=self._socket_open)

    @property
    def _next_pull(self) -> float:
        polled = self._pulled + self._poll_interval
        return min(polled, self._nudges.ready(len(self._mirrored), self._limit)) if self._nudged else polled

    def _read_next(self) -> None:
        """The next cycle reads, whatever was read before."""
        self._pulled = -math.inf

    async def _rest(self, since: float) -> None:
        """Until something is to be sent or read; while the hub is left alone, until that is over."""
        event, now = self._awake, self._clock()
        pause: float | None = None  # without a project there is nothing to do before something changes here
        if left_alone := self.pace.wait(now):
            event, pause = self._retry, left_alone
            event.clear()
        elif self._mirrored or self._pulled == -math.inf:
            again = self.attempts.soonest(since)
            pause = min(self._next_pull, self._next_pull if again is None else again) - now
        with suppress(TimeoutError):
            async with asyncio.timeout(None if pause is None else max(0.01, pause)):
                await event.wait()

    # -- one cycle

    async def cycle(self, project_id: str | None = None, *, pulling: bool = True) -> list[Trouble]:
        """Pull, then push, of one project or of all; what stood in the way. One at a time."""
        async with self._one:
            return await self._judged(project_id, pulling)

    async def _judged(self, project_id: str | None, pulling: bool) -> list[Trouble]:
        mirrors = await self._workspace.read(replica.sync_steps.mirrors, self.account.id)
        before, self._mirrored = self._mirrored, frozenset((one.project_id, one.lists, one.days) for one in mirrors)
        pulling = pulling or not self._mirrored <= before  # a project that is new, or wanted in another selection
        projects = [one.project_id for one in mirrors if project_id in (None, one.project_id)]
        if not projects:
            return []
        if self._changed:
            self._changed = False
            await self.transport.reset()
        heard, self._accepted = self._heard_from, False
        trouble = await self._cycle(projects, pulling)
        refused = {one: self._unread[one] for one in projects if one in self._unread}
        if trouble is not None:
            await self._failed(trouble, projects)
        elif self._heard_from != heard:
            self.pace.answered()
            if self._failing:
                self._failing = False
                self.recovered()
            if self._accepted:  # anything may answer that it does not know a project
                await self._workspace.run(replica.connecting.set_signed_in, self.account.id, True)
            if pulling:
                await self._workspace.run(
                    replica.sync_steps.mark_synced, [one for one in projects if one not in refused]
                )
            for one, why in refused.items():
                await self._workspace.run(replica.sync_steps.mark_failing, [one], why.kind, why.reason)
        if pulling or trouble is not None:
            now = self._clock()
            due_in = max(self.pace.wait(now), self._poll_interval)
            await self.report.looked(trouble, refused, due_in, read=self._accepted)
        else:
            await self.report.flush()
        return [*([] if trouble is None else [trouble]), *refused.values()]

    async def _failed(self, trouble: Trouble, projects: list[str]) -> None:
        """The hub is unavailable: do not ask it for a while."""
        after = None if trouble.answer is None else retry_after(trouble.answer.headers, self.server_now or 0)
        if trouble.kind == "signed_out":
            await self._workspace.run(replica.connecting.set_signed_in, self.account.id, False)
            after = SIGNED_OUT_SECONDS
        if trouble.of_hub:
            self._failing = True
            self.pace.failed(self._clock(), after)
        await self._workspace.run(replica.sync_steps.mark_failing, projects, trouble.kind, trouble.reason)

    async def _cycle(self, projects: list[str], pulling: bool) -> Trouble | None:
        """What stands between here and the whole hub, or None; what it says of single projects is in `_unread`."""
        can = await self._capabilities()
        if isinstance(can, Trouble):
            return can
        for project_id in projects if pulling else ():
            trouble = await self._pull(project_id, can)
            if trouble is not None and trouble.of_hub:
                return trouble
            self._unread.pop(project_id, None)
            if trouble is not None:
                self._unread[project_id] = trouble
        projects = [one for one in projects if one not in self._unread]
        trouble = await self._push(projects, can)
        if trouble is None and (self._files is None or self._files.done()):
            self._files = asyncio.create_task(self._send_files(projects, can), name=f"files {self.account.profile}")
        if pulling and (trouble is None or (trouble.of_hub and trouble.kind != "signed_out")):
            trouble = await self._watch(trouble)
        return trouble

    # -- files go beside everything else, so that no mission waits for them

    async def files(self) -> Trouble | None:
        """Wait until every file was sent that can be sent now; what stood in the way, or None."""
        return await self._files if self._files is not None else None

    async def close(self) -> None:
        """Let go of the connection; a file on its way goes on from where it stands next time."""
        if self._files is not None:
            self._files.cancel()
            await asyncio.gather(self._files, return_exceptions=True)
        await self.transport.close()

    async def _send_files(self, projects: list[str], can: Capabilities) -> Trouble | None:
        """Whatever breaks it off is told of, and the next cycle tries again."""
        try:
            return await self._send_due_files(projects, can)
        except (SoloUnicornError, OSError) as error:  # a full disk, a locked file
            await self.report.files(str(error))
        except Exception as error:
            self._log.exception("files are not sent")
            await self.report.files(f"unexpected {type(error).__name__}: {error}")
        return None

    async def _send_due_files(self, projects: list[str], can: Capabilities) -> Trouble | None:
        while True:
            waiting = await self._workspace.read(replica.sync_steps.due, self.account.id, files=True)
            due = [one for one in waiting if one.project_id in projects]
            ready = [one for one in due if self.attempts.ready(one.seq, self._clock())]
            if not due:
                await self.report.files("")
            if not ready:
                return None
            trouble = await self._send(ready[0], can)
            if trouble is not None:
                self.attempts.held(ready[0].seq, self._clock())
                await self.report.files(trouble.reason)
                return trouble

    async def _pull(self, project_id: str, can: Capabilities) -> Trouble | None:
        self._nudges.spend(self._clock(), self._limit)
        before = (await self._workspace.read(replica.sync_steps.mirrored, project_id)).parts
        if before is None:
            done = await self._drive(lambda workspace: parts(workspace, project_id, can))
            if isinstance(done, Trouble) and done.kind != "gone":
                return done
        pulled = await self._drive(lambda workspace: pull(workspace, project_id, can))
        if isinstance(pulled, Trouble):
            return pulled
        self._accepted = True
        self.report.count("read", project_id, pulled)
        return None

    async def _push(self, projects: list[str], can: Capabilities) -> Trouble | None:
        """Send what is due, a few missions at a time, until nothing more may go out now."""
        while True:
            due = await self._workspace.read(replica.sync_steps.due, self.account.id)
            ready = [one for one in due if one.project_id in projects and self.attempts.ready(one.seq, self._clock())]
            if not ready:
                return None
            batch = ready[: AT_ONCE if can.changes else 1]
            troubles = [one for one in await asyncio.gather(*(self._send(one, can) for one in batch)) if one]
            hard = next((one for one in troubles if one.kind in HARD), None)
            if hard or len(troubles) == len(batch):
                return hard or troubles[0]

    async def _send(self, entry: OutboxEntry, can: Capabilities) -> Trouble | None:
        now = self.server_now
        outcome = await self._drive(lambda workspace: push(workspace, entry, can, now))
        if not isinstance(outcome, Trouble):
            if outcome != "again":
                self.attempts.over(entry.seq)
                if outcome in ("done", "parked", "conflict"):
                    self.report.count("sent" if outcome == "done" else outcome, entry.project_id)
            return None
        failed = outcome.kind in ("failing", "unreadable") and outcome.answer is not None
        if failed and self.attempts.failed(entry.seq, self._clock()):
            self._log.warning("the hub fails on one edit only: set aside", extra={"why": outcome.reason})
            await self._workspace.write_as(SYSTEM, replica.sync_steps.park, entry.seq, "suspect")
            self.attempts.over(entry.seq)
            return None
        return outcome

    async def _watch(self, trouble: Trouble | None) -> Trouble | None:
        """The hub has just been read, and still something does not get there: begin anew, and say so."""
        now = self._clock()
        due = await self._workspace.read(replica.sync_steps.due, self.account.id)
        files = await self._workspace.read(replica.sync_steps.due, self.account.id, files=True)
        waiting = {one.seq for one in due if one.project_id not in self._unread}
        if self.attempts.stuck(waiting, {one.seq for one in files}, now):
            self._log.error("edits are stuck although the hub answers: new connections", extra={"edits": len(waiting)})
            await self.transport.reset()
            said = "edits do not get through although the hub answers"
            answer = None if trouble is None else trouble.answer
            trouble = Trouble("failing", said if trouble is None else f"{said}: {trouble.reason}", answer)
        if now >= self._suspects_at:
            self._suspects_at = now + SUSPECT_AGAIN
            for entry in await self._workspace.read(replica.sync_steps.queued, None, parked=True):
                if entry.error_code == "suspect" and entry.account == self.account.id:
                    await self._workspace.write_as(SYSTEM, replica.sync_steps.retry_parked, entry.seq)
        return trouble

    async def _capabilities(self) -> Capabilities | Trouble:
        if self._can is not None and self._clock() - self._detected < DETECT_SECONDS:
            return self._can
        found = await self._drive(lambda workspace: detect(workspace, self.account.hub))
        if isinstance(found, Capabilities):
            self._can, self._detected = found, self._clock()
        return found

    # -- sending

    @property
    def server_now(self) -> float | None:
        """The hub's clock, from its last answer and a clock of ours that never jumps."""
        return None if self._server is None else self._server[0] + (self._clock() - self._server[1])

    async def ask(self, exchange: Callable[[Workspace], Exchange[T]]) -> T:
        """Hold a conversation of one's own with the hub."""
        return await self._drive(exchange)

    async def _drive(self, begin: Callable[[Workspace], Exchange[T]]) -> T:
        exchange = await self._workspace.run(begin)
        answer: Answer | None = None
        while True:
            done, value = await self._workspace.run(_stepped, exchange, answer)
            if done:
                result: T = value
                return result
            answer = await self.transport.send(value)
            self._heard(answer)
            if self._clock() - self._kept >= LONG_READ_SECONDS:
                self._kept = self._clock()
                await self.report.asking(LONG_READ_SECONDS)  # the cycle judges what it is worth

    def _heard(self, answer: Answer) -> None:
        if not isinstance(answer, Response):
            return
        self._heard_from += 1
        if (limit := answer.headers.get("x-ratelimit-limit", "")).isdecimal():
            self._limit = int(limit)
        if (at := server_time(answer.headers)) is not None:
            self._server = (at, self._clock())
            skew = self._wall() - at
            if abs(skew) > SAME_TIME and abs(self.skew) <= SAME_TIME:
                self._log.warning("this machine's clock differs from the hub's", extra={"seconds": round(skew)})
            self.skew = skew


def _nothing() -> None:
    pass


def _stepped(_: Workspace, exchange: Exchange[Any], answer: Answer | None) -> tuple[bool, Any]:
    """One step of a conversation, on the workspace's thread: (whether it is over, its result or its next request)."""
    try:
        return False, exchange.send(answer)  # type: ignore[arg-type]
    except StopIteration as end:
        return True, end.value
