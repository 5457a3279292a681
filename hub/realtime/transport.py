"""uvicorn's WebSocket protocol, with less memory for each socket's compression, and a way to drop a peer that reads
nothing: its buffer would never drain.
"""

from __future__ import annotations

from asyncio import BaseTransport, Transport
from typing import Any, Final, cast

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory

WINDOW_BITS: Final = 11
"""2 KB: some ten messages back. Each bit more doubles what thousands of idle sockets hold."""
MEMORY_LEVEL: Final = 4


class Protocol(WebSocketsSansIOProtocol):
    """Puts `abort` into the state of each socket's scope."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        if self.config.ws_per_message_deflate:
            self.conn.available_extensions = [
                ServerPerMessageDeflateFactory(
                    server_max_window_bits=WINDOW_BITS,
                    client_max_window_bits=WINDOW_BITS,
                    compress_settings={"memLevel": MEMORY_LEVEL},
                )
            ]

    def connection_made(self, transport: BaseTransport) -> None:
        self.app_state = {**self.app_state, "abort": cast(Transport, transport).abort}
        super().connection_made(transport)
