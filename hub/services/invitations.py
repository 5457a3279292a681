"""Invitations into an organization: offered by its administrators, accepted or declined by who they are for.

Nothing changes before somebody accepts: nobody is made a member, and no account is made. Both sides see what became
of it: the organization in its list, the invited in theirs. The link's token is kept by its SHA-256 alone.
"""

from __future__ import annotations

import re
import secrets
from datetime import UTC, datetime
from typing import Any, Final

import orjson
from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Float,
    Index,
    Row,
    Select,
    String,
    Table,
    and_,
    insert,
    or_,
    select,
    update,
)

from ...missions.entities import JsonObject
from ...missions.errors import Conflict, InvalidValue
from ...missions.ids import new_ulid
from .. import permission_changes
from ..errors import HubError
from ..identity import digest
from ..permissions import ORGANIZATION_ROLES, missing
from ..storage.tables import metadata, organization_members, organizations, users
from ..unit_of_work import Shown, UnitOfWork

GOOD_SECONDS: Final = 14 * 86_400
TOLD_SECONDS: Final = 30 * 86_400
"""How long the organization sees what became of an invitation."""
OPEN_MAX: Final = 1_000
"""Of one organization."""
EMAIL: Final = re.compile(r"[^@\s\x00]+@[^@\s\x00]+")

invitations = Table(
    "invitations",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("organization_id", String(64), nullable=False),
    Column("email", String(320), nullable=False),
    Column("role", String(16), nullable=False),
    Column("digest", String(64), nullable=False, unique=True),
    Column("state", String(16), nullable=False),
    Column("invited_by", String(64)),
    Column("at", Float, nullable=False),
    Column("expires_at", Float, nullable=False),
    Column("decided_at", Float),
    Column("decided_by", String(64)),
    Index("invitations_email", "email", "state"),
    Index("invitations_organization", "organization_id", "state"),
)
"""`state`: open, accepted, declined, withdrawn."""


def offer(work: UnitOfWork, organization_id: str, body: JsonObject, base_url: str) -> Shown:
    """An invitation by e-mail address with its link, said this once; an open one for the address is replaced."""
    role, email = body.get("role", "member"), body.get("email")
    work.require_organization(organization_id, "own organization" if role == "owner" else "manage organization")
    if role not in ORGANIZATION_ROLES:
        raise InvalidValue(
            "role", f"{str(role)[:40]!r} is not a valid role", todo=f"use one of {', '.join(ORGANIZATION_ROLES)}"
        )
    address = email.strip().lower() if isinstance(email, str) else ""
    if len(address) > 320 or not EMAIL.fullmatch(address):
        raise InvalidValue("email", f"{str(email)[:80]!r} is not an e-mail address")
    here = and_(invitations.c.organization_id == organization_id, invitations.c.state == "open")
    work.at.execute(update(invitations).where(here, invitations.c.email == address).values(state="withdrawn"))
    if len(work.at.execute(select(invitations.c.id).where(here)).all()) >= OPEN_MAX:
        raise Conflict("The organization has reached its limit of open invitations", todo="withdraw some first")
    token = secrets.token_urlsafe(32)
    row = {
        "id": new_ulid(),
        "organization_id": organization_id,
        "email": address,
        "role": role,
        "digest": digest(token),
        "state": "open",
        "invited_by": work.caller.user_id,
        "at": work.now,
        "expires_at": work.now + GOOD_SECONDS,
    }
    work.at.execute(insert(invitations).values(row))
    found = _shown(_row(work.at, str(row["id"])), work.now)
    return Shown(orjson.dumps({**found, "link": f"{base_url}/invitations/{token}"}))


def of_organization(work: UnitOfWork, organization_id: str) -> Shown:
    """Open ones, and what became of the others in the last month; for administrators."""
    work.require_organization(organization_id, "manage organization")
    recent = or_(invitations.c.state == "open", invitations.c.decided_at > work.now - TOLD_SECONDS)
    return _page(work, invitations.c.organization_id == organization_id, recent)


def mine(work: UnitOfWork) -> Shown:
    """Those for the caller's address that wait for an answer."""
    return _page(work, invitations.c.email == work.caller.email.lower(), invitations.c.state == "open", _good(work.now))


def withdraw(work: UnitOfWork, organization_id: str, invitation_id: str) -> None:
    """The link opens nothing from now on."""
    work.require_organization(organization_id, "manage organization")
    gone = work.at.execute(
        update(invitations)
        .where(
            invitations.c.id == invitation_id,
            invitations.c.organization_id == organization_id,
            invitations.c.state == "open",
        )
        .values(state="withdrawn", decided_at=work.now, decided_by=work.caller.user_id)
    ).rowcount
    if not gone:
        raise missing("invitation", invitation_id)


def answer(work: UnitOfWork, invitation_id: str, *, accepted: bool) -> Shown:
    """Accept or decline one for the caller's own address."""
    row = _row(work.at, invitation_id)
    if row is None or row.email != work.caller.email.lower() or work.caller.user_id is None:
        raise missing("invitation", invitation_id)
    decide(work.at, row, work.caller.user_id, accepted=accepted, now=work.now)
    work.after.append(work.hub.permissions.forget)
    return Shown(orjson.dumps(_shown(_row(work.at, invitation_id), work.now)))


def behind(at: Connection, token: str, now: float) -> Row[Any] | None:
    """The invitation of a link; None when it opens nothing (any more)."""
    wanted = _joined().where(invitations.c.digest == digest(token), invitations.c.state == "open", _good(now))
    return at.execute(wanted).one_or_none()


def decide(at: Connection, row: Row[Any], user_id: str, *, accepted: bool, now: float) -> None:
    """The answer, once, while whoever invites may; a role that the person has already is never made less."""
    taken = at.execute(
        update(invitations)
        .where(invitations.c.id == row.id, invitations.c.state == "open", _good(now))
        .values(state="accepted" if accepted else "declined", decided_at=now, decided_by=user_id)
    ).rowcount
    if not taken:
        found = _row(at, row.id)
        why = _state(found, now) if found is not None else "gone"
        why = f"it is {why}" if why != "open" else "whoever offered it may not invite any more"
        raise HubError("conflict", "The invitation is no longer open", why=why, todo="ask for a new one")
    if not accepted:
        return
    place = and_(
        organization_members.c.organization_id == row.organization_id, organization_members.c.user_id == user_id
    )
    before = at.execute(select(organization_members.c.role).where(place)).scalar()
    if before is None:
        values = {"organization_id": row.organization_id, "user_id": user_id, "role": row.role, "added_at": now}
        at.execute(insert(organization_members).values(values))
    elif ORGANIZATION_ROLES.index(before) < ORGANIZATION_ROLES.index(row.role):
        at.execute(update(organization_members).where(place).values(role=row.role))
    permission_changes.changed(at)


def _good(now: float) -> ColumnElement[bool]:
    return and_(
        invitations.c.expires_at > now,
        invitations.c.organization_id.in_(select(organizations.c.id).where(organizations.c.deleted.is_(False))),
        or_(invitations.c.invited_by.is_(None), _inviter_may()),
    )


def _inviter_may() -> ColumnElement[bool]:
    """Whoever was removed, suspended or made less since leaves no door open."""
    member = organization_members.c
    return (
        select(member.user_id)
        .join(users, users.c.id == member.user_id)
        .where(
            member.organization_id == invitations.c.organization_id,
            member.user_id == invitations.c.invited_by,
            users.c.status == "active",
            or_(member.role == "owner", and_(member.role == "admin", invitations.c.role != "owner")),
        )
        .correlate(invitations)
        .exists()
    )


def _joined() -> Select[Any]:
    inviter = users.alias("inviter")
    return (
        select(invitations, organizations.c.doc, inviter.c.email.label("inviter"))
        .join(organizations, organizations.c.id == invitations.c.organization_id)
        .outerjoin(inviter, inviter.c.id == invitations.c.invited_by)
    )


def _row(at: Connection, invitation_id: str) -> Row[Any] | None:
    return at.execute(_joined().where(invitations.c.id == invitation_id)).one_or_none()


def _page(work: UnitOfWork, *where: Any) -> Shown:
    rows = work.at.execute(_joined().where(*where).order_by(invitations.c.id)).all()
    return Shown(orjson.dumps({"items": [_shown(row, work.now) for row in rows], "nextAfter": None}))


def _state(row: Any, now: float) -> str:
    return "expired" if row.state == "open" and row.expires_at <= now else str(row.state)


def _shown(row: Any, now: float) -> JsonObject:
    return {
        "id": row.id,
        "organizationId": row.organization_id,
        "organization": orjson.loads(row.doc)["name"],
        "email": row.email,
        "role": row.role,
        "state": _state(row, now),
        "invitedBy": row.inviter,
        "createdAt": _time(row.at),
        "expiresAt": _time(row.expires_at),
    }


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()[:-6] + "Z"
