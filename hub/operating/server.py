"""Serving with uvicorn: our protocols, and an end within five seconds that tells every socket when to come back."""

from __future__ import annotations

import asyncio
import socket
from asyncio import BaseTransport, Transport
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any, Final, cast

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from ...config.log import logger
from ...missions.errors import UsageError
from ...system.serving import Server
from ..realtime.gateway import PING_SECONDS
from ..realtime.transport import Protocol as SocketProtocol

if TYPE_CHECKING:
    from starlette.types import ASGIApp

HEADER_SECONDS: Final = 10.0
"""For the head of a request; a connection that sends it slower, or nothing, is closed."""
HEAD_BYTES: Final = 64 * 1024
"""For the head of a request: its address and its headers."""
STOP_SECONDS: Final = 3


class HttpProtocol(HttpToolsProtocol):
    """uvicorn's, without patience for a head that does not come, or does not end."""

    _arrived = 0
    """Bytes of a head that has not ended yet."""
    _read = 0
    """Bytes of address and headers that were read of the present head."""

    def connection_made(self, transport: BaseTransport) -> None:
        """The clock of the first head begins."""
        super().connection_made(cast(Transport, transport))
        self._head_ends: asyncio.TimerHandle | None = self.loop.call_later(HEADER_SECONDS, self._too_slow)

    def on_message_begin(self) -> None:
        """Of each further head too."""
        super().on_message_begin()
        self._read = 0
        if self._head_ends is None:
            self._head_ends = self.loop.call_later(HEADER_SECONDS, self._too_slow)

    def data_received(self, data: bytes) -> None:
        """A head that goes on for too long is refused before it ends."""
        super().data_received(data)
        self._arrived = self._arrived + len(data) if self._head_ends else 0
        if self._arrived > HEAD_BYTES and not self.transport.is_closing():
            self.send_400_response("The head of the request is too large.")

    def on_url(self, url: bytes) -> None:
        """A part of the address."""
        self._count(url)
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count(name + value)
        super().on_header(name, value)

    def _count(self, part: bytes) -> None:
        self._read += len(part)
        if self._read > HEAD_BYTES:
            raise ValueError("the head is too large")  # the parser stops, and the request is answered with 400

    def on_headers_complete(self) -> None:
        """The head is here."""
        self._forget()
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget()
        super().connection_lost(exc)

    def _forget(self) -> None:
        if self._head_ends is not None:
            self._head_ends.cancel()
            self._head_ends = None

    def _too_slow(self) -> None:
        self._head_ends = None
        if self.transport and not self.transport.is_closing():
            self.transport.close()


class HubServer(Server):
    """uvicorn that lets the hub speak to its sockets before they are closed."""

    def __init__(
        self,
        config: uvicorn.Config,
        before_stop: Callable[[], Awaitable[None]],
        when_ready: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(config)
        self._before_stop, self._when_ready = before_stop, when_ready

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """None: whoever runs the server hears them, before it starts too (hub/operating/starting.py)."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Ready is only said when it is so."""
        await super().startup(sockets)
        if self.started:
            self._when_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Goodbyes first; new connections are refused meanwhile."""
        for server in getattr(self, "servers", []):
            server.close()
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await self._before_stop()
        except Exception:
            logger("hub").exception("the goodbyes did not all go out")
        await super().shutdown(sockets)


def configuration(app: ASGIApp, proxies: str = "", **more: Any) -> uvicorn.Config:
    """uvicorn as a hub wants it; `more` is host, port, fd …

    `proxies`: by commas, the addresses or networks whose X-Forwarded-For is believed; UsageError for anything else.
    """
    named = [one.strip() for one in proxies.split(",") if one.strip()]
    for one in named:
        try:
            ip_network(one)
        except ValueError as error:
            raise UsageError(
                f"{one!r} is not the address of a proxy",
                why="SOLO_UNICORN_HUB_PROXIES lists addresses and networks, and no other sender is trusted",
                todo="give one like 10.0.0.2 or 10.0.0.0/24",
            ) from error
    settings: dict[str, Any] = {
        "http": HttpProtocol,
        "ws": SocketProtocol,
        "ws_max_size": 256 * 1024,
        "ws_ping_interval": PING_SECONDS,
        "ws_ping_timeout": PING_SECONDS,
        "ws_per_message_deflate": True,
        "timeout_keep_alive": 30,
        "timeout_graceful_shutdown": 2,
        "proxy_headers": bool(named),
        "forwarded_allow_ips": named,
        "server_header": False,
        "access_log": False,
        "log_config": None,
    }
    return uvicorn.Config(app, **{**settings, **more})
