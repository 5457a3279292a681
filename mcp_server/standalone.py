"""`solo-unicorn mcp --standalone`: the server itself on stdio, with the workspace in this process and no service."""

from __future__ import annotations

from contextlib import suppress

from ..missions.access import AccessCall
from .caller import identify, personal


async def serve(call: AccessCall, *, version: str, token: str | None = None, cwd: str | None = None) -> int:
    """Serve until the client closes stdin. Exit code 0, or 5 when `token` belongs to no running session."""
    from .host import load

    await load()
    from mcp.server.stdio import stdio_server

    from .changes import Changes
    from .server import build_server

    caller = personal(cwd) if token is None else await identify(call, token)
    if caller is None:
        return 5
    server = build_server(call, version=version, changes=Changes(), caller=caller)
    async with stdio_server() as (reading, writing):
        with suppress(BrokenPipeError):
            await server.run(reading, writing, server.create_initialization_options())
    return 0
