"""Running the server until a signal ends it, and handing out links meanwhile."""

from __future__ import annotations

import asyncio
import errno
import signal
import socket
import sys

from aiohttp import web

from ...missions.errors import Conflict
from .server import HOST, BoardServer


def serve(port: int, *, project: str | None = None, most: int = 4) -> int:
    """Serve on a port of the loopback interface (0: a free one); Conflict when it is taken. Returns the exit code."""
    listening = listen(port)
    server = BoardServer(listening.getsockname()[1], project=project, most=most)
    asyncio.run(_serve(server, listening))
    return 0


def listen(port: int) -> socket.socket:
    """The port, ours alone; Conflict when somebody else has it."""
    found = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((HOST, port))
    except OSError as error:
        found.close()
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise
        raise Conflict(
            f"Port {port} cannot be used",
            why=error.strerror or str(error),
            todo="choose another one, or leave out --port",
        ) from error
    return found


async def _serve(server: BoardServer, listening: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    ending = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, ending.set)
    runner = web.AppRunner(await server._make_app(), access_log=None, shutdown_timeout=5)
    await runner.setup()
    try:
        await web.SockSite(runner, listening).start()
        print(f"The board: {server.new_link()}\n", flush=True)
        print("The link works once, in one browser. Press enter for another one, ctrl+c to stop.", flush=True)
        if sys.stdin is not None and sys.stdin.isatty():
            loop.add_reader(sys.stdin.fileno(), _another, server, loop)
        await ending.wait()
    finally:
        await runner.cleanup()


def _another(server: BoardServer, loop: asyncio.AbstractEventLoop) -> None:
    if not sys.stdin.readline():  # the terminal is gone; the server stays
        loop.remove_reader(sys.stdin.fileno())
        return
    print(f"The board: {server.new_link()}", flush=True)
