"""This machine at a hub: registered at each start, heard of by heartbeats, offered missions, fenced by a newer start.

Each start takes a generation above every one that the hub has seen of this workstation. Whoever starts later (this
machine again, or a copy of its home elsewhere) takes over; the earlier one is told `superseded` at its next heartbeat,
claim or renewal. It claims nothing more, its sessions of that hub stop, and it says so. What people change on it goes
on to the hub: that is theirs, not the workstation's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from random import Random

from ...config.log import logger
from ...missions.entities import SYSTEM, Json, JsonObject
from ...missions.errors import NotFound
from ...missions.wire import to_wire
from ...sync import replica
from ...sync.client.fetching import registration
from ...sync.client.transport import Transport
from ...sync.replica.connecting import Account
from ...sync.replica.messages import API, Answer, NoAnswer, Request, Response, get
from ...system.backoff import Backoff
from ...workspace import operations, queries
from ...workspace.queries.eligibility_facts import refusal
from ...workspace.thread import WorkspaceThread
from ...workspace.workspace import Workspace

HEARTBEAT_SECONDS, HEARTBEAT_LEAST_SECONDS, SPREAD = 15.0, 5.0, (0.8, 1.2)
UNHEARD_LONGEST_SECONDS = 60.0
"""The longest pause between heartbeats that the hub, or a proxy before it, does not take."""
AGAIN_FIRST_SECONDS, AGAIN_LONGEST_SECONDS = 5.0, 60.0
REFUSED_FIRST_SECONDS, REFUSED_LONGEST_SECONDS = 60.0, 900.0
"""How soon a registration is tried again that the hub refused: that passes only if a person does something."""


def fenced(account_id: str) -> str:
    """The setting of the workspace that says why this machine may not work for an account's hub; empty when it may."""
    return f"workstation.fenced {account_id}"


class Registry:
    """One account's hub; `offered` is called when it has something for this machine, `taken` after each heartbeat."""

    def __init__(
        self,
        workspace: WorkspaceThread,
        account: Account,
        transport: Transport,
        offered: Callable[[], None],
        random: Random,
        *,
        taken: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._workspace = workspace
        self._account = account
        self._transport = transport
        self._offered = offered
        self._random = random
        self._taken = taken
        self._changed = asyncio.Event()
        self._start = 0
        """The generation of this start, once it has taken one."""
        self._refused = ""
        """The id of the workstation whose registration the hub has just refused."""
        self._log = logger("workstation.registry")
        self.generation = 0
        """What this start registered with; 0 before."""
        self.offers: dict[str, str] = {}
        """Missions that the hub offers to this machine -> the offer."""

    @property
    def may_work(self) -> bool:
        """Whether the hub knows this start as the workstation."""
        return self.generation > 0

    def wake(self) -> None:
        """Something changed here that the hub may want to know soon."""
        self._changed.set()

    async def keep_registered(self) -> None:
        """Until cancelled, or until another start took over."""
        again = Backoff(AGAIN_FIRST_SECONDS, AGAIN_LONGEST_SECONDS, random=self._random, between=SPREAD)
        refused = Backoff(REFUSED_FIRST_SECONDS, REFUSED_LONGEST_SECONDS, random=self._random, between=SPREAD)
        while not await self._register():
            if self._refused:
                await self._until_another_identity(refused.next())
            else:
                await asyncio.sleep(again.next())
        pause = 0.0
        unheard = Backoff(HEARTBEAT_SECONDS, UNHEARD_LONGEST_SECONDS, random=self._random, between=SPREAD)
        while self.may_work:
            await asyncio.sleep(min(1.0, pause))
            try:
                async with asyncio.timeout(max(0.0, pause - 1.0)):
                    await self._changed.wait()
            except TimeoutError:
                pass
            self._changed.clear()
            seconds = await self._beat()
            while seconds is None and self.may_work:  # whatever changes here meanwhile: nobody takes it
                await asyncio.sleep(unheard.next())
                seconds = await self._beat()
            unheard.reset()
            pause = (seconds or 0.0) * self._random.uniform(*SPREAD)

    async def _register(self) -> bool:
        """Take over as a new start; False while the hub cannot be asked or refuses.

        A start takes one generation, and another one only when the hub has seen that or a later one.
        """
        self._refused = ""
        machine = await self._workspace.run(operations.workstation.this_machine)
        known = await self._transport.send(get(f"/workstations/{machine.id}"))
        if isinstance(known, NoAnswer) or known.status not in (200, 404):
            return False
        said = known.object.get("generation") if known.ok else 0
        seen = said if isinstance(said, int) else 0
        if seen >= self._start:
            self._start = await self._workspace.write_as(SYSTEM, operations.workstation.next_generation, seen)
        answer = await self._transport.send(registration(machine, self._start))
        if isinstance(answer, Response) and answer.ok and answer.object.get("id") == machine.id:
            self.generation = self._start
            await self._workspace.run(Workspace.set_meta, fenced(self._account.id), "")
            self._log.info("registered", extra={"hub": self._account.hub, "generation": self.generation})
            return True
        if isinstance(answer, Response) and answer.status == 409:
            self._refused = machine.id
            await self._fence(answer)
        return False

    async def _until_another_identity(self, seconds: float) -> None:
        """Wait, until this machine becomes another workstation (`workstation register --force`) at the latest."""
        stop = self._workspace.on_change(self.wake)
        try:
            async with asyncio.timeout(seconds):
                while (await self._workspace.run(operations.workstation.this_machine)).id == self._refused:
                    await self._changed.wait()
                    self._changed.clear()
        except TimeoutError:
            pass
        finally:
            stop()

    async def _beat(self) -> float | None:
        """One heartbeat; seconds until the next, None when the hub did not take it."""
        machine = await self._workspace.run(operations.workstation.this_machine)
        body: JsonObject = {"generation": self.generation, **await self._workspace.run(state, self._account.id)}
        body["availableCodeAgents"] = [to_wire(agent) for agent in machine.available_code_agents]
        answer = await self._transport.send(Request("POST", f"{API}/workstations/{machine.id}/heartbeat", {}, {}, body))
        seconds = None if isinstance(answer, NoAnswer) or not answer.ok else answer.object.get("heartbeatSeconds")
        if isinstance(answer, NoAnswer) or not isinstance(seconds, int | float):  # not what the hub says to one
            await self.judge(answer)
            return None
        if self._taken is not None:
            await self._taken()
        self.offers = {
            str(one.get("missionId")): str(one.get("assignmentId")) for one in _objects(answer.object.get("offers"))
        }
        await self._answer_offers()
        return min(max(HEARTBEAT_LEAST_SECONDS, seconds), UNHEARD_LONGEST_SECONDS)

    async def _answer_offers(self) -> None:
        """What cannot begin here is refused with the reason, so that it is offered to another machine."""
        reasons = await self._workspace.run(cannot_begin, self.offers)
        for mission_id, reason in reasons.items():
            path = f"{API}/assignments/{self.offers.pop(mission_id)}/reject"
            await self._transport.send(Request("POST", path, {}, {}, {"reason": reason[:500]}))
        if self.offers:
            self._offered()

    async def judge(self, answer: Answer) -> None:
        """Look whether a refusal says that another start took over."""
        refused = isinstance(answer, Response) and answer.status == 409 and answer.error.get("code") == "superseded"
        if isinstance(answer, Response) and refused and "generation" in answer.details:
            await self._fence(answer)

    async def _fence(self, answer: Response) -> None:
        self.generation = 0
        self.offers = {}
        superseded = answer.error.get("code") == "superseded"
        todo = (
            "stop this one; `solo-unicorn workstation restart` takes over again"
            if superseded
            else "`solo-unicorn workstation register --force` makes this a separate workstation"
        )
        why = f"{answer.said}: {todo}"
        if await self._workspace.run(Workspace.meta, fenced(self._account.id)) != why:
            await self._workspace.run(Workspace.set_meta, fenced(self._account.id), why)
            event = "this workstation was superseded" if superseded else "the hub refuses this workstation"
            self._log.error(event, extra={"hub": self._account.hub, "why": answer.said})


def state(workspace: Workspace, account_id: str) -> JsonObject:
    """What a heartbeat says of this machine: its state, and the sessions it runs for projects of this account."""
    mirrored = {one.project_id for one in workspace.read(replica.sync_steps.mirrors, account_id)}
    sessions = [one for one in workspace.read(queries.sessions.find, active=True) if one.project_id in mirrored]
    runs: list[Json] = [{"sessionId": one.id, "missionId": one.mission_id} for one in sessions]
    word = "paused" if workspace.read(queries.workstation.paused) else "busy" if sessions else "idle"
    return {"state": word, "runs": runs}


def cannot_begin(workspace: Workspace, offers: Mapping[str, str]) -> dict[str, str]:
    """Offered missions that may not begin here now, with the reason; one that was not read yet is waited for."""
    reasons = {}
    for mission_id in offers:
        try:
            mission = workspace.read(queries.missions.get, mission_id)
        except NotFound:
            continue
        if workspace.meta(refusal(mission.project_id)):  # who is offered a mission may run it
            workspace.set_meta(refusal(mission.project_id), "")
        reason = workspace.read(queries.sessions.why_not, mission_id, now=workspace.now())
        if reason is not None and mission.agent_session_status == "INACTIVE":
            reasons[mission_id] = reason
    return reasons


def _objects(value: Json) -> list[JsonObject]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
