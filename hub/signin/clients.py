"""Who may ask for tokens: our own command line, and MCP clients that registered themselves (RFC 7591, public only)."""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from unicodedata import normalize
from urllib.parse import urlsplit

from authlib.oauth2.rfc6749 import ClientMixin
from sqlalchemy import Connection, delete, func, select

from ...missions.entities import JsonObject
from ...missions.errors import InvalidValue
from ..identity import SCOPES as EVERYTHING
from ..identity import Scope
from .tables import clients, families, new_secret

SCOPES: Final = ("openid", "email", "profile", "offline_access", "missions", "read", "write", "run")
RIGHTS: Final[dict[str, frozenset[Scope]]] = {
    "read": frozenset({"read"}),
    "write": frozenset({"read", "write"}),
    "run": frozenset({"read", "run"}),
    "missions": frozenset({"read", "write"}),
}
"""What a scope opens at the hub; `admin` is given to no client but our own."""
ANY_SITE: Final = "https"
"""Among the declared addresses: every https address."""
LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
REGISTERED_MAX: Final = 10_000
UNUSED_SECONDS: Final = 86_400


@dataclass(frozen=True, slots=True)
class OAuthClient(ClientMixin):  # type: ignore[misc]  # authlib has no types
    """A public OAuth client: it has no secret, and proves itself by PKCE."""

    id: str
    name: str
    redirect_uris: tuple[str, ...] = ()
    ours: bool = False

    def get_client_id(self) -> str:
        return self.id

    def get_default_redirect_uri(self) -> str | None:
        """None: each request names it."""
        return None

    def get_allowed_scope(self, scope: str | None) -> str:
        """Those it asked for that there are; those of an MCP client when it named none."""
        asked = (scope or "openid email offline_access missions").split()
        return " ".join(one for one in SCOPES if one in asked)

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        """Loopback with any port and the registered path (our own: any path), else exactly as registered."""
        if self.ours:
            return loopback(redirect_uri)
        return any(_same(known, redirect_uri) for known in self.redirect_uris)

    def check_client_secret(self, client_secret: str) -> bool:
        """It has none."""
        return False

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        """Only `none`."""
        return bool(method == "none")

    def check_response_type(self, response_type: str) -> bool:
        """Only `code` (OAuth 2.1)."""
        return bool(response_type == "code")

    def check_grant_type(self, grant_type: str) -> bool:
        """Codes and refresh tokens; our own also without a browser (RFC 8628)."""
        if grant_type == "urn:ietf:params:oauth:grant-type:device_code":
            return self.ours
        return grant_type in ("authorization_code", "refresh_token")


OURS: Final = {"solo-unicorn-cli": OAuthClient("solo-unicorn-cli", "Solo Unicorn on this computer", ours=True)}


def rights(client_id: str, scopes: Iterable[str], ours: Collection[str] = OURS) -> frozenset[Scope]:
    """What a token of a client may do at the hub: our own everything, any other what its scopes open."""
    if client_id in ours:
        return frozenset(EVERYTHING)
    opened: frozenset[Scope] = frozenset()
    return opened.union(*(RIGHTS.get(one, opened) for one in scopes))


def find(connection: Connection, client_id: str, declared: Sequence[str] = ()) -> OAuthClient | None:
    """By id, with those of its addresses that may be used now."""
    if client_id in OURS:
        return OURS[client_id]
    row = connection.execute(select(clients).where(clients.c.id == client_id[:64])).one_or_none()
    if row is None:
        return None
    return OAuthClient(
        row.id, row.name, tuple(one for one in json.loads(row.redirect_uris) if acceptable(one, declared))
    )


def register(connection: Connection, given: JsonObject, declared: Sequence[str] = ()) -> JsonObject:
    """A client registers itself; InvalidValue says what is wrong with its metadata."""
    uris, name = given.get("redirect_uris"), given.get("client_name", "An MCP client")
    if not isinstance(uris, list) or not 1 <= len(uris) <= 10:
        raise InvalidValue("redirect_uris", "redirect_uris must be a list of one to ten addresses")
    if not isinstance(name, str) or not name.isprintable() or not 1 <= len(name) <= 200:
        raise InvalidValue("client_name", "client_name has 1 to 200 printable characters")
    if "solounicorn" in "".join(letter for letter in normalize("NFKC", name).casefold() if letter.isalpha()):
        raise InvalidValue("client_name", "client_name is reserved for our own command line")
    if given.get("token_endpoint_auth_method", "none") != "none":
        raise InvalidValue("token_endpoint_auth_method", "Only public clients may register themselves")
    for uri in uris:
        if not isinstance(uri, str) or len(uri) > 500 or not acceptable(uri, declared):
            raise InvalidValue(
                "redirect_uris",
                "A redirect must be http on loopback, or an address that the operator of this hub has allowed",
                todo="ask the operator to add it to SOLO_UNICORN_HUB_CLIENT_REDIRECTS",
            )
    if _registered(connection) >= REGISTERED_MAX:
        _forget_unused(connection)
    if _registered(connection) >= REGISTERED_MAX:
        raise InvalidValue("client_id", "This hub has reached its limit of registered clients")
    made = new_secret("mcp-")[:64]
    values = {"id": made, "name": name, "redirect_uris": json.dumps(uris), "made_at": time.time()}
    connection.execute(clients.insert().values(values))
    return {
        "client_id": made,
        "client_id_issued_at": int(time.time()),
        "client_name": name,
        "redirect_uris": uris,
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
    }


def _registered(connection: Connection) -> int:
    return int(connection.execute(select(func.count()).select_from(clients)).scalar_one())


def _forget_unused(connection: Connection) -> None:
    """Those by which nobody has signed in within a day: else anybody could use up the places of all others for good."""
    used = select(families.c.id).where(families.c.client_id == clients.c.id).exists()
    connection.execute(delete(clients).where(clients.c.made_at < time.time() - UNUSED_SECONDS, ~used))


def plain(uri: str) -> bool:
    """Whether it has no letter that an address has not, and no fragment."""
    return uri.isascii() and uri.isprintable() and not any(char in uri for char in '"\\ #')


def loopback(uri: str) -> bool:
    """`http://127.0.0.1:PORT/…`, `[::1]` or `localhost`, plain and without a fragment."""
    try:
        parts = urlsplit(uri)
        port = parts.port
    except ValueError:
        return False
    return plain(uri) and parts.scheme == "http" and parts.hostname in LOOPBACK and port is not None and "@" not in uri


def acceptable(uri: str, declared: Sequence[str] = ()) -> bool:
    """What a client may register: loopback, and what the operator declared (ANY_SITE: every https address)."""
    if loopback(uri):
        return True
    try:
        parts = urlsplit(uri)
    except ValueError:
        return False
    if parts.scheme == "http" and parts.hostname in LOOPBACK:
        return plain(uri) and "@" not in parts.netloc
    site = plain(uri) and parts.scheme == "https" and bool(parts.hostname) and "@" not in parts.netloc
    return site and (uri in declared or ANY_SITE in declared)


def _same(known: str, given: str) -> bool:
    """Exactly, but for the port of a loopback address (RFC 8252, 7.3)."""
    if known == given:
        return True
    if not acceptable(given):
        return False
    one, two = urlsplit(known), urlsplit(given)
    if one.scheme != "http" or one.hostname not in LOOPBACK:
        return False
    return (one.scheme, one.hostname, one.path, one.query) == (two.scheme, two.hostname, two.path, two.query)
