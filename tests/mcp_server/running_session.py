"""A session whose agent is there, without an agent: what a client of the server needs to act in its name."""

from __future__ import annotations

from solo_unicorn.mcp_server.caller import digest, new_token
from solo_unicorn.missions.entities import SYSTEM, CodeAgent, service_of
from solo_unicorn.missions.ids import new_ulid
from solo_unicorn.workspace import operations
from solo_unicorn.workspace.workspace import Workspace


def token_of_a_session(
    workspace: Workspace, mission_id: str, agent: CodeAgent, *, session_id: str = "", workstation_id: str = "elsewhere"
) -> str:
    """The token of a session that has begun on a mission; by default no service of this machine looks after it."""
    session = workspace.write_as(
        SYSTEM,
        operations.dispatch.claim,
        mission_id,
        session_id=session_id or new_ulid(),
        agent=agent,
        workstation_id=workstation_id,
    )
    workspace.write_as(
        service_of(session.id),
        operations.sessions.begin,
        session.id,
        host_pid=1,
        worktree_path="/w",
        branch="b",
        base_commit="c",
    )
    token = new_token()
    workspace.write_as(SYSTEM, operations.dispatch.set_token, session.id, digest(token))
    return token
