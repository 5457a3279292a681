"""Who calls: tokens in, a `Caller` out. Personal access tokens and organization keys are known here.

Other kinds of credentials (an issuer's JWTs, session cookies) join as further verifiers: `identity.verifiers.append`.
Only the SHA-256 of a token is stored. A hub that has its database to itself remembers what it found for `REMEMBERED`
seconds and forgets it with each revocation; one that shares it looks each time, so that all refuse a token at once.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Literal

from sqlalchemy import Connection, select, update
from starlette.requests import HTTPConnection

from ..missions.errors import SignedOut
from .storage.database import Database
from .storage.tables import organizations, tokens, users

Scope = Literal["read", "write", "run", "admin"]
SCOPES: Final[tuple[Scope, ...]] = ("read", "write", "run", "admin")
"""read: see; write: change missions and memory; run: claim and work on them; admin: settings, members, tokens."""
Kind = Literal["anonymous", "personal", "organization", "oauth", "session"]
PREFIXES: Final[dict[str, str]] = {"personal": "pat_", "organization": "org_key_"}
REMEMBERED: Final = 4.0
"""Seconds for which a verified token is believed without asking the database."""
USED_EVERY: Final = 60.0


@dataclass(frozen=True, slots=True)
class Caller:
    """One identity behind a request. Roles in organizations and projects are looked up by `permissions`."""

    kind: Kind
    user_id: str | None = None
    email: str = ""
    organization_id: str | None = None
    """Set for an organization key alone: it acts as an administrator of that organization."""
    scopes: frozenset[str] = frozenset()
    token_id: str | None = None
    expires_at: float | None = None
    """Seconds since the epoch; None: not by itself."""

    @property
    def name(self) -> str:
        """Stable and unique: owner of idempotency keys, key of rate limits, author of events."""
        if self.user_id:
            return f"user:{self.user_id}"
        return f"organization:{self.organization_id}" if self.organization_id else "anonymous"


ANONYMOUS: Final = Caller("anonymous", scopes=frozenset({"read"}))

Verifier = Callable[[str], Awaitable[Caller | None]]
"""From a bearer token to its caller; None for a token of another kind. SignedOut when it is one of ours but no good."""
Reader = Callable[[HTTPConnection], Awaitable[Caller | None]]
"""From a request without an Authorization header (a cookie) to its caller."""


class Identity:
    """The chain of verifiers of one hub process."""

    def __init__(self, database: Database, now: Callable[[], float] = time.time, *, remember: float = 0.0) -> None:
        self._database = database
        self._remember = remember
        self._now = now
        self._known: dict[str, tuple[float, Caller]] = {}
        self.verifiers: list[Verifier] = [self._by_token]
        self.readers: list[Reader] = []
        self.forgetting: list[Callable[[], None]] = []
        """What else remembers who somebody is."""

    async def caller(self, request: HTTPConnection) -> Caller:
        """Who makes this request; ANONYMOUS without credentials, SignedOut for credentials that are no good."""
        header = request.headers.get("authorization")
        if header is None:
            for reader in self.readers:
                if (found := await reader(request)) is not None:
                    return found
            return ANONYMOUS
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise SignedOut("The Authorization header cannot be read", todo="send `Authorization: Bearer TOKEN`")
        return await self.verify(token.strip())

    async def verify(self, token: str) -> Caller:
        """Whose token it is; SignedOut when it is nobody's, expired or revoked."""
        mark = digest(token)
        now = self._now()
        known = self._known.get(mark)
        if known is not None and known[0] > now:
            return known[1]
        for verifier in self.verifiers:
            found = await verifier(token)
            if found is not None:
                if len(self._known) > 20_000:
                    self._known.clear()
                if self._remember:
                    until = now + self._remember
                    self._known[mark] = (min(until, found.expires_at or until), found)
                return found
        raise SignedOut("The token is not valid", why="it is unknown, expired or revoked", todo="sign in again")

    def forget(self) -> None:
        """Believe nothing any more: after a token was revoked or a person suspended."""
        self._known.clear()
        for forget in self.forgetting:
            forget()

    async def _by_token(self, token: str) -> Caller | None:
        if not token.startswith(tuple(PREFIXES.values())):
            return None
        mark, now = digest(token), self._now()
        found = await self._database.read(lambda at: find_token(at, mark, now))
        if found is None:
            return None
        used, caller = found
        if used is None or now - used > USED_EVERY:
            await self._database.write(
                lambda at: at.execute(update(tokens).where(tokens.c.id == caller.token_id).values(last_used_at=now))
            )
        return caller


async def caller(request: HTTPConnection) -> Caller:
    """Who makes this request, by the identity of its application."""
    found: Caller = await request.app.state.hub.identity.caller(request)
    return found


def digest(token: str) -> str:
    """SHA-256 of a token, all that is ever stored of it."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def new_token(kind: str) -> str:
    """A fresh token of a kind: `pat_…` or `org_key_…`, 32 random bytes."""
    return PREFIXES[kind] + secrets.token_urlsafe(32)


def find_token(at: Connection, mark: str, now: float) -> tuple[float | None, Caller] | None:
    """When a token was used last and whose it is; None when it is unknown, expired, revoked, or its owner is gone."""
    row = at.execute(
        select(tokens, users.c.email, users.c.status, organizations.c.deleted)
        .select_from(
            tokens.outerjoin(users, users.c.id == tokens.c.user_id).outerjoin(
                organizations, organizations.c.id == tokens.c.organization_id
            )
        )
        .where(tokens.c.digest == mark)
    ).one_or_none()
    if row is None or row.revoked_at is not None or (row.expires_at is not None and row.expires_at <= now):
        return None
    if row.kind == "personal" and row.status != "active":
        return None
    if row.kind == "organization" and row.deleted is not False and row.deleted != 0:
        return None
    return row.last_used_at, Caller(
        kind="personal" if row.kind == "personal" else "organization",
        user_id=row.user_id,
        email=row.email or "",
        organization_id=row.organization_id if row.kind == "organization" else None,
        scopes=frozenset(row.scopes.split()),
        token_id=row.id,
        expires_at=row.expires_at,
    )
