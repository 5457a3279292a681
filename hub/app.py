"""The application of a hub: its parts put together, its routes, its start and stop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import orjson
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response

from ..missions.errors import SoloUnicornError
from .api import all_endpoints, document_page
from .api.endpoint import ENDPOINTS
from .api.openapi import document
from .api.serving import defect, route
from .bus import Bus
from .compose import compose
from .errors import HubError, refusal
from .housekeeping import Housekeeping
from .hub import Hub, Part
from .identity import REMEMBERED, Identity
from .permissions import Permissions
from .settings import HubSettings, reachable
from .signin.keys import Keys
from .signin.vault import vault
from .storage.database import open_database
from .storage.migrate import upgrade

PREFIX: Final = "/api/v1"
POLICY: Final = "default-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'none'"
_STATUS: Final = {404: "not_found", 405: "method_not_allowed", 401: "unauthenticated", 403: "forbidden"}


def create_app(settings: HubSettings) -> Starlette:
    """The application; its database is opened and brought up to date when it starts."""
    settings = reachable(settings)
    database = open_database(settings.database)
    remember = 0.0 if database.shared else REMEMBERED
    identity = Identity(database, remember=remember)
    hub = Hub(settings, database, identity, Permissions(remember), Bus(), Keys(vault(settings)))

    @asynccontextmanager
    async def life(app: Starlette) -> AsyncIterator[None]:
        started: list[Part] = []
        try:
            await upgrade(database)
            for part in hub.parts:
                await part.start()
                started.append(part)
        except BaseException as error:
            app.state.failed = error
            await ended(started)
            raise
        try:
            yield
        finally:
            await ended(started)

    async def ended(started: list[Part]) -> None:
        for part in reversed(started):
            await part.stop()
        await database.close()

    app = Starlette(lifespan=life)
    app.state.hub = hub
    app.add_middleware(GZipMiddleware, minimum_size=1024, compresslevel=5)
    app.add_exception_handler(SoloUnicornError, _refused)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _failed)
    assert all_endpoints.FILES
    app.router.routes.extend(route(row, PREFIX) for row in ENDPOINTS)
    app.add_route(PREFIX + "/openapi.json", _document)
    app.add_route("/docs", _page)
    app.add_route("/docs.js", _script)
    app.state.composed = compose(app, hub)
    hub.parts.append(Housekeeping(hub))
    return app


async def _document(request: Request) -> Response:
    return Response(await asyncio.to_thread(lambda: orjson.dumps(document(PREFIX))), media_type="application/json")


async def _page(request: Request) -> Response:
    return Response(document_page.PAGE, media_type="text/html", headers={"Content-Security-Policy": POLICY})


async def _script(request: Request) -> Response:
    return Response(document_page.SCRIPT, media_type="text/javascript")


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, SoloUnicornError)
    return refusal(error)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = _STATUS.get(error.status_code, "bad_request")
    told = HubError(code, str(error.detail), headers=error.headers)
    return refusal(told)


async def _failed(request: Request, error: Exception) -> Response:
    return defect(error)
