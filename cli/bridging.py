"""`mcp` without options: the bridge between the pipes of a client and the socket of the service; imports little."""

from __future__ import annotations

import os

TOKEN_VARIABLE = "SOLO_UNICORN_TOKEN"


def run() -> int:
    """Pump until the client closes its side; returns the exit code."""
    from ..config.paths import mcp_socket
    from ..mcp_server.bridge import run as pump

    return pump(_ensure_running, mcp_socket(), token=os.environ.get(TOKEN_VARIABLE))


def _ensure_running() -> None:
    """Start the service; imported only when it is not there."""
    from ..workstation.client import ensure_running

    ensure_running()
