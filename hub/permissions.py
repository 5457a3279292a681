"""Who may do what: the table of domain.md, Roles, and nothing about it anywhere else.

What a caller may not see answers 404; what it may see and not do answers 403; what nobody signed in for answers 401.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final, Literal

import orjson
from sqlalchemy import Connection, and_, select

from ..missions.errors import NotFound
from .errors import HubError
from .identity import Caller
from .storage.tables import organization_members, organizations, project_members, projects

Role = Literal["public", "contributor", "collaborator", "maintainer", "owner"]
ROLES: Final[tuple[Role, ...]] = ("public", "contributor", "collaborator", "maintainer", "owner")
"""From the least to the most."""
OrganizationRole = Literal["member", "admin", "owner"]
ORGANIZATION_ROLES: Final[tuple[OrganizationRole, ...]] = ("member", "admin", "owner")
Right = Literal[
    "see project",
    "see members",
    "read missions",
    "write missions",
    "run missions",
    "read memory",
    "write memory",
    "read repositories",
    "manage repositories",
    "see workstations",
    "manage project",
]
OrganizationRight = Literal["see organization", "create projects", "manage organization", "own organization"]
View = Literal["none", "status", "full"]
"""What a caller sees of a project's workstations."""
_RANK: Final = {role: rank for rank, role in enumerate(ROLES)}
_ORGANIZATION_RANK: Final = {role: rank for rank, role in enumerate(ORGANIZATION_ROLES)}


@dataclass(frozen=True, slots=True)
class Access:
    """A caller's place in one project, with the settings that the table asks for."""

    project_id: str
    organization_id: str
    role: Role | None
    """None: it does not exist for this caller."""
    public_missions: bool
    public_memory: bool
    public_repositories: bool
    contributors_write: bool
    collaborators_see_workstations: bool
    maintainers_run: bool
    workstations: str

    def may(self, right: Right) -> bool:
        """The table of domain.md, Roles."""
        if self.role is None:
            return False
        rank = _RANK[self.role]
        match right:
            case "see project":
                return True
            case "see members":
                return rank > 0
            case "read missions":
                return rank > 0 or self.public_missions
            case "write missions" | "write memory":
                return rank >= 2 or (rank == 1 and self.contributors_write)
            case "read memory":
                return rank > 0 or self.public_memory
            case "read repositories":
                return rank > 0 or self.public_repositories
            case "see workstations":
                return self.view != "none"
            case "run missions":
                return rank == 4 or (rank == 3 and self.maintainers_run)
            case "manage repositories":
                return rank >= 3
            case "manage project":
                return rank == 4

    @property
    def view(self) -> View:
        """What the caller sees of the project's workstations."""
        if self.role is None:
            return "none"
        rank = _RANK[self.role]
        if rank >= 3 or (rank == 2 and self.collaborators_see_workstations):
            return "full"
        return _VIEWS[self.workstations]


_VIEWS: Final[dict[str, View]] = {"hidden": "none", "status_only": "status", "full_details": "full"}
_SEEN_BY: Final[dict[Right, Right]] = {
    "write missions": "read missions",
    "run missions": "read missions",
    "write memory": "read memory",
    "manage repositories": "read repositories",
    "manage project": "see project",
}
"""What a caller must be able to see for a refusal to say 403 instead of 404."""


class Permissions:
    """The table asked for callers and ids; places in projects may be remembered for some seconds."""

    def __init__(self, remember: float = 0.0) -> None:
        self._remember = remember
        self._known: dict[tuple[str, str], tuple[float, Access]] = {}

    def forget(self) -> None:
        """Look everything up anew: after members or settings changed."""
        self._known.clear()

    def access(self, at: Connection, caller: Caller, project_id: str) -> Access:
        """The caller's place in a project; NotFound when there is no such project."""
        key = (caller.name, project_id)
        now = time.monotonic()
        known = self._known.get(key)
        if known is not None and known[0] > now:
            return known[1]
        found = load_access(at, caller, project_id)
        if len(self._known) > 50_000:
            self._known.clear()
        if self._remember:
            self._known[key] = (now + self._remember, found)
        return found

    def require(self, at: Connection, caller: Caller, project_id: str, right: Right) -> Access:
        """The caller's place when it has this right; else NotFound, or the refusals `forbidden`/`unauthenticated`."""
        access = self.access(at, caller, project_id)
        if access.may(right):
            return access
        seen = _SEEN_BY.get(right)
        if seen is None or not access.may(seen):
            raise missing("project", project_id)
        if caller.kind == "anonymous":
            raise HubError("unauthenticated", "This needs a sign-in", todo="send `Authorization: Bearer TOKEN`")
        raise HubError(
            "forbidden",
            f"You may not {right} here",
            why=f"your role in the project is {access.role}",
            todo="ask an owner of the project",
            details={"right": right, "role": access.role},
        )

    def require_organization(
        self, at: Connection, caller: Caller, organization_id: str, right: OrganizationRight
    ) -> OrganizationRole:
        """The caller's role in an organization when it has this right; else NotFound or `forbidden`."""
        role = organization_role(at, caller, organization_id)
        if role is None:
            raise missing("organization", organization_id)
        needed = {"see organization": 0, "create projects": 0, "manage organization": 1, "own organization": 2}[right]
        if _ORGANIZATION_RANK[role] < needed:
            raise HubError(
                "forbidden",
                f"You may not {right.replace('own', 'change').replace('organization', 'this organization')}",
                why=f"your role in it is {role}",
                todo="ask an owner of the organization",
                details={"right": right, "role": role},
            )
        return role


def missing(kind: str, identifier: str) -> NotFound:
    """The one answer for what is not there and for what the caller may not see."""
    return NotFound(f"There is no {kind} {identifier[:64]!r}", why="it does not exist, or you may not see it")


def load_access(at: Connection, caller: Caller, project_id: str) -> Access:
    """Read the caller's place in a project; NotFound when there is no such project."""
    row = at.execute(
        select(
            projects.c.organization_id,
            projects.c.visibility,
            projects.c.doc,
            organizations.c.auto_invite,
            organizations.c.deleted,
        )
        .select_from(projects.join(organizations, organizations.c.id == projects.c.organization_id))
        .where(projects.c.id == project_id)
    ).one_or_none()
    if row is None or row.deleted:
        raise missing("project", project_id)
    doc = orjson.loads(row.doc)
    return Access(
        project_id,
        row.organization_id,
        _role(at, caller, project_id, row.organization_id, row.visibility == "public", bool(row.auto_invite)),
        bool(doc.get("publicMissionRead")),
        bool(doc.get("publicMemoryRead")),
        bool(doc.get("publicRepositoryRead")),
        bool(doc.get("contributorMissionWrite")),
        bool(doc.get("collaboratorWorkstationRead")),
        bool(doc.get("maintainerMissionExecute")),
        str(doc.get("workstationVisibility", "hidden")),
    )


def _role(
    at: Connection, caller: Caller, project_id: str, organization_id: str, public: bool, auto_invite: bool
) -> Role | None:
    """The highest of: the organization's word, the project's member list, and what everybody is."""
    found: list[Role] = ["public"] if public else []
    match organization_role(at, caller, organization_id):
        case "owner":
            found.append("owner")
        case "admin":
            found.append("maintainer")
        case "member" if auto_invite:
            found.append("collaborator")
    if caller.user_id is not None:
        role = at.execute(
            select(project_members.c.role).where(
                and_(project_members.c.project_id == project_id, project_members.c.user_id == caller.user_id)
            )
        ).scalar()
        if role in _RANK:
            found.append(role)
    return max(found, key=lambda role: _RANK[role], default=None)


def organization_role(at: Connection, caller: Caller, organization_id: str) -> OrganizationRole | None:
    """The caller's role in an organization; an organization key is an administrator of its own."""
    if caller.organization_id is not None:
        return "admin" if caller.organization_id == organization_id else None
    if caller.user_id is None:
        return None
    role: OrganizationRole | None = at.execute(
        select(organization_members.c.role)
        .select_from(
            organization_members.join(organizations, organizations.c.id == organization_members.c.organization_id)
        )
        .where(
            and_(
                organization_members.c.organization_id == organization_id,
                organization_members.c.user_id == caller.user_id,
                organizations.c.deleted.is_(False),
            )
        )
    ).scalar()
    return role
