"""The one address of the API that is no endpoint of a caller: GitHub's web hook, as the document describes it."""

from __future__ import annotations

from typing import Final

from ...missions.entities import JsonObject
from .schema import TEXT, ref

PATH: Final = "/webhooks/github"
_REFUSALS: Final[dict[str, str]] = {
    "400": "The body is no JSON.",
    "401": "The signature does not fit the body.",
    "404": "The hub was given no secret, so it takes no web hook.",
    "413": "More than 2 MB.",
    "422": "A value that the rules refuse.",
    "429": "Too many requests; see Retry-After.",
    "503": "Busy; see Retry-After.",
}


def _header(name: str, about: str, *, required: bool = True) -> JsonObject:
    return {"name": name, "in": "header", "required": required, "schema": dict(TEXT), "description": about}


def _answer(about: str, schema: JsonObject) -> JsonObject:
    return {"description": about, "content": {"application/json": {"schema": schema}}}


GITHUB: Final[JsonObject] = {
    "operationId": "webhook.github",
    "tags": ["webhook"],
    "summary": "Take what GitHub tells of pull requests and reviews",
    "description": "For GitHub alone: the body is signed with the hub's secret. The same body acts once.",
    "parameters": [
        _header("X-Hub-Signature-256", "`sha256=` and the HMAC of the body."),
        _header("X-GitHub-Event", "`pull_request` and `pull_request_review` mean something; others nothing."),
        _header("X-GitHub-Delivery", "Of this delivery.", required=False),
    ],
    "requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}},
    "responses": {
        "200": _answer("Taken.", {"type": "object", "properties": {"outcome": dict(TEXT)}, "required": ["outcome"]}),
        **{status: _answer(about, ref("Error")) for status, about in _REFUSALS.items()},
    },
    "security": [],
}
