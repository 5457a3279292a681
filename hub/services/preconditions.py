"""If-Match: a replacing write names the version it saw (RFC 9110; 428 of RFC 6585)."""

from __future__ import annotations

import orjson

from ...missions.entities import JsonObject
from ..api.endpoint import Call
from ..errors import HubError


def check(call: Call, version: int, current: str | JsonObject) -> None:
    """Refuse a write on an older state: 428 without If-Match where it is required, 412 with the current state."""
    if call.if_match is None:
        if call.endpoint.if_match == "required":
            raise HubError(
                "precondition_required",
                "This needs an If-Match header",
                why="the write replaces what somebody else may have changed",
                todo="read it, and send its ETag as If-Match",
            )
        return
    if call.if_match in (-1, version):
        return
    shown = orjson.loads(current) if isinstance(current, str) else current
    raise HubError(
        "precondition_failed",
        "It changed since it was read",
        why=f"it is at version {version}, not {call.if_match}",
        todo="repeat the change on `details.current`",
        details={"version": version, "current": shown},
        headers={"ETag": f'"{version}"'},
    )
