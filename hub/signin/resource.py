"""Where programs sign in for this hub: its protected-resource metadata (RFC 9728)."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ...missions.entities import JsonObject
from .clients import OURS, SCOPES
from .outside import Outside

PATH = "/.well-known/oauth-protected-resource"


def resource_route(public_url: str, outside: Outside | None) -> Route:
    """The document never changes while the hub runs."""
    found = metadata(public_url, outside)

    async def answer(request: Request) -> Response:
        return JSONResponse(found, headers={"Cache-Control": "public, max-age=300", "Access-Control-Allow-Origin": "*"})

    return Route(PATH, answer)


def metadata(public_url: str, outside: Outside | None) -> JsonObject:
    """`solo_unicorn` is for our own command line: which client it is, and what it asks for."""
    parameters: JsonObject = {}
    if outside is not None and outside.parameter != "none":
        parameters = {outside.parameter: outside.audience}
    scope = outside.scope if outside else "openid email profile offline_access"
    return {
        "resource": public_url,
        "authorization_servers": [outside.issuer if outside else public_url],
        "scopes_supported": list(scope.split() if outside else SCOPES),
        "bearer_methods_supported": ["header"],
        "resource_name": "Solo Unicorn",
        "solo_unicorn": {
            "client_id": outside.client_id if outside else next(iter(OURS)),
            "scope": scope,
            "parameters": parameters,
        },
    }
