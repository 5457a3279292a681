"""The grants of the issuer: authorization code with PKCE and an id token, rotating refresh tokens, revocation."""

# pyright: reportOptionalMemberAccess=false, reportAttributeAccessIssue=false
# authlib has no types; its classes say None where a grant has set something.

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from typing import Any, Final

from authlib.oauth2.rfc6749 import InvalidRequestError
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant, RefreshTokenGrant
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core import UserInfo
from authlib.oidc.core.grants import OpenIDCode
from joserfc.jwk import ECKey
from sqlalchemy import Connection, select, update

from . import clients
from .accounts import IssuerAccount
from .exchange import IssuerRequest
from .issuer import ACCESS_SECONDS, REFRESH_PREFIX, Issuer
from .keys import ALGORITHM, seal
from .tables import codes, digest, families, refresh_tokens

CODE_SECONDS: Final = 60


@dataclass(frozen=True, slots=True)
class Code:
    """An authorization code that was found."""

    digest: str
    client_id: str
    user_id: str
    family: str
    redirect_uri: str
    scope: str
    code_challenge: str
    nonce: str | None
    auth_time: int
    code_challenge_method: str = "S256"

    def get_redirect_uri(self) -> str:
        return self.redirect_uri

    def get_scope(self) -> str:
        return self.scope

    def get_nonce(self) -> str | None:
        return self.nonce

    def get_auth_time(self) -> int:
        """When the person signed in."""
        return self.auth_time

    def get_acr(self) -> None:
        """No authentication context class is claimed."""

    def get_amr(self) -> list[str]:
        """By a password."""
        return ["pwd"]


@dataclass(frozen=True, slots=True)
class Refresh:
    """A refresh token that was found."""

    token: str
    family: str
    client_id: str
    user_id: str
    scope: str

    def check_client(self, client: clients.OAuthClient) -> bool:
        """Whether it is this client's."""
        return self.client_id == client.id

    def get_scope(self) -> str:
        return self.scope


class Challenge(CodeChallenge):  # type: ignore[misc]
    """PKCE is required, and only S256."""

    SUPPORTED_CODE_CHALLENGE_METHOD = ("S256",)

    def validate_code_challenge(self, grant: Any, redirect_uri: str) -> None:
        """Both parameters, or the request is refused."""
        given = grant.request.payload.data
        if not given.get("code_challenge") or given.get("code_challenge_method") != "S256":
            raise InvalidRequestError("PKCE is required: code_challenge with code_challenge_method=S256")
        super().validate_code_challenge(grant, redirect_uri)


class IdToken(OpenIDCode):  # type: ignore[misc]
    """OpenID Connect on top of the code grant."""

    def exists_nonce(self, nonce: str, request: IssuerRequest) -> bool:
        """A nonce is the client's; it may repeat it."""
        return False

    def process_token(self, grant: Any, response: Any) -> Any:
        """Signs with the same key as the access token."""
        self.server: Issuer = grant.server
        return super().process_token(grant, response)

    def resolve_client_private_key(self, client: clients.OAuthClient) -> ECKey:
        return self.server.keys.signing(self.server.connection)

    def get_client_algorithm(self, client: clients.OAuthClient) -> str:
        """One for all clients."""
        return ALGORITHM

    def get_encode_header(self, client: clients.OAuthClient) -> dict[str, str]:
        return {"alg": ALGORITHM, "kid": str(self.resolve_client_private_key(client).kid), "typ": "JWT"}

    def get_client_claims(self, client: clients.OAuthClient) -> dict[str, Any]:
        return {"iss": self.server.settings.issuer, "aud": [client.id], "exp": int(time.time()) + ACCESS_SECONDS}

    def generate_user_info(self, user: IssuerAccount, scope: str) -> UserInfo:
        return UserInfo(**user_info(user, scope))


def user_info(user: IssuerAccount, scope: str) -> dict[str, Any]:
    """Claims about a person that the scopes open."""
    granted = scope.split()
    found: dict[str, Any] = {"sub": user.id}
    if "email" in granted:
        found |= {"email": user.email, "email_verified": user.email_verified}
    if "profile" in granted and user.name:
        found["name"] = user.name
    return found


class CodeGrant(AuthorizationCodeGrant):  # type: ignore[misc]
    """Authorization codes live one minute, and can be used once."""

    TOKEN_ENDPOINT_AUTH_METHODS = ("none",)

    def save_authorization_code(self, code: str, request: IssuerRequest) -> None:
        """With a family of its own for the tokens that come of it."""
        now, given, family = time.time(), request.payload.data, secrets.token_hex(16)
        self.server.connection.execute(
            families.insert().values(
                id=family,
                user_id=request.user.id,
                client_id=request.client.id,
                resource=self.server.resource(given.get("resource")),
                made_at=now,
            )
        )
        self.server.connection.execute(
            codes.insert().values(
                digest=digest(code),
                client_id=request.client.id,
                user_id=request.user.id,
                family=family,
                redirect_uri=request.payload.redirect_uri,
                scope=request.scope,
                challenge=given["code_challenge"],
                nonce=given.get("nonce"),
                auth_time=int(now),
                expires_at=now + CODE_SECONDS,
            )
        )

    def query_authorization_code(self, code: str, client: clients.OAuthClient) -> Code | None:
        """Taken by the first; who brings it again ends what the first was given."""
        connection, now = self.server.connection, time.time()
        place = codes.c.digest == digest(code)
        row = connection.execute(select(codes).where(place, codes.c.client_id == client.id)).one_or_none()
        if row is None:
            return None
        taken = connection.execute(update(codes).where(place, codes.c.used_at.is_(None)).values(used_at=now))
        if taken.rowcount != 1:
            self.server.revoke_family(row.family, "code used twice")
            return None
        if row.expires_at < now or not self.server.alive(row.family):
            return None
        self.server.family = row.family
        found = (row.digest, row.client_id, row.user_id, row.family, row.redirect_uri, row.scope, row.challenge)
        return Code(*found, row.nonce, row.auth_time)

    def delete_authorization_code(self, authorization_code: Code) -> None:
        """Kept as used: a second use is a theft."""

    def authenticate_user(self, authorization_code: Code) -> IssuerAccount | None:
        """Who signed in, if the account is still active."""
        found: IssuerAccount | None = self.server.accounts.by_id(self.server.connection, authorization_code.user_id)
        return found


class RefreshGrant(RefreshTokenGrant):  # type: ignore[misc]
    """Each use gives a new refresh token; the old one is worth nothing, and its reuse ends the family.

    A client whose answer was lost on the way repeats the request with the same `Idempotency-Key` and is given the
    same refresh token again: the next token is derived from the old one and that key, which a thief does not know.
    """

    TOKEN_ENDPOINT_AUTH_METHODS = ("none",)
    INCLUDE_NEW_REFRESH_TOKEN = True

    def authenticate_refresh_token(self, refresh_token: str) -> Refresh | None:
        """Found, its client's, unexpired and not rotated before."""
        server: Issuer = self.server
        connection, now = server.connection, time.time()
        place = refresh_tokens.c.digest == digest(refresh_token)
        row = connection.execute(select(refresh_tokens).where(place)).one_or_none()
        if row is None or row.client_id != self.request.client.id:
            return None
        key = self._key()
        unused = refresh_tokens.c.rotated_at.is_(None)
        rotated = connection.execute(
            update(refresh_tokens).where(place, unused).values(rotated_at=now, rotated_for=key and digest(key))
        )
        if rotated.rowcount != 1:
            now_row = connection.execute(select(refresh_tokens).where(place)).one()
            if not key or now_row.rotated_for != digest(key):
                server.revoke_family(row.family, "refresh token used twice")
                return None
        if row.expires_at < now or not server.alive(row.family):
            return None
        server.family = row.family
        return Refresh(refresh_token, row.family, row.client_id, row.user_id, row.scope)

    def issue_token(self, user: IssuerAccount, refresh_token: Refresh) -> dict[str, Any]:
        """With a derived refresh token where the client can repeat the request."""
        token: dict[str, Any] = super().issue_token(user, refresh_token)
        key = self._key()
        if key and "refresh_token" in token:
            secret = self.server.keys.secret(self.server.connection, "refresh")
            token["refresh_token"] = REFRESH_PREFIX + seal(secret, refresh_token.token, key)
            place = refresh_tokens.c.digest == digest(token["refresh_token"])
            self.again = self.server.connection.execute(select(refresh_tokens).where(place)).first() is not None
        return token

    def save_token(self, token: dict[str, Any]) -> None:
        """Unless it is the same again."""
        if not getattr(self, "again", False):
            super().save_token(token)

    def authenticate_user(self, refresh_token: Refresh) -> IssuerAccount | None:
        """Whose it is, if the account is still active."""
        found: IssuerAccount | None = self.server.accounts.by_id(self.server.connection, refresh_token.user_id)
        return found

    def revoke_old_credential(self, refresh_token: Refresh) -> None:
        """It was revoked when it was used."""

    def _key(self) -> str | None:
        found = self.request.headers.get("idempotency-key")
        return found if found and 16 <= len(found) <= 200 else None


class Revocation(RevocationEndpoint):  # type: ignore[misc]
    """A refresh token given back ends its family, and with it the access tokens (RFC 7009)."""

    CLIENT_AUTH_METHODS = ("none",)

    def query_token(self, token_string: str, token_type_hint: str | None) -> Refresh | None:
        """By digest; an access token by its family."""
        connection: Connection = self.server.connection
        row = connection.execute(
            select(refresh_tokens).where(refresh_tokens.c.digest == digest(token_string))
        ).one_or_none()
        if row is not None:
            return Refresh(token_string, row.family, row.client_id, row.user_id, row.scope)
        return self._access(token_string)

    def _access(self, token: str) -> Refresh | None:
        from .verifier import own_claims

        claims = own_claims(self.server.connection, self.server.keys, self.server.settings.issuer, token)
        if claims is None:
            return None
        return Refresh(token, claims["sid"], claims["client_id"], claims["sub"], claims["scope"])

    def revoke_token(self, token: Refresh, request: IssuerRequest) -> None:
        self.server.revoke_family(token.family, "signed out")
