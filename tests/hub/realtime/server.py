"""A gateway on a real socket with a gate of its own, and clients that speak its envelopes."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket
from websockets.asyncio.client import ClientConnection, connect

from solo_unicorn.hub.realtime.backplane import Backplane
from solo_unicorn.hub.realtime.envelopes import Channel
from solo_unicorn.hub.realtime.gateway import Gateway
from solo_unicorn.hub.realtime.rooms import View
from solo_unicorn.hub.realtime.transport import Protocol

MISSION, OTHER = "01J00000000000000000000001", "01J00000000000000000000002"
WORKSTATION, PROJECT = "01J0000000000000000000000W", "01J0000000000000000000000P"
BOARD = f"project:{PROJECT}:workstations"


@dataclass
class Person:
    user_id: str
    expires_at: float | None = None


class Door:
    """`Bearer ann` may join everything but OTHER; `Bearer guest` sees only whether workstations are there."""

    def __init__(self) -> None:
        self.closed: set[str] = set()

    async def identify(self, socket: WebSocket) -> Person | None:
        name = socket.headers.get("authorization", "").removeprefix("Bearer ")
        return Person(name, time.time() + 0.1 if name == "short" else None) if name else None

    async def standing(self) -> str:
        return str(sorted(self.closed))

    async def still(self, visitor: Any) -> bool:
        return True

    async def may_join(self, visitor: Any, channel: Channel) -> View | None:
        if channel.id in (OTHER, *self.closed):
            return None
        return "status" if visitor.user_id == "guest" else "full"

    async def may_speak(self, visitor: Any, channel: Channel, workstation_id: str) -> bool:
        return visitor.user_id == "ann" and workstation_id == WORKSTATION and workstation_id not in self.closed


class _Server(uvicorn.Server):
    def install_signal_handlers(self) -> None: ...


@dataclass
class Running:
    gateway: Gateway
    url: str
    door: Door
    server: uvicorn.Server

    @asynccontextmanager
    async def client(self, name: str = "ann", **options: Any) -> AsyncIterator[Client]:
        headers = {"Authorization": f"Bearer {name}"} if name else {}
        async with connect(self.url, additional_headers=headers, **options) as opened:
            yield Client(opened)


class Client:
    """Reads envelopes one by one, whatever frames they came in."""

    def __init__(self, opened: ClientConnection) -> None:
        self.opened = opened
        self._read: list[dict[str, Any]] = []
        self.frames = 0

    async def say(self, kind: str, channel: str | None = None, ref: int | None = None, **payload: Any) -> None:
        said = {"type": kind, "payload": payload, "ref": ref} | ({"channel": channel} if channel else {})
        await self.opened.send(orjson.dumps(said).decode())

    async def hear(self, seconds: float = 5) -> dict[str, Any]:
        while not self._read:
            async with asyncio.timeout(seconds):
                found = orjson.loads(await self.opened.recv())
            self.frames += 1
            self._read = found if isinstance(found, list) else [found]
        return self._read.pop(0)

    async def until(self, kind: str, seconds: float = 5) -> dict[str, Any]:
        async with asyncio.timeout(seconds):
            while True:
                heard = await self.hear(seconds)
                if heard["type"] == kind:
                    return heard

    async def join(self, channel: str, **payload: Any) -> dict[str, Any]:
        await self.say("join", channel, **payload)
        return await self.until("joined")


@asynccontextmanager
async def running(backplane: Backplane | None = None, *, expire_seconds: float = 45) -> AsyncIterator[Running]:
    door = Door()
    gateway = Gateway(door, backplane, expire_seconds=expire_seconds)
    app = Starlette(routes=[WebSocketRoute("/ws/v1", gateway.serve)])
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    config = uvicorn.Config(
        app, ws=Protocol, lifespan="off", log_level="critical", ws_ping_interval=20, timeout_graceful_shutdown=1
    )
    server = _Server(config)
    await gateway.start()
    serving = asyncio.create_task(server.serve([listening]))
    async with asyncio.timeout(10):
        while not server.started:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    try:
        yield Running(gateway, f"ws://127.0.0.1:{listening.getsockname()[1]}/ws/v1", door, server)
    finally:
        await gateway.stop()
        server.should_exit = True
        await serving
