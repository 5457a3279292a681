"""The MCP server of a hub at `/mcp`: streamable HTTP, one request at a time, so that any process can answer any client.

A client that is not signed in is sent to the authorization server by RFC 9728's metadata. MCP over WebSocket is not
served: the protocol's SDK has dropped it, and streamable HTTP took its place.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final, TypeVar

from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.auth.settings import AuthSettings
from mcp.server.transport_security import TransportSecuritySettings
from pydantic import AnyHttpUrl
from sqlalchemy import Connection
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from ...mcp_server.caller import McpCaller as AgentCaller
from ...mcp_server.changes import Changes
from ...mcp_server.server import RunToken, build_server
from ...missions.access import MissionAccess
from ...missions.entities import JsonObject
from ...missions.errors import SignedOut
from ..hub import Hub
from ..identity import Caller
from .access import HubAccess

T = TypeVar("T")
PATH: Final = "/mcp"
BODY_BYTES: Final = 4 * 1024 * 1024
METADATA: Final = "/.well-known/oauth-protected-resource"


class HubToken(RunToken):
    """A valid token with the caller that it stands for."""

    person: Caller


class McpEndpoint:
    """The hub's MCP server, as a part that starts and stops with the hub."""

    def __init__(self, hub: Hub, version: str, authorization_server: str) -> None:
        self._hub = hub
        self._changes = Changes()
        self._issuer = authorization_server
        resource = hub.settings.public_url + PATH
        server = build_server(self._run, version=version, changes=self._changes, at_hub=True)
        host = hub.settings.public_url.partition("://")[2]
        self._app = server.streamable_http_app(
            streamable_http_path=PATH,
            stateless_http=True,
            max_request_body_size=BODY_BYTES,
            auth=AuthSettings(
                issuer_url=AnyHttpUrl(authorization_server),
                resource_server_url=AnyHttpUrl(resource),
                validate_token_resource=False,
            ),
            token_verifier=self,
            transport_security=TransportSecuritySettings(
                enable_dns_rebinding_protection=True,
                allowed_hosts=[host, "127.0.0.1:*", "localhost:*"],
                allowed_origins=[hub.settings.public_url],
            ),
        )
        self._ends = asyncio.Event()
        self._life: asyncio.Task[None] | None = None

    def routes(self) -> list[BaseRoute]:
        """`/mcp`, and where to sign in for it."""
        return [Route(METADATA + PATH, self._metadata), Route(PATH, _Whole(self._app))]

    async def start(self) -> None:
        """The server's own tasks begin and end in one task."""
        ready = asyncio.Event()

        async def live() -> None:
            async with self._app.router.lifespan_context(self._app):
                ready.set()
                await self._ends.wait()

        self._life = asyncio.create_task(live(), name="mcp")
        waiting = asyncio.ensure_future(ready.wait())
        await asyncio.wait({self._life, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if self._life.done():
            self._life.result()

    async def stop(self) -> None:
        self._changes.close()
        self._ends.set()
        if self._life:
            await self._life

    async def verify_token(self, token: str) -> HubToken | None:
        """The token with its caller; None answers 401."""
        try:
            person = await self._hub.identity.verify(token)
        except SignedOut:
            return None
        if "read" not in person.scopes:
            return None
        who = AgentCaller("agent", read_only="write" not in person.scopes)
        return HubToken(token=token, client_id=person.name, scopes=[], caller=who, person=person)

    def changed(self, project: str, seq: int, /) -> None:
        """From the bus: wake those that wait for an answer."""
        self._changes.news.set()
        self._changes.news = asyncio.Event()

    def post(self, channel: str, kind: str, payload: JsonObject, /) -> None:
        """Messages for channels do not matter here."""

    async def _run(self, operation: Callable[[MissionAccess], T], /) -> T:
        """One closure in one transaction with the rights of whoever sent this request; hints go out afterwards."""
        token = get_access_token()
        if not isinstance(token, HubToken):
            raise RuntimeError("a request without a checked token reached the tools")
        person = token.person
        hints: list[Callable[[], None]] = []

        def work(at: Connection) -> T:
            hints.clear()
            access = HubAccess(self._hub, at, person)
            result = operation(access)
            hints.extend(access.work.after)
            return result

        result = await self._hub.database.write(work)
        for hint in hints:
            hint()
        return result

    async def _metadata(self, request: Any) -> Response:
        found = {
            "resource": self._hub.settings.public_url + PATH,
            "authorization_servers": [self._issuer],
            "scopes_supported": ["openid", "email", "offline_access", "missions"],
            "bearer_methods_supported": ["header"],
            "resource_name": "Solo Unicorn",
        }
        return JSONResponse(found, headers={"Cache-Control": "public, max-age=300", "Access-Control-Allow-Origin": "*"})


class _Whole:
    """The SDK's application with its own middleware, as the endpoint of a route."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, under its own path."""
        await self._app(scope, receive, send)
