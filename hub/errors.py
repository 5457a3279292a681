"""What a hub answers when it refuses: one envelope and a closed list of codes.

{"error": {"code": "not_found", "message": "…", "details": {…}, "traceId": "…"}}
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import orjson
from starlette.responses import Response

from ..config.correlation import correlation
from ..missions.entities import JsonObject
from ..missions.errors import (
    AlreadyClaimed,
    AlreadyExists,
    Conflict,
    InvalidValue,
    NotAllowed,
    NotFound,
    SignedOut,
    SoloUnicornError,
    TryAgain,
    UsageError,
    VersionConflict,
    sentences,
)
from .disk import DiskFull

CODES: Final[dict[str, int]] = {
    "bad_request": 400,
    "unauthenticated": 401,
    "forbidden": 403,
    "insufficient_scope": 403,
    "not_found": 404,
    "method_not_allowed": 405,
    "conflict": 409,
    "already_exists": 409,
    "already_claimed": 409,
    "lease_lost": 409,
    "superseded": 409,
    "idempotency_in_progress": 409,
    "gone": 410,
    "cursor_expired": 410,
    "epoch_changed": 410,
    "cursor_from_future": 410,
    "precondition_failed": 412,
    "payload_too_large": 413,
    "unsupported_media_type": 415,
    "invalid": 422,
    "idempotency_mismatch": 422,
    "precondition_required": 428,
    "rate_limited": 429,
    "internal": 500,
    "unavailable": 503,
    "disk_full": 507,
}
"""Every code with its status. Clients may rely on the list; a new code is a new version of the API."""


class HubError(SoloUnicornError):
    """A refusal with its code; `details` is machine-readable, `headers` go with the answer."""

    def __init__(
        self,
        code: str,
        what: str,
        *,
        why: str = "",
        todo: str = "",
        details: JsonObject | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(what, why=why, todo=todo)
        self.code = code
        self.status = CODES[code]
        self.details = details or {}
        self.headers = dict(headers or {})


class Gone(NotFound):
    """A mission was deleted for ever; `id` is never used again."""

    code = "gone"
    wired = ("id",)

    def __init__(self, mission_id: str) -> None:
        super().__init__(f"The mission {mission_id} was deleted", why="its id is never used again")
        self.id = mission_id


class DatabaseUnusable(UsageError):
    """What only the operator can mend, in words for the operator; whoever asks the hub is told no more than that."""


def as_hub_error(error: SoloUnicornError) -> HubError:
    """The refusal that an error of the domain means on the wire."""
    match error:
        case HubError():
            return error
        case AlreadyClaimed():
            return _told("already_claimed", error, {"holder": error.holder})
        case VersionConflict():
            return _told("precondition_failed", error, {"version": error.current})
        case AlreadyExists():
            return _told("already_exists", error, {"id": error.id})
        case Gone():
            return _told("gone", error, {"id": error.id})
        case NotAllowed():
            return _told("forbidden", error, {})
        case Conflict():
            return _told("conflict", error, {})
        case InvalidValue():
            return _told("invalid", error, {"field": error.field})
        case DatabaseUnusable():
            told = "The hub's database cannot be used"
            return HubError("unavailable", told, todo="tell the hub's operator", headers={"Retry-After": "30"})
        case UsageError():
            return _told("bad_request", error, {})
        case NotFound():
            return _told("not_found", error, {})
        case SignedOut():
            return _told("unauthenticated", error, {})
        case DiskFull():
            refusal = _told("disk_full", error, {})
            refusal.headers["Retry-After"] = "5"
            return refusal
        case TryAgain():
            refusal = _told("unavailable", error, {})
            refusal.headers["Retry-After"] = "1"
            return refusal
    return HubError("internal", "Something failed in the hub", details={})


def _told(code: str, error: SoloUnicornError, details: JsonObject) -> HubError:
    return HubError(code, error.what, why=error.why, todo=error.todo, details=details)


def envelope(error: HubError) -> bytes:
    """The body of a refusal."""
    return orjson.dumps(
        {
            "error": {
                "code": error.code,
                "message": sentences(error.what, error.why, error.todo),
                "details": error.details,
                "traceId": correlation.get(),
            }
        }
    )


def refusal(error: SoloUnicornError) -> Response:
    """The answer to a request that is refused."""
    told = as_hub_error(error)
    headers = dict(told.headers)
    if told.status == 401:
        headers.setdefault("WWW-Authenticate", "Bearer")
    return Response(envelope(told), told.status, headers, "application/json")
