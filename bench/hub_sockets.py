"""Sockets of the hub's bench: what idle ones cost, and how long a change takes to reach many readers."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import httpx
import orjson
import psutil
from websockets.asyncio.client import ClientConnection, connect

from solo_unicorn.bench.hub_processes import hub_process

AT_ONCE: Final = 50
"""Handshakes."""
IDLE_SECONDS: Final = 25.0
"""Longer than the hub's ping, so that each idle socket has been asked once and has answered."""


async def idle(url: str, token: str, project: str, count: int) -> dict[str, float]:
    """Resident memory of a hub in MB: without sockets, with so many just opened, and after they were idle."""
    async with hub_process(url) as (base, pid):
        before = _resident(pid)
        async with _crowd(base, token, count, f"project:{project}"):
            opened = _resident(pid)
            await asyncio.sleep(IDLE_SECONDS)
            return {"without MB": before, "sockets opened MB": opened, "sockets MB": max(opened, _resident(pid))}


async def fan_out(url: str, token: str, mission: str, count: int, changes: int) -> dict[str, float]:
    """From the request of a change until each of the readers has heard of it, in milliseconds."""
    took: list[float] = []
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        hub_process(url) as (base, _),
        _crowd(base, token, count, f"mission:{mission}") as clients,
        httpx.AsyncClient(base_url=base, headers=headers) as http,
    ):
        for number in range(changes):
            began = time.perf_counter()
            hearing = [asyncio.create_task(_hear(client, began)) for client in clients]
            title = {"title": f"Change {number}"}
            answer = await http.patch(f"/api/v1/missions/{mission}", json=title, headers={"If-Match": "*"})
            answer.raise_for_status()
            took += await asyncio.gather(*hearing)
            await asyncio.sleep(0.1)
    cut = statistics.quantiles(took, n=100)
    return {"fan-out p50 ms": cut[49], "fan-out p99 ms": cut[98]}


async def _hear(client: ClientConnection, began: float) -> float:
    while "mission.update" not in str(await client.recv()):
        pass
    return (time.perf_counter() - began) * 1000


def _resident(pid: int) -> float:
    return float(psutil.Process(pid).memory_info().rss) / 1e6


@asynccontextmanager
async def _crowd(base: str, token: str, count: int, channel: str) -> AsyncIterator[list[ClientConnection]]:
    """So many clients in a channel."""
    address, headers = base.replace("http", "ws") + "/ws/v1", {"Authorization": f"Bearer {token}"}
    joining = orjson.dumps({"type": "join", "payload": {"channel": channel}}).decode()
    gate = asyncio.Semaphore(AT_ONCE)

    async def one() -> ClientConnection:
        async with gate:
            opened = await connect(address, additional_headers=headers, ping_interval=None, max_queue=64)
            await opened.send(joining)
            while "joined" not in str(await opened.recv()):
                pass
            return opened

    clients = await asyncio.gather(*(one() for _ in range(count)))
    try:
        yield clients
    finally:
        await asyncio.gather(*(client.close() for client in clients))
