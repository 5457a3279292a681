"""What an operator says of an issuer elsewhere reaches whoever signs in."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from solo_unicorn.sync.client.discovery import discovered

from ..whole import whole


@pytest.fixture
def issuer() -> Iterator[str]:
    """An issuer that says where it is, and no more."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            names = ("authorization_endpoint", "token_endpoint", "jwks_uri")
            said = json.dumps({"issuer": address, **{name: f"{address}/{name}" for name in names}}).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    address = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield address
    finally:
        server.shutdown()
        server.server_close()


async def test_its_client_its_scopes_and_its_audience_are_asked_for(issuer: str, home: Path, tmp_path: Path) -> None:
    """The command line asked for our own client and scopes, which another issuer does not know."""
    told = {"issuer_client_id": "team-cli", "issuer_scopes": "openid board", "issuer_audience_parameter": "audience"}
    async with whole(tmp_path / "hub", issuer=issuer, **told) as hub:
        found = await asyncio.to_thread(discovered, hub.url)
    assert (found.address, found.token_endpoint) == (issuer, f"{issuer}/token_endpoint")
    assert (found.client_id, found.scope, found.form) == ("team-cli", "openid board", {"audience": hub.url})
