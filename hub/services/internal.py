"""A call that no endpoint made: of the hub itself, or of an agent through MCP, inside a transaction that is open."""

from __future__ import annotations

import time

from sqlalchemy import Connection

from ...config.correlation import correlation
from ...missions.entities import JsonObject
from ..api.endpoint import Answer, Call, Endpoint
from ..hub import Hub
from ..identity import Caller


def _nothing(call: Call) -> Answer:
    return Answer()


INTERNAL = Endpoint("POST", "", "internal", "Not an endpoint", "account", _nothing, {})


def internal_call(hub: Hub, at: Connection, caller: Caller, *, body: JsonObject | None = None) -> Call:
    """With `caller`'s rights."""
    return Call(
        hub=hub,
        at=at,
        caller=caller,
        endpoint=INTERNAL,
        path={},
        query={},
        body=body or {},
        if_match=None,
        key="",
        correlation=correlation.get(),
        base_url=hub.settings.public_url,
        media_type="application/json",
        client="",
        agent="",
        now=time.time(),
    )
