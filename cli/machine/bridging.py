"""`mcp` without options: the bridge between the pipes of a client and the socket of the service; imports little."""

from __future__ import annotations

import os

from ...system import strict_json

TOKEN_VARIABLE = "SOLO_UNICORN_TOKEN"


def run(token_file: str | None = None) -> int:
    """Pump until the client closes its side; returns the exit code.

    With `token_file` the client is a run that the service started. It waits for a service that is gone for a moment
    and never starts one: that would be a child of the run, and would end with it.
    """
    from ...config.paths import mcp_socket
    from ...mcp_server.bridge import run as pump

    if token_file is not None:
        return pump(_wait, mcp_socket(), token=token_in(token_file))
    from ... import __version__
    from ...config.acting import acting_session
    from ...mcp_server.opening import Opening

    token = os.environ.get(TOKEN_VARIABLE)
    if acting_session() is not None:
        return pump(_wait, mcp_socket(), token=token)  # a service below a session would end with it
    opening = Opening(__version__) if token is None else None
    return pump(_ensure_running, mcp_socket(), token=token, opening=opening)


def token_in(path: str) -> str:
    """The token in a file: all of it, or `token` in an object of JSON. InvalidValue when there is none."""
    from pathlib import Path

    from ...missions.errors import InvalidValue, NotFound

    try:
        text = Path(path).read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text"
        raise NotFound(f"The token file {path} cannot be read", why=why or "", todo="start the run again") from error
    if text.startswith("{"):
        try:
            found = strict_json.heard(text).get("token")
        except ValueError:
            found = None
        text = found if isinstance(found, str) else ""
    if not text or not text.isprintable() or " " in text:
        raise InvalidValue("token-file", f"There is no token in {path}", todo="start the run again")
    return text


def _wait() -> None:
    """The service is there, or comes back."""


def _ensure_running() -> None:
    """Start the service; imported only when it is not there."""
    from ...workstation.client import ensure_running

    ensure_running()
