"""What the workstation service holds of the MCP server: one object with a start, a URL and a close.

    host = McpHost(thread.run, version=__version__, socket_path=mcp_socket())
    await host.start()                       # imports mcp in a thread: about 1 s of CPU, the loop stays free
    entry = (host.url, token)                # for the session's MCP entry
    await host.changed(events)               # resource notifications to whoever listens
    await host.close()                       # under a second, also with listening clients

Importing this module costs nothing; `mcp` is imported by `load`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from ..missions.access import AccessCall
from ..missions.entities import MissionEvent
from ..system.importing import imports_kept

if TYPE_CHECKING:
    from .changes import Changes
    from .http import HttpServer
    from .unix import UnixServer


PORT_KEY = "mcp.port"
"""Workspace meta: the port of the last start, so that agents find the same URL after a restart."""


async def load() -> None:
    """Import everything heavy in a thread, so that the event loop keeps answering meanwhile."""
    await asyncio.to_thread(_import)


def _import() -> None:
    with imports_kept():
        from . import http, server, unix  # noqa: F401


class McpHost:
    """The MCP server of one service: streamable HTTP on loopback and the private Unix socket, in the caller's loop."""

    def __init__(self, call: AccessCall, *, version: str, socket_path: Path | None = None, port: int = 0) -> None:
        """`port` 0 takes the remembered one (meta `mcp.port`) or chooses and remembers one."""
        self._call = call
        self._version = version
        self._socket_path = socket_path
        self._port = port
        self._changes: Changes | None = None
        self._http: HttpServer | None = None
        self._unix: UnixServer | None = None

    @property
    def url(self) -> str:
        """`http://127.0.0.1:PORT/mcp`; only while it runs."""
        if self._http is None:
            raise RuntimeError("the MCP server is not running")
        return self._http.url

    @property
    def port(self) -> int:
        """The loopback port; only while it runs."""
        if self._http is None:
            raise RuntimeError("the MCP server is not running")
        return self._http.port

    @property
    def connections(self) -> int:
        """How many clients hold the Unix socket open: an open one keeps the service from leaving."""
        return self._unix.connections if self._unix else 0

    @property
    def had_clients(self) -> bool:
        """Whether one was ever connected to the Unix socket."""
        return self._unix is not None and self._unix.had_clients

    async def start(self) -> None:
        """Listen on both transports. OSError when the socket path cannot be used."""
        await load()
        from .changes import Changes
        from .http import HttpServer, bind
        from .server import Calls
        from .unix import UnixServer

        calls = Calls()
        remembered = int(await self._call(lambda access: access.meta(PORT_KEY)) or 0)
        listening = bind(self._port or remembered, fixed=bool(self._port))
        port = str(listening.getsockname()[1])
        self._changes = Changes()
        self._http = HttpServer(self._call, self._changes, version=self._version, calls=calls)
        await self._http.start(listening)
        if self._port == 0 and int(port) != remembered:
            await self._call(lambda access: access.set_meta(PORT_KEY, port))
        if self._socket_path is not None:
            self._unix = UnixServer(self._call, self._changes, self._socket_path, version=self._version, calls=calls)
            await self._unix.start()

    async def changed(self, events: Iterable[MissionEvent]) -> None:
        """Tell listening clients which resources these events touched."""
        if self._changes is not None:
            await self._changes.publish(self._call, events)

    async def close(self) -> None:
        """End streams, finish short calls, stop listening. Safe to call twice."""
        if self._changes is not None:
            self._changes.close()
        for transport in (self._unix, self._http):
            if transport is not None:
                await transport.close()
        self._unix = self._http = self._changes = None
