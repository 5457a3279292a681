"""`/`: what this is and where to go on, as a page for browsers and as JSON for programs."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from .browsers import Browsers

VARY: Final = {"Vary": "Accept"}


def front_route(browsers: Browsers, url: str, version: str) -> Route:
    """The route; `url` is the hub's public one."""
    about = {
        "name": "Solo Unicorn hub",
        "version": version,
        "api": f"{url}/api/v1",
        "openapi": f"{url}/api/v1/openapi.json",
        "documentation": f"{url}/docs",
        "signIn": f"{url}/sign-in",
        "mcp": f"{url}/mcp",
    }

    async def front(request: Request) -> Response:
        if "text/html" not in request.headers.get("accept", ""):
            return JSONResponse(about, headers=VARY)
        page = browsers.render("front.html", request, url=url)
        page.headers.update(VARY)
        return page

    return Route("/", front)
