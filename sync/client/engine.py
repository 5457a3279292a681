"""The engine: keeps connected projects and their hub together, for as long as it runs.

It decides when; what is said is in `mirror.exchange`, and every write is one transaction on the workspace's thread.
One engine runs per machine (`alone`), whoever holds the lock: the service, or a command when no service runs.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any, TypeVar

from ...config.log import logger
from ...missions.errors import SoloUnicornError, TryAgain
from ...workspace.thread import WorkspaceThread
from ...workspace.workspace import Workspace
from ..replica.connecting import Account
from ..replica.exchange import Trouble, detect, parts, pull, push
from ..replica.messages import Answer, Exchange, Response, retry_after, server_time
from ..replica.outbox import Entry
from ..replica.pushing import Capabilities
from .pace import SUSPECT_AGAIN, Attempts, Pace
from .transport import Transport

T = TypeVar("T")
AT_ONCE = 4
POLL_SECONDS, POLL_WITH_SOCKET = 5.0, 60.0
DETECT_SECONDS = 3600.0
SAME_TIME = 60.0
"""A clock that differs by more than this from the hub's is told of; nothing depends on it."""


class EngineRuns(TryAgain):
    """Another process synchronises this workspace."""

    code = "sync_runs"


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Hold the lock of the one engine; EngineRuns when another process does. Free when its holder is gone."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise EngineRuns(
                "Another process synchronises this workspace", todo="nothing: it sends what you changed"
            ) from error
        yield
    finally:
        os.close(descriptor)


class Engine:
    """All connected projects of a workspace."""

    def __init__(
        self,
        desk: WorkspaceThread,
        connect: Callable[[Account], Transport],
        *,
        random: Random | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._desk = desk
        self._connect = connect
        self._random = random or Random()
        self._clock = clock
        self._wall = wall
        self._links: dict[str, AccountLink] = {}
        self._look = asyncio.Event()

    async def run(self) -> None:
        """Until cancelled: a link for every account that has connected projects."""
        stop = self._desk.on_change(self.wake)
        tasks: dict[str, asyncio.Task[None]] = {}
        try:
            while True:
                self._look.clear()
                for account in await self._accounts():
                    if account.id not in tasks or tasks[account.id].done():
                        tasks[account.id] = asyncio.create_task(
                            self.link(account).run(), name=f"sync {account.profile}"
                        )
                for link in self._links.values():
                    link.wake()
                await self._look.wait()
        finally:
            stop()
            for task in tasks.values():
                task.cancel()
            await asyncio.gather(*tasks.values(), return_exceptions=True)
            await self.close()

    async def once(self, project_id: str | None = None) -> list[Trouble]:
        """Pull and push until there is nothing more to do; what stood in the way is returned."""
        troubles = []
        for account in await self._accounts():
            link = self.link(account)
            troubles += [one for one in (await link.cycle(project_id), await link.files()) if one is not None]
        return troubles

    def wake(self) -> None:
        """Something changed here: there may be something to send."""
        self._look.set()

    def nudge(self, account_id: str) -> None:
        """The hub says that it has something new."""
        if account_id in self._links:
            self._links[account_id].nudge()

    def link(self, account: Account) -> AccountLink:
        """The link of an account; the same one every time."""
        if account.id not in self._links:
            self._links[account.id] = AccountLink(
                self._desk, account, self._connect(account), self._random, self._clock, self._wall
            )
        return self._links[account.id]

    async def close(self) -> None:
        """Let go of every connection."""
        for link in self._links.values():
            await link.close()
        self._links.clear()

    async def _accounts(self) -> list[Account]:
        accounts = {account.id: account for account in await self._desk.run(Workspace.accounts)}
        used = {mirror.account for mirror in await self._desk.run(Workspace.mirrors)}
        return [accounts[one] for one in sorted(used) if one in accounts]


class AccountLink:
    """One account at one hub: what it may ask when, and one cycle of pulling and pushing at a time."""

    def __init__(
        self,
        desk: WorkspaceThread,
        account: Account,
        transport: Transport,
        random: Random,
        clock: Callable[[], float],
        wall: Callable[[], float],
    ) -> None:
        self.account = account
        self.transport = transport
        self.pace = Pace(random)
        self.attempts = Attempts(random)
        self.socket_open = False
        """While nudges come, polling is for certainty only."""
        self.skew = 0.0
        self._desk = desk
        self._clock = clock
        self._wall = wall
        self._can: Capabilities | None = None
        self._detected = -DETECT_SECONDS
        self._server: tuple[float, float] | None = None
        self._awake = asyncio.Event()
        self._files: asyncio.Task[Trouble | None] | None = None
        self._one = asyncio.Lock()
        self._due_pull = True
        self._suspects_at = clock() + SUSPECT_AGAIN
        self._log = logger("sync")

    # -- when

    async def run(self) -> None:
        """Cycle after cycle: when something changed here, when the hub nudges, and by the clock."""
        while True:
            self._awake.clear()
            pulling, self._due_pull = self._due_pull, False  # a nudge that comes meanwhile is another one
            try:
                trouble = await self.cycle(pulling=pulling)
                self._due_pull = self._due_pull or (pulling and trouble is not None)
            except SoloUnicornError as error:  # a full disk, a locked file: it passes
                self._due_pull = True
                self.pace.failed(self._clock())
                self._log.warning("synchronisation broke off", extra={"why": str(error)})
            pause = self.pace.wait(self._clock())
            if pause:
                await asyncio.sleep(pause)
                continue
            try:
                async with asyncio.timeout(self._until_next()):
                    await self._awake.wait()
            except TimeoutError:
                self._due_pull = True

    def wake(self) -> None:
        """There may be something to send."""
        self._awake.set()

    def nudge(self) -> None:
        """There is something to read."""
        self._due_pull = True
        self._awake.set()

    def _until_next(self) -> float:
        poll = POLL_WITH_SOCKET if self.socket_open else POLL_SECONDS
        soonest = self.attempts.soonest()
        return poll if soonest is None else max(0.01, min(poll, soonest - self._clock()))

    # -- one cycle

    async def cycle(self, project_id: str | None = None, *, pulling: bool = True) -> Trouble | None:
        """Pull, then push, of one project or of all; what stood in the way, or None. One at a time."""
        async with self._one:
            return await self._judged(project_id, pulling)

    async def _judged(self, project_id: str | None, pulling: bool) -> Trouble | None:
        projects = [one.project_id for one in await self._desk.run(Workspace.mirrors, self.account.id)]
        projects = [one for one in projects if project_id in (None, one)]
        if not projects:
            return None
        trouble = await self._cycle(projects, pulling)
        if trouble is None:
            await self._desk.run(Workspace.set_signed_in, self.account.id, True)
            return None
        if trouble.kind == "signed_out":
            await self._desk.run(Workspace.set_signed_in, self.account.id, False)
            self.pace.failed(self._clock(), 30.0)
        elif trouble.kind in ("unreachable", "busy"):
            after = None if trouble.answer is None else retry_after(trouble.answer.headers, self.server_now or 0)
            self.pace.failed(self._clock(), after)
        await self._desk.run(Workspace.mark_failing, projects, trouble.reason)
        return trouble

    async def _cycle(self, projects: list[str], pulling: bool) -> Trouble | None:
        can = await self._capabilities()
        if isinstance(can, Trouble):
            return can
        worst: Trouble | None = None
        for project_id in projects if pulling else ():
            trouble = await self._pull(project_id, can)
            if trouble is not None and trouble.kind in ("signed_out", "unreachable", "busy"):
                return trouble
            worst = worst or trouble
        if pulling and worst is None:
            await self._answered()
        trouble = await self._push(projects, can)
        if trouble is None and (self._files is None or self._files.done()):
            self._files = asyncio.create_task(self._send_files(projects, can), name=f"files {self.account.profile}")
        if pulling and (trouble is None or trouble.kind in ("unreachable", "busy")):
            trouble = await self._watch(trouble)
        if trouble is None and worst is None:
            self.pace.answered()
        return trouble or worst

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
        while True:
            due = await self._desk.run(Workspace.due, self.account.id, files=True)
            ready = [one for one in due if one.project_id in projects and self.attempts.ready(one.seq, self._clock())]
            if not ready:
                return None
            try:
                trouble = await self._send(ready[0], can)
            except SoloUnicornError as error:  # a full disk, a locked file: the next cycle tries again
                self._log.warning("files are not sent", extra={"why": str(error)})
                return None
            if trouble is not None:
                return trouble

    async def _pull(self, project_id: str, can: Capabilities) -> Trouble | None:
        before = (await self._desk.run(Workspace.mirror, project_id)).parts
        if before is None:
            done = await self._drive(lambda workspace: parts(workspace, project_id, can))
            if isinstance(done, Trouble) and done.kind != "gone":
                return done
        pulled = await self._drive(lambda workspace: pull(workspace, project_id, can))
        return pulled if isinstance(pulled, Trouble) else None

    async def _push(self, projects: list[str], can: Capabilities) -> Trouble | None:
        """Send what is due, a few missions at a time, until nothing more may go out now."""
        while True:
            due = await self._desk.run(Workspace.due, self.account.id)
            ready = [one for one in due if one.project_id in projects and self.attempts.ready(one.seq, self._clock())]
            if not ready:
                return None
            batch = ready[: AT_ONCE if can.changes else 1]
            troubles = [one for one in await asyncio.gather(*(self._send(one, can) for one in batch)) if one]
            hard = next((one for one in troubles if one.kind in ("signed_out", "busy")), None)
            if hard or len(troubles) == len(batch):
                return hard or troubles[0]

    async def _send(self, entry: Entry, can: Capabilities) -> Trouble | None:
        now = self.server_now
        outcome = await self._drive(lambda workspace: push(workspace, entry, can, now))
        if not isinstance(outcome, Trouble):
            if outcome != "again":
                self.attempts.over(entry.seq)
            return None
        failed = outcome.kind == "unreachable" and outcome.answer is not None
        if failed and self.attempts.failed(entry.seq, self._clock()):
            self._log.warning("the hub fails on one edit only: set aside", extra={"why": outcome.reason})
            await self._desk.run(Workspace.park_suspect, entry.seq)
            self.attempts.over(entry.seq)
            return None
        return outcome

    async def _watch(self, trouble: Trouble | None) -> Trouble | None:
        """The hub has just been read, and still something does not get there: begin anew, and say so."""
        now = self._clock()
        waiting = {one.seq for one in await self._desk.run(Workspace.due, self.account.id)}
        if self.attempts.stuck(waiting, now):
            self._log.error("edits are stuck although the hub answers: new connections", extra={"edits": len(waiting)})
            await self.transport.reset()
            said = "edits do not get through although the hub answers"
            answer = None if trouble is None else trouble.answer
            trouble = Trouble("unreachable", said if trouble is None else f"{said}: {trouble.reason}", answer)
        if now >= self._suspects_at:
            self._suspects_at = now + SUSPECT_AGAIN
            for entry in await self._desk.run(Workspace.outbox, None, parked=True):
                if entry.error_code == "suspect" and entry.account == self.account.id:
                    await self._desk.run(Workspace.retry_parked, entry.seq)
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
        exchange = await self._desk.run(begin)
        answer: Answer | None = None
        while True:
            done, value = await self._desk.run(_stepped, exchange, answer)
            if done:
                result: T = value
                return result
            answer = await self.transport.send(value)
            self._heard(answer)

    async def _answered(self) -> None:
        """Keep for every process to see that the hub has just been read."""
        try:
            await self._desk.run(Workspace.hub_answered, self.account.id, datetime.fromtimestamp(self._wall(), UTC))
        except OSError as error:  # a full disk, for one: what was read is kept all the same
            self._log.warning("the time of the hub's answer is not kept", extra={"why": str(error)})

    def _heard(self, answer: Answer) -> None:
        if isinstance(answer, Response) and (at := server_time(answer.headers)) is not None:
            self._server = (at, self._clock())
            skew = self._wall() - at
            if abs(skew) > SAME_TIME and abs(self.skew) <= SAME_TIME:
                self._log.warning("this machine's clock differs from the hub's", extra={"seconds": round(skew)})
            self.skew = skew


def _stepped(_: Workspace, exchange: Exchange[Any], answer: Answer | None) -> tuple[bool, Any]:
    """One step of a conversation, on the workspace's thread: (whether it is over, its result or its next request)."""
    try:
        return False, exchange.send(answer)  # type: ignore[arg-type]
    except StopIteration as end:
        return True, end.value
