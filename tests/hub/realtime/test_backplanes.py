"""Two hub processes (here: two gateways) over a real PostgreSQL or Redis behave as one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack

import pytest

from solo_unicorn.hub.realtime.backplane import Backplane
from solo_unicorn.hub.realtime.postgres import PostgresBackplane
from solo_unicorn.hub.realtime.redis import RedisBackplane

from .. import outside
from .server import BOARD, MISSION, PROJECT, WORKSTATION, Running, running

pytestmark = pytest.mark.slow
CHANNEL = f"mission:{MISSION}"


@pytest.fixture(scope="module", params=["postgres", "redis"])
def make(request: pytest.FixtureRequest) -> Iterator[Callable[[], Backplane]]:
    server = getattr(outside, request.param)
    kinds: dict[str, Callable[[str], Backplane]] = {"postgres": PostgresBackplane, "redis": RedisBackplane}
    with server() as url:
        yield lambda: kinds[request.param](url)


@pytest.fixture
async def hubs(make: Callable[[], Backplane]) -> AsyncIterator[tuple[Running, Running]]:
    async with AsyncExitStack() as both:
        one = await both.enter_async_context(running(make(), expire_seconds=2))
        yield one, await both.enter_async_context(running(make(), expire_seconds=2))


async def test_both_processes_hear_one_order_whoever_posts(hubs: tuple[Running, Running]) -> None:
    async with hubs[0].client() as here, hubs[1].client() as there:
        start = (await here.join(CHANNEL))["payload"]["seq"]
        await there.join(CHANNEL)
        for number in range(300):
            hubs[number % 2].gateway.rooms.post(CHANNEL, "mission.update", {"by": number % 2, "n": number})
            if number % 40 == 0:
                await asyncio.sleep(0.03)
        first, second = [[await client.hear() for _ in range(300)] for client in (here, there)]
    assert first == second
    numbers = [message["seq"] for message in first]
    assert numbers == list(range(numbers[0], numbers[0] + 300)) and (start == 0 or numbers[0] == start + 1)
    for by in (0, 1):
        mine = [message["payload"]["n"] for message in first if message["payload"]["by"] == by]
        assert mine == sorted(mine)


async def test_who_comes_back_to_the_other_process_misses_nothing(hubs: tuple[Running, Running]) -> None:
    async with hubs[0].client() as client:
        await client.join(CHANNEL)
        hubs[0].gateway.rooms.post(CHANNEL, "mission.update", {"n": -1})
        seen = (await client.until("mission.update"))["seq"]
    for number in range(120):
        hubs[number % 2].gateway.rooms.post(CHANNEL, "mission.update", {"n": number})
    async with hubs[1].client() as client:
        await client.join(CHANNEL, after=seen)
        heard = [await client.hear() for _ in range(120)]
    assert [message["seq"] for message in heard] == list(range(seen + 1, seen + 121))
    assert {message["payload"]["n"] for message in heard} == set(range(120))


async def test_messages_larger_than_a_notice_arrive_in_their_order(hubs: tuple[Running, Running]) -> None:
    async with hubs[1].client() as there:
        await there.join(CHANNEL)
        for number in range(6):
            text = "ä" * (20_000 if number % 2 else 3)
            hubs[0].gateway.rooms.post(CHANNEL, "mission.update", {"n": number, "text": text})
        heard = [(await there.hear())["payload"] for _ in range(6)]
    assert [(one["n"], len(one["text"])) for one in heard] == [(n, 20_000 if n % 2 else 3) for n in range(6)]


async def test_nudges_reach_the_other_process(hubs: tuple[Running, Running]) -> None:
    async with hubs[1].client() as there:
        await there.join(f"project:{PROJECT}")
        hubs[0].gateway.rooms.changed(PROJECT, 41)
        hubs[0].gateway.rooms.changed(PROJECT, 42)
        assert (await there.until("changes"))["payload"]["seq"] == 42


async def test_presence_moves_with_its_machine_and_expires_once(hubs: tuple[Running, Running]) -> None:
    async with hubs[1].client() as watcher:
        await watcher.join(BOARD)
        async with hubs[0].client() as machine:
            meta = {"status": "online", "devServerPort": 1}
            await machine.say("presence.update", BOARD, workstationId=WORKSTATION, meta=meta)
            assert (await watcher.until("presence.update"))["payload"]["meta"] == meta
        async with hubs[1].client() as machine:
            await machine.say("presence.update", BOARD, workstationId=WORKSTATION, meta={"devServerPort": 2})
            assert (await watcher.until("presence.update"))["payload"]["meta"] == {"devServerPort": 2}
            async with hubs[0].client() as late:
                kept = (await late.join(BOARD))["payload"]["presence"]
                assert [one["meta"] for one in kept] == [{"status": "online", "devServerPort": 2}]
        assert (await watcher.until("presence.update", 10))["payload"]["reason"] == "expired"
        await watcher.say("ping")
        assert (await watcher.hear())["type"] == "pong", "told once, though two processes look"
