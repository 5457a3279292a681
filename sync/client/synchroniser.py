"""What keeps connected projects and their hubs together: one engine, and one socket for each account.

The background service and `sync --watch` run the same; the service adds this machine's presence and claims to it
(`Companion`). Only the process that holds the lock (`engine.alone`) may run one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from random import Random
from typing import Protocol

from ...config.log import logger
from ...missions.entities import SYSTEM, JsonObject
from ...missions.errors import SoloUnicornError
from ...system.backoff import Backoff
from ...workspace import operations, queries
from ...workspace.thread import WorkspaceThread
from ...workspace.workspace import Workspace
from .. import replica
from ..replica.connecting import Account
from .engine import Engine
from .fetching import connected
from .link import AccountLink
from .realtime import Realtime, SocketState
from .sync_events import SyncEvent
from .tokens import AccountBearer

ANSWERED = "sync.answered"
"""The setting of the workspace that has the number of the last request to synchronise that was done."""
AGAIN_FIRST_SECONDS, AGAIN_LONGEST_SECONDS = 2.0, 60.0
"""How soon a request is done again that this machine could not do: a full disk, a locked file."""


class Companion(Protocol):
    """What a process does on an account's connection besides synchronising."""

    async def channels(self, projects: Sequence[str]) -> Sequence[str]:
        """Further channels to join."""

    async def presence(self) -> tuple[str, JsonObject]:
        """This workstation's id, and what it says of itself."""

    def heard(self, envelope: JsonObject) -> None:
        """Something came over the socket; must not block."""

    async def accompany(self) -> None:
        """Until cancelled, for as long as the account is signed in and has projects."""


class Synchroniser:
    """All connected projects of a workspace, for as long as `synchronise` runs."""

    def __init__(
        self,
        workspace: WorkspaceThread,
        companion: Callable[[Account, AccountLink], Companion] | None = None,
        tell: Callable[[SyncEvent], None] = lambda happening: None,
    ) -> None:
        self.engine = Engine(workspace, connected, tell=tell)
        self._workspace = workspace
        self._companion = companion
        self._sockets: dict[str, asyncio.Task[None]] = {}
        self._again = Backoff(AGAIN_FIRST_SECONDS, AGAIN_LONGEST_SECONDS)

    async def synchronise(self) -> None:
        """Until cancelled."""
        news = asyncio.Event()
        stop = self._workspace.on_change(news.set)
        running = asyncio.create_task(self.engine.keep_links(), name="sync engine")
        running.add_done_callback(lambda _: news.set())
        try:
            while not running.done():
                news.clear()
                await self._follow_accounts(news)
                pause = await self._answer()
                with suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        await news.wait()
            running.result()
        finally:
            stop()
            tasks = (running, *self._sockets.values())
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._sockets.clear()

    async def _follow_accounts(self, news: asyncio.Event) -> None:
        """A socket for each account that is signed in and has projects, and for no other; raises what broke one off."""
        for socket in self._sockets.values():
            if socket.done():
                socket.result()
        used = {mirror.account for mirror in await self._workspace.read(replica.sync_steps.mirrors)}
        accounts = {
            one.id: one
            for one in await self._workspace.read(replica.connecting.accounts)
            if one.id in used and one.signed_in
        }
        for gone in self._sockets.keys() - accounts.keys():
            self._sockets.pop(gone).cancel()
        for account_id in accounts.keys() - self._sockets.keys():
            account = accounts[account_id]
            task = asyncio.create_task(self._socket(account), name=f"socket {account.profile}")
            task.add_done_callback(lambda _: news.set())
            self._sockets[account_id] = task

    async def _answer(self) -> float | None:
        """Read and send everything now, when somebody asks for that (`sync` while this process synchronises).

        The seconds after which it is tried again, when this machine could not; the request stays.
        """
        try:
            asked = [one.id for one in await self._workspace.read(queries.workstation.requests) if one.kind == "sync"]
            if asked:
                await self.engine.once()
                await self._workspace.run(Workspace.set_meta, ANSWERED, str(max(asked)))
                for number in asked:
                    await self._workspace.write_as(SYSTEM, operations.workstation.finish_request, number)
        except (SoloUnicornError, OSError) as error:
            logger("sync").warning("a request to synchronise waits", extra={"why": str(error)})
            return self._again.next()
        self._again.reset()
        return None

    async def _socket(self, account: Account) -> None:
        link = self.engine.link(account)
        companion = self._companion(account, link) if self._companion else None

        async def channels() -> list[str]:
            projects = [one.project_id for one in await self._workspace.read(replica.sync_steps.mirrors, account.id)]
            further = await companion.channels(projects) if companion else ()
            return [*(f"project:{one}" for one in projects), *further]

        async def stands(state: SocketState, why: str) -> None:
            lost = link.socket_open and state != "open"
            link.socket_open = state == "open"
            await link.report.socket(state, why)
            if lost:
                link.nudge()  # whether the hub is still there is known at once, not at the next look by the clock

        socket = Realtime(
            account.hub,
            AccountBearer(account.id),
            channels=channels,
            nudge=link.nudge,
            on_state=stands,
            on_message=companion.heard if companion else None,
            presence=companion.presence if companion else None,
            random=Random(),
        )
        link.recovered = socket.retry
        stop = self._workspace.on_change(socket.changed)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(socket.keep_connected())
                if companion:
                    group.create_task(companion.accompany(), name=f"beside {account.profile}")
        finally:
            stop()
            await stands("", "")
