"""The real client and a hub with a breaking network between them: nothing lost, nothing twice, and all equal after."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from contextlib import AsyncExitStack
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest

from solo_unicorn.sync import replica
from solo_unicorn.sync.client import realtime, transport
from solo_unicorn.sync.client.realtime import Realtime
from solo_unicorn.sync.client.transport import HttpTransport
from solo_unicorn.sync.replica.messages import Request
from solo_unicorn.workspace import queries

from ..simulation.served import ServedHub
from .fault_proxy import FAULTS, FaultProxy
from .machines import PROJECT, Key, Machine, machine

HARMLESS_WITHOUT_KEYS = ("delay", "drop", "lose", "cut", "half-open")
"""A server without keys and preconditions cannot know a request that comes again late; the client never sends one."""


def faster() -> float:
    """Pauses of minutes pass in seconds."""
    return time.monotonic() * 60


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "READ_SECONDS", 0.5)


async def work(machines: list[Machine], random: Random, edits: int) -> dict[str, list[str]]:
    """Make and change missions on any machine, synchronising now and then; what was acknowledged, by mission."""
    titles: dict[str, list[str]] = {}
    for number in range(edits):
        one = random.choice(machines)
        here = [mission.id for mission in await one.board()]
        if here and random.random() < 0.6:
            mission_id = random.choice(here)
            await one.edit(mission_id, title=f"title {number}")
        else:
            mission_id = await one.make(f"title {number}")
        titles.setdefault(mission_id, []).append(f"title {number}")
        if random.random() < 0.5:
            await random.choice(machines).engine.once()
    return titles


async def agree(machines: list[Machine]) -> list[dict[str, str]]:
    """All settled; the titles on each board."""
    for _ in range(2):
        for one in machines:
            async with asyncio.timeout(60):
                while True:
                    await one.engine.once()
                    state = await one.thread.run(queries.connection.sync_state)
                    if state.word.split(" · ")[0] == "synced" or not (state.waiting or state.offline_since):
                        break
                    await asyncio.sleep(0.02)
    for one in machines:
        for mirror in await one.thread.read(replica.sync_steps.mirrors):
            assert await one.thread.read(replica.sync_steps.verify_mirror, mirror.project_id) == []
    return [{mission.id: mission.title for mission in await one.board()} for one in machines]


async def accounted(machines: list[Machine], titles: dict[str, list[str]], shown: dict[str, str]) -> None:
    """Each acknowledged title is shown, was shown before by its order, or stands in a conflict or a parked edit."""
    kept: list[Any] = []
    for one in machines:
        kept += [conflict.mine for conflict in await one.thread.read(replica.resolving.list_open)]
        kept += [entry.patch for entry in await one.thread.read(replica.sync_steps.queued, None, parked=True)]
    still_open = {mine.get("title") if isinstance(mine, dict) else mine for mine in kept}
    assert shown.keys() == titles.keys(), "a mission was lost or came from nowhere"
    for mission_id, said in titles.items():
        assert shown[mission_id] in said
        assert said[-1] in {shown[mission_id], *still_open}, "the last edit neither took effect nor is it shown as open"


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
async def test_two_machines_behind_a_network_that_breaks_agree_in_the_end(
    home: Path, tmp_path: Path, served: ServedHub, seed: int
) -> None:
    random = Random(seed)
    async with AsyncExitStack() as stack:
        proxy = await stack.enter_async_context(FaultProxy(served.url, random).running())
        machines = [
            await stack.enter_async_context(machine(tmp_path / f"{name}.db", proxy.url, clock=faster, seed=seed))
            for name in "ab"
        ]
        titles = await work(machines, random, 30)
        await proxy.heal()
        boards = await agree(machines)
        assert boards[0] == boards[1] == {one: str(it["title"]) for one, it in served.hub.state.missions.items()}
        await accounted(machines, titles, boards[0])
    effects = Counter((effect.mutation, effect.mission) for effect in served.hub.effects)
    assert max(effects.values()) == 1, "a request that came twice acted twice"
    assert len(proxy.met) > 4, proxy.met


@pytest.mark.slow
async def test_a_plain_server_behind_a_network_that_breaks_agrees_in_the_end(
    home: Path, tmp_path: Path, served: ServedHub
) -> None:
    served.hub.plain = True
    random = Random(5)
    async with AsyncExitStack() as stack:
        proxy = FaultProxy(served.url, random, faults=HARMLESS_WITHOUT_KEYS, often=0.25)
        await stack.enter_async_context(proxy.running())
        one = await stack.enter_async_context(machine(tmp_path / "a.db", proxy.url, clock=faster))
        titles = await work([one], random, 16)
        await proxy.heal()
        (board,) = await agree([one])
        assert board == {key: str(it["title"]) for key, it in served.hub.state.missions.items()}
        await accounted([one], titles, board)
    assert sum(proxy.met[fault] for fault in FAULTS) > 5


@pytest.mark.slow
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
async def test_the_real_hub_behind_a_network_that_breaks_takes_each_edit_once(
    home: Path, tmp_path: Path, database: str, request: pytest.FixtureRequest
) -> None:
    pytest.importorskip("sqlalchemy", reason="needs the extra solo-unicorn[hub]")
    from ...hub.rest import serving

    url = ""
    if database == "postgresql":
        from ...hub.rest.conftest import new_database
        from ...hub.rest.postgres import cluster

        server = cluster()
        request.addfinalizer(lambda: server.__exit__(None, None, None))
        url = await asyncio.to_thread(new_database, server.__enter__())
    directory, port, random = tmp_path / "hub", serving.free_port(), Random(11)
    token = await asyncio.to_thread(serving.prepare, directory, url)
    process = await asyncio.to_thread(serving.start, directory, port, url)
    hub = f"http://127.0.0.1:{port}"
    try:
        async with AsyncExitStack() as stack:
            owner = await stack.enter_async_context(
                httpx.AsyncClient(base_url=f"{hub}/api/v1", headers={"authorization": f"Bearer {token}"}, timeout=20)
            )
            project = (await owner.post("/projects", json={"name": "Shared"})).json()
            proxy = await stack.enter_async_context(FaultProxy(hub, random).running())
            machines = [
                await stack.enter_async_context(
                    machine(tmp_path / f"{name}.db", proxy.url, bearer=Key(token), clock=faster, project=project)
                )
                for name in "ab"
            ]
            often, proxy.often = proxy.often, 0.0
            for one in machines:
                await one.settle()  # its flows: the board begins with them
            proxy.often = often
            titles = await work(machines, random, 40)
            await proxy.heal()
            boards = await agree(machines)
            listed = (await owner.get(f"/projects/{project['id']}/missions", params={"limit": 200})).json()["items"]
            assert boards[0] == boards[1] == {one["id"]: one["title"] for one in listed}
            await accounted(machines, titles, boards[0])
            for mission_id in titles:
                history = (await owner.get(f"/missions/{mission_id}/events", params={"limit": 200})).json()["items"]
                changes = Counter(str(one.get("changes")) for one in history if "title" in str(one.get("changes")))
                assert all(times == 1 for times in changes.values()), "an edit took effect twice"
            assert len(proxy.met) > 4, proxy.met
    finally:
        process.terminate()
        await asyncio.to_thread(process.wait, 20)


@pytest.mark.parametrize("broken", ["cut in mid-frame", "half-open", "closed in good order"])
async def test_a_socket_that_ends_in_any_way_is_made_again_and_everything_is_read(
    broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from websockets.asyncio.server import ServerConnection, serve

    for name, seconds in {"PING_SECONDS": 0.2, "PONG_SECONDS": 0.2, "FIRST_SECONDS": 0.05}.items():
        monkeypatch.setattr(realtime, name, seconds)
    joined: asyncio.Queue[ServerConnection] = asyncio.Queue()
    nudges = 0

    async def greet(connection: ServerConnection) -> None:
        joined.put_nowait(connection)
        async for _ in connection:
            await connection.send('{"type": "joined"}')

    def nudged() -> None:
        nonlocal nudges
        nudges += 1

    async def channels() -> list[str]:
        return ["project:x"]

    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(serve(greet, "127.0.0.1", 0))
        address = f"http://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"
        proxy = await stack.enter_async_context(FaultProxy(address, Random(1)).running())
        states: asyncio.Queue[bool] = asyncio.Queue()

        async def stands(state: str, why: str) -> None:
            states.put_nowait(state == "open")

        client = Realtime(proxy.url, Key(), channels=channels, nudge=nudged, on_state=stands)
        running = asyncio.create_task(client.keep_connected())
        try:
            async with asyncio.timeout(20):
                first = await joined.get()
                assert await states.get() and nudges == 1
                if broken == "cut in mid-frame":
                    proxy.cut_sockets()
                elif broken == "half-open":
                    proxy.silence_sockets(True)
                else:
                    await first.close(1000)
                assert not await states.get()
                proxy.silence_sockets(False)
                await joined.get()
                while not await states.get():
                    pass
                assert nudges >= 2, "it is read once after each connect"
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


async def test_a_request_cut_in_the_middle_of_its_answer_is_no_answer(served: ServedHub) -> None:
    async with FaultProxy(served.url, Random(1), faults=("cut",), often=1.0).running() as proxy:
        wire = HttpTransport(proxy.url, Key())
        path = f"/api/v1/projects/{PROJECT['id']}/missions"
        answers = [await wire.send(Request("GET", path, {}, {})) for _ in range(5)]
        await wire.close()
    assert {type(answer).__name__ for answer in answers} == {"NoAnswer"}
