"""Who is calling: a run bound to its mission by a token, or the person's own agent on the private socket."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass

from ..missions.access import Call, MissionAccess
from ..missions.entities import Author

TOKEN_BYTES = 32


@dataclass(frozen=True, slots=True)
class Caller:
    """One identity behind the MCP server. `mission_id` None means: the person's own agent, bound to no mission."""

    name: str
    mission_id: str | None = None
    session_id: str | None = None
    project_id: str | None = None
    """The project a call means when it names none."""
    read_only: bool = False
    toolsets: frozenset[str] | None = None
    """Only tools of these sets are listed and run; None allows every set."""

    @property
    def author(self) -> Author:
        """How the history names this caller."""
        return Author("agent", self.name, self.session_id)


PERSONAL = Caller("agent")
"""The person's own agent: reads, creates and updates; never approves."""


def new_token() -> str:
    """A bearer token for one session: 32 random bytes, URL-safe. Only its digest is ever stored."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def digest(token: str) -> str:
    """SHA-256 of a token in hexadecimal, as `dispatch.set_token` takes it."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


async def identify(call: Call, token: str) -> Caller | None:
    """The run that carries this token; None for a token nobody has or whose session has ended."""
    wanted = digest(token)

    def read(access: MissionAccess) -> Caller | None:
        session = access.session_for_token(wanted)
        if session is None or session.phase == "ended":
            return None
        return Caller(session.agent_name, session.mission_id, session.id, session.project_id)

    return await call(read)


async def of_session(call: Call, session_id: str) -> Caller | None:
    """The run of a session; None when it has ended."""

    def read(access: MissionAccess) -> Caller | None:
        session = access.session(session_id)
        if session.phase == "ended":
            return None
        return Caller(session.agent_name, session.mission_id, session.id, session.project_id)

    return await call(read)


async def personal(call: Call, cwd: str | None = None, name: str = "agent") -> Caller:
    """The person's own agent; its project is the one whose repository holds `cwd`, or the only one there is."""

    def read(access: MissionAccess) -> Caller:
        projects = access.projects()
        if len(projects) == 1:
            return Caller(name, project_id=projects[0].id)
        return Caller(name, project_id=_project_at(access, cwd) if cwd else None)

    return await call(read)


def _project_at(access: MissionAccess, cwd: str) -> str | None:
    """Longest checkout path that is `cwd` or a parent of it."""
    here = cwd.rstrip("/") + "/"
    found = [
        (len(repository.local_path), repository.project_id)
        for repository in access.repositories()
        if repository.local_path and here.startswith(repository.local_path.rstrip("/") + "/")
    ]
    return max(found)[1] if found else None
