"""What joins the API to make a hub: sign-in, real time, files, web hooks, MCP, limits, health, metrics."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from fastapi import FastAPI
from sqlalchemy import Connection, select
from starlette.requests import HTTPConnection
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

from .. import __version__
from ..missions.errors import NotFound, SignedOut
from .api.dispatch import Dispatch
from .errors import HubError
from .hub import Hub
from .identity import ANONYMOUS, SCOPES, Caller
from .operating.doorway import SAFE_METHODS, Doorway
from .operating.health import Health
from .operating.limits import Limits
from .operating.metrics import Metrics
from .operating.rates import Rates, Standing
from .operating.shared_limits import Shared, limits
from .operating.telemetry import traced
from .realtime.backplane import Backplane, Local
from .realtime.envelopes import Channel
from .realtime.gateway import Gateway, Visitor
from .realtime.rooms import View
from .signin.browsers import Browsers
from .signin.hub_accounts import HubAccounts
from .signin.issuer import Settings
from .signin.keys import Keys, hub_secret
from .signin.outside import OutsideIssuer, OutsideTokens, outside_of
from .signin.outside_pages import OutsidePages
from .signin.pages import SignIn
from .signin.resource import resource_route
from .signin.sessions import CSRF_HEADER, csrf_right, find_session
from .signin.verifier import Identity, OwnTokens
from .tables import missions, organization_members, project_members, projects, workstations

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

REREAD_SECONDS: Final = 5.0
STANDING_SECONDS: Final = 60.0


class Joined:
    """The parts that others ask for."""

    def __init__(self, gateway: Gateway, health: Health, metrics: Metrics) -> None:
        self.gateway, self.health, self.metrics = gateway, health, metrics

    async def before_stop(self) -> None:
        """Nothing new is sent here, and every socket is told when to come back."""
        self.health.stopping = True
        await self.gateway.stop()


def join(app: FastAPI, hub: Hub) -> Joined:
    """Add everything; to be called once the API's own routes are there. `hub.settings.public_url` must be known."""
    options = hub.settings.options
    metrics = Metrics(__version__)
    health = Health(hub.database, metrics, options)
    gateway = Gateway(Gate(hub), backplane(hub))
    metrics.watch("websockets", "Open sockets", lambda: float(gateway.connections))
    hub.bus.listen(gateway.rooms)
    counting = limits(options.get("rate_limit_url", ""), hub.settings.bus_url, hub.database)
    signing = _sign_in(app, hub, counting)
    from .mcp.endpoint import McpEndpoint
    from .uploads.routes import Uploads
    from .uploads.store import Files
    from .webhooks.github import GitHubHook

    uploads = Uploads(hub.database, Files(options.get("upload_url", ""), hub.settings.data_dir / "uploads"))
    mcp = McpEndpoint(hub, __version__, signing)
    hub.bus.listen(mcp)
    app.router.routes.extend([*health.routes(), *uploads.routes(), *GitHubHook(hub).routes(), *mcp.routes()])
    app.router.routes.append(WebSocketRoute("/ws/v1", gateway.serve))
    app.router.routes.append(WebSocketRoute("/api/v1/ws", gateway.serve))
    hub.parts += [Secrets(hub), gateway, uploads, mcp, Reread(hub), Ready(health)]
    if isinstance(counting, Shared):
        hub.parts.append(counting)
    _in_front(app, hub, metrics, counting)
    joined = Joined(gateway, health, metrics)
    return joined


def _in_front(app: FastAPI, hub: Hub, metrics: Metrics, counting: Limits) -> None:
    """Middleware, the innermost first."""
    options = hub.settings.options
    origins = [one.strip() for one in options.get("cors_origins", "").split(",") if one.strip()]
    if origins:
        from starlette.middleware.cors import CORSMiddleware

        app.add_middleware(
            CORSMiddleware,
            allow_origins=origins,
            allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
            allow_headers=[
                "Authorization",
                "Content-Type",
                "If-Match",
                "If-None-Match",
                "Idempotency-Key",
                "X-Request-Id",
            ],
            expose_headers=["ETag", "X-Request-Id", "Retry-After", "X-RateLimit-Remaining", "Upload-Offset"],
            max_age=600,
        )
    rates = Rates(counting, Standings(hub).who, options)
    secure = hub.settings.public_url.startswith("https:")
    app.add_middleware(Dispatch, routes=list(app.router.routes), prefix="/api/v1")
    app.add_middleware(Doorway, rates=rates, metrics=metrics, secure=secure)
    app.add_middleware(Tracing)


class Tracing:
    """Outermost: spans, where they are configured."""

    def __init__(self, app: object) -> None:
        self._app = traced(app, __version__)  # type: ignore[arg-type]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        await self._app(scope, receive, send)


def _sign_in(app: FastAPI, hub: Hub, counting: Limits) -> str:
    """The built-in issuer, or the checks of one elsewhere; the address of whoever issues tokens."""
    accounts, keys, options = HubAccounts(), Keys(), hub.settings.options
    url = hub.settings.public_url
    outside = outside_of(options, url)
    pages: OutsidePages | SignIn
    tokens: OutsideTokens | OwnTokens
    if outside:
        issuer = OutsideIssuer(outside)
        tokens = OutsideTokens(hub.database, issuer)
        pages = OutsidePages(hub.database, issuer, Browsers(hub.database, accounts, secure=url.startswith("https:")))
    else:
        tokens = own = OwnTokens(hub.database, url, keys, accounts)
        settings = Settings(url, _listed(options.get("audiences", "")))
        pages = SignIn(hub.database, settings, keys, accounts, own, counting)
    app.router.routes.extend([*pages.routes(), resource_route(url, outside)])

    async def by_token(token: str) -> Caller | None:
        found = await tokens.identify(token) if token.count(".") == 2 else None
        return _caller(found) if found else None

    hub.identity.verifiers.append(by_token)
    hub.identity.readers.append(_Cookies(hub, pages.browsers, accounts).read)
    return outside.issuer if outside else url


def _listed(text: str) -> tuple[str, ...]:
    return tuple(one.strip().rstrip("/") for one in text.split(",") if one.strip())


def _caller(found: Identity) -> Caller:
    return Caller("oauth", found.user_id, found.email, scopes=frozenset(SCOPES), expires_at=found.expires_at)


class _Cookies:
    """Requests of signed-in browsers: those that change something carry the CSRF token of their session too."""

    def __init__(self, hub: Hub, browsers: Browsers, accounts: HubAccounts) -> None:
        self._hub, self._browsers, self._accounts = hub, browsers, accounts

    async def read(self, request: HTTPConnection) -> Caller | None:
        """The session's person; HubError `forbidden` without the token."""
        cookie = request.cookies.get(self._browsers.cookies.session)
        if not cookie:
            return None

        def find(at: Connection) -> Caller | None:
            session = find_session(at, cookie, request)
            account = self._accounts.by_id(at, session.user_id) if session else None
            if session is None or account is None:
                return None
            safe = request.scope["type"] == "http" and request.scope["method"] in SAFE_METHODS
            if not safe and not csrf_right(at, session.token, request.headers.get(CSRF_HEADER)):
                raise HubError("forbidden", "The CSRF token is missing or wrong", todo=f"send it as {CSRF_HEADER}")
            return Caller("session", account.id, account.email, scopes=frozenset(SCOPES))

        found = await self._hub.database.read(find)
        if found is not None:
            await self._browsers.touched(cookie)
        return found


class Standings:
    """Under which limit a request is: by its caller, else by its address."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._known: dict[str, tuple[float, Standing]] = {}

    async def who(self, connection: HTTPConnection) -> tuple[str, Standing]:
        """The name of its bucket, and its standing."""
        place = connection.client.host if connection.client else "nowhere"
        try:
            caller = await self._hub.identity.caller(connection)
        except (SignedOut, HubError):
            caller = ANONYMOUS
        if caller.kind == "anonymous":
            return f"place:{place}", "anonymous"
        connection.scope.setdefault("state", {})["caller"] = caller.name
        now = asyncio.get_running_loop().time()
        known = self._known.get(caller.name)
        if known is None or known[0] < now:
            if len(self._known) > 50_000:
                self._known.clear()
            known = self._known[caller.name] = (now + STANDING_SECONDS, await self._standing(caller))
        return caller.name, known[1]

    async def _standing(self, caller: Caller) -> Standing:
        """A contributor is who has a place in a project or organisation; a key of an organisation has one."""
        if caller.organization_id:
            return "contributor"

        def look(at: Connection) -> bool:
            tables = (project_members, organization_members)
            return any(
                at.execute(select(one.c.user_id).where(one.c.user_id == caller.user_id).limit(1)).first()
                for one in tables
            )

        return "contributor" if await self._hub.database.read(look) else "user"


class Gate:
    """Who may join which channel, by the hub's permissions."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    async def identify(self, socket: WebSocket, /) -> Visitor | None:
        """By header, by `?access_token=`, or by the cookie of a browser that is on this hub's own page."""
        token = socket.query_params.get("access_token")
        try:
            if token:
                return _Guest(await self._hub.identity.verify(token))
            if "authorization" not in socket.headers and socket.headers.get("origin") != self._hub.settings.public_url:
                return None
            caller = await self._hub.identity.caller(socket)
        except (SignedOut, HubError):
            return None
        return None if caller.kind == "anonymous" else _Guest(caller)

    async def may_join(self, visitor: Visitor, channel: Channel, /) -> View | None:
        """By the table of roles; None: it does not exist for this visitor."""
        caller = _caller_of(visitor)
        return await self._hub.database.read(lambda at: self._view(at, caller, channel))

    async def may_speak(self, visitor: Visitor, channel: Channel, workstation_id: str, /) -> bool:
        """Its owner, in the projects of its organisation that the owner may see."""
        caller = _caller_of(visitor)

        def look(at: Connection) -> bool:
            row = at.execute(select(workstations).where(workstations.c.id == workstation_id)).one_or_none()
            if row is None or row.deleted or row.user_id is None or row.user_id != caller.user_id:
                return False
            try:
                access = self._hub.permissions.access(at, caller, channel.id)
            except NotFound:
                return False
            return access.role not in (None, "public") and access.organization_id == row.organization_id

        return await self._hub.database.read(look)

    def _view(self, at: Connection, caller: Caller, channel: Channel) -> View | None:
        if channel.kind == "workstation":
            row = at.execute(select(workstations).where(workstations.c.id == channel.id)).one_or_none()
            mine = row is not None and not row.deleted and row.user_id is not None and row.user_id == caller.user_id
            return "full" if mine else None
        project_id = channel.id
        if channel.kind == "mission":
            row = at.execute(
                select(missions.c.project_id, missions.c.deleted).where(missions.c.id == channel.id)
            ).one_or_none()
            if row is None or row.deleted:
                return None
            project_id = row.project_id
        try:
            access = self._hub.permissions.access(at, caller, project_id)
        except NotFound:
            return None
        if channel.kind == "workstations":
            return None if access.view == "none" else access.view
        return "full" if access.may("read missions") else None


class _Guest:
    """A caller on a socket."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller
        self.user_id = caller.user_id or caller.name
        self.expires_at = caller.expires_at


def _caller_of(visitor: Visitor) -> Caller:
    assert isinstance(visitor, _Guest)
    return visitor.caller


def backplane(hub: Hub) -> Backplane:
    """By the URL of the settings; PostgreSQL is its own where nothing else is said."""
    url = hub.settings.bus_url
    database = hub.database.url
    if url.startswith(("redis://", "rediss://", "unix://")):
        from .realtime.redis import RedisBackplane

        return RedisBackplane(url)
    if url.startswith("postgresql"):
        address = database.set(drivername="postgresql").render_as_string(hide_password=False)
        from .realtime.postgres import PostgresBackplane

        return PostgresBackplane(url if "://" in url else address)
    if not url and database.get_backend_name() == "postgresql":
        from .realtime.postgres import PostgresBackplane

        return PostgresBackplane(database.set(drivername="postgresql").render_as_string(hide_password=False))
    return Local()


class Secrets:
    """Made before the first request, so that reading requests never write."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    async def start(self) -> None:
        """All purposes."""
        for name in ("csrf", "refresh", "uploads"):
            await self._hub.database.write(lambda at, name=name: hub_secret(at, name))  # type: ignore[misc]

    async def stop(self) -> None:
        """Nothing."""


class Reread:
    """The feed's numbers read every five seconds: whoever missed a nudge is late by no more than that."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin; one process alone misses nothing."""
        if not isinstance(backplane(self._hub), Local):
            self._task = asyncio.create_task(self._read(), name="reread")

    async def stop(self) -> None:
        """No more."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _read(self) -> None:
        from ..config.log import logger

        seen: dict[str, int] = {}
        while True:
            try:
                now = await self._hub.database.read(
                    lambda at: {row.id: row.seq for row in at.execute(select(projects.c.id, projects.c.seq))}
                )
                for project, seq in now.items():
                    if seen and seq != seen.get(project):
                        self._hub.bus.changed(project, seq)
                seen = now
            except Exception:
                logger("hub").exception("the feed's numbers could not be read; trying again")
            await asyncio.sleep(REREAD_SECONDS)


class Ready:
    """The last part to start: from now on requests are welcome."""

    def __init__(self, health: Health) -> None:
        self._health = health

    async def start(self) -> None:
        """Ready."""
        self._health.started = True

    async def stop(self) -> None:
        """Not any more."""
        self._health.stopping = True
