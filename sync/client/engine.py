"""The engine: keeps connected projects and their hub together, for as long as it runs.

It decides when; what is said is in `replica.exchange`, and every write is one transaction on the workspace's thread.
One engine runs per workspace (single_process.py).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from random import Random

from ...workspace.thread import WorkspaceThread
from .. import replica
from ..replica.connecting import Account
from ..replica.trouble import Trouble
from .link import AccountLink
from .reporting import Report
from .sync_events import SyncEvent
from .transport import Transport


class Engine:
    """All connected projects of a workspace."""

    def __init__(
        self,
        workspace: WorkspaceThread,
        connect: Callable[[Account], Transport],
        *,
        tell: Callable[[SyncEvent], None] = lambda happening: None,
        random: Random | None = None,
        clock: Callable[[], float] | None = None,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._workspace = workspace
        self._connect = connect
        self._tell = tell
        self._random = random or Random()
        self._clock = clock or _loop_time
        self._wall = wall
        self._links: dict[str, AccountLink] = {}
        self._look = asyncio.Event()

    async def keep_links(self) -> None:
        """Until cancelled: a link for every account that has connected projects."""
        stop = self._workspace.on_change(self.wake)
        tasks: dict[str, asyncio.Task[None]] = {}
        try:
            while True:
                self._look.clear()
                for account in await self._accounts():
                    link = self.link(account)
                    if account.id in tasks and tasks[account.id].done():
                        tasks.pop(account.id).result()  # whoever runs the engine hears of it
                    if account.id not in tasks:
                        tasks[account.id] = asyncio.create_task(
                            link.keep_synchronised(), name=f"sync {account.profile}"
                        )
                        tasks[account.id].add_done_callback(lambda _: self._look.set())
                    link.wake(account)
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
            troubles += await link.cycle(project_id)
            if (files := await link.files()) is not None:
                troubles.append(files)
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
            report = Report(self._workspace, account, self._tell)
            self._links[account.id] = AccountLink(
                self._workspace, account, self._connect(account), report, self._random, self._clock, self._wall
            )
        return self._links[account.id]

    async def close(self) -> None:
        """Let go of every connection."""
        for link in self._links.values():
            await link.close()
        self._links.clear()

    async def _accounts(self) -> list[Account]:
        accounts = {account.id: account for account in await self._workspace.read(replica.connecting.accounts)}
        used = {mirror.account for mirror in await self._workspace.read(replica.sync_steps.mirrors)}
        return [accounts[one] for one in sorted(used) if one in accounts]


def _loop_time() -> float:
    """The clock that the timers of the engine go by."""
    return asyncio.get_running_loop().time()
