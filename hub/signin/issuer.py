"""The built-in issuer on Authlib's server core: authorization code with PKCE (S256), rotation, revocation, id tokens.

Authlib is synchronous: a request of its runs in one closure, which is one transaction. What it refuses
is committed too: a refresh token that comes a second time ends its whole family.
"""

# pyright: reportOptionalMemberAccess=false, reportAttributeAccessIssue=false
# authlib has no types; its classes say None where a grant has set something.

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from typing import Any, Final

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import AuthorizationServer
from authlib.oauth2.rfc9207 import IssuerParameter
from joserfc import jwt
from sqlalchemy import Connection, select, update

from .. import permission_changes
from . import clients
from .accounts import Accounts, IssuerAccount
from .exchange import IssuerAnswer, IssuerRequest
from .keys import ALGORITHM, Keys
from .tables import digest, families, new_secret, refresh_tokens

ACCESS_SECONDS: Final = 900
REFRESH_SECONDS: Final = 30 * 86400
REFRESH_PREFIX: Final = "sur_"


@dataclass(frozen=True, slots=True)
class IssuerSettings:
    """What the issuer is told: its own public address, which is also the audience of its tokens."""

    issuer: str
    audiences: tuple[str, ...] = ()
    """Other hubs, by their public addresses, that take this issuer's tokens when they are asked for (RFC 8707)."""
    redirects: tuple[str, ...] = ()
    """Addresses beyond loopback that registered clients may have; clients.ANY_SITE for every https address."""


class InvalidTarget(OAuth2Error):  # type: ignore[misc]
    """A token was asked for that this issuer does not give (RFC 8707, 2)."""

    error = "invalid_target"


class Issuer(AuthorizationServer):  # type: ignore[misc]
    """For the time of one transaction. What it grants is registered by whoever opens it (opening.py)."""

    def __init__(self, connection: Connection, settings: IssuerSettings, keys: Keys, accounts: Accounts) -> None:
        super().__init__(scopes_supported=list(clients.SCOPES))
        self.connection = connection
        self.settings = settings
        self.accounts = accounts
        self.keys = keys
        self.register_token_generator("default", self._tokens)
        self.register_extension(_Issuer)
        self.family = ""
        """Of the tokens that are being issued."""

    def query_client(self, client_id: str) -> clients.OAuthClient | None:
        return clients.find(self.connection, client_id, self.settings.redirects)

    def create_oauth2_request(self, request: IssuerRequest) -> IssuerRequest:
        """The request is one already."""
        return request

    def handle_response(self, status: int, body: Any, headers: Any) -> IssuerAnswer:
        """The route turns it into a response."""
        return IssuerAnswer(status, body, dict(headers))

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Nobody listens to signals."""

    def save_token(self, token: dict[str, Any], request: IssuerRequest) -> None:
        """Keep the digest of a new refresh token."""
        if "refresh_token" not in token:
            return
        now = time.time()
        self.connection.execute(
            refresh_tokens.insert().values(
                digest=digest(token["refresh_token"]),
                family=self.family,
                client_id=request.client.id,
                user_id=request.user.id,
                scope=token["scope"],
                made_at=now,
                expires_at=now + REFRESH_SECONDS,
            )
        )

    def revoke_family(self, family: str, reason: str) -> None:
        """Every token that came from one sign-in."""
        self.connection.execute(
            update(families)
            .where(families.c.id == family, families.c.revoked_at.is_(None))
            .values(revoked_at=time.time(), reason=reason)
        )
        permission_changes.changed(self.connection)

    def resource(self, asked: str | None) -> str | None:
        """The other hub that a token is asked for, None for this one; InvalidTarget for one it is not given for."""
        wanted = (asked or "").rstrip("/")
        if not wanted or wanted == self.settings.issuer or wanted.startswith(self.settings.issuer + "/"):
            return None
        if wanted not in self.settings.audiences:
            raise InvalidTarget(f"This issuer issues no tokens for {wanted[:200]}")
        return wanted

    def alive(self, family: str) -> bool:
        """Whether its tokens are still valid."""
        found = self.connection.execute(select(families.c.id, families.c.revoked_at).where(families.c.id == family))
        row = found.one_or_none()
        return row is not None and row.revoked_at is None

    def _audience(self) -> str:
        wanted = select(families.c.resource).where(families.c.id == self.family)
        return self.connection.execute(wanted).scalar_one_or_none() or self.settings.issuer

    def _tokens(self, client: clients.OAuthClient, user: IssuerAccount, scope: str, **more: Any) -> dict[str, Any]:
        key = self.keys.signing(self.connection)
        now = int(time.time())
        claims = {
            "iss": self.settings.issuer,
            "aud": self._audience(),
            "sub": user.id,
            "client_id": client.id,
            "scope": scope,
            "email": user.email,
            "email_verified": user.email_verified,
            "sid": self.family,
            "jti": secrets.token_hex(16),
            "iat": now,
            "exp": now + ACCESS_SECONDS,
        }
        header = {"alg": ALGORITHM, "kid": key.kid, "typ": "at+jwt"}
        made = {
            "token_type": "Bearer",
            "access_token": jwt.encode(header, claims, key),
            "expires_in": ACCESS_SECONDS,
            "scope": scope,
        }
        if more.get("include_refresh_token") and "offline_access" in scope.split():
            made |= {"refresh_token": new_secret(REFRESH_PREFIX), "refresh_expires_in": REFRESH_SECONDS}
        return made


class _Issuer(IssuerParameter):  # type: ignore[misc]
    """RFC 9207: the answer says which issuer it is from."""

    def get_issuer(self) -> str:
        return str(self.server.settings.issuer)

    def __init__(self, server: Issuer) -> None:
        self.server = server
        super().__call__(server)
