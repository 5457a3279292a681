"""A hub with people in every role, spoken to over HTTP."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import Connection, insert

from solo_unicorn.hub.app import create_app
from solo_unicorn.hub.hub import Hub
from solo_unicorn.hub.identity import SCOPES
from solo_unicorn.hub.services import people
from solo_unicorn.hub.settings import HubSettings
from solo_unicorn.hub.storage.tables import project_members

from .serving import KEY

API = "/api/v1"
PEOPLE = ("owner", "maintainer", "collaborator", "contributor", "stranger", "admin", "member")
"""Callers of the tests: project roles, somebody without any, and two roles of the organisation."""


@dataclass
class World:
    """A hub with its callers: in this process, or others on the same database."""

    hub: Hub
    transport: httpx.AsyncBaseTransport
    tokens: dict[str, str]
    ids: dict[str, str]
    organization_id: str
    clients: dict[str, httpx.AsyncClient] = field(default_factory=dict)

    def as_(self, who: str) -> httpx.AsyncClient:
        """A client of a caller; `anonymous` has no token."""
        if who not in self.clients:
            headers = {"Authorization": f"Bearer {self.tokens[who]}"} if who in self.tokens else {}
            self.clients[who] = httpx.AsyncClient(
                transport=self.transport, base_url="http://hub.test" + API, headers=headers
            )
        return self.clients[who]

    @property
    def owner(self) -> httpx.AsyncClient:
        """The owner of everything."""
        return self.as_("owner")

    async def project(self, name: str = "Shop", **settings: Any) -> dict[str, Any]:
        """A project with the members of the tests."""
        made = await self.owner.post("/projects", json={"name": name, **settings})
        assert made.status_code == 201, made.text
        project: dict[str, Any] = made.json()

        def join(at: Connection) -> None:
            for role in ("maintainer", "collaborator", "contributor"):
                at.execute(
                    insert(project_members).values(
                        project_id=project["id"], user_id=self.ids[role], role=role, added_at=time.time()
                    )
                )

        await self.hub.database.write(join)
        self.hub.permissions.forget()
        return project

    async def mission(self, project: dict[str, Any], title: str = "Pay by card", **fields: Any) -> dict[str, Any]:
        """A mission made by the owner."""
        made = await self.owner.post(f"/projects/{project['id']}/missions", json={"title": title, **fields})
        assert made.status_code == 201, made.text
        mission: dict[str, Any] = made.json()
        return mission

    async def patch(self, mission: dict[str, Any], **fields: Any) -> httpx.Response:
        """The owner's change of what they see."""
        return await self.owner.patch(
            f"/missions/{mission['id']}", json=fields, headers={"If-Match": f'"{mission["version"]}"'}
        )

    async def workstation(self, who: str = "owner", **fields: Any) -> dict[str, Any]:
        """A registered workstation."""
        made = await self.as_(who).post("/workstations", json={"name": f"{who}'s", "generation": 1, **fields})
        assert made.status_code == 201, made.text
        found: dict[str, Any] = made.json()
        return found


class InTurn(httpx.AsyncBaseTransport):
    """Each request goes to the next of several hubs."""

    def __init__(self, addresses: Sequence[str]) -> None:
        self._next = cycle(httpx.URL(address) for address in addresses)
        self._transport = httpx.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send it there."""
        to = next(self._next)
        request.url = request.url.copy_with(scheme=to.scheme, host=to.host, port=to.port)
        request.headers["host"] = to.netloc.decode()
        return await self._transport.handle_async_request(request)

    async def aclose(self) -> None:
        """Let go; each client closes it, and the next one opens it again."""
        await self._transport.aclose()
        self._transport = httpx.AsyncHTTPTransport()


@asynccontextmanager
async def world(directory: Path, database_url: str = "", processes: Sequence[str] = ()) -> AsyncIterator[World]:
    """A running hub; its data is in `directory`. Where there are hubs at `processes`, requests go to them in turn."""
    app = create_app(HubSettings(directory, database_url=database_url, options={"rate_limits": "off", "key": KEY}))
    async with app.router.lifespan_context(app):
        hub: Hub = app.state.hub
        tokens, ids, organization_id = await hub.database.write(_populate)
        transport = InTurn(processes) if processes else httpx.ASGITransport(app)
        made = World(hub, transport, tokens, ids, organization_id)
        try:
            yield made
        finally:
            for client in made.clients.values():
                await client.aclose()


def _populate(at: Connection) -> tuple[dict[str, str], dict[str, str], str]:
    now = time.time()
    ids = {who: people.user_for(at, f"{who}@example.com", now, verified=True) for who in PEOPLE}
    organization = people.add_organization(at, name="Team", owner_id=ids["owner"], now=now)
    people.add_organization(at, name="Elsewhere", owner_id=ids["stranger"], now=now)
    from solo_unicorn.hub.storage.tables import organization_members

    for who in ("admin", "member"):
        at.execute(
            insert(organization_members).values(
                organization_id=organization.id, user_id=ids[who], role=who, added_at=now
            )
        )
    tokens = {
        who: people.add_token(at, kind="personal", name="tests", now=now, scopes=list(SCOPES), user_id=user_id)[0]
        for who, user_id in ids.items()
    }
    tokens["key"] = people.add_token(
        at, kind="organization", name="tests", now=now, scopes=list(SCOPES), organization_id=organization.id
    )[0]
    return tokens, ids, organization.id
