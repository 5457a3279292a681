"""What the operator of a hub does with people and their tokens; each leaves a row in the audit log."""

from __future__ import annotations

import asyncio
import time

import orjson
from sqlalchemy import Connection, func, insert, select, update

from ...missions.entities import JsonObject
from ...missions.errors import NotFound, UsageError
from .. import permission_changes
from ..identity import SCOPES
from ..operator import note, settings_of, transaction
from ..services import leaving, people
from ..settings import reachable
from ..storage.tables import organization_members, organizations, tokens, users

Said = dict[str, object]
"""What the command line says of the hub: its database and its directory."""


def add_user(said: Said, email: str, name: str | None, organization: str | None) -> JsonObject:
    """A person; the first of a hub owns its first organisation. Done again, it changes nothing.

    `organization`: made with them as its owner; where there is one of that name, they are a member of it.
    """

    def work(at: Connection) -> JsonObject:
        alone = not at.execute(select(func.count()).select_from(organizations)).scalar_one()
        user_id = people.user_for(at, email, time.time(), name=name, verified=True)
        note(at, "user.add", user_id)
        wished = organization or ("My team" if alone else None)
        joined, role = _joined(at, wished, user_id) if wished else (None, None)
        return {"id": user_id, "email": email.strip().lower(), "organization": joined, "role": role}

    return asyncio.run(transaction(settings_of(said), work))


def _joined(at: Connection, wished: str, user_id: str) -> tuple[str, str]:
    """The name of the organisation of that name or slug, made where there is none, and the person's role in it."""
    found = [
        row
        for row in at.execute(
            select(organizations.c.id, organizations.c.slug, organizations.c.doc).where(~organizations.c.deleted)
        )
        if wished.strip().casefold() in (row.slug, str(orjson.loads(row.doc)["name"]).casefold())
    ]
    roles: dict[str, str] = {
        row.organization_id: row.role
        for row in at.execute(
            select(organization_members.c.organization_id, organization_members.c.role).where(
                organization_members.c.user_id == user_id
            )
        )
    }
    mine = next((one for one in found if one.id in roles), None)
    if mine is not None:
        return orjson.loads(mine.doc)["name"], roles[mine.id]
    if len(found) > 1:
        raise UsageError(
            f"Which organization? {len(found)} are called {wished!r}",
            todo="give its slug: " + ", ".join(sorted(one.slug for one in found)),
        )
    if not found:
        return people.add_organization(at, name=wished, owner_id=user_id, now=time.time()).name, "owner"
    at.execute(
        insert(organization_members).values(
            organization_id=found[0].id, user_id=user_id, role="member", added_at=time.time()
        )
    )
    return orjson.loads(found[0].doc)["name"], "member"


def known(said: Said, email: str) -> None:
    """NotFound for an address of nobody on the hub."""
    asyncio.run(transaction(settings_of(said), lambda at: leaving.person(at, email)))


def set_password(said: Said, email: str, password: str) -> None:
    """What a person signs in with; wherever they were signed in, they are signed out."""
    from ..signin.accounts import hash_password, keep_password

    known(said, email)  # before the password is judged
    hashed = asyncio.run(hash_password(password))

    def work(at: Connection) -> None:
        user_id = leaving.person(at, email)
        note(at, "user.password", user_id)
        keep_password(at, user_id, hashed)
        leaving.sign_out_everywhere(at, user_id, "new password")

    asyncio.run(transaction(settings_of(said), work))


def list_users(said: Said) -> list[JsonObject]:
    """Everybody, with what they belong to."""
    return asyncio.run(transaction(settings_of(said), leaving.listed))


def suspend_user(said: Said, email: str) -> None:
    """Nobody gets in with this account until it is resumed."""

    def work(at: Connection) -> None:
        note(at, "user.suspend", leaving.suspend(at, email))

    asyncio.run(transaction(settings_of(said), work))


def resume_user(said: Said, email: str) -> None:
    """The person may sign in again."""

    def work(at: Connection) -> None:
        note(at, "user.resume", leaving.resume(at, email))

    asyncio.run(transaction(settings_of(said), work))


def remove_user(said: Said, email: str, heir: str | None) -> None:
    """Take a person off the hub; what they alone own goes to `heir`."""

    def work(at: Connection) -> None:
        note(at, "user.remove", leaving.remove(at, email, heir))

    asyncio.run(transaction(settings_of(said), work))


def link(said: Said, email: str, subject: str) -> str:
    """Let a person sign in with what the hub's issuer calls them; the issuer."""
    from ..signin.identities import join
    from ..signin.outside import outside_of

    settings = reachable(settings_of(said))
    outside = outside_of(settings.options, settings.public_url)
    if outside is None:
        raise UsageError("This hub signs people in itself", todo="set SOLO_UNICORN_HUB_ISSUER as for the hub")

    def work(at: Connection) -> None:
        user_id = leaving.person(at, email)
        note(at, "user.link", user_id)
        join(at, user_id, outside.issuer, {"sub": subject})

    asyncio.run(transaction(settings, work))
    return outside.issuer


def create_token(said: Said, email: str, name: str, scopes: list[str] | None, days: int) -> tuple[str, JsonObject]:
    """A personal access token: its text and what is kept of it."""

    def work(at: Connection) -> tuple[str, JsonObject]:
        user_id = leaving.person(at, email, active=True)
        told, shown = people.add_token(
            at, kind="personal", name=name, now=time.time(), scopes=scopes or list(SCOPES), days=days, user_id=user_id
        )
        note(at, "token.create", f"{user_id} {shown['id']}")
        return told, shown

    return asyncio.run(transaction(settings_of(said), work))


def list_tokens(said: Said, email: str | None) -> list[JsonObject]:
    """Personal access tokens and organization keys, of one person or of all, with whose they are."""

    def look(at: Connection) -> list[JsonObject]:
        wanted = (
            select(tokens, users.c.email, organizations.c.slug)
            .outerjoin(users, users.c.id == tokens.c.user_id)
            .outerjoin(organizations, organizations.c.id == tokens.c.organization_id)
            .order_by(tokens.c.id)
        )
        if email is not None:
            wanted = wanted.where(tokens.c.user_id == leaving.person(at, email))
        return [{**people.token_json(row), "owner": row.email or row.slug} for row in at.execute(wanted)]

    return asyncio.run(transaction(settings_of(said), look))


def revoke_token(said: Said, identifier: str) -> None:
    """End a token or key by its id, or by the last letters of it that no other has."""

    def work(at: Connection) -> None:
        wanted = tokens.c.id.endswith(identifier.upper(), autoescape=True)
        found = list(at.execute(select(tokens.c.id).where(wanted)).scalars()) if len(identifier) >= 4 else []
        if len(found) != 1:
            raise NotFound(f"No token has the id {identifier!r}", todo="`solo-unicorn hub token list` names them")
        at.execute(
            update(tokens).where(tokens.c.id == found[0], tokens.c.revoked_at.is_(None)).values(revoked_at=time.time())
        )
        permission_changes.changed(at)
        note(at, "token.revoke", found[0])

    asyncio.run(transaction(settings_of(said), work))
