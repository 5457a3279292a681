"""Connected projects in the service: the engine, one socket for each account, and this machine's presence on it.

One process of a workspace synchronises, the one that holds the lock; while a command does, the service waits for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from random import Random

from ..config import paths
from ..config.log import logger
from ..missions.board import Request
from ..missions.entities import Json, JsonObject
from ..missions.wire import to_wire
from ..sync.face import WorkspaceThread
from ..sync.mirror.connecting import Account
from ..sync.workspace import Workspace

LOCK_SECONDS = 2.0
ANSWERED = "sync.answered"
"""The last request for synchronising that was done, by its number."""


class Synchronising:
    """Begins with the first connected project; a workspace without one pays for a look at each change, and no more."""

    def __init__(self, desk: WorkspaceThread, wake: Callable[[], None]) -> None:
        self._desk = desk
        self._wake = wake
        self._news = asyncio.Event()
        self._asked: list[Request] = []
        self._log = logger("sync")

    def ask(self, request: Request) -> None:
        """Somebody wants everything read and sent now."""
        self._asked.append(request)
        self._news.set()

    async def run(self) -> None:
        """Until cancelled."""
        stop = self._desk.on_change(self._news.set)
        try:
            while not await self._desk.run(Workspace.mirrors):
                self._news.clear()
                await self._news.wait()
        finally:
            stop()
        await self._hold()

    async def _hold(self) -> None:
        from ..sync.remote.engine import EngineRuns, alone

        while True:
            try:
                with alone(paths.made_home() / "sync.lock"):
                    await self._synchronise()
            except EngineRuns:
                await asyncio.sleep(LOCK_SECONDS)

    async def _synchronise(self) -> None:
        from ..sync.remote.engine import Engine
        from ..sync.remote.fetching import connected

        async with WorkspaceThread() as desk:  # a page that is taken in does not hold up the work of the service
            engine = Engine(desk, connected)
            sockets: dict[str, asyncio.Task[None]] = {}
            running = asyncio.create_task(engine.run(), name="sync engine")
            stop = desk.on_change(self._news.set)
            try:
                while True:
                    self._news.clear()
                    if running.done():
                        running.result()
                    await self._sockets(desk, engine, sockets)
                    if self._asked:
                        newest = max(request.id for request in self._asked)
                        self._asked.clear()
                        await engine.once()
                        await desk.run(Workspace.set_meta, ANSWERED, str(newest))
                    await self._news.wait()
            finally:
                stop()
                for task in (running, *sockets.values()):
                    task.cancel()
                await asyncio.gather(running, *sockets.values(), return_exceptions=True)

    async def _sockets(self, desk: WorkspaceThread, engine: object, sockets: dict[str, asyncio.Task[None]]) -> None:
        from ..sync.remote.engine import Engine

        assert isinstance(engine, Engine)
        used = {mirror.account for mirror in await desk.run(Workspace.mirrors)}
        accounts = {one.id: one for one in await desk.run(Workspace.accounts) if one.id in used and one.signed_in}
        for gone in sockets.keys() - accounts.keys():
            sockets.pop(gone).cancel()
        for account_id in accounts.keys() - sockets.keys():
            sockets[account_id] = asyncio.create_task(
                self._socket(desk, engine, accounts[account_id]), name=f"socket {accounts[account_id].profile}"
            )

    async def _socket(self, desk: WorkspaceThread, engine: object, account: Account) -> None:
        from ..sync.remote.engine import Engine
        from ..sync.remote.realtime import Realtime
        from ..sync.remote.tokens import AccountBearer

        assert isinstance(engine, Engine)
        link = engine.link(account)
        machine = await desk.run(Workspace.workstation)

        async def channels() -> Iterable[str]:
            projects = [one.project_id for one in await desk.run(Workspace.mirrors, account.id)]
            own = [f"project:{one}" for one in projects] + [f"project:{one}:workstations" for one in projects]
            return [*own, f"workstation:{machine.id}"]

        async def presence() -> tuple[str, JsonObject]:
            return machine.id, await desk.run(meta)

        def heard(envelope: JsonObject) -> None:
            if envelope.get("type") == "mission.assign":
                self._wake()

        def opened(is_open: bool) -> None:
            link.socket_open = is_open

        socket = Realtime(
            account.hub, AccountBearer(account.id), channels=channels, nudge=link.nudge, on_message=heard,
            on_open=opened, presence=presence, random=Random(),
        )  # fmt: skip
        stop = desk.on_change(socket.changed)
        try:
            await socket.run()
        finally:
            stop()


def meta(workspace: Workspace) -> JsonObject:
    """What this machine says of itself (domain.md, Presence)."""
    machine = workspace.workstation()
    sessions = workspace.sessions(active=True)
    return {
        "status": "paused" if workspace.workstation_paused() else "busy" if sessions else "online",
        "name": machine.name,
        "availableCodeAgents": [to_wire(agent) for agent in machine.available_code_agents],
        "activeMissions": list[Json](sorted(session.mission_id for session in sessions)),
        "devServerPort": machine.dev_server_port,
    }
