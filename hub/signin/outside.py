"""An OpenID Connect issuer elsewhere: what the hub is told of it, its discovery document and keys, its tokens.

Tokens are JWTs (RFC 9068) with the hub as audience. A person is who the issuer's subject says; see identities.py.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from sqlalchemy.exc import IntegrityError

from ...config.log import logger
from ...missions.errors import UsageError
from ..storage.database import Database
from . import identities
from .accounts import IssuerAccount
from .clients import LOOPBACK, OURS
from .verifier import LONGEST, TokenIdentity, checked, header_of

ALGORITHMS: Final = ["ES256", "ES384", "RS256", "PS256", "EdDSA"]
JWKS_SECONDS: Final = 600.0
JWKS_AGAIN_SECONDS: Final = 30.0
"""How soon the keys are read again for a token that is signed with one we do not know."""
PARAMETERS: Final = ("resource", "audience", "none")

Fetch = Callable[..., Awaitable[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Outside:
    """Settings about an external issuer (docs/deploy/README.md, Settings)."""

    issuer: str
    public_url: str
    audience: str
    parameter: str
    client_id: str
    scope: str
    web_client_id: str
    web_client_secret: str
    link_email: bool
    sign_up: bool

    @property
    def audiences(self) -> list[str]:
        """What a token may be for: the hub, or its MCP endpoint."""
        return [self.audience, self.public_url + "/mcp"]


def outside_of(options: dict[str, str], public_url: str) -> Outside | None:
    """The settings, None for a hub that issues its own tokens; UsageError for a value that is wrong."""
    issuer = options.get("issuer", "").rstrip("/")
    if not issuer:
        return None
    if not safe(issuer):
        raise UsageError(f"The issuer {issuer} is not an https address", todo="correct SOLO_UNICORN_HUB_ISSUER")
    parameter = options.get("issuer_audience_parameter", "resource")
    if parameter not in PARAMETERS:
        raise UsageError(f"ISSUER_AUDIENCE_PARAMETER is one of {', '.join(PARAMETERS)}, not {parameter!r}")
    client_id = options.get("issuer_client_id") or next(iter(OURS))
    return Outside(
        issuer=issuer,
        public_url=public_url,
        audience=options.get("audience") or public_url,
        parameter=parameter,
        client_id=client_id,
        scope=options.get("issuer_scopes") or "openid email profile offline_access",
        web_client_id=options.get("issuer_web_client_id") or client_id,
        web_client_secret=options.get("issuer_web_client_secret", ""),
        link_email=_switch(options, "issuer_link_email", otherwise=False),
        sign_up=_switch(options, "issuer_sign_up", otherwise=True),
    )


def _switch(options: dict[str, str], name: str, *, otherwise: bool) -> bool:
    said = options.get(name, "").lower()
    if said not in ("", "on", "off"):
        raise UsageError(f"SOLO_UNICORN_HUB_{name.upper()} is on or off, not {said!r}")
    return otherwise if not said else said == "on"


class OutsideIssuer:
    """The documents of the external issuer, fetched when needed and kept for ten minutes."""

    def __init__(self, settings: Outside, fetch: Fetch | None = None) -> None:
        self.settings = settings
        self._fetch = fetch or fetch_json
        self._document: dict[str, Any] = {}
        self._keys: KeySet | None = None
        self._fetched_at = float("-inf")
        self._fetching = asyncio.Lock()

    async def metadata(self) -> dict[str, Any]:
        """Its discovery document; empty when it cannot be read."""
        await self._current(None)
        return self._document

    async def claims(self, token: str, audience: str | list[str]) -> dict[str, Any] | None:
        """The claims of a JWT that it signed for the audience, None for any other."""
        header = header_of(token) if len(token) <= LONGEST else None
        if header is None or header.get("alg") not in ALGORITHMS:
            return None
        keys = await self._current(header.get("kid"))
        return checked(token, keys, self.settings.issuer, audience, ALGORITHMS) if keys else None

    async def completed(self, claims: dict[str, Any], token: str) -> dict[str, Any]:
        """The claims with those of the userinfo endpoint, where it gives them for this token and of this person."""
        address = str((await self.metadata()).get("userinfo_endpoint") or "")
        if "email" in claims or not address:
            return claims
        try:
            more = await self._fetch(address, token)
        except (OSError, ValueError) as error:
            logger("hub.signin").info("the issuer's userinfo cannot be read", extra={"why": str(error)})
            return claims
        return {**more, **claims} if more.get("sub") == claims.get("sub") else claims

    async def _current(self, kid: str | None) -> KeySet | None:
        """Kept ten minutes; a key we do not know is a reason to look, but not more often than every half minute."""
        async with self._fetching:
            age = time.monotonic() - self._fetched_at
            unknown = self._keys is None or (kid is not None and all(key.kid != kid for key in self._keys.keys))
            if age > JWKS_SECONDS or (unknown and age > (JWKS_AGAIN_SECONDS if self._keys else 1.0)):
                self._fetched_at = time.monotonic()
                try:
                    self._document, self._keys = await self._read()
                except (OSError, ValueError, KeyError, TypeError, JoseError) as error:
                    logger("hub.signin").warning("the issuer's keys cannot be read", extra={"why": str(error)})
            return self._keys

    async def _read(self) -> tuple[dict[str, Any], KeySet]:
        document = await self._fetch(f"{self.settings.issuer}/.well-known/openid-configuration")
        if str(document["issuer"]).rstrip("/") != self.settings.issuer:
            raise ValueError(f"the discovery document is of another issuer: {document['issuer']}")
        names = ("jwks_uri", "authorization_endpoint", "token_endpoint", "userinfo_endpoint")
        for name in names:
            if document.get(name) and not safe(str(document[name])):
                raise ValueError(f"{name} is not https")
        found: Any = {"keys": (await self._fetch(str(document["jwks_uri"])))["keys"]}
        return document, KeySet.import_key_set(found)


class OutsideTokens:
    """Access tokens of the external issuer."""

    def __init__(self, database: Database, issuer: OutsideIssuer) -> None:
        self._database, self._issuer = database, issuer

    async def identify(self, token: str) -> TokenIdentity | None:
        """The person of the token; None when it is not of that issuer for this hub. SignedOut: nobody of this hub."""
        settings = self._issuer.settings
        claims = await self._issuer.claims(token, settings.audiences)
        if claims is None:
            return None
        account = await self._database.read(lambda at: identities.known(at, settings.issuer, str(claims["sub"])))
        if account is None:
            account = await arrived(self._database, settings, await self._issuer.completed(claims, token))
        scopes = frozenset(str(claims.get("scope", "")).split())
        client_id = str(claims.get("client_id") or claims.get("azp") or "")
        return TokenIdentity(account.id, account.email, scopes, float(claims["exp"]), client_id)


async def arrived(database: Database, settings: Outside, claims: dict[str, Any]) -> IssuerAccount:
    """The person of checked claims, made or linked when that is allowed; SignedOut."""
    rules = identities.Rules(settings.issuer, link_email=settings.link_email, sign_up=settings.sign_up)
    try:
        return await database.write(lambda at: identities.person(at, rules, claims, time.time()))
    except IntegrityError:  # another process was faster
        return await database.write(lambda at: identities.person(at, rules, claims, time.time()))


async def fetch_json(address: str, token: str = "") -> dict[str, Any]:
    """A small JSON object by https (http on loopback); OSError or ValueError. SSL_CERT_FILE is honoured."""
    import httpx

    if not safe(address):
        raise ValueError(f"{address} is not https")
    headers = {"Accept": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    believed = httpx.create_ssl_context()
    try:
        async with httpx.AsyncClient(timeout=10, follow_redirects=False, trust_env=False, verify=believed) as client:
            answer = await client.get(address, headers=headers)
            answer.raise_for_status()
    except httpx.HTTPError as error:
        raise OSError(str(error)) from error
    if len(answer.content) > 512 * 1024:
        raise ValueError(f"{address} answered with more than 512 KB")
    found = answer.json()
    if not isinstance(found, dict):
        raise ValueError(f"{address} did not answer with a JSON object")
    return found


def safe(address: str) -> bool:
    """https, or http on this machine."""
    parts = urlsplit(address)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
