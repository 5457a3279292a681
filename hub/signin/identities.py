"""Who an identity of an issuer elsewhere is on this hub: by issuer and subject, kept in the person's `monsterAuth`.

An e-mail address is a hint: it links an identity to an account that is there only when the issuer says that it has
verified the address and the operator allowed that.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import orjson
from sqlalchemy import Connection, Row, select, update

from ...missions.entities import JsonObject
from ...missions.errors import Conflict, SignedOut
from ..services.people import add_organization, user_for
from ..storage.tables import users
from .accounts import IssuerAccount


@dataclass(frozen=True, slots=True)
class Rules:
    """What the operator allows."""

    issuer: str
    link_email: bool
    sign_up: bool


def known(at: Connection, provider: str, subject: str) -> IssuerAccount | None:
    """The person of an identity; None when there is none. SignedOut when the account is not active."""
    place = (users.c.provider == provider, users.c.subject == subject)
    row = at.execute(select(users).where(*place)).one_or_none()
    return _active(row) if row else None


def person(at: Connection, rules: Rules, claims: dict[str, Any], now: float) -> IssuerAccount:
    """The person of checked claims, linked or made where the rules allow that; SignedOut says why not."""
    subject = str(claims["sub"])
    email = str(claims.get("email") or "").strip().lower() if claims.get("email_verified") is True else ""
    there = at.execute(select(users).where(users.c.email == email)).one_or_none() if email else None
    account = known(at, rules.issuer, subject)
    if account is not None:
        if account.email.endswith(".invalid") and email and there is None:
            return _with_address(at, account, email)
        return account
    link = f"ask the hub's operator for `solo-unicorn hub link EMAIL {subject}`"
    if there is not None:
        if there.provider is not None or not rules.link_email:
            raise SignedOut(
                f"The address {email} belongs to an account that is not linked to your sign-in",
                why=f"{rules.issuer} calls you {subject}",
                todo=link,
            )
        _active(there)
        return join(at, str(there.id), rules.issuer, claims)
    if not rules.sign_up:
        raise SignedOut("You have no account on this hub", why=f"{rules.issuer} calls you {subject}", todo=link)
    name = str(claims.get("name") or claims.get("preferred_username") or "")[:200] or None
    if name is not None and not name.isprintable():
        name = None
    user_id = user_for(at, email or _placeholder(rules.issuer, subject), now, name=name, verified=bool(email))
    called = name or email.partition("@")[0]
    add_organization(at, name=f"{called[:180]}'s team" if called else "My team", owner_id=user_id, now=now)
    return join(at, user_id, rules.issuer, claims)


def join(at: Connection, user_id: str, provider: str, claims: dict[str, Any]) -> IssuerAccount:
    """Link an identity to a person; Conflict when it is linked to another one."""
    subject = str(claims["sub"])
    place = (users.c.provider == provider, users.c.subject == subject, users.c.id != user_id)
    other = at.execute(select(users.c.email).where(*place)).scalar()
    if other is not None:
        raise Conflict(f"{subject} is already linked to {other}", todo="choose another subject")
    doc: JsonObject = orjson.loads(at.execute(select(users.c.doc).where(users.c.id == user_id)).scalar_one())
    kept: JsonObject = {key: claims[key] for key in ("sub", "email", "email_verified", "name") if key in claims}
    doc["monsterAuth"] = {"provider": provider, "monsterAuthEntity": kept}
    values = {"provider": provider, "subject": subject, "doc": orjson.dumps(doc).decode()}
    at.execute(update(users).where(users.c.id == user_id).values(values))
    return _active(at.execute(select(users).where(users.c.id == user_id)).one())


def _with_address(at: Connection, account: IssuerAccount, email: str) -> IssuerAccount:
    """Whose address was not known before."""
    doc: JsonObject = orjson.loads(at.execute(select(users.c.doc).where(users.c.id == account.id)).scalar_one())
    doc |= {"email": email, "emailVerified": True}
    values = {"email": email, "doc": orjson.dumps(doc).decode()}
    at.execute(update(users).where(users.c.id == account.id).values(values))
    return IssuerAccount(account.id, email, account.name, True)


def _active(row: Row[Any]) -> IssuerAccount:
    if row.status != "active":
        raise SignedOut("This account is not active", why=f"it is {row.status}", todo="ask the hub's operator")
    doc = orjson.loads(row.doc)
    return IssuerAccount(row.id, row.email, doc.get("name"), bool(doc.get("emailVerified")))


def _placeholder(issuer: str, subject: str) -> str:
    """An address for who has none that is verified; no mail ever goes to `.invalid` (RFC 2606)."""
    mark = hashlib.sha256(f"{issuer} {subject}".encode()).hexdigest()[:16]
    return f"{mark}@{urlsplit(issuer).hostname}.invalid"
