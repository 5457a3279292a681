"""What a service needs of whoever asks: the hub, an open transaction, and the caller with their rights."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy import Connection

from ..config.correlation import correlation
from ..missions.entities import JsonObject
from .hub import Hub
from .identity import Caller
from .permissions import Access, OrganizationRight, OrganizationRole, Right


@dataclass(slots=True, kw_only=True)
class UnitOfWork:
    """Something done for a caller in one transaction: a request, an agent's call, a web hook, housekeeping."""

    hub: Hub
    at: Connection
    caller: Caller
    now: float = field(default_factory=time.time)
    """Seconds since the epoch."""
    key: str = ""
    """The caller's own name for this piece of work, by which a repetition is known; empty when it has none."""
    correlation: str = field(default_factory=correlation.get)
    after: list[Callable[[], None]] = field(default_factory=list)
    """What to do once this is committed: hints for the bus, caches to forget."""

    stranger: bool = False
    """Whether a public project was looked at in which the caller has no role: then the answer is projected."""

    def access(self, project_id: str) -> Access:
        """The caller's place in a project; NotFound when there is no such project."""
        found = self.hub.permissions.access(self.at, self.caller, project_id)
        self.stranger = self.stranger or found.role == "public"
        return found

    def require(self, project_id: str, right: Right) -> Access:
        """The caller's place when it has this right; else NotFound, or the refusals `forbidden`/`unauthenticated`."""
        self.access(project_id)
        return self.hub.permissions.require(self.at, self.caller, project_id, right)

    def require_organization(self, organization_id: str, right: OrganizationRight) -> OrganizationRole:
        """The caller's role in an organization when it has this right; else NotFound or `forbidden`."""
        return self.hub.permissions.require_organization(self.at, self.caller, organization_id, right)


@dataclass(frozen=True, slots=True)
class Shown:
    """What a service tells: JSON that is sent as it is, and the version of what it shows."""

    body: bytes
    version: int | str | None = None


Check = Callable[[int, str | JsonObject], None]
"""Gets the version and the JSON of what is about to be replaced; refuses when the caller has seen another one."""
