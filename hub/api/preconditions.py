"""If-Match: a replacing write names the version it saw (RFC 9110; 428 of RFC 6585)."""

from __future__ import annotations

import orjson

from ...missions.entities import JsonObject
from ..errors import HubError
from .endpoint import Call


def check(call: Call, version: int, current: str | JsonObject | None, *, required: bool | None = None) -> None:
    """Refuse a write on an older state: 428 without If-Match where it is required, 412 with the current state.

    `current` is what is there now, None for nothing. `required` as the endpoint says, if not given.
    """
    if call.if_match is None:
        if call.endpoint.if_match == "required" if required is None else required:
            raise HubError(
                "precondition_required",
                "This needs an If-Match header",
                why="the write replaces data that somebody else may have changed",
                todo="read it, and send its ETag as If-Match",
            )
        return
    if call.if_match in (-1, version):
        return
    raise HubError(
        "precondition_failed",
        "It changed since it was read",
        why=f"it is at version {version}, not {call.if_match}",
        todo="repeat the change on `details.current`",
        details={"version": version, "current": orjson.loads(current) if isinstance(current, str) else current},
        headers={"ETag": f'"{version}"'},
    )
