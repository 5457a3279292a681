"""The folders that a client says it works in, where it says so: asked for once, and again when it says they changed."""

from __future__ import annotations

import asyncio
import warnings
from dataclasses import replace
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from mcp.server import ServerRequestContext
from mcp.shared.exceptions import MCPDeprecationWarning, MCPError
from mcp.types import NotificationParams

from ..config.log import logger
from .caller import McpCaller

warnings.filterwarnings("ignore", "The roots capability", MCPDeprecationWarning)  # clients of the handshake era have it

SECONDS: Final = 2.0
"""For the client's answer; without one its working directory counts."""


class Roots:
    """The roots of one connection."""

    def __init__(self) -> None:
        self._known: tuple[str, ...] | None = None

    async def of(self, ctx: ServerRequestContext[Any], caller: McpCaller) -> McpCaller:
        """The person's own agent with its client's roots in the place of the working directory."""
        client = ctx.session.client_params if caller.session_id is None and caller.directories else None
        if client is None or client.capabilities.roots is None:
            return caller
        if self._known is None:
            self._known = await _asked(ctx)
        return replace(caller, directories=self._known) if self._known else caller

    async def changed(self, _ctx: ServerRequestContext[Any], _params: NotificationParams | None) -> None:
        """They are asked for at the next call."""
        self._known = None


async def _asked(ctx: ServerRequestContext[Any]) -> tuple[str, ...]:
    try:
        async with asyncio.timeout(SECONDS):
            found = await ctx.session.list_roots()
    except (MCPError, TimeoutError) as error:
        logger("mcp").info("a client names no roots", extra={"why": str(error)})
        return ()
    return tuple(unquote(urlsplit(str(root.uri)).path) for root in found.roots if str(root.uri).startswith("file:"))
