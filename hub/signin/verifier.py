"""Bearer tokens that are JWTs: of the built-in issuer, or of an OpenID Connect issuer known by its address.

Only asymmetric signatures; issuer, audience and times are checked; an outside identity counts by its verified e-mail.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from sqlalchemy import Connection, select

from ...config.log import logger
from ..database import Database
from .accounts import Accounts
from .clients import LOOPBACK
from .keys import ALGORITHM, Keys
from .tables import families

ALGORITHMS: Final = ["ES256", "ES384", "RS256", "PS256", "EdDSA"]
LONGEST: Final = 8192
SKEW_SECONDS: Final = 60
LIVENESS_SECONDS: Final = 5.0
"""How long a process may go on taking the tokens of a sign-in that was revoked in another."""
JWKS_SECONDS: Final = 600.0
JWKS_AGAIN_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom a token stands for."""

    user_id: str
    email: str
    scopes: frozenset[str]
    expires_at: float
    family: str | None = None


class OwnTokens:
    """Tokens of the built-in issuer."""

    def __init__(self, database: Database, issuer: str, keys: Keys, accounts: Accounts) -> None:
        self._database, self._issuer, self._keys, self._accounts = database, issuer, keys, accounts
        self._checked: dict[str, tuple[float, Identity]] = {}

    async def identify(self, token: str) -> Identity | None:
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

    def _identify(self, connection: Connection, token: str) -> Identity | None:
        claims = own_claims(connection, self._keys, self._issuer, token)
        if claims is None:
            return None
        alive = select(families.c.id).where(families.c.id == claims["sid"], families.c.revoked_at.is_(None))
        account = self._accounts.by_id(connection, claims["sub"])
        if account is None or connection.execute(alive).first() is None:
            return None
        scopes = frozenset(str(claims["scope"]).split())
        return Identity(account.id, account.email, scopes, float(claims["exp"]), claims["sid"])


def own_claims(connection: Connection, keys: Keys, issuer: str, token: str) -> dict[str, Any] | None:
    """The claims of an access token that we signed and that has not ended."""
    header = header_of(token)
    if header is None or header.get("typ") != "at+jwt" or header.get("alg") != ALGORITHM:
        return None
    claims = checked(token, keys.verifying(connection, header.get("kid")), issuer, issuer, [ALGORITHM])
    needed = ("sub", "sid", "client_id", "scope")
    return claims if claims is not None and all(isinstance(claims.get(name), str) for name in needed) else None


class OutsideTokens:
    """Tokens of an issuer elsewhere (Monster Auth or any other), by its address; its keys are fetched and kept."""

    def __init__(
        self, database: Database, issuer: str, audience: str, accounts: Accounts, fetch: Fetch | None = None
    ) -> None:
        self._database, self._accounts = database, accounts
        self._issuer, self._audience = issuer.rstrip("/"), audience
        self._fetch = fetch or fetch_json
        self._keys: KeySet | None = None
        self._fetched_at = float("-inf")
        self._fetching = asyncio.Lock()

    async def identify(self, token: str) -> Identity | None:
        """The person of this hub with the token's verified e-mail address."""
        header = header_of(token) if len(token) <= LONGEST else None
        if header is None or header.get("alg") not in ALGORITHMS:
            return None
        keys = await self._current(header.get("kid"))
        claims = keys and checked(token, keys, self._issuer, self._audience, ALGORITHMS)
        if not claims or claims.get("email_verified") is not True or not isinstance(claims.get("email"), str):
            return None
        email = claims["email"]
        account = await self._database.read(lambda connection: self._accounts.by_email(connection, email))
        if account is None:
            return None
        scopes = frozenset(str(claims.get("scope", "")).split())
        return Identity(account.id, account.email, scopes, float(claims["exp"]))

    async def _current(self, kid: str | None) -> KeySet | None:
        """Kept ten minutes; a key we do not know is a reason to look, but not more often than every half minute."""
        async with self._fetching:
            age = time.monotonic() - self._fetched_at
            unknown = self._keys is None or all(key.kid != kid for key in self._keys.keys)
            if age > JWKS_SECONDS or (unknown and age > JWKS_AGAIN_SECONDS):
                self._fetched_at = time.monotonic()
                try:
                    self._keys = await self._read()
                except (OSError, ValueError, KeyError, TypeError, JoseError) as error:
                    logger("hub.signin").warning("the issuer's keys cannot be read", extra={"why": str(error)})
            return self._keys

    async def _read(self) -> KeySet:
        document = await self._fetch(f"{self._issuer}/.well-known/openid-configuration")
        if str(document["issuer"]).rstrip("/") != self._issuer:
            raise ValueError(f"the discovery document is of another issuer: {document['issuer']}")
        address = str(document["jwks_uri"])
        if not _safe(address):
            raise ValueError("jwks_uri is not https")
        found: Any = {"keys": (await self._fetch(address))["keys"]}
        return KeySet.import_key_set(found)


Fetch = Callable[[str], Awaitable[dict[str, Any]]]


async def fetch_json(address: str) -> dict[str, Any]:
    """A small JSON object by https (http on loopback); OSError or ValueError."""
    import httpx

    if not _safe(address):
        raise ValueError(f"{address} is not https")
    try:
        async with httpx.AsyncClient(timeout=10, follow_redirects=False, trust_env=False) as client:
            answer = await client.get(address, headers={"Accept": "application/json"})
            answer.raise_for_status()
    except httpx.HTTPError as error:
        raise OSError(str(error)) from error
    if len(answer.content) > 512 * 1024:
        raise ValueError(f"{address} answered with more than 512 KB")
    found = answer.json()
    if not isinstance(found, dict):
        raise ValueError(f"{address} answered with no JSON object")
    return found


def header_of(token: str) -> dict[str, Any] | None:
    """The header of what may be a JWT, unchecked."""
    if token.count(".") != 2:
        return None
    try:
        return dict(jws.extract_compact(token.encode("ascii", "strict")).protected)
    except (JoseError, ValueError):
        return None


def checked(token: str, keys: KeySet, issuer: str, audience: str, algorithms: list[str]) -> dict[str, Any] | None:
    """The claims, if signature, issuer, audience and times are right."""
    now = int(time.time())
    registry = jwt.JWTClaimsRegistry(
        now=now,
        leeway=SKEW_SECONDS,
        iss={"essential": True, "values": [issuer, issuer + "/"]},
        aud={"essential": True, "value": audience},
        sub={"essential": True},
        exp={"essential": True},
    )
    try:
        claims = dict(jwt.decode(token, keys, algorithms=algorithms).claims)
        registry.validate(claims)
    except (JoseError, ValueError, TypeError):
        return None
    return claims if float(claims["exp"]) > now - SKEW_SECONDS else None


def _safe(address: str) -> bool:
    parts = urlsplit(address)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
