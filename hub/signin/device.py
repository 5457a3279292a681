"""Device authorization (RFC 8628): a machine without a browser asks, a person agrees in a browser elsewhere.

Device codes and user codes are kept by their SHA-256. A user code has eight letters of twenty (34 bits), is good for
ten minutes, and tries of it are counted by the page.
"""

# pyright: reportOptionalMemberAccess=false, reportAttributeAccessIssue=false
# authlib has no types; its classes say None where a grant has set something.

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from typing import Any, Final

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import InvalidRequestError
from authlib.oauth2.rfc8628 import DeviceAuthorizationEndpoint, DeviceCodeGrant
from sqlalchemy import Connection, Row, delete, select, update

from . import clients
from .accounts import IssuerAccount
from .exchange import IssuerRequest
from .issuer import Issuer
from .tables import devices, digest, families

DEVICE_GRANT: Final = "urn:ietf:params:oauth:grant-type:device_code"
EXPIRES_SECONDS: Final = 600
INTERVAL_SECONDS: Final = 5
EARLY_SECONDS: Final = 0.5
"""How much earlier than agreed a client may ask again without being slowed down: clocks differ."""


@dataclass(frozen=True, slots=True)
class Asking:
    """A machine that waits for a person to agree."""

    user_code: str
    """By its digest."""
    client: clients.OAuthClient
    scope: str
    name: str
    """What the machine calls itself; nobody checked that."""
    place: str
    """The address that it asked from."""


def asking(connection: Connection, code: str) -> Asking | None:
    """Who waits under a user code, as a person typed it; None when nobody does any more."""
    place = (devices.c.user_code == digest(plain(code)), devices.c.decided_at.is_(None))
    row = connection.execute(select(devices).where(*place, devices.c.expires_at > time.time())).one_or_none()
    client = clients.find(connection, row.client_id) if row else None
    return Asking(row.user_code, client, row.scope, row.name, row.place) if row and client else None


def decide(connection: Connection, one: Asking, account: IssuerAccount, *, approved: bool) -> bool:
    """The person's answer, once; False when it came too late."""
    now = time.time()
    place = (devices.c.user_code == one.user_code, devices.c.decided_at.is_(None), devices.c.expires_at > now)
    values = {"user_id": account.id, "approved": approved, "decided_at": now}
    return connection.execute(update(devices).where(*place).values(values)).rowcount == 1


def plain(code: str) -> str:
    """A user code without what people add to it or write differently."""
    return "".join(letter for letter in code.upper()[:40] if letter.isalpha())


class DeviceEndpoint(DeviceAuthorizationEndpoint):  # type: ignore[misc]
    """Where a machine asks for codes."""

    CLIENT_AUTH_METHODS = ("none",)
    EXPIRES_IN = EXPIRES_SECONDS
    INTERVAL = INTERVAL_SECONDS

    def create_endpoint_response(self, request: IssuerRequest) -> Any:
        """Codes for a client that may use this grant; the request is kept until it is answered."""
        self._asked = request
        client = self.authenticate_client(request)
        if not client.check_grant_type(DEVICE_GRANT):
            raise InvalidRequestError("This client may not sign in with a code")
        return super().create_endpoint_response(request)

    def get_verification_uri(self) -> str:
        return f"{self.server.settings.issuer}/oauth/device"

    def save_device_credential(self, client_id: str, scope: str, data: dict[str, Any]) -> None:
        """By digests; what ended is forgotten."""
        server: Issuer = self.server
        given, now = self._asked.payload.data, time.time()
        client = clients.find(server.connection, client_id)
        name = "".join(letter for letter in str(given.get("device_name") or "")[:100] if letter.isprintable())
        server.connection.execute(delete(devices).where(devices.c.expires_at < now - EXPIRES_SECONDS))
        server.connection.execute(
            devices.insert().values(
                digest=digest(data["device_code"]),
                user_code=digest(plain(data["user_code"])),
                client_id=client_id,
                scope=client.get_allowed_scope(scope) if client else "",
                resource=server.resource(given.get("resource")),
                name=name,
                place=str(self._asked.headers.get("x-place", ""))[:64],
                interval=float(INTERVAL_SECONDS),
                made_at=now,
                expires_at=now + EXPIRES_SECONDS,
            )
        )


class UsedUp(OAuth2Error):  # type: ignore[misc]
    """A device code that was already exchanged for tokens."""

    error = "expired_token"


class DeviceGrant(DeviceCodeGrant):  # type: ignore[misc]
    """Where a machine waits for its tokens, and gets them once."""

    TOKEN_ENDPOINT_AUTH_METHODS = ("none",)

    def query_device_credential(self, device_code: str) -> WaitingDevice | None:
        """By its digest."""
        row = self.server.connection.execute(
            select(devices).where(devices.c.digest == digest(device_code))
        ).one_or_none()
        return WaitingDevice(row) if row else None

    def query_user_grant(self, user_code: str) -> tuple[IssuerAccount, bool] | None:
        """The answer, if there is one, of a person whose account is still active."""
        server: Issuer = self.server
        row = server.connection.execute(select(devices).where(devices.c.user_code == user_code)).one()
        if row.decided_at is None:
            return None
        account = server.accounts.by_id(server.connection, row.user_id)
        return (account, bool(row.approved)) if account else (IssuerAccount("", ""), False)

    def should_slow_down(self, credential: WaitingDevice) -> bool:
        """Whether it asked sooner than agreed; then it has to wait five seconds longer from now on."""
        row, now = credential.row, time.time()
        early = row.polled_at is not None and now - row.polled_at < row.interval - EARLY_SECONDS
        values = {"polled_at": now, "interval": row.interval + 5 if early else row.interval}
        self.server.connection.execute(update(devices).where(devices.c.digest == row.digest).values(values))
        return early

    def create_token_response(self) -> Any:
        """Once: whoever brings the code a second time gets nothing."""
        server: Issuer = self.server
        row, now = self.request.credential.row, time.time()
        unused = (devices.c.digest == row.digest, devices.c.used_at.is_(None))
        if server.connection.execute(update(devices).where(*unused).values(used_at=now)).rowcount != 1:
            raise UsedUp()
        server.family = secrets.token_hex(16)
        values = {"user_id": row.user_id, "client_id": row.client_id, "resource": row.resource}
        server.connection.execute(families.insert().values(id=server.family, made_at=now, **values))
        return super().create_token_response()


@dataclass(frozen=True, slots=True)
class WaitingDevice:
    """A device code that was found."""

    row: Row[Any]

    def get_client_id(self) -> str:
        return str(self.row.client_id)

    def get_scope(self) -> str:
        return str(self.row.scope)

    def get_user_code(self) -> str:
        return str(self.row.user_code)

    def is_expired(self) -> bool:
        """Whether nobody may answer any more, or nothing is given any more."""
        return bool(self.row.expires_at < time.time() or self.row.used_at is not None)
