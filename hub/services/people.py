"""Users, organizations and their members; tokens."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime

import orjson
from sqlalchemy import Connection, and_, delete, func, insert, select, update

from ...missions.entities import JsonObject, Organization, User
from ...missions.errors import AlreadyExists, Conflict, InvalidValue, NotFound
from ...missions.ids import new_ulid
from ...missions.wire import from_wire, to_wire
from .. import permission_changes
from ..change import new_id
from ..errors import HubError
from ..identity import SCOPES, digest, new_token
from ..permissions import ORGANIZATION_ROLES, missing
from ..storage.tables import organization_members, organizations, tokens, users
from ..unit_of_work import Check, Shown, UnitOfWork
from .checks import merged, name_of, slug_of

SECRET = frozenset({"apiKey", "apiKeyCreatedAt", "apiKeyExpiresAt", "deletedAt"})
SETTABLE = frozenset({"name", "slug", "domain", "defaultFlowId", "autoInviteToProjects"})
FIXED = frozenset({"id", "ownerEmail", "createdAt", "updatedAt", "version"})
_EMAIL = re.compile(r"[^@\s\x00]+@[^@\s\x00]+")
TOKEN_DAYS = 365


# ---- users -------------------------------------------------------------------------------------------------------


def user_for(at: Connection, email: str, now: float, *, name: str | None = None, verified: bool = False) -> str:
    """The id of the active person with this e-mail address, made when there is none; Conflict when suspended."""
    address = email.strip().lower()
    if len(address) > 320 or not _EMAIL.fullmatch(address):
        raise InvalidValue("email", f"{email[:80]!r} is not an e-mail address")
    row = at.execute(select(users.c.id, users.c.status).where(users.c.email == address)).one_or_none()
    if row is not None:
        if row.status != "active":
            raise Conflict("This account is not active", why=f"it is {row.status}", todo="ask the hub's operator")
        return str(row.id)
    moment = datetime.fromtimestamp(now, UTC)
    user = User(new_ulid(), address, moment, moment, moment, name=name, email_verified=verified)
    at.execute(
        insert(users).values(id=user.id, email=address, status="active", doc=orjson.dumps(to_wire(user)).decode())
    )
    return user.id


def user_json(at: Connection, user_id: str) -> JsonObject:
    """A person as they see themselves."""
    doc = at.execute(select(users.c.doc).where(users.c.id == user_id)).scalar()
    if doc is None:
        raise missing("user", user_id)
    found: JsonObject = orjson.loads(doc)
    found.pop("monsterAuth", None)
    return found


def whoami(work: UnitOfWork) -> Shown:
    """The caller, with the organizations it belongs to and its roles there."""
    caller = work.caller
    belongs = (
        organization_members.c.user_id == caller.user_id
        if caller.user_id is not None
        else organizations.c.id == caller.organization_id
    )
    query = select(organizations.c.doc, organization_members.c.role).where(
        and_(belongs, organizations.c.deleted.is_(False))
    )
    joined = organization_members.c.organization_id == organizations.c.id
    if caller.user_id is not None:
        query = query.join(organization_members, joined)
    else:
        query = select(organizations.c.doc, organizations.c.slug.label("role")).where(belongs)
    found = [
        {**orjson.loads(row.doc), "role": row.role if caller.user_id is not None else "admin"}
        for row in work.at.execute(query)
    ]
    told = {
        "user": user_json(work.at, caller.user_id) if caller.user_id else None,
        "organizations": found,
        "kind": caller.kind,
        "scopes": sorted(caller.scopes),
        "expiresAt": None if caller.expires_at is None else _time(caller.expires_at),
    }
    return Shown(orjson.dumps(told))


# ---- organizations -----------------------------------------------------------------------------------------------


def add_organization(
    at: Connection, *, name: str, owner_id: str, now: float, slug: str | None = None, organization_id: str | None = None
) -> Organization:
    """A new organization with its first owner."""
    moment = datetime.fromtimestamp(now, UTC)
    email = at.execute(select(users.c.email).where(users.c.id == owner_id)).scalar_one()
    base = slug_of(slug or name)
    taken = set(
        at.execute(select(organizations.c.slug).where(organizations.c.slug.startswith(base, autoescape=True))).scalars()
    )
    free = next(one for one in (base, *(f"{base}-{n}" for n in range(2, len(taken) + 3))) if one not in taken)
    made = Organization(organization_id or new_ulid(), name_of(name), free, email, moment, moment)
    at.execute(insert(organizations).values(id=made.id, deleted=False, **_columns(made, 1)))
    at.execute(
        insert(organization_members).values(organization_id=made.id, user_id=owner_id, role="owner", added_at=now)
    )
    return made


def create_organization(work: UnitOfWork, body: JsonObject) -> Shown:
    """The caller becomes its owner."""
    if work.caller.user_id is None:
        raise HubError("forbidden", "Only a person can create an organization", todo="sign in")
    wished = body.get("slug")
    if wished is not None and not isinstance(wished, str):
        raise InvalidValue("slug", "slug is not text")
    organization_id = new_id(body.get("id"))
    if work.at.execute(select(organizations.c.id).where(organizations.c.id == organization_id)).scalar() is not None:
        raise AlreadyExists(f"The id {organization_id} is taken", id=organization_id, todo="choose another ULID")
    made = add_organization(
        work.at,
        name=name_of(body.get("name")),
        owner_id=work.caller.user_id,
        now=work.now,
        slug=wished,
        organization_id=organization_id,
    )
    given = {key: value for key, value in body.items() if key in SETTABLE - {"name", "slug"}}
    made = merged(made, given, allowed=SETTABLE)
    work.at.execute(update(organizations).where(organizations.c.id == made.id).values(**_columns(made, 1)))
    work.after.append(work.hub.permissions.forget)
    return Shown(_text(made, 1).encode(), version=1)


def list_organizations(work: UnitOfWork) -> Shown:
    """Those the caller belongs to."""
    if work.caller.user_id is None:
        wanted = organizations.c.id == work.caller.organization_id
    else:
        wanted = organizations.c.id.in_(
            select(organization_members.c.organization_id).where(organization_members.c.user_id == work.caller.user_id)
        )
    docs = work.at.execute(
        select(organizations.c.doc).where(and_(wanted, organizations.c.deleted.is_(False))).order_by(organizations.c.id)
    ).scalars()
    return Shown(b'{"items":[' + ",".join(docs).encode() + b'],"nextAfter":null}')


def get_organization(work: UnitOfWork, organization_id: str) -> Shown:
    """One organization, for its members."""
    work.require_organization(organization_id, "see organization")
    row = work.at.execute(select(organizations).where(organizations.c.id == organization_id)).one()
    return Shown(row.doc.encode(), version=row.version)


def update_organization(work: UnitOfWork, organization_id: str, body: JsonObject, check: Check) -> Shown:
    """Settings changed (JSON merge)."""
    work.require_organization(organization_id, "manage organization")
    row = work.at.execute(select(organizations).where(organizations.c.id == organization_id).with_for_update()).one()
    check(row.version, row.doc)
    before = from_wire(Organization, orjson.loads(row.doc))
    after = merged(before, {k: v for k, v in body.items() if k not in FIXED | SECRET}, allowed=SETTABLE)
    name_of(after.name)
    if after.slug != slug_of(after.slug):
        raise InvalidValue("slug", f"{after.slug[:80]!r} is not a valid slug", todo="use a-z, 0-9 and hyphens")
    taken = work.at.execute(select(organizations.c.id).where(organizations.c.slug == after.slug)).scalar()
    if taken not in (None, organization_id):
        raise HubError("already_exists", f"Another organization has the slug {after.slug!r}")
    after = replace(after, updated_at=datetime.fromtimestamp(work.now, UTC))
    version = row.version + 1
    work.at.execute(
        update(organizations).where(organizations.c.id == organization_id).values(**_columns(after, version))
    )
    work.after.append(work.hub.permissions.forget)
    return Shown(_text(after, version).encode(), version=version)


def delete_organization(work: UnitOfWork, organization_id: str) -> None:
    """Delete it with all its projects; for its owners only."""
    work.require_organization(organization_id, "own organization")
    work.at.execute(update(organizations).where(organizations.c.id == organization_id).values(deleted=True))
    permission_changes.changed(work.at)
    work.after.extend((work.hub.permissions.forget, work.hub.identity.forget))


def organization_people(work: UnitOfWork, organization_id: str) -> Shown:
    """The members with their roles."""
    work.require_organization(organization_id, "see organization")
    rows = work.at.execute(
        select(organization_members.c.user_id, organization_members.c.role, users.c.email, users.c.doc)
        .join(users, users.c.id == organization_members.c.user_id)
        .where(organization_members.c.organization_id == organization_id)
        .order_by(organization_members.c.user_id)
    ).all()
    items = [
        {"userId": row.user_id, "role": row.role, "email": row.email, "name": orjson.loads(row.doc).get("name")}
        for row in rows
    ]
    return Shown(orjson.dumps({"items": items, "nextAfter": None}))


def set_role(work: UnitOfWork, organization_id: str, user_id: str, body: JsonObject) -> Shown:
    """Another role for a member. Only owners make owners, and take that back."""
    role = body.get("role")
    work.require_organization(organization_id, "manage organization")
    if role not in ORGANIZATION_ROLES:
        raise InvalidValue(
            "role", f"{str(role)[:40]!r} is not a valid role", todo=f"use one of {', '.join(ORGANIZATION_ROLES)}"
        )
    before = _role(work.at, organization_id, user_id)
    if before is None:
        raise NotFound("This person is not a member of the organization", todo="invite them")
    if "owner" in (before, role):
        work.require_organization(organization_id, "own organization")
    if before == "owner" and role != "owner":
        _check_other_owner(work.at, organization_id, user_id)
    work.at.execute(update(organization_members).where(_member(organization_id, user_id)).values(role=role))
    permission_changes.changed(work.at)
    work.after.append(work.hub.permissions.forget)
    email = work.at.execute(select(users.c.email).where(users.c.id == user_id)).scalar_one()
    return Shown(orjson.dumps({"userId": user_id, "role": role, "email": email}))


def remove_person(work: UnitOfWork, organization_id: str, user_id: str) -> None:
    """Remove a member. Anybody may leave, except the last owner."""
    mine = work.caller.user_id == user_id
    right = "see organization" if mine else "manage organization"
    work.require_organization(organization_id, right)  # type: ignore[arg-type]
    role = _role(work.at, organization_id, user_id)
    if role is None:
        raise NotFound("This person is not a member of the organization")
    if role == "owner":
        if not mine:
            work.require_organization(organization_id, "own organization")
        _check_other_owner(work.at, organization_id, user_id)
    work.at.execute(delete(organization_members).where(_member(organization_id, user_id)))
    permission_changes.changed(work.at)
    work.after.append(work.hub.permissions.forget)


def _member(organization_id: str, user_id: str):  # type: ignore[no-untyped-def]
    return and_(organization_members.c.organization_id == organization_id, organization_members.c.user_id == user_id)


def _role(at: Connection, organization_id: str, user_id: str) -> str | None:
    role: str | None = at.execute(select(organization_members.c.role).where(_member(organization_id, user_id))).scalar()
    return role


def _check_other_owner(at: Connection, organization_id: str, user_id: str) -> None:
    others = at.execute(
        select(func.count())
        .select_from(organization_members)
        .where(
            and_(
                organization_members.c.organization_id == organization_id,
                organization_members.c.role == "owner",
                organization_members.c.user_id != user_id,
            )
        )
    ).scalar_one()
    if not others:
        raise Conflict(
            "An organization needs an owner", why="this is the last one", todo="make somebody else an owner first"
        )


def _columns(made: Organization, version: int) -> dict[str, object]:
    return {
        "slug": made.slug,
        "auto_invite": made.auto_invite_to_projects,
        "version": version,
        "doc": _text(made, version),
    }


def _text(made: Organization, version: int) -> str:
    doc = {name: value for name, value in to_wire(made).items() if name not in SECRET}
    return orjson.dumps({**doc, "version": version}).decode()


# ---- tokens ------------------------------------------------------------------------------------------------------


def add_token(
    at: Connection,
    *,
    kind: str,
    name: str,
    now: float,
    scopes: list[str],
    days: int | None = TOKEN_DAYS,
    user_id: str | None = None,
    organization_id: str | None = None,
) -> tuple[str, JsonObject]:
    """A new token: its text, which is shown only once, and what is kept of it."""
    wrong = [scope for scope in scopes if scope not in SCOPES]
    if wrong or not scopes:
        raise InvalidValue("scopes", f"{wrong or 'no scope'} cannot be given", todo=f"choose from {', '.join(SCOPES)}")
    text = new_token(kind)
    row = {
        "id": new_ulid(),
        "digest": digest(text),
        "kind": kind,
        "user_id": user_id,
        "organization_id": organization_id,
        "name": name_of(name),
        "scopes": " ".join(sorted(set(scopes))),
        "created_at": now,
        "expires_at": None if days is None else now + days * 86_400,
    }
    at.execute(insert(tokens).values(**row))
    return text, token_json(at.execute(select(tokens).where(tokens.c.id == row["id"])).one())


def token_json(row: object) -> JsonObject:
    """What is told of a token; never its text or digest."""
    from typing import Any, cast

    one = cast("Any", row)
    return {
        "id": one.id,
        "kind": one.kind,
        "name": one.name,
        "scopes": one.scopes.split(),
        "createdAt": _time(one.created_at),
        "expiresAt": None if one.expires_at is None else _time(one.expires_at),
        "lastUsedAt": None if one.last_used_at is None else _time(one.last_used_at),
        "revoked": one.revoked_at is not None,
    }


def list_tokens(work: UnitOfWork, organization_id: str | None) -> Shown:
    """The caller's own tokens, or the keys of an organization."""
    rows = work.at.execute(select(tokens).where(_owned(work, organization_id)).order_by(tokens.c.id)).all()
    return Shown(orjson.dumps({"items": [token_json(row) for row in rows], "nextAfter": None}))


def create_token(work: UnitOfWork, organization_id: str | None, body: JsonObject) -> Shown:
    """A new token; its rights are at most those of the token that asks for it."""
    _owned(work, organization_id)
    scopes, days = body.get("scopes", ["read"]), body.get("expiresInDays", TOKEN_DAYS)
    if not isinstance(scopes, list) or not all(isinstance(scope, str) for scope in scopes):
        raise InvalidValue("scopes", "scopes is not a list")
    if days is not None and (type(days) is not int or not 1 <= days <= 3650):
        raise InvalidValue("expiresInDays", "expiresInDays is 1 to 3650")
    wanted = [str(scope) for scope in scopes]
    if not set(wanted) & set(SCOPES) <= work.caller.scopes:
        raise HubError("insufficient_scope", "A token cannot create one with more scopes than its own")
    text, shown = add_token(
        work.at,
        kind="organization" if organization_id else "personal",
        name=name_of(body.get("name", "token")),
        now=work.now,
        scopes=wanted,
        days=days,
        organization_id=organization_id,
        user_id=None if organization_id else work.caller.user_id,
    )
    return Shown(orjson.dumps({**shown, "token": text}))


def revoke_token(work: UnitOfWork, token_id: str, organization_id: str | None) -> None:
    """At once here, within seconds in other processes."""
    gone = work.at.execute(
        update(tokens)
        .where(and_(tokens.c.id == token_id, _owned(work, organization_id)))
        .values(revoked_at=func.coalesce(tokens.c.revoked_at, work.now))
    ).rowcount
    if not gone:
        raise missing("token", token_id)
    permission_changes.changed(work.at)
    work.after.append(work.hub.identity.forget)


def _owned(work: UnitOfWork, organization_id: str | None):  # type: ignore[no-untyped-def]
    if organization_id is not None:
        work.require_organization(organization_id, "manage organization")
        return and_(tokens.c.kind == "organization", tokens.c.organization_id == organization_id)
    if work.caller.user_id is None:
        raise HubError("forbidden", "Personal tokens belong to a person", todo="sign in")
    return and_(tokens.c.kind == "personal", tokens.c.user_id == work.caller.user_id)


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()[:-6] + "Z"
