"""A network that breaks: a proxy on loopback that delays, drops, cuts, falls silent and says things twice.

One seed decides which exchange meets what, so that a run can be had again. Sockets (an upgrade) are carried as bytes,
and broken when the test says so.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from random import Random
from urllib.parse import urlsplit

FAULTS = ("delay", "drop", "lose", "cut", "half-open", "twice", "late")
"""`drop` loses the request, `lose` the answer, `late` repeats the request after others came through."""
END = b"\r\n\r\n"
LONGEST_DELAY = 0.05


class FaultProxy:
    """Between clients and one hub; `often` of the exchanges meet one of `faults`."""

    def __init__(self, hub: str, random: Random, *, faults: tuple[str, ...] = FAULTS, often: float = 0.4) -> None:
        self._address = (urlsplit(hub).hostname, urlsplit(hub).port)
        self._random = random
        self._faults = faults
        self.often = often
        self.met: Counter[str] = Counter()
        """What was done to how many exchanges."""
        self.url = ""
        self.opened = asyncio.Event()
        """Set when a socket was opened."""
        self._late: list[bytes] = []
        self._sockets: list[tuple[asyncio.StreamWriter, asyncio.StreamWriter]] = []
        self._silent = False
        self._tasks = set[asyncio.Task[None]]()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[FaultProxy]:
        """Listen, until the block ends."""
        server = await asyncio.start_server(self._accepted, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            server.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def heal(self) -> None:
        """From now on everything comes through; what is late comes last."""
        self.often = 0.0
        for request in self._late:
            await self._asked(request)
        self._late.clear()

    def cut_sockets(self) -> None:
        """Cut every socket in the middle of a frame."""
        for client, hub in self._sockets:
            client.write(b"\x81\x7e\x02")  # a text frame that announces more than will ever come
            client.close()
            hub.close()
        self._sockets.clear()

    def silence_sockets(self, silent: bool) -> None:
        """Let nothing through in either direction any more, and close nothing: half-open."""
        self._silent = silent

    def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._served(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _served(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                head = await reader.readuntil(END)
                if b"upgrade: websocket" in head.lower():
                    await self._carry(head, reader, writer)
                else:
                    body = await reader.readexactly(_length(head))
                    await self._exchange(_closing(head + body), reader, writer)
        finally:
            writer.close()

    async def _exchange(self, request: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        fault = self._random.choice(self._faults) if self._random.random() < self.often else "none"
        self.met[fault] += 1
        if fault == "drop":
            return
        if fault == "delay":
            await asyncio.sleep(self._random.random() * LONGEST_DELAY)
        answer = await self._asked(request)
        match fault:
            case "lose":
                return
            case "cut":
                writer.write(answer[: self._random.randrange(1, max(2, len(answer)))])
                await writer.drain()
                return
            case "half-open":
                await reader.read()  # until the client has enough of waiting
                return
            case "twice":
                await self._asked(request)
            case "late":
                self._late.append(request)
        writer.write(answer)
        await writer.drain()
        if self._late and self._random.random() < 0.3:
            await self._asked(self._late.pop(0))

    async def _asked(self, request: bytes) -> bytes:
        """The hub's whole answer; nothing when it is away."""
        try:
            reader, writer = await asyncio.open_connection(*self._address)
        except OSError:
            return b""
        try:
            writer.write(request)
            await writer.drain()
            return _closing(await reader.read())
        except ConnectionError:
            return b""
        finally:
            writer.close()

    async def _carry(self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            from_hub, to_hub = await asyncio.open_connection(*self._address)
        except OSError:
            return
        to_hub.write(head)
        self._sockets.append((writer, to_hub))
        self.opened.set()
        try:
            await asyncio.wait(
                [asyncio.create_task(self._piped(reader, to_hub)), asyncio.create_task(self._piped(from_hub, writer))],
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            to_hub.close()

    async def _piped(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65_536):
                if not self._silent:
                    writer.write(data)
                    await writer.drain()


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    return 0


def _closing(message: bytes) -> bytes:
    """A request or an answer as one after which its connection ends, whatever it said of that."""
    head, end, body = message.partition(END)
    lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"connection:")]
    return b"\r\n".join([*lines, b"connection: close"]) + end + body if end else message
