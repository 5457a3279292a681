"""A proxy between a hub and a server that it depends on: told to, it swallows everything and closes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress


class Swallowing:
    """`passing` is cleared for a server that hangs."""

    def __init__(self, target: int) -> None:
        self._target = target
        self.port = 0
        self.passing = asyncio.Event()
        self.passing.set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with closing(writer):
            await self.passing.wait()
            inner, outer = await asyncio.open_connection("127.0.0.1", self._target)
            with closing(outer):
                await asyncio.gather(self._pass(reader, outer), self._pass(inner, writer), return_exceptions=True)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                await self.passing.wait()
                writer.write(data)
                await writer.drain()
        finally:
            writer.close()


@asynccontextmanager
async def swallowing(url: str) -> AsyncIterator[tuple[Swallowing, str]]:
    """The proxy before the server of a URL, and the URL by way of the proxy."""
    head, _, rest = url.rpartition(":")
    port, slash, path = rest.partition("/")
    proxy, running = Swallowing(int(port)), set[asyncio.Task[None]]()

    async def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        running.add(task)
        with suppress(ConnectionError, asyncio.CancelledError):
            await proxy.serve(reader, writer)

    server = await asyncio.start_server(accepted, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy, f"{head}:{proxy.port}{slash}{path}"
    finally:
        proxy.passing.set()
        server.close()
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
