"""Signing in at a hub: with a browser, with a code that is entered in a browser elsewhere, or with a key.

A key (`pat_…`, `org_key_…`) is used as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from ...missions.entities import Json, JsonObject
from ...missions.errors import Offline, SignedOut, SoloUnicornError, UsageError
from ...missions.records import record
from ..replica.connecting import Account, Kind
from ..replica.exchange import items
from ..replica.messages import API
from . import browser, device
from .answers import readable
from .device import Invitation
from .discovery import CLIENT_ID, KnownIssuer, discovered, hub_url
from .single_requests import ask
from .tokens import Tokens

__all__ = ["CLIENT_ID", "Invitation", "KnownIssuer", "discovered", "hub_url"]
PATIENCE_SECONDS = 300.0


@record
class SignIn:
    """A sign-in that succeeded; nothing of it is kept yet."""

    account: Account
    tokens: Tokens


def with_browser(
    issuer: KnownIssuer,
    profile: str,
    *,
    show: Callable[[str], None],
    patience: float = PATIENCE_SECONDS,
    pasting: bool = False,
) -> SignIn:
    """Sign in on the issuer's page; `show` is given its address. Offline, or SignedOut when it is refused.

    `pasting`: where the browser is on another machine, the address that it ended at may be pasted instead.
    """
    tokens = browser.sign_in(issuer, show=show, patience=patience, pasting=pasting)
    return SignIn(_account(issuer.hub, profile, tokens.access, "session", "browser"), tokens)


def with_device(issuer: KnownIssuer, profile: str, *, show: Callable[[Invitation], None]) -> SignIn:
    """Sign in with a code that is entered in a browser elsewhere; `show` is given it. Offline, SignedOut."""
    tokens = device.sign_in(issuer, show=show)
    return SignIn(_account(issuer.hub, profile, tokens.access, "session", "code"), tokens)


def with_key(hub: str, profile: str, key: str) -> SignIn:
    """Sign in with a personal access token or an organization key; SignedOut when the hub does not know it."""
    key = key.strip()
    kind: Kind = "organization" if key.startswith("org_key_") else "token"
    if not key or not key.isascii() or any(letter.isspace() for letter in key):
        raise UsageError(
            "That is not a valid key", todo="give one that begins with pat_ or org_key_; - reads it from a pipe"
        )
    return SignIn(_account(hub, profile, key, kind, "key"), Tokens(access=key))


def revoke(tokens: Tokens, hub: str) -> bool:
    """Tell the issuer that a sign-in is over; False when it could not be told (the tokens end by themselves then)."""
    if not tokens.revocation_endpoint:
        return not tokens.refresh
    form = {"token": tokens.refresh or tokens.access, "client_id": tokens.client_id}
    try:
        return ask(tokens.revocation_endpoint, hub=hub, form=form).status < 400
    except Offline:
        return False


def who(hub: str, token: str) -> JsonObject:
    """What the hub says of the holder of a token (`/auth/whoami`); SignedOut when it does not accept it, Offline."""
    answer = ask(f"{hub}{API}/auth/whoami", token=token)
    if answer.status == 401:
        raise SignedOut(
            f"{hub} does not accept this sign-in", why=answer.said, todo="sign in again, or create a new key"
        )
    if answer.status in (404, 405):
        raise SoloUnicornError(
            f"{hub} does not say who you are",
            why=f"HTTP {answer.status}: {answer.said}",
            todo="check the address, and that the hub has this version",
        )
    body = readable(answer, hub).object
    if not ("user" in body or "organizations" in body):
        raise SoloUnicornError(
            f"{hub} does not say who you are",
            why="its answer has no user",
            todo="check the address, and that the hub has this version",
        )
    return body


def _account(hub: str, profile: str, token: str, kind: Kind, method: str) -> Account:
    """Whose token it is: a person, or for an organization key the organization that it acts for."""
    said = who(hub, token)
    user, belongs = said.get("user"), items(said.get("organizations"))
    holder = user if isinstance(user, dict) else belongs[0] if belongs else {}
    holder_id = str(holder.get("id") or "")
    if not holder_id:
        raise SoloUnicornError(
            f"{hub} does not say who you are", why="its answer has neither a person nor an organization"
        )
    name = str(holder.get("email") or holder.get("name") or "")
    about: JsonObject = {"organizations": list[Json](belongs), "method": method}
    return Account(f"{holder_id}@{urlsplit(hub).netloc}", profile, hub, holder_id, name, kind, True, about)
