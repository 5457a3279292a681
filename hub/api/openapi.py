"""The OpenAPI 3.1 document, made from the endpoints' rows."""

from __future__ import annotations

import re
from typing import Any, Final

from ... import __version__
from ...missions.entities import Json, JsonObject
from . import hooks
from .endpoint import ENDPOINTS, Endpoint
from .schema import COMPONENTS, ref

_REASONS: Final[dict[int, str]] = {
    200: "Done.",
    201: "Made.",
    204: "Done; no content.",
    302: "It is at another address.",
    304: "Not changed since that ETag.",
    400: "The request cannot be read.",
    401: "A sign-in is needed, or the token is not valid.",
    403: "The caller may see this, but not do it.",
    404: "It does not exist, or the caller may not see it.",
    409: "It contradicts the current state.",
    410: "Gone: deleted, or the cursor is no longer valid.",
    412: "Changed since it was read; `details.current` is its current state.",
    413: "The body is too large.",
    415: "Not JSON.",
    422: "An invalid value.",
    428: "If-Match is missing.",
    429: "Too many requests; see Retry-After.",
    503: "Busy; see Retry-After.",
}


def document(prefix: str) -> JsonObject:
    """The whole document for endpoints served below `prefix`."""
    from . import all_endpoints  # noqa: F401  (fills ENDPOINTS)

    paths: dict[str, Any] = {}
    for row in ENDPOINTS:
        paths.setdefault(prefix + row.path, {})[row.method.lower()] = _operation(row)
    paths[prefix + hooks.PATH] = {"post": hooks.GITHUB}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Solo Unicorn hub",
            "version": __version__,
            "description": "Missions, projects and workstations. Generated from the endpoints.",
        },
        "paths": paths,
        "components": {
            "schemas": {name: COMPONENTS[name] for name in sorted(COMPONENTS)},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(row: Endpoint) -> JsonObject:
    responses: dict[str, Json] = {}
    for status, schema in row.answers.items():
        responses[str(status)] = _response(status, schema)
    for status in sorted(_refusals(row)):
        responses[str(status)] = _response(status, ref("Error")) if status != 304 else {"description": _REASONS[304]}
    operation: JsonObject = {
        "operationId": row.name,
        "tags": [row.tag],
        "summary": row.summary,
        "description": _needs(row),
        "parameters": _parameters(row),
        "responses": responses,
        "security": [] if row.needs in ("nothing", "public") else [{"token": []}],
    }
    if row.body is not None:
        operation["requestBody"] = {
            "required": row.body_required,
            "content": {"application/json": {"schema": row.body}},
        }
    if row.deprecated:
        operation["deprecated"] = True
    return operation


def _needs(row: Endpoint) -> str:
    match row.needs:
        case "nothing":
            return "Without sign-in."
        case "public":
            return "Without sign-in; shows what the project's settings make public."
        case "account":
            return f"Any signed-in caller; scope `{row.scope}`."
    return f"Needs the right to {row.needs}; scope `{row.scope}`."


def _refusals(row: Endpoint) -> set[int]:
    found = {400, 422, 429, 503, *row.refuses}
    if row.needs not in ("nothing", "public"):
        found |= {401, 403}
    if "{" in row.path:
        found |= {404}
    if row.writes:
        found |= {409, 413}
        if row.body is not None:
            found.add(415)
        if row.if_match != "no":
            found |= {412}
        if row.if_match == "required":
            found |= {428}
    else:
        found.add(304)
    return found - set(row.answers)


def _parameters(row: Endpoint) -> list[Json]:
    found: list[Json] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for name in re.findall(r"\{(\w+)\}", row.path)
    ]
    for parameter in row.query:
        one: JsonObject = {"name": parameter.name, "in": "query", "schema": parameter.schema}
        if parameter.description:
            one["description"] = parameter.description
        found.append(one)
    if row.writes:
        found.append(
            {
                "name": "Idempotency-Key",
                "in": "header",
                "schema": {"type": "string", "maxLength": 200},
                "description": "A repeated request has no further effect.",
            }
        )
        if row.if_match != "no":
            found.append(
                {
                    "name": "If-Match",
                    "in": "header",
                    "required": False,
                    "schema": {"type": "string"},
                    "description": "The ETag that was read"
                    + ("; without it 428." if row.if_match == "required" else ", to be sure."),
                }
            )
    return found


def _response(status: int, schema: Json | None) -> JsonObject:
    told: JsonObject = {"description": _REASONS[status]}
    if schema is not None:
        told["content"] = {"application/json": {"schema": schema}}
    return told


if __name__ == "__main__":
    import json

    print(json.dumps(document("/api/v1"), indent=1, sort_keys=True))
