"""What a machine and a hub say to each other about who works: starts, heartbeats, offers, and being fenced off."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from solo_unicorn.missions.entities import SYSTEM, CodeAgent, Json, ProjectRepository
from solo_unicorn.missions.rules.creating import MissionDraft
from solo_unicorn.sync import replica
from solo_unicorn.sync.replica.connecting import Account
from solo_unicorn.sync.replica.messages import Answer, NoAnswer, Request, Response
from solo_unicorn.workspace import operations, queries
from solo_unicorn.workspace.queries.eligibility_facts import REFUSAL_LASTS
from solo_unicorn.workspace.thread import WorkspaceThread
from solo_unicorn.workspace.workspace import Workspace
from solo_unicorn.workstation.dispatch import Wish
from solo_unicorn.workstation.hub import registry
from solo_unicorn.workstation.hub.registry import Registry, fenced
from solo_unicorn.workstation.hub.synchronising import Synchronising
from solo_unicorn.workstation.supervisor import Supervisor

if TYPE_CHECKING:
    from solo_unicorn.sync.client.engine import Engine
    from solo_unicorn.workstation.context import ServiceContext

PROJECT = "01J00000000000000000000000"
ACCOUNT = Account("ann@hub", "hub", "https://hub", "ann", "", "token", True, {})


class Hub:
    """Answers as a hub does that knows one workstation."""

    def __init__(self) -> None:
        self.generation = 0
        self.away = False
        self.copied = False
        self.refuses = ""
        self.offers: list[Json] = []
        self.said: list[Request] = []

    async def send(self, request: Request) -> Answer:
        self.said.append(request)
        body: dict[str, Any] = request.body if isinstance(request.body, dict) else {}
        if self.away:
            return NoAnswer("away")
        if request.method == "GET":
            known: Json = {"generation": self.generation}
            return Response(200, {}, known) if self.generation else Response(404, {}, {"error": {"code": "not_found"}})
        if request.method == "PUT" and self.copied:
            return self._refused("conflict", {"reason": "other_machine"})
        if "generation" in body and body["generation"] < self.generation:
            return self._refused("superseded", {"generation": self.generation})
        if request.method == "PUT":
            self.generation = body["generation"]
            return Response(200, {}, {"id": request.path.rpartition("/")[2]})
        if self.refuses and request.path.endswith("/claim"):
            return Response(403, {}, {"error": {"code": "forbidden", "message": self.refuses}})
        if request.path.endswith("/claim"):
            return Response(200, {}, {"id": request.path.split("/")[-2]})
        if request.path.endswith("/heartbeat"):
            return Response(200, {}, {"offers": self.offers, "heartbeatSeconds": 0.01})
        return Response(204 if "reject" in request.path else 200, {}, {})

    @staticmethod
    def _refused(code: str, details: dict[str, Any]) -> Response:
        return Response(409, {}, {"error": {"code": code, "message": f"it is {code}", "details": details}})

    async def reset(self) -> None: ...

    async def close(self) -> None: ...

    def paths(self, ending: str) -> list[Request]:
        return [one for one in self.said if one.path.endswith(ending)]


@pytest.fixture
async def thread(home: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[WorkspaceThread]:
    monkeypatch.setattr(registry, "HEARTBEAT_LEAST_SECONDS", 0.01)
    async with WorkspaceThread() as opened:
        await opened.run(replica.connecting.put_account, ACCOUNT)
        await opened.write(replica.connecting.connect, ACCOUNT, {"id": PROJECT, "name": "Shared"}, {})
        yield opened


async def until(condition: Any) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def made(thread: WorkspaceThread, hub: Hub) -> Registry:
    return Registry(thread, ACCOUNT, hub, lambda: None, Random(1))


async def test_a_start_takes_a_generation_above_all_that_the_hub_knows(thread: WorkspaceThread) -> None:
    hub = Hub()
    hub.generation = 41
    first = made(thread, hub)
    running = asyncio.create_task(first.keep_registered())
    await until(lambda: hub.paths("/heartbeat"))
    assert first.may_work and first.generation == hub.generation == 42
    second = made(thread, hub)  # the next start, or a copy of the home
    again = asyncio.create_task(second.keep_registered())
    await running  # it hears of it and ends
    assert not first.may_work and second.generation == 43
    assert "stop this one" in (await thread.run(Workspace.meta, fenced(ACCOUNT.id)) or "")
    again.cancel()
    await asyncio.gather(again, return_exceptions=True)


async def test_a_copied_home_on_another_machine_is_told_what_to_do(
    thread: WorkspaceThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "REFUSED_FIRST_SECONDS", 0.01)
    monkeypatch.setattr(registry, "REFUSED_LONGEST_SECONDS", 0.01)
    hub = Hub()
    hub.copied = True
    copy = made(thread, hub)
    running = asyncio.create_task(copy.keep_registered())
    await until(lambda: len([one for one in hub.said if one.method == "PUT"]) > 3)
    asked = {str(one.body["generation"]) for one in hub.said if isinstance(one.body, dict)}
    assert len(asked) == 1, "a start takes one generation, however often it is refused"
    assert not copy.may_work and hub.paths("/heartbeat") == []
    assert "workstation register --force" in (await thread.run(Workspace.meta, fenced(ACCOUNT.id)) or "")
    hub.copied = False  # made a workstation of its own
    await until(lambda: copy.may_work)
    assert await thread.run(Workspace.meta, fenced(ACCOUNT.id)) == ""
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_refused_registration_is_tried_again_as_soon_as_it_is_another_workstation(
    thread: WorkspaceThread,
) -> None:
    """It was tried each minute for ever, and each try took another generation."""
    hub = Hub()
    hub.copied = True
    copy = made(thread, hub)
    running = asyncio.create_task(copy.keep_registered())
    await until(lambda: any(one.method == "PUT" for one in hub.said))
    hub.copied = False
    await thread.write_as(SYSTEM, operations.workstation.forget)  # `workstation register --force`
    await until(lambda: copy.may_work)
    first, last = [one.path for one in hub.said if one.method == "PUT"]
    assert first != last
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_what_cannot_begin_here_is_refused_with_the_reason(thread: WorkspaceThread) -> None:
    hub = Hub()
    mission = await thread.write(operations.missions.create, PROJECT, MissionDraft("Not ready"))
    unread = "01J0000000000000000000000Z"
    hub.offers = [
        {"missionId": mission.id, "assignmentId": "offer-1"},
        {"missionId": unread, "assignmentId": "offer-2"},
    ]
    told = made(thread, hub)
    running = asyncio.create_task(told.keep_registered())
    await until(lambda: hub.paths("/offer-1/reject"))
    body = hub.paths("/offer-1/reject")[0].body
    assert isinstance(body, dict) and body["reason"] == await thread.read(
        queries.sessions.why_not, mission.id, now=thread.now()
    )
    assert hub.paths("/offer-2/reject") == [], "what was not read yet is waited for"
    assert told.offers == {unread: "offer-2"}
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_hub_that_lets_this_machine_run_nothing_of_a_project_is_said_on_its_cards(
    thread: WorkspaceThread,
) -> None:
    hub = Hub()
    hub.generation = 1
    agent = CodeAgent("claude", "claude", state="ready")
    await thread.write_as(SYSTEM, operations.workstation.set_agents, [agent])
    await thread.write(operations.parts.create, PROJECT, ProjectRepository, "shop", {"local_path": "/shop"})
    mission = (await thread.write(operations.missions.create, PROJECT, MissionDraft(title="Theirs"))).id
    await thread.write(operations.missions.set_ready, mission, True)
    supervisor = Supervisor()
    context = SimpleNamespace(workspace=thread, supervisor=supervisor, wakeup=SimpleNamespace(look=lambda: None))
    synchronising = Synchronising(cast("ServiceContext", context))
    synchronising._engine = cast("Engine", SimpleNamespace(link=lambda account: SimpleNamespace(transport=hub)))
    synchronising._registries[ACCOUNT.id] = registered = made(thread, hub)
    registered.generation = 1

    async def card(later: timedelta = timedelta()) -> str | None:
        return await thread.read(queries.sessions.why_not, mission, now=thread.now() + later)

    async def ask() -> None:
        synchronising._wished.clear()
        synchronising.wish([Wish(mission, PROJECT, agent)])
        await asyncio.gather(*synchronising._asking)

    assert await card() is None
    hub.refuses = "You may not run missions here: your role in the project is collaborator"
    await ask()
    assert hub.refuses in str(await card())
    assert await thread.read(queries.sessions.next_dispatch_at, now=thread.now()) is not None
    assert await card(later=REFUSAL_LASTS) is None, "it is asked again"
    assert await thread.run(registry.cannot_begin, {mission: "offer"}) == {}, "who is offered a mission may run it"
    assert await card() is None
    hub.refuses = ""
    await ask()
    assert synchronising.granted().keys() == {mission}
    await supervisor.close()


async def test_a_hub_that_is_away_is_asked_again(thread: WorkspaceThread, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "AGAIN_FIRST_SECONDS", 0.01)
    hub = Hub()
    hub.away = True
    told = made(thread, hub)
    running = asyncio.create_task(told.keep_registered())
    await until(lambda: len(hub.said) > 2)
    assert not told.may_work
    hub.away = False
    await until(lambda: told.may_work)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_success_that_is_not_the_hubs_registers_nobody_and_claims_nothing(
    thread: WorkspaceThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sign-in page of a network said 200 to a claim, and the mission ran here and elsewhere."""
    monkeypatch.setattr(registry, "AGAIN_FIRST_SECONDS", 0.01)
    hub = Hub()

    async def send(request: Request) -> Answer:
        hub.said.append(request)
        return Response(200, {}, {})

    hub.send = send  # type: ignore[method-assign]
    told = made(thread, hub)
    running = asyncio.create_task(told.keep_registered())
    await until(lambda: len([one for one in hub.said if one.method == "PUT"]) > 1)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert not told.may_work

    told.generation = 1
    nobody = SimpleNamespace(supervisor=None, workspace=thread, wakeup=SimpleNamespace(look=lambda: None))
    synchronising = Synchronising(cast("Any", nobody))
    synchronising._registries[ACCOUNT.id] = told
    engine = SimpleNamespace(link=lambda account: SimpleNamespace(transport=hub))
    mission = await thread.write(operations.missions.create, PROJECT, MissionDraft("Claimed"))
    wished = SimpleNamespace(
        project_id=PROJECT, mission_id=mission.id, agent=SimpleNamespace(type="rehearsal", name="rehearsal")
    )
    await synchronising._ask(cast("Any", engine), cast("Any", wished))
    assert hub.paths("/claim") and synchronising.granted() == {}


@pytest.mark.parametrize(
    "answer",
    [
        NoAnswer("HTTP 407", 407, "proxy"),
        Response(403, {}, {}),
        Response(502, {}, None),
        Response(200, {}, {}),
        Response(204, {}, None),
    ],
)
async def test_heartbeats_that_nobody_takes_become_rare(
    thread: WorkspaceThread, monkeypatch: pytest.MonkeyPatch, answer: Answer
) -> None:
    """A proxy that refused got 240 heartbeats an hour for ever, and one more for each change here."""
    hub, slept = Hub(), list[float]()
    beats = 0

    async def send(request: Request) -> Answer:
        nonlocal beats
        if not request.path.endswith("/heartbeat"):
            return await Hub.send(hub, request)
        beats += 1
        return answer

    hub.send = send  # type: ignore[method-assign]
    told = made(thread, hub)
    real = asyncio.sleep

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        told.wake()
        await real(0)

    monkeypatch.setattr("solo_unicorn.workstation.hub.registry.asyncio.sleep", sleep)
    running = asyncio.create_task(told.keep_registered())
    while sum(slept) < 3600:
        await real(0)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert 40 < beats < 80
