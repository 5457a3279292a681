"""The private Unix socket: one JSON-RPC message a line, one connection a client, both protocol eras.

The first line is the client's hello: `{"hello": "solo-unicorn", "token": …|null, "cwd": …}`. With a run's token the
connection is bound to its mission; without one it is the person's own agent, because only this user can open the
socket (mode 0600 in a 0700 directory, and the peer's user id is checked). A client that runs below a session host is
that run, with or without a token. One line answers it, `{"ready": …}` or
`{"refused": "…"}`; after that only JSON-RPC flows.
"""

from __future__ import annotations

import asyncio
import json
import socket
from contextlib import suppress
from pathlib import Path

import anyio
from mcp.shared.message import SessionMessage
from mcp.types import jsonrpc_message_adapter

from ..config import paths
from ..config.acting import session_of
from ..config.log import logger
from ..missions.access import AccessCall
from ..system import strict_json
from ..system.ancestry import Gone
from ..system.peers import is_ours, peer_of
from .caller import McpCaller, identify, of_session, personal
from .changes import Changes
from .repairing import repaired
from .server import Calls, build_server

LINE_MAX = 16 * 1024 * 1024
HELLO_SECONDS = 10
FINISH_SECONDS = 1.0


class UnixServer:
    """The socket from `start` to `close`."""

    def __init__(
        self, call: AccessCall, changes: Changes, path: Path, *, version: str, calls: Calls | None = None
    ) -> None:
        self._call = call
        self._changes = changes
        self._path = path
        self._version = version
        self._calls = calls or Calls()
        self._server: asyncio.Server | None = None
        self._inode = 0
        self._open: set[asyncio.Task[object]] = set()
        self.had_clients = False
        """Whether one was ever greeted."""

    @property
    def connections(self) -> int:
        """How many clients are connected."""
        return len(self._open)

    async def start(self) -> None:
        """Listen; takes the place of a socket that a dead service left."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with suppress(FileNotFoundError):
            self._path.unlink()
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listening.bind(str(self._path))
        self._path.chmod(0o600)  # before anyone can connect: it does not listen yet
        self._inode = self._path.stat().st_ino
        self._server = await asyncio.start_unix_server(self._accept, sock=listening, limit=LINE_MAX)

    async def close(self) -> None:
        """Finish short calls, then let every client go."""
        if self._server is None:
            return
        self._server.close()
        with suppress(OSError):
            if self._path.stat().st_ino == self._inode:  # a home that was made anew has another service's socket there
                self._path.unlink()
        await self._calls.finish(FINISH_SECONDS)
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)
        self._server = None

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            caller = await self._greet(reader, writer)
            if caller is not None:
                self.had_clients = True
                writer.write(json.dumps({"ready": "solo-unicorn", "version": self._version}).encode() + b"\n")
                await self._serve(caller, reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass  # the client left, or we close
        except Exception:
            logger("mcp").exception("a connection failed")
        finally:
            self._open.discard(task)
            writer.close()

    async def _greet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> McpCaller | None:
        """Who it is; None when it was refused."""
        why = "This socket is only for the user who runs the service."
        if _is_ours(writer):
            try:
                run = session_of(_peer(writer))  # before anything is read: the process may end
                async with asyncio.timeout(HELLO_SECONDS):
                    hello = strict_json.heard(await reader.readline())
                token, cwd = hello.get("token"), hello.get("cwd")
                if run is None and token is None:
                    return personal(cwd if isinstance(cwd, str) else None)
                caller = await (of_session(self._call, run) if run else identify(self._call, str(token)))
                if run and caller is not None:
                    with suppress(OSError):  # its run directory was removed
                        paths.tools_reached(run).touch()
                if caller is not None:
                    return caller
                why = "The session has ended." if run else "The token belongs to no running session."
            except Gone:
                why = "The process that connected has ended."
            except (ValueError, AttributeError, TimeoutError):
                why = 'The first line must be {"hello": "solo-unicorn", "token": null}.'
        logger("mcp").warning("refused a connection", extra={"why": why})
        writer.write(json.dumps({"refused": why}).encode() + b"\n")
        await writer.drain()
        return None

    async def _serve(self, caller: McpCaller, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server = build_server(
            self._call, version=self._version, changes=self._changes, caller=caller, calls=self._calls
        )
        to_server, incoming = anyio.create_memory_object_stream[SessionMessage | Exception](0)
        outgoing, from_server = anyio.create_memory_object_stream[SessionMessage](0)

        async def read() -> None:
            async with to_server:
                with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
                    try:
                        while line := await reader.readline():
                            await to_server.send(_parse(line))
                    except ValueError:
                        logger("mcp").warning("a line was too long; closing", extra={"limit": LINE_MAX})

        async def write() -> None:
            async for message in from_server:
                writer.write(message.message.model_dump_json(by_alias=True, exclude_unset=True).encode() + b"\n")
                await writer.drain()

        async with to_server, incoming, outgoing, from_server, anyio.create_task_group() as tasks:
            tasks.start_soon(read)
            tasks.start_soon(write)
            await server.run(incoming, outgoing, server.create_initialization_options())
            tasks.cancel_scope.cancel()


def _parse(line: bytes) -> SessionMessage | Exception:
    try:
        return SessionMessage(jsonrpc_message_adapter.validate_json(repaired(line), by_name=False))
    except ValueError as problem:  # the server answers with a parse error
        return problem


def _peer(writer: asyncio.StreamWriter) -> int | None:
    peer = writer.get_extra_info("socket")
    return None if peer is None else peer_of(peer)


def _is_ours(writer: asyncio.StreamWriter) -> bool:
    peer = writer.get_extra_info("socket")
    return peer is None or is_ours(peer)
