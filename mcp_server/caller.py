"""Who is calling: a run bound to its mission by a token, or the person's own agent on the private socket."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, replace

from ..missions.access import AccessCall, MissionAccess
from ..missions.entities import Author

TOKEN_BYTES = 32


@dataclass(frozen=True, slots=True)
class McpCaller:
    """One identity behind the MCP server. `mission_id` None means: the person's own agent, bound to no mission."""

    name: str
    mission_id: str | None = None
    session_id: str | None = None
    project_id: str | None = None
    """The project a call means when it names none."""
    directories: tuple[str, ...] = ()
    """Where the person's own agent works: its roots, else its working directory."""
    here: str | None = None
    """The mission in whose worktree the person's own agent works; it means this one when it names none."""
    read_only: bool = False
    toolsets: frozenset[str] | None = None
    """Only tools of these sets are listed and run; None allows every set."""

    @property
    def author(self) -> Author:
        """How the history names this caller."""
        return Author("agent", self.name, self.session_id)


PERSONAL = McpCaller("agent")
"""The person's own agent: reads, creates and updates; never approves."""
A_RUN = McpCaller("agent", mission_id="-", session_id="-", project_id="-")
"""Any run, where only its face counts."""


def new_token() -> str:
    """A bearer token for one session: 32 random bytes, URL-safe. Only its digest is ever stored."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def digest(token: str) -> str:
    """SHA-256 of a token in hexadecimal, as `dispatch.set_token` takes it."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


async def identify(call: AccessCall, token: str) -> McpCaller | None:
    """The run that carries this token; None for a token nobody has or whose session has ended."""
    wanted = digest(token)

    def read(access: MissionAccess) -> McpCaller | None:
        session = access.session_for_token(wanted)
        if session is None or session.phase == "ended":
            return None
        return McpCaller(session.agent_name, session.mission_id, session.id, session.project_id)

    return await call(read)


async def of_session(call: AccessCall, session_id: str) -> McpCaller | None:
    """The run of a session; None when it has ended."""

    def read(access: MissionAccess) -> McpCaller | None:
        session = access.session(session_id)
        if session.phase == "ended":
            return None
        return McpCaller(session.agent_name, session.mission_id, session.id, session.project_id)

    return await call(read)


def personal(cwd: str | None = None, name: str = "agent") -> McpCaller:
    """The person's own agent in a directory."""
    return McpCaller(name, directories=(cwd,) if cwd else ())


def placed(access: MissionAccess, caller: McpCaller) -> McpCaller:
    """The caller with the project and mission of its directories, as they are now; a run has those of its token."""
    if caller.session_id is not None or not caller.directories:
        return caller
    places = [access.place_of(directory) for directory in caller.directories]
    projects = {project for place in places for project in place.projects}
    missions = {place.mission for place in places if place.mission}
    return replace(
        caller,
        project_id=projects.pop() if len(projects) == 1 else None,
        here=missions.pop() if len(missions) == 1 else None,
    )
