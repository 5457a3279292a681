"""Web hooks: the secret of a repository's link, and the one address that is for GitHub, as it is described."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from ...missions.entities import JsonObject
from ..services import hooks
from .endpoint import Answer, Call, endpoint, told
from .organizations import NOT_KEPT
from .schema import TEXT, component, ref

PATH: Final = "/webhooks/github/{id}"
MEANT: Final = " and ".join(f"`{event}`" for event in hooks.EVENTS)
_REFUSALS: Final[dict[str, str]] = {
    "400": "The body is not JSON.",
    "401": "The signature does not match the body.",
    "413": "More than 2 MB.",
    "422": "An invalid value.",
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
    "summary": "Receive GitHub's events of pull requests and reviews",
    "description": "For GitHub only: the body is signed with the repository's own "
    "secret. A repeated body has no further effect.",
    "parameters": [
        {"name": "id", "in": "path", "required": True, "schema": dict(TEXT), "description": "Of the link."},
        _header("X-Hub-Signature-256", "`sha256=` and the HMAC of the body."),
        _header("X-GitHub-Event", f"{MEANT} have an effect; others do not."),
        _header("X-GitHub-Delivery", "Of this delivery.", required=False),
    ],
    "requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}},
    "responses": {
        "200": _answer("Taken.", {"type": "object", "properties": {"outcome": dict(TEXT)}, "required": ["outcome"]}),
        **{status: _answer(about, ref("Error")) for status, about in _REFUSALS.items()},
    },
    "security": [],
}


HOOK = component(
    "WebHook",
    {
        "type": "object",
        "properties": {
            **{name: dict(TEXT) for name in ("url", "secret", "contentType")},
            "events": {"type": "array", "items": dict(TEXT)},
            "madeAt": {"type": ["string", "null"]},
        },
        "required": ["url", "contentType", "events", "madeAt"],
    },
)
ONE: Final = "/repositories/{id}/webhook"


@endpoint(
    "GET",
    ONE,
    "repository.webhook.get",
    "Read the web hook of a repository",
    needs="manage repositories",
    answers={200: HOOK},
)
def shown(call: Call) -> Answer:
    """Without its secret."""
    return told(hooks.shown(call, call.path["id"], call.base_url))


@endpoint(
    "POST",
    ONE,
    "repository.webhook.create",
    "Create the secret of a repository's web hook",
    needs="manage repositories",
    answers={201: HOOK},
    scope="admin",
)
def make(call: Call) -> Answer:
    """Only this answer has the secret."""
    return replace(told(hooks.make(call, call.path["id"], call.base_url), 201), headers=NOT_KEPT)


@endpoint(
    "DELETE",
    ONE,
    "repository.webhook.delete",
    "Remove the web hook of a repository",
    needs="manage repositories",
    answers={204: None},
    scope="admin",
)
def remove(call: Call) -> Answer:
    """Idempotent."""
    hooks.remove(call, call.path["id"])
    return Answer(status=204)
