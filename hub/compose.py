"""The composition of a hub: sign-in, real time, files, web hooks, MCP, limits, health and metrics, put together."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.routing import WebSocketRoute

from .. import __version__
from .api.dispatch import Dispatch
from .hub import Hub
from .identity import Caller
from .lifecycle import FeedPoller, HubSecrets, Readiness
from .operating.health import Health, HealthDependency
from .operating.metrics import HubMetrics
from .operating.middleware import RequestMiddleware
from .operating.rate_limits import RateLimits
from .operating.rate_tiers import RateTiers
from .operating.shared_buckets import RedisStore, Shared, limits
from .operating.starting import the_files
from .operating.telemetry import TracingMiddleware
from .operating.token_buckets import Limits
from .realtime.backplane import Backplane, Local
from .realtime.gateway import Gateway
from .realtime.redis import SCHEMES, RedisBackplane, place_of
from .realtime.socket_gate import SocketGate
from .signin.browsers import Browsers
from .signin.clients import OURS, rights
from .signin.cookies import CookieSessions
from .signin.front_page import front_route
from .signin.hub_accounts import HubAccounts
from .signin.invitation_pages import InvitationPages
from .signin.issuer import IssuerSettings
from .signin.outside import OutsideIssuer, OutsideTokens, outside_of
from .signin.outside_pages import OutsidePages
from .signin.pages import SignInPages
from .signin.resource import resource_route
from .signin.verifier import OwnTokens, TokenIdentity
from .storage.database import probe

if TYPE_CHECKING:
    from .uploads.store import FileStore


class Composed:
    """The parts that others ask for."""

    def __init__(self, gateway: Gateway, health: Health, metrics: HubMetrics) -> None:
        self.gateway, self.health, self.metrics = gateway, health, metrics

    async def before_stop(self) -> None:
        """Nothing new is sent here, and every socket is told when to come back."""
        self.health.stopping = True
        await self.gateway.stop()


def compose(app: Starlette, hub: Hub) -> Composed:
    """Add everything; to be called once the API's own routes are there. `hub.settings.public_url` must be known."""
    options = hub.settings.options
    metrics = HubMetrics(__version__)
    bus = backplane(hub)
    gateway = Gateway(SocketGate(hub), bus)
    metrics.watch("websockets", "Open sockets", lambda: float(gateway.connections))
    hub.bus.listen(gateway.rooms)
    counting = limits(options.get("rate_limit_url", ""), hub.settings.bus_url, hub.database)
    signing = _sign_in(app, hub, counting)
    from .mcp.endpoint import McpEndpoint
    from .uploads.routes import Uploads
    from .webhooks.github import GitHubHook

    files = the_files(hub.settings)
    uploads = Uploads(hub.database, hub.keys, files)
    health = Health(_dependencies(hub, bus, counting, files), metrics, options)
    mcp = McpEndpoint(hub, __version__, signing)
    hub.bus.listen(mcp)
    app.router.routes.extend([*health.routes(), *uploads.routes(), *GitHubHook(hub).routes(), *mcp.routes()])
    app.router.routes.append(WebSocketRoute("/ws/v1", gateway.serve))
    app.router.routes.append(WebSocketRoute("/api/v1/ws", gateway.serve))
    # one process alone misses no nudge
    feed = [] if isinstance(bus, Local) else [FeedPoller(hub)]
    hub.parts += [HubSecrets(hub), gateway, uploads, mcp, *feed, Readiness(health)]
    if isinstance(counting, Shared):
        hub.parts.append(counting)
    _in_front(app, hub, metrics, counting)
    return Composed(gateway, health, metrics)


def _dependencies(hub: Hub, bus: Backplane, counting: Limits, files: FileStore) -> dict[str, HealthDependency]:
    """What `/readyz` asks."""
    database = hub.database.url.render_as_string(hide_password=True)
    found = {"database": HealthDependency(database, partial(probe, hub.database))}
    if not isinstance(bus, Local):
        place = place_of(hub.settings.bus_url) if "://" in hub.settings.bus_url else database
        found["bus"] = HealthDependency(place, bus.probe)
    if isinstance(counting, Shared) and isinstance(counting.store, RedisStore):
        found["limits"] = HealthDependency(place_of(counting.store.url), counting.store.probe)
    return found | {"files": HealthDependency(files.place, files.probe)}


def _in_front(app: Starlette, hub: Hub, metrics: HubMetrics, counting: Limits) -> None:
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
    rates = RateLimits(counting, RateTiers(hub).who, options)
    secure = hub.settings.public_url.startswith("https:")
    app.add_middleware(Dispatch, routes=list(app.router.routes), prefix="/api/v1")
    app.add_middleware(RequestMiddleware, rates=rates, metrics=metrics, secure=secure)
    app.add_middleware(TracingMiddleware, version=__version__)


def _sign_in(app: Starlette, hub: Hub, counting: Limits) -> str:
    """The built-in issuer, or the checks of one elsewhere; the address of whoever issues tokens."""
    accounts, keys, options = HubAccounts(), hub.keys, hub.settings.options
    url = hub.settings.public_url
    outside = outside_of(options, url)
    pages: OutsidePages | SignInPages
    tokens: OutsideTokens | OwnTokens
    if outside:
        issuer = OutsideIssuer(outside)
        tokens = OutsideTokens(hub.database, issuer)
        browsers = Browsers(hub.database, keys, accounts, secure=url.startswith("https:"))
        pages = OutsidePages(hub.database, issuer, browsers)
    else:
        tokens = own = OwnTokens(hub.database, url, keys, accounts)
        hub.identity.forgetting.append(own.clear)
        redirects = _listed(options.get("client_redirects", ""), keep_slash=True)
        settings = IssuerSettings(url, _listed(options.get("audiences", "")), redirects)
        pages = SignInPages(hub.database, settings, keys, accounts, own, counting)
    front = front_route(pages.browsers, url, __version__)
    asked = InvitationPages(hub, pages.browsers).routes()
    app.router.routes.extend([*pages.routes(), *asked, resource_route(url, outside), front])

    async def by_token(token: str) -> Caller | None:
        found = await tokens.identify(token) if token.count(".") == 2 else None
        return _caller(found, [outside.client_id] if outside else OURS) if found else None

    hub.identity.verifiers.append(by_token)
    hub.identity.readers.append(CookieSessions(hub, pages.browsers, accounts).read)
    return outside.issuer if outside else url


def _listed(text: str, *, keep_slash: bool = False) -> tuple[str, ...]:
    found = (one.strip() for one in text.split(","))
    return tuple(one if keep_slash else one.rstrip("/") for one in found if one)


def _caller(found: TokenIdentity, ours: Collection[str]) -> Caller:
    scopes = rights(found.client_id, found.scopes, ours)
    return Caller("oauth", found.user_id, found.email, scopes=scopes, expires_at=found.expires_at)


def backplane(hub: Hub) -> Backplane:
    """By the URL of the settings; PostgreSQL is its own where nothing else is said."""
    url = hub.settings.bus_url
    database = hub.database.url
    if url.startswith(SCHEMES):
        return RedisBackplane(url)
    if url.startswith("postgresql"):
        address = database.set(drivername="postgresql").render_as_string(hide_password=False)
        from .realtime.postgres import PostgresBackplane

        return PostgresBackplane(url if "://" in url else address)
    if not url and database.get_backend_name() == "postgresql":
        from .realtime.postgres import PostgresBackplane

        return PostgresBackplane(database.set(drivername="postgresql").render_as_string(hide_password=False))
    return Local()
