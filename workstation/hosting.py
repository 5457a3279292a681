"""The MCP server within the service: up a moment after the control socket, with the port it had last time.

Its packages take about a second and a half to import, in a thread, so the service answers meanwhile; sessions wait
until it is up, because an agent that cannot report has no way to finish. Port and tokens are the same after a restart
(the port is remembered in the workspace, a token is a digest in its session's row), so agents that outlived a service
find the next one where the last one was.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from .. import __version__
from ..agents.launch import McpEntry
from ..config import paths
from ..mcp_server.host import McpHost
from ..mcp_server.workspace_access import on
from ..missions.entities import MissionEvent
from ..missions.errors import SoloUnicornError
from ..workspace.thread import WorkspaceThread


class McpHosting:
    """The MCP server, from its start to the end of the service."""

    def __init__(self, workspace: WorkspaceThread, port: int) -> None:
        self._workspace = workspace
        self._port = port
        self._host: McpHost | None = None
        self.up = asyncio.Event()
        self.tried = False
        """Whether it was tried to bring it up."""

    @property
    def port(self) -> int | None:
        """The loopback port, once it is up."""
        return self._host.port if self._host else None

    @property
    def had_clients(self) -> bool:
        """Whether a client was ever connected to the private socket."""
        return self._host is not None and self._host.had_clients

    @property
    def connections(self) -> int:
        """Clients on the private socket: a person's own agents, which keep the service like an open screen."""
        return self._host.connections if self._host else 0

    def entry(self, token: str) -> McpEntry:
        """What a session needs to reach it; only once it is up."""
        assert self._host is not None
        return McpEntry(self._host.url, token)

    async def open(self) -> None:
        """Return once it is up; raises what keeps it from listening, and may be called again."""
        host = McpHost(on(self._workspace), version=__version__, socket_path=paths.mcp_socket(), port=self._port)
        try:
            await host.start()
        except BaseException as error:
            with suppress(Exception):  # what it had opened; why it did not start is what counts
                await host.close()
            if isinstance(error, OSError) and self._port:
                raise SoloUnicornError(
                    f"The MCP server cannot listen on port {self._port}",
                    why=error.strerror or str(error),
                    todo="end the program that uses it, or choose another port: "
                    "`solo-unicorn config set mcp.port PORT`",
                ) from error
            raise
        finally:
            self.tried = True
        self._host = host
        self.up.set()

    async def changed(self, events: Sequence[MissionEvent]) -> None:
        """Tell listening clients what changed."""
        if self._host is not None:
            await self._host.changed(events)

    async def close(self) -> None:
        self.up.clear()
        host, self._host = self._host, None
        if host is not None:
            await host.close()
