"""uvicorn's WebSocket protocol, with a way to drop a peer that reads nothing: its buffer would never drain."""

from __future__ import annotations

from asyncio import BaseTransport, Transport
from typing import cast

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol


class Protocol(WebSocketsSansIOProtocol):
    """Puts `abort` into the state of each socket's scope."""

    def connection_made(self, transport: BaseTransport) -> None:
        """As uvicorn's."""
        self.app_state = {**self.app_state, "abort": cast(Transport, transport).abort}
        super().connection_made(transport)
