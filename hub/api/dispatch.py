"""The API's endpoints found by one walk over a path's parts, before the router, which tries its routes one by one.

What is not found here (another method, a slash too many, pages) goes on to the router and is answered there.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from inspect import iscoroutinefunction

from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from .serving import GZIP_BYTES


@dataclass(slots=True)
class _Place:
    """A part of a path: which parts may follow, and which endpoints end here."""

    named: dict[str, _Place] = field(default_factory=dict)
    parameter: tuple[str, _Place] | None = None
    serves: dict[str, tuple[ASGIApp, object]] = field(default_factory=dict)


def _plain(serve: Callable[[Request], Awaitable[Response]]) -> ASGIApp:
    """A route's function as an application; what it raises is for the middleware to answer."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        response = await serve(Request(scope, receive, send))
        await response(scope, receive, send)

    return app


class _Compressed:
    """Compresses answers for clients that accept it, and costs the others nothing."""

    def __init__(self, plain: ASGIApp, compressed: ASGIApp) -> None:
        self._plain, self._compressed = plain, compressed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asks = any(name == b"accept-encoding" and b"gzip" in value for name, value in scope["headers"])
        await (self._compressed if asks else self._plain)(scope, receive, send)


class Dispatch:
    """Serves the routes of the API; passes every other request on."""

    def __init__(self, app: ASGIApp, *, routes: Iterable[BaseRoute], prefix: str) -> None:
        self._app = app
        self._root = _Place()
        for route in routes:
            if isinstance(route, Route) and route.path.startswith(prefix + "/"):
                self._add(route)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (found := self._find(scope)):
            await found(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _add(self, route: Route) -> None:
        place = self._root
        for part in route.path.strip("/").split("/"):
            if not part.startswith("{"):
                place = place.named.setdefault(part, _Place())
                continue
            if ":" in part:
                return  # a converter: the router's work
            if place.parameter is None:
                place.parameter = (part.strip("{}"), _Place())
            elif place.parameter[0] != part.strip("{}"):
                return
            place = place.parameter[1]
        plain = _plain(route.endpoint) if type(route) is Route and iscoroutinefunction(route.endpoint) else route.app
        served = (_Compressed(plain, GZipMiddleware(plain, minimum_size=GZIP_BYTES, compresslevel=5)), route.endpoint)
        for method in route.methods or ():
            place.serves.setdefault(method, served)

    def _find(self, scope: Scope) -> ASGIApp | None:
        place, given = self._root, {}
        for part in scope["path"].split("/")[1:]:
            known = place.named.get(part)
            if known is not None:
                place = known
            elif place.parameter is not None and part:
                given[place.parameter[0]] = part
                place = place.parameter[1]
            else:
                return None
        found = place.serves.get(scope["method"])
        if found is None:
            return None
        scope["path_params"] = given
        scope["endpoint"] = found[1]
        return found[0]
