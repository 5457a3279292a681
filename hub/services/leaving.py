"""People sign out everywhere: after a new password, when they are suspended, when they leave the hub.

Everything that lets somebody in is ended in one transaction, and every process hears of it (permission_changes.py).
"""

from __future__ import annotations

import time

import orjson
from sqlalchemy import Connection, and_, delete, func, or_, select, update

from ...missions.entities import JsonObject
from ...missions.errors import Conflict, NotFound
from .. import permission_changes
from ..signin.tables import codes, devices, families, passwords, web_sessions
from ..storage.tables import access_requests, organization_members, organizations, project_members, stars, tokens, users
from ..storage.tables import projects as boards


def sign_out_everywhere(at: Connection, user_id: str, reason: str) -> None:
    """End every token, browser session and code of a person; sockets follow within seconds in every process."""
    now = time.time()
    at.execute(
        update(families)
        .where(families.c.user_id == user_id, families.c.revoked_at.is_(None))
        .values(revoked_at=now, reason=reason)
    )
    at.execute(
        update(tokens)
        .where(tokens.c.kind == "personal", tokens.c.user_id == user_id, tokens.c.revoked_at.is_(None))
        .values(revoked_at=now)
    )
    for table in (web_sessions, codes, devices):
        at.execute(delete(table).where(table.c.user_id == user_id))
    permission_changes.changed(at)


def suspend(at: Connection, email: str) -> str:
    """Nobody gets in with this account until it is resumed; the person's id."""
    user_id = person(at, email)
    _stand(at, user_id, "suspended")
    sign_out_everywhere(at, user_id, "suspended")
    return user_id


def resume(at: Connection, email: str) -> str:
    """The person may sign in again; what was ended stays ended. Their id."""
    user_id = person(at, email)
    _stand(at, user_id, "active")
    return user_id


def remove(at: Connection, email: str, heir: str | None = None) -> str:
    """Take a person off the hub: address, name, password and roles go, what they wrote stays. Their id.

    Organizations and projects of which they are the last owner are given to `heir`, an address; Conflict without one.
    """
    user_id = person(at, email)
    to = person(at, heir, active=True) if heir else None
    _hand_over(at, user_id, to)
    sign_out_everywhere(at, user_id, "deleted")
    for table in (organization_members, project_members, stars, access_requests):
        at.execute(delete(table).where(table.c.user_id == user_id))
    at.execute(delete(passwords).where(passwords.c.user_id == user_id))
    doc: JsonObject = orjson.loads(at.execute(select(users.c.doc).where(users.c.id == user_id)).scalar_one())
    address = f"{user_id.lower()}@removed.invalid"
    kept = {name: doc[name] for name in ("id", "createdAt", "updatedAt", "lastActiveAt") if name in doc}
    left = orjson.dumps({**kept, "email": address, "emailVerified": False, "status": "deleted"}).decode()
    at.execute(
        update(users)
        .where(users.c.id == user_id)
        .values(email=address, status="deleted", doc=left, provider=None, subject=None)
    )
    return user_id


def person(at: Connection, email: str, *, active: bool = False) -> str:
    """The id of the person with this address; NotFound."""
    found = at.execute(select(users.c.id, users.c.status).where(users.c.email == email.strip().lower())).one_or_none()
    if found is None or (active and found.status != "active"):
        raise NotFound(
            f"Nobody{' active' if active else ''} on the hub has the address {email}",
            todo="`solo-unicorn hub user list` lists everybody",
        )
    return str(found.id)


def listed(at: Connection) -> list[JsonObject]:
    """Everybody who was not removed, by address: state, organizations, when they were there last."""
    seen = (
        select(func.max(web_sessions.c.used_at)).where(web_sessions.c.user_id == users.c.id).scalar_subquery(),
        select(func.max(tokens.c.last_used_at)).where(tokens.c.user_id == users.c.id).scalar_subquery(),
    )
    belongs: dict[str, list[str]] = {}
    rows = at.execute(
        select(organization_members.c.user_id, organizations.c.slug, organization_members.c.role)
        .join(organizations, organizations.c.id == organization_members.c.organization_id)
        .where(organizations.c.deleted.is_(False))
        .order_by(organizations.c.slug)
    )
    for row in rows:
        belongs.setdefault(row.user_id, []).append(f"{row.slug} ({row.role})")
    people = at.execute(
        select(users.c.id, users.c.email, users.c.status, users.c.doc, *seen)
        .where(users.c.status != "deleted")
        .order_by(users.c.email)
    ).all()
    return [
        {
            "id": row.id,
            "email": row.email,
            "name": orjson.loads(row.doc).get("name"),
            "state": row.status,
            "organizations": [*belongs.get(row.id, [])],
            "lastSeen": max((moment for moment in row[4:] if moment is not None), default=None),
        }
        for row in people
    ]


def _stand(at: Connection, user_id: str, status: str) -> None:
    doc: JsonObject = orjson.loads(at.execute(select(users.c.doc).where(users.c.id == user_id)).scalar_one())
    doc["status"] = status
    at.execute(update(users).where(users.c.id == user_id).values(status=status, doc=orjson.dumps(doc).decode()))


def _hand_over(at: Connection, user_id: str, heir: str | None) -> None:
    """Give the heir what would have no owner; Conflict that names it when there is no heir."""
    for members, column, things in (
        (organization_members, organization_members.c.organization_id, organizations),
        (project_members, project_members.c.project_id, boards),
    ):
        owners = select(column).where(members.c.role == "owner", members.c.user_id != user_id)
        lone = and_(members.c.user_id == user_id, members.c.role == "owner", column.not_in(owners))
        if members is organization_members:
            lone = and_(lone, column.not_in(select(organizations.c.id).where(organizations.c.deleted.is_(True))))
        ids = list(at.execute(select(column).where(lone).order_by(column)).scalars())
        if not ids:
            continue
        if heir is None or heir == user_id:
            names = at.execute(select(things.c.slug).where(things.c.id.in_(ids)).order_by(things.c.slug)).scalars()
            raise Conflict(
                f"They are the last owner of {', '.join(names)}",
                why="organizations and projects need an owner",
                todo="name one with --to EMAIL",
            )
        at.execute(delete(members).where(or_(*(column == one for one in ids)), members.c.user_id == heir))
        at.execute(update(members).where(lone).values(user_id=heir))
