"""Tokens that are JWTs: how they are checked, and those of the built-in issuer (those of one elsewhere: outside.py).

Only asymmetric signatures; issuer, audience and times are checked.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Final

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from sqlalchemy import Connection, select

from ..storage.database import Database
from .accounts import Accounts
from .keys import ALGORITHM, Keys
from .tables import families

ALGORITHMS: Final = ["ES256", "ES384", "RS256", "PS256", "EdDSA"]
LONGEST: Final = 8192
SKEW_SECONDS: Final = 60
LIVENESS_SECONDS: Final = 4.0
"""How long a process may go on taking the tokens of a sign-in that was revoked in another."""


@dataclass(frozen=True, slots=True)
class TokenIdentity:
    """Whom a token stands for."""

    user_id: str
    email: str
    scopes: frozenset[str]
    """As the issuer gave them; clients.rights says what they open."""
    expires_at: float
    client_id: str = ""


class OwnTokens:
    """Tokens of the built-in issuer."""

    def __init__(self, database: Database, issuer: str, keys: Keys, accounts: Accounts) -> None:
        self._database, self._issuer, self._keys, self._accounts = database, issuer, keys, accounts
        self._checked: dict[str, tuple[float, TokenIdentity]] = {}

    async def identify(self, token: str) -> TokenIdentity | None:
        """None for a token that is not ours, has ended, or whose sign-in was revoked."""
        found = self._checked.get(token)
        if found and found[0] > time.monotonic() and found[1].expires_at > time.time():
            return found[1]
        self._checked.pop(token, None)
        if len(token) > LONGEST:
            return None
        identity = await self._database.read(lambda connection: self._identify(connection, token))
        if identity is not None:
            if len(self._checked) > 10_000:
                self._checked.clear()
            self._checked[token] = (time.monotonic() + LIVENESS_SECONDS, identity)
        return identity

    def clear(self) -> None:
        """Something was revoked here: look afresh."""
        self._checked.clear()

    def _identify(self, connection: Connection, token: str) -> TokenIdentity | None:
        claims = own_claims(connection, self._keys, self._issuer, token)
        if claims is None:
            return None
        alive = select(families.c.id).where(families.c.id == claims["sid"], families.c.revoked_at.is_(None))
        account = self._accounts.by_id(connection, claims["sub"])
        if account is None or connection.execute(alive).first() is None:
            return None
        scopes = frozenset(str(claims["scope"]).split())
        return TokenIdentity(account.id, account.email, scopes, float(claims["exp"]), claims["client_id"])


def own_claims(connection: Connection, keys: Keys, issuer: str, token: str) -> dict[str, Any] | None:
    """The claims of an access token that we signed and that has not ended."""
    header = header_of(token)
    if header is None or header.get("typ") != "at+jwt" or header.get("alg") != ALGORITHM:
        return None
    claims = checked(token, keys.verifying(connection, header.get("kid")), issuer, issuer, [ALGORITHM])
    needed = ("sub", "sid", "client_id", "scope")
    return claims if claims is not None and all(isinstance(claims.get(name), str) for name in needed) else None


def header_of(token: str) -> dict[str, Any] | None:
    """The header of what may be a JWT, unchecked."""
    if token.count(".") != 2:
        return None
    try:
        return dict(jws.extract_compact(token.encode("ascii", "strict")).protected)
    except (JoseError, ValueError):
        return None


def checked(
    token: str, keys: KeySet, issuer: str, audience: str | list[str], algorithms: list[str]
) -> dict[str, Any] | None:
    """The claims, if signature, issuer, audience and times are right."""
    now = int(time.time())
    registry = jwt.JWTClaimsRegistry(
        now=now,
        leeway=SKEW_SECONDS,
        iss={"essential": True, "values": [issuer, issuer + "/"]},
        aud={"essential": True, "values": [audience] if isinstance(audience, str) else audience},
        sub={"essential": True},
        exp={"essential": True},
    )
    try:
        claims = dict(jwt.decode(token, keys, algorithms=algorithms).claims)
        registry.validate(claims)
    except (JoseError, ValueError, TypeError):
        return None
    return claims if float(claims["exp"]) > now - SKEW_SECONDS else None
