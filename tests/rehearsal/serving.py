"""The MCP server as a process that a test can kill: prints its URL and serves until then."""

from __future__ import annotations

import asyncio

from solo_unicorn.mcp_server.host import McpHost
from solo_unicorn.mcp_server.workspace_access import on
from solo_unicorn.workspace.thread import WorkspaceThread


async def serve() -> None:
    """Serve the workspace of SOLO_UNICORN_HOME."""
    thread = await WorkspaceThread().open()
    host = McpHost(on(thread), version="0")
    await host.start()
    print(host.url, flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve())
