"""A whole hub in one process on a real socket, with Ann who owns a project and Ben who may see nothing of it."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from sqlalchemy import Connection

from solo_unicorn.hub.app import create_app
from solo_unicorn.hub.hub import Hub
from solo_unicorn.hub.operating.server import HubServer, configuration
from solo_unicorn.hub.services import people
from solo_unicorn.hub.settings import HubSettings
from solo_unicorn.hub.signin.accounts import hash_password, keep_password

PASSWORD = "correct horse battery"
EVERYTHING = ["read", "write", "run", "admin"]


class _Server(HubServer):
    def install_signal_handlers(self) -> None: ...

    def capture_signals(self) -> Any:
        from contextlib import nullcontext

        return nullcontext()


@dataclass
class Whole:
    url: str
    hub: Hub
    app: Any
    server: uvicorn.Server
    ann: httpx.AsyncClient
    ben: httpx.AsyncClient
    nobody: httpx.AsyncClient
    ann_token: str
    ben_token: str
    project: str
    mission: str

    async def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        return await self.ann.request(method, path, **options)


@asynccontextmanager
async def whole(directory: Path, *, database_url: str = "", bus_url: str = "", **options: str) -> AsyncIterator[Whole]:
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    settings = HubSettings(
        data_dir=directory,
        database_url=database_url,
        bus_url=bus_url,
        public_url=url,
        options={"rate_limits": "off"} | options,
    )
    app = create_app(settings)
    server = _Server(configuration(app, options.get("proxies", "")), app.state.composed.before_stop)
    serving = asyncio.create_task(server.serve([listening]))
    async with asyncio.timeout(30):
        while not server.started:
            assert not serving.done(), serving.result()
            await asyncio.sleep(0.01)
    hub: Hub = app.state.hub
    hashed = await hash_password(PASSWORD)
    ann = await hub.database.write(lambda at: _person(at, "ann", hashed))
    ben = await hub.database.write(lambda at: _person(at, "ben", hashed))
    clients = [
        httpx.AsyncClient(base_url=url, headers={"Authorization": f"Bearer {token}"} if token else {}, timeout=30)
        for token in (ann, ben, "")
    ]
    project = (await clients[0].post("/api/v1/projects", json={"name": "Lighthouse"})).json()
    assert "id" in project, project
    mission = (await clients[0].post(f"/api/v1/projects/{project['id']}/missions", json={"title": "Lamp"})).json()
    try:
        yield Whole(url, hub, app, server, clients[0], clients[1], clients[2], ann, ben, project["id"], mission["id"])
    finally:
        for client in clients:
            await client.aclose()
        server.should_exit = True
        await serving


def _person(at: Connection, name: str, hashed: str) -> str:
    user_id = people.user_for(at, f"{name}@example.org", time.time(), name=name.title(), verified=True)
    people.add_organization(at, name=f"{name.title()}'s", owner_id=user_id, now=time.time())
    keep_password(at, user_id, hashed)
    token, _ = people.add_token(
        at, kind="personal", name="tests", now=time.time(), scopes=EVERYTHING, days=1, user_id=user_id
    )
    return token
