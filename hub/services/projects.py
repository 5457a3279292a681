"""Projects: made, changed, archived; their members."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import UTC, datetime

import orjson
from sqlalchemy import and_, delete, func, insert, or_, select, update

from ...missions.entities import LISTS, JsonObject, Project
from ...missions.errors import AlreadyExists, Conflict, InvalidValue, NotFound
from ...missions.ids import new_ulid
from ...missions.rules.flows import system_flows
from ...missions.wire import from_wire, to_wire, wire_name
from .. import permission_changes
from ..change import Change, author_of, new_id
from ..errors import HubError
from ..permissions import ROLES
from ..records.projects import HIDDEN, document, put
from ..storage.tables import events, flows, organization_members, organizations, project_members, projects, users
from ..unit_of_work import Check, Shown, UnitOfWork
from .checks import merged, name_of, slug_of

FIXED = frozenset({"id", "organizationId", "createdAt", "updatedAt", "version", "featured", "starCount", "archivedAt"})
SETTABLE = frozenset(wire_name(field.name) for field in fields(Project)) - HIDDEN - FIXED
IGNORED = HIDDEN | FIXED


def create(work: UnitOfWork, body: JsonObject) -> Shown:
    """A new project with its system flows; the caller becomes its owner."""
    organization_id = body.get("organizationId") or own_organization(work, alone=True)
    if not isinstance(organization_id, str):
        raise InvalidValue("organizationId", "organizationId is not text")
    work.require_organization(organization_id, "create projects")
    now = datetime.fromtimestamp(work.now, UTC)
    project_id = new_id(body.get("id"))
    taken = work.at.execute(
        select(projects.c.doc, projects.c.organization_id).where(projects.c.id == project_id)
    ).one_or_none()
    if taken is not None:
        raise AlreadyExists(f"The id {project_id} is taken", id=project_id, todo="choose another ULID")
    name = name_of(body.get("name"))
    wished = body.get("slug")
    slug = _free_slug(work, organization_id, slug_of(wished if isinstance(wished, str) and wished else name))
    own_flows = [] if body.get("flows") == "none" else system_flows(project_id, new_ulid, now)
    project = Project(project_id, name, slug, now, now, organization_id=organization_id, version=1)
    given = {k: v for k, v in body.items() if k in SETTABLE - {"name", "slug"}}
    project = merged(project, given, allowed=SETTABLE)
    if project.default_flow_id is None and own_flows:
        project = replace(project, default_flow_id=own_flows[0].id)
    project = _checked(work, project)
    put(work.at, project, seq=1)
    for flow in own_flows:
        work.at.execute(
            insert(flows).values(
                id=flow.id,
                project_id=project_id,
                name=flow.name,
                version=1,
                doc=orjson.dumps({**to_wire(flow), "version": 1}).decode(),
            )
        )
    if work.caller.user_id is not None:
        work.at.execute(
            insert(project_members).values(
                project_id=project_id, user_id=work.caller.user_id, role="owner", added_at=work.now
            )
        )
    event = {
        "seq": 1,
        "projectId": project_id,
        "missionId": None,
        "kind": "project_created",
        "author": to_wire(author_of(work)),
        "at": now.isoformat()[:-6] + "Z",
        "changes": {},
        "note": name,
        "correlationId": work.correlation,
    }
    work.at.execute(
        insert(events).values(
            project_id=project_id,
            seq=1,
            mission_id=None,
            kind="project_created",
            at=work.now,
            doc=orjson.dumps(event).decode(),
        )
    )
    return _shown(project, 1)


def get(work: UnitOfWork, project_id: str) -> Shown:
    """One project as its members see it."""
    work.require(project_id, "see project")
    row = work.at.execute(select(projects.c.doc, projects.c.version).where(projects.c.id == project_id)).one()
    return Shown(row.doc.encode(), version=row.version)


def listed(work: UnitOfWork, query: Mapping[str, str]) -> Shown:
    """The projects a caller has a role in, by id."""
    limit = min(int(query.get("limit", 100)), 500)
    caller = work.caller
    mine = [projects.c.organization_id == caller.organization_id]
    if caller.user_id is not None:
        of_user = select(project_members.c.project_id).where(project_members.c.user_id == caller.user_id)
        run = select(organization_members.c.organization_id).where(
            and_(
                organization_members.c.user_id == caller.user_id,
                or_(
                    organization_members.c.role.in_(("owner", "admin")),
                    organization_members.c.organization_id.in_(
                        select(organizations.c.id).where(organizations.c.auto_invite.is_(True))
                    ),
                ),
            )
        )
        mine = [projects.c.id.in_(of_user), projects.c.organization_id.in_(run)]
    here = [
        or_(*mine),
        projects.c.organization_id.in_(select(organizations.c.id).where(organizations.c.deleted.is_(False))),
    ]
    if "organizationId" in query:
        here.append(projects.c.organization_id == query["organizationId"])
    if "status" in query:
        here.append(projects.c.status == query["status"])
    if "after" in query:
        here.append(projects.c.id > query["after"])
    rows = work.at.execute(
        select(projects.c.id, projects.c.doc).where(and_(*here)).order_by(projects.c.id).limit(limit + 1)
    ).all()
    return page([(row.id, row.doc) for row in rows], limit)


def update_settings(work: UnitOfWork, project_id: str, body: JsonObject, check: Check) -> Shown:
    """Settings changed (JSON merge)."""
    change = Change(work, project_id, "manage project")
    check(change.journal.project_version, _current(work, project_id))
    before = change.journal.project
    wished = {name: value for name, value in body.items() if name not in IGNORED}
    after = _checked(work, merged(before, wished, allowed=SETTABLE))
    if after == before:
        return _shown(before, change.journal.project_version)
    permission_changes.changed(work.at)  # it may show less, or let fewer people do something
    return _save(change, after, "project_changed")


def archive(work: UnitOfWork, project_id: str, check: Check) -> Shown:
    """Archive a project: nothing runs in it, nothing is lost."""
    change = Change(work, project_id, "manage project")
    check(change.journal.project_version, _current(work, project_id))
    if change.journal.project.status == "archived":
        return _shown(change.journal.project, change.journal.project_version)
    return _save(change, replace(change.journal.project, status="archived", archived_at=change.now), "project_archived")


def _save(change: Change, after: Project, kind: str) -> Shown:
    saved = change.save_project(change.journal.project, after)
    change.event(after.id, kind)
    return _shown(saved, saved.version)


def _checked(work: UnitOfWork, project: Project) -> Project:
    name_of(project.name)
    if project.slug != slug_of(project.slug):
        raise InvalidValue("slug", f"{project.slug[:80]!r} is not a valid slug", todo="use a-z, 0-9 and hyphens")
    taken = work.at.execute(
        select(projects.c.id).where(
            and_(
                projects.c.organization_id == project.organization_id,
                projects.c.slug == project.slug,
                projects.c.id != project.id,
            )
        )
    ).scalar()
    if taken is not None:
        raise HubError("already_exists", f"The organization already has a project {project.slug!r}")
    if project.category is not None and len(project.category) > 100:
        raise InvalidValue("category", "A category has at most 100 characters")
    for list_name, limit in project.wip_limits.items():
        if list_name not in LISTS or not 1 <= limit <= 10_000:
            raise InvalidValue("wipLimits", f"{list_name[:20]}={limit} is not a valid limit")
    if project.visibility == "public" and project.public_slug is None:
        project = replace(project, public_slug=_free_public_slug(work, project.slug, project.id))
    if project.public_slug is not None:
        if project.public_slug != slug_of(project.public_slug):
            raise InvalidValue(
                "publicSlug", f"{project.public_slug[:80]!r} is not a valid slug", todo="use a-z, 0-9 and hyphens"
            )
        owner = work.at.execute(select(projects.c.id).where(projects.c.public_slug == project.public_slug)).scalar()
        if owner not in (None, project.id):
            raise HubError("already_exists", f"Another project already has the public slug {project.public_slug!r}")
    if (project.archived_at is None) != (project.status != "archived"):
        at = datetime.fromtimestamp(work.now, UTC)
        project = replace(project, archived_at=at if project.status == "archived" else None)
    return project


def _shown(project: Project, version: int) -> Shown:
    return Shown(orjson.dumps(document(project)), version)


def _current(work: UnitOfWork, project_id: str) -> str:
    return str(work.at.execute(select(projects.c.doc).where(projects.c.id == project_id)).scalar_one())


def own_organization(work: UnitOfWork, *, alone: bool = False) -> str:
    """The organization of a request that names none: the caller's first; `alone`: refused where there are several."""
    if work.caller.organization_id is not None:
        return work.caller.organization_id
    found = work.at.execute(
        select(organizations.c.id, organizations.c.slug)
        .join(organization_members, organizations.c.id == organization_members.c.organization_id)
        .where(and_(organization_members.c.user_id == work.caller.user_id, organizations.c.deleted.is_(False)))
        .order_by(organization_members.c.added_at)
    ).all()
    if not found:
        raise InvalidValue("organizationId", "You are in no organization", todo="POST /api/v1/organizations first")
    if alone and len(found) > 1:
        names = ", ".join(row.slug for row in found)
        raise InvalidValue("organizationId", f"You are in several organizations: {names}", todo="name one of them")
    return str(found[0].id)


def _free_slug(work: UnitOfWork, organization_id: str, base: str) -> str:
    taken = set(
        work.at.execute(
            select(projects.c.slug).where(
                and_(projects.c.organization_id == organization_id, projects.c.slug.startswith(base, autoescape=True))
            )
        ).scalars()
    )
    return next(slug for slug in (base, *(f"{base}-{n}" for n in range(2, len(taken) + 3))) if slug not in taken)


def _free_public_slug(work: UnitOfWork, base: str, project_id: str) -> str:
    taken = set(
        work.at.execute(
            select(projects.c.public_slug).where(
                and_(projects.c.public_slug.startswith(base, autoescape=True), projects.c.id != project_id)
            )
        ).scalars()
    )
    return next(slug for slug in (base, *(f"{base}-{n}" for n in range(2, len(taken) + 3))) if slug not in taken)


# ---- members -----------------------------------------------------------------------------------------------------


def members(work: UnitOfWork, project_id: str) -> Shown:
    """Who has a role in a project by its own list; only its members see it."""
    work.require(project_id, "see members")
    rows = work.at.execute(
        select(project_members.c.user_id, project_members.c.role, users.c.email, users.c.doc)
        .join(users, users.c.id == project_members.c.user_id)
        .where(project_members.c.project_id == project_id)
        .order_by(project_members.c.user_id)
    ).all()
    items: list[JsonObject] = [
        {"userId": row.user_id, "role": row.role, "email": row.email, "name": orjson.loads(row.doc).get("name")}
        for row in rows
    ]
    return Shown(orjson.dumps({"items": items, "nextAfter": None}))


def add_member(work: UnitOfWork, project_id: str, body: JsonObject) -> Shown:
    """Give somebody of the organization a role, or somebody with a role another one; others are invited first.

    So nobody is drawn into a project by a stranger, and the answer does not say who has an account.
    """
    change = Change(work, project_id, "manage project")
    role = body.get("role", "contributor")
    if role not in ROLES[1:]:
        raise InvalidValue("role", f"{str(role)[:40]!r} is not a valid role", todo=f"use one of {', '.join(ROLES[1:])}")
    user_id = find_user(work, body, change.journal.project)
    put_member(change, user_id, str(role))
    return Shown(orjson.dumps({"userId": user_id, "role": role}))


def put_member(change: Change, user_id: str, role: str) -> None:
    """Write a person's role; the last owner stays one."""
    before = change.at.execute(
        select(project_members.c.role).where(
            and_(project_members.c.project_id == change.project_id, project_members.c.user_id == user_id)
        )
    ).scalar()
    if before == "owner" and role != "owner":
        _check_other_owner(change, user_id)
    if before is None:
        change.at.execute(
            insert(project_members).values(
                project_id=change.project_id, user_id=user_id, role=role, added_at=change.work.now
            )
        )
    else:
        change.at.execute(
            update(project_members)
            .where(and_(project_members.c.project_id == change.project_id, project_members.c.user_id == user_id))
            .values(role=role)
        )
    change.event(change.project_id, "member_added", note=f"{user_id} {role}")
    change.work.after.append(change.work.hub.permissions.forget)


def remove_member(work: UnitOfWork, project_id: str, user_id: str) -> None:
    """Remove a person's role; the last owner stays one."""
    change = Change(work, project_id, "manage project")
    _check_other_owner(change, user_id)
    gone = work.at.execute(
        delete(project_members).where(
            and_(project_members.c.project_id == project_id, project_members.c.user_id == user_id)
        )
    ).rowcount
    if not gone:
        raise NotFound("This person is not a member of the project")
    change.event(change.project_id, "member_removed", note=user_id)
    permission_changes.changed(work.at)
    work.after.append(work.hub.permissions.forget)


def _check_other_owner(change: Change, user_id: str) -> None:
    owners = list(
        change.at.execute(
            select(project_members.c.user_id).where(
                and_(project_members.c.project_id == change.project_id, project_members.c.role == "owner")
            )
        ).scalars()
    )
    if owners == [user_id]:
        raise Conflict("A project needs an owner", why="this is the last one", todo="make somebody else an owner first")


def find_user(work: UnitOfWork, body: JsonObject, project: Project) -> str:
    """The person of a project or its organization whom a request names by `userId` or `email`; NotFound."""
    user_id, email = body.get("userId"), body.get("email")
    if isinstance(user_id, str) and "\0" not in user_id:
        where = users.c.id == user_id
    elif isinstance(email, str) and "\0" not in email:
        where = func.lower(users.c.email) == email.strip().lower()
    else:
        raise InvalidValue("userId", "The person is missing", todo="name one by userId or email")
    here = or_(
        users.c.id.in_(
            select(organization_members.c.user_id).where(
                organization_members.c.organization_id == project.organization_id
            )
        ),
        users.c.id.in_(select(project_members.c.user_id).where(project_members.c.project_id == project.id)),
    )
    found = work.at.execute(select(users.c.id).where(and_(where, here, users.c.status == "active"))).scalar()
    if found is None:
        raise NotFound(
            "The organization of this project has no such person",
            why="only its members are given a role; others agree first",
            todo="`solo-unicorn organization invite EMAIL` invites them; or they ask for access to a public project",
        )
    return str(found)


def page(found: list[tuple[str, str]], limit: int) -> Shown:
    """A page of (id, text) rows, of which one more than `limit` was read."""
    rows, more = found[:limit], len(found) > limit
    body = b'{"items":[' + ",".join(doc for _, doc in rows).encode() + b'],"nextAfter":'
    return Shown(body + orjson.dumps(rows[-1][0] if more else None) + b"}")


def stored(doc: str) -> Project:
    """The project in a stored text."""
    return from_wire(Project, orjson.loads(doc))
