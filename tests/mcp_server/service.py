"""A service of its own process for tests of the bridge: the real host on the real workspace of SOLO_UNICORN_HOME.

While the file SOLO_UNICORN_HOME/hang exists, writing calls wait: a test can kill the service in the middle of one.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

from solo_unicorn.config import paths
from solo_unicorn.mcp_server.host import McpHost
from solo_unicorn.mcp_server.workspace_access import on
from solo_unicorn.workspace.thread import WorkspaceThread


async def main() -> None:
    """Serve until killed; the socket is there when it answers."""
    hang = Path(os.environ["SOLO_UNICORN_HOME"]) / "hang"
    reached = hang.with_name("reached")
    async with WorkspaceThread() as thread:

        async def call(operation: Any) -> Any:
            if hang.exists():
                reached.touch()
                await asyncio.Event().wait()
            return await on(thread)(operation)

        host = McpHost(call, version="1.2.3", socket_path=paths.mcp_socket())
        await host.start()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
