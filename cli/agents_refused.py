"""What an agent is told that runs a command of a person, and where that is written down."""

from __future__ import annotations

from typing import NoReturn

from ..config.log import logger
from ..missions.entities import Author
from ..missions.errors import NotAllowed, SoloUnicornError
from ..workspace import operations, queries
from ..workspace.workspace import OF_AN_AGENT, Workspace


def refuse(session_id: str, command: str) -> NoReturn:
    """Raise NotAllowed, after the log and the history of the session's mission have it."""
    log = logger("cli")
    log.warning("refused an agent", extra={"session": session_id, "command": command})
    try:
        _note(session_id, command)
    except (SoloUnicornError, OSError) as error:  # a sandbox may leave no workspace to open
        log.error("could not note a refusal", extra={"why": str(error)})
    raise NotAllowed(
        f"`{command}` is for people", why=OF_AN_AGENT, todo="use the tools of the MCP server, or leave this to a person"
    )


def _note(session_id: str, command: str) -> None:
    """By the service where it runs: within a sandbox the workspace cannot be written."""
    from ..workstation.connection import NotRunning, request

    try:
        request("refused", {"command": command})
    except NotRunning:
        with Workspace.open() as workspace:
            agent = Author("agent", workspace.read(queries.sessions.get, session_id).agent_name, session_id)
            workspace.write_as(agent, operations.dispatch.refused, session_id, command)
