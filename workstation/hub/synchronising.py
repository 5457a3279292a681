"""Connected projects in the service: the synchroniser, with this machine's presence and claims at each hub.

One process of a workspace synchronises, the one that holds the lock; while a command does, the service waits for it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from random import Random
from typing import TYPE_CHECKING

from ...config import paths
from ...config.log import logger
from ...missions.board import ServiceRequest
from ...missions.entities import Json, JsonObject, Session
from ...missions.errors import SoloUnicornError
from ...missions.ids import new_ulid
from ...missions.wire import to_wire
from ...sync import replica
from ...sync.replica.connecting import Account
from ...workspace import operations, queries
from ...workspace.queries.attachments import failure
from ...workspace.queries.eligibility_facts import refusal, refused
from ...workspace.thread import WorkspaceThread
from ...workspace.workspace import Workspace
from ..context import ServiceContext
from ..dispatch import Wish

if TYPE_CHECKING:
    from ...sync.client.engine import Engine
    from ...sync.client.link import AccountLink
    from ...sync.client.sync_events import SyncEvent
    from .registry import Registry

SYNCHRONISATION = "synchronisation"
"""Under which its problems are told."""
LOCK_SECONDS = 2.0
GRANT_SECONDS, AGAIN_SECONDS = 90.0, 15.0
"""How long a mission that the hub gave to this machine may take to begin; how soon a refused one is asked for again."""


class Synchronising:
    """Begins with the first connected project; a workspace without one pays for a look at each change, and no more."""

    def __init__(self, context: ServiceContext) -> None:
        self._supervisor = context.supervisor
        self._workspace = context.workspace
        self._wake = context.wakeup.look
        self._news = asyncio.Event()
        self._engine: Engine | None = None
        self._claims: dict[str, tuple[str, float]] = {}
        self._wished: dict[str, float] = {}
        self._registries: dict[str, Registry] = {}
        self._asking: set[asyncio.Task[bool]] = set()
        self._log = logger("sync")

    async def fetch(self, request: ServiceRequest) -> None:
        """Bring a file of a mission from its hub; when that fails, its `failure` says why."""
        from ...sync.client.downloads import fetch
        from ...sync.client.fetching import connected

        mission_id, name = request.mission_id or "", str(request.payload.get("name", ""))
        file = await self._workspace.read(queries.attachments.get, mission_id, name)
        try:
            mirror = await self._workspace.read(replica.sync_steps.mirrored, file.project_id)
            account = await self._workspace.read(replica.connecting.account, mirror.account)
            link = connected(account)
            try:
                await fetch(link, account, file)
            finally:
                await link.close()
            await self._workspace.run(Workspace.set_meta, failure(file.id), "")
        except (SoloUnicornError, OSError) as error:
            await self._workspace.run(Workspace.set_meta, failure(file.id), str(error))

    # -- claims: the hub decides which machine runs a mission

    def granted(self) -> dict[str, str]:
        """Missions that the hub gave to this machine: id -> session; they have to be begun before the grant ends."""
        now = time.monotonic()
        for mission_id, (session_id, asked) in list(self._claims.items()):
            if now - asked >= GRANT_SECONDS:  # it could not begin after all
                del self._claims[mission_id]
                self._give_back(mission_id, session_id)
        return {mission_id: session_id for mission_id, (session_id, _) in self._claims.items()}

    def taken(self, mission_id: str) -> None:
        """The mission runs: its grant is used up."""
        self._claims.pop(mission_id, None)

    def wish(self, wishes: Sequence[Wish]) -> None:
        """Ask the hub for the first of these that was not refused just now."""
        now = time.monotonic()
        self._wished = {one: until for one, until in self._wished.items() if until > now}
        wished = next((one for one in wishes if one.mission_id not in self._wished), None)
        offered = {mission_id for one in self._registries.values() for mission_id in one.offers}
        wished = next((one for one in wishes if one.mission_id in offered), wished)
        if wished is None or self._engine is None or self._asking:
            return
        self._wished[wished.mission_id] = now + AGAIN_SECONDS
        self._tell_hub("claim at the hub", partial(self._ask, self._engine, wished))

    async def _ask(self, engine: Engine, wished: Wish) -> None:
        session_id = new_ulid()
        asked = time.monotonic()
        more: JsonObject = {"codeAgentType": wished.agent.type, "codeAgentName": wished.agent.name}
        answer = await self._said(engine, wished.project_id, wished.mission_id, "claim", session_id, more)
        if answer == 200:
            await self._workspace.run(Workspace.set_meta, refusal(wished.project_id), "")
            self._claims[wished.mission_id] = (session_id, asked)
            self._wake()
        else:
            asyncio.get_running_loop().call_later(AGAIN_SECONDS, self._wake)

    def _give_back(self, mission_id: str, session_id: str) -> None:
        """Let the hub give a mission that was claimed and did not begin to somebody else."""

        async def told(engine: Engine) -> None:
            project = (await self._workspace.read(queries.missions.get, mission_id)).project_id
            await self._said(engine, project, mission_id, "release", session_id, {})

        if self._engine is not None:
            self._tell_hub("release at the hub", partial(told, self._engine))

    def _tell_hub(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        task = self._supervisor.begin(name, work)
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)

    async def renew(self, session: Session) -> bool:
        """Renew a claim at the hub; False when another machine has the mission. A hub that is away changes nothing:
        what is done meanwhile is queued, and judged when it comes back.
        """
        if self._engine is None:
            return True
        answer = await self._said(self._engine, session.project_id, session.mission_id, "renew", session.id, {})
        return answer != 409

    async def _said(
        self, engine: Engine, project_id: str, mission_id: str, verb: str, session_id: str, more: JsonObject
    ) -> int:
        """The hub's status to claim or renew; 200 for a local project, 0 when it does not answer."""
        from ...sync.replica.messages import API, NoAnswer, mission_in
        from ...sync.replica.messages import Request as ToHub

        mirrors = {one.project_id: one for one in await self._workspace.read(replica.sync_steps.mirrors)}
        accounts = {one.id: one for one in await self._workspace.read(replica.connecting.accounts)}
        if project_id not in mirrors or mirrors[project_id].account not in accounts:
            return 200 if project_id not in mirrors else 0
        account = accounts[mirrors[project_id].account]
        registry = self._registries.get(account.id)
        if verb == "claim" and (registry is None or not registry.may_work):
            return 0  # not known there yet, or fenced off
        machine = await self._workspace.run(operations.workstation.this_machine)
        generation = registry.generation if registry is not None else 0
        body: JsonObject = {"workstationId": machine.id, "sessionId": session_id, **more}
        body["generation"] = generation or await self._workspace.read(queries.workstation.generation)
        path = f"{API}/missions/{mission_id}/{verb}"
        answer = await engine.link(account).transport.send(ToHub("POST", path, {}, {}, body))
        if registry is not None:
            await registry.judge(answer)
        if isinstance(answer, NoAnswer):
            return 0
        if not answer.ok:
            self._log.info(f"the hub refuses to {verb}", extra={"mission": mission_id, "why": answer.said})
        if verb == "claim" and answer.status == 403:  # whatever the mission: it says so on every card of the project
            said = refused(self._workspace.now(), answer.said)
            await self._workspace.run(Workspace.set_meta, refusal(project_id), said)
        if answer.ok and (mission_in(answer.body) or {}).get("id") != mission_id:
            return 0  # a success that is not the hub's proves nothing
        return answer.status

    # -- the engine

    async def synchronise(self) -> None:
        """Wait for the first connected project, then synchronise for as long as the service runs."""
        stop = self._workspace.on_change(self._news.set)
        try:
            while not await self._workspace.read(replica.sync_steps.mirrors):
                self._news.clear()
                await self._news.wait()
        finally:
            stop()
        await self._hold()

    async def _hold(self) -> None:
        from ...sync.client.single_process import EngineRuns, alone

        while True:
            try:
                with alone(paths.made_home() / "sync.lock"):
                    await self._synchronise_alone()
            except EngineRuns:
                await asyncio.sleep(LOCK_SECONDS)

    async def _synchronise_alone(self) -> None:
        from ...sync.client.synchroniser import Synchroniser

        async with WorkspaceThread() as workspace:  # a page that is taken in does not hold up the work of the service
            synchroniser = Synchroniser(
                workspace, lambda account, link: self._at_hub(workspace, account, link), self._happened
            )
            self._engine = synchroniser.engine
            try:
                await synchroniser.synchronise()
            finally:
                self._engine = None
                self._registries.clear()
                for task in self._asking:
                    task.cancel()
                await asyncio.gather(*self._asking, return_exceptions=True)

    def _happened(self, happening: SyncEvent) -> None:
        if happening.kind != "live":  # all others are told of when a look at a hub is over
            self._supervisor.works(SYNCHRONISATION)

    def _at_hub(self, workspace: WorkspaceThread, account: Account, link: AccountLink) -> AtHub:
        from .registry import Registry

        registry = self._registries[account.id] = Registry(
            workspace, account, link.transport, self._wake, Random(), taken=link.report.heartbeat
        )
        return AtHub(workspace, registry, self._wake)


class AtHub:
    """This workstation on an account's connection: presence, offers, and the registry's heartbeats."""

    def __init__(self, workspace: WorkspaceThread, registry: Registry, wake: Callable[[], None]) -> None:
        self._workspace = workspace
        self._registry = registry
        self._wake = wake

    async def channels(self, projects: Sequence[str]) -> Sequence[str]:
        """Where workstations are told of, and what is for this one."""
        machine = await self._workspace.run(operations.workstation.this_machine)
        return [*(f"project:{one}:workstations" for one in projects), f"workstation:{machine.id}"]

    async def presence(self) -> tuple[str, JsonObject]:
        """This workstation's id, and what it says of itself."""
        machine = await self._workspace.run(operations.workstation.this_machine)
        return machine.id, await self._workspace.run(meta)

    def heard(self, envelope: JsonObject) -> None:
        """What it is offered comes with the next heartbeat."""
        if envelope.get("type") == "mission.assign":
            self._registry.wake()
            self._wake()

    async def accompany(self) -> None:
        """Register and send heartbeats."""
        await self._registry.keep_registered()


def meta(workspace: Workspace) -> JsonObject:
    """What this machine says of itself (domain.md, Presence)."""
    machine = operations.workstation.this_machine(workspace)
    sessions = workspace.read(queries.sessions.find, active=True)
    return {
        "status": "paused" if workspace.read(queries.workstation.paused) else "busy" if sessions else "online",
        "name": machine.name,
        "availableCodeAgents": [to_wire(agent) for agent in machine.available_code_agents],
        "activeMissions": list[Json](sorted(session.mission_id for session in sessions)),
        "devServerPort": machine.dev_server_port,
    }
