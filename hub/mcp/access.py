"""The hub's missions as the MCP tools see them: `missions.access.MissionAccess`, with the caller's rights.

One `HubAccess` lives as long as one transaction. Sessions, agents and permission questions belong to workstations:
asked for here, they are said to be elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from hashlib import blake2b
from typing import Concatenate, Final, NoReturn, ParamSpec, TypeVar

from sqlalchemy import delete, insert, select

from ...missions.entities import USER, Author, CodeAgent, Decision, InboxItem, JsonObject, Session
from ...missions.errors import NotAllowed, NotFound
from ...missions.operations import memory, missions
from ...missions.operations.port import Change
from ..change import ELSEWHERE
from ..change import Change as HubChange
from ..permissions import Right
from ..services.missions import opened
from ..storage.tables import hub_meta
from .reads import HubReads

P = ParamSpec("P")
T = TypeVar("T")

ON_PROJECTS: Final[dict[Callable[..., object], Right]] = {
    missions.create: "write missions",
    memory.append: "write memory",
    memory.replace: "write memory",
    memory.edit: "write memory",
    memory.delete: "write memory",
    memory.rename: "write memory",
    memory.move: "write memory",
}
"""Operations that name a project, with what they need; the others name a mission."""


class HubAccess(HubReads):
    """Implements `missions.access.MissionAccess` for one caller in one transaction."""

    def write(
        self,
        by: Author,
        operation: Callable[Concatenate[Change, str, P], T],
        ref: str,
        /,
        *args: P.args,
        **more: P.kwargs,
    ) -> T:
        """An operation on the mission, or the project, that answers to `ref`."""
        mine = self._caller.email or self._caller.name
        author = Author(by.kind, mine if by.kind == "user" else f"{by.name} for {mine}")
        right = ON_PROJECTS.get(operation)
        if right is not None:
            project_id = self.project(ref).id
            return operation(HubChange(self.work, project_id, right, by=author), project_id, *args, **more)
        mission_id = self._id(ref)
        return operation(opened(self.work, mission_id, by=author), mission_id, *args, **more)

    # ---- what workstations have ----------------------------------------------------------------------------------

    def agents(self) -> Sequence[CodeAgent]:
        """A hub has no code agents."""
        return ()

    def set_agent_limit(self, name: str, until: datetime | None, *, by: Author = USER) -> object:
        _elsewhere("limits of agents")

    def session(self, session_id: str) -> Session:
        raise NotFound(f"There is no session {session_id[:64]!r} here", why=ELSEWHERE)

    def session_for_token(self, digest: str, /) -> Session | None:
        """A hub authenticates people, not sessions."""
        return None

    def ask_permission(
        self, session_id: str, tool: str, given: JsonObject, *, call_id: str | None = None, by: Author = USER
    ) -> InboxItem:
        _elsewhere("permission questions")

    def permission(self, item_id: int, /) -> InboxItem:
        _elsewhere("permission questions")

    def answer_permission(self, item_id: int, decision: Decision, message: str = "", *, by: Author = USER) -> InboxItem:
        _elsewhere("permission questions")

    def meta(self, key: str) -> str | None:
        """A small value of this caller."""
        wanted = select(hub_meta.c.value).where(hub_meta.c.key == self._kept(key))
        found: str | None = self._at.execute(wanted).scalar_one_or_none()
        return found

    def set_meta(self, key: str, value: str) -> None:
        """Keep it for this caller."""
        self._at.execute(delete(hub_meta).where(hub_meta.c.key == self._kept(key)))
        self._at.execute(insert(hub_meta).values(key=self._kept(key), value=value))

    def _kept(self, key: str) -> str:
        said = f"{self._caller.user_id or self._caller.name}\0{key}"
        return f"mcp.{blake2b(said.encode(), digest_size=20).hexdigest()}"


def _elsewhere(what: str) -> NoReturn:
    raise NotAllowed(f"The hub has no {what}", why=ELSEWHERE)
