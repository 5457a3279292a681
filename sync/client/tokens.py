"""Tokens of a sign-in: kept in the keychain, renewed before they end, by one process at a time.

A refresh token is used up when it is used: two processes that refresh at once would sign each other out. So whoever
renews holds a lock, and looks first whether somebody else was faster.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import fields

from ...config import credentials, paths
from ...config.redaction import hide
from ...missions.entities import Json, JsonObject
from ...missions.errors import Offline, SignedOut
from ...missions.records import field, record, replace
from ...system import strict_json
from ...system.locks import Lock
from .discovery import KnownIssuer
from .single_requests import ask, passing

MARGIN = 60.0
"""Seconds before its end at which a token is renewed."""


@record
class Tokens:
    """What a sign-in gave."""

    access: str
    refresh: str | None = None
    expires_at: float | None = None
    """By the wall clock of this machine; a wrong clock costs one refused request, no more."""
    token_endpoint: str = ""
    revocation_endpoint: str = ""
    client_id: str = ""
    ends_at: float | None = None
    """When the sign-in ends unless it is renewed before; None where the issuer does not say."""
    form: dict[str, str] = field(default_factory=dict)
    """What the issuer wants with every request for a token: what it is for."""
    renewal: str = ""
    """The Idempotency-Key of the next renewal (ADR 9), kept before it is sent: a lost answer can be had again."""


def blank(issuer: KnownIssuer) -> Tokens:
    """No tokens yet, for an issuer."""
    return Tokens(
        access="",
        token_endpoint=issuer.token_endpoint,
        revocation_endpoint=issuer.revocation_endpoint,
        client_id=issuer.client_id,
        form=dict(issuer.form),
    )


def read(account_id: str) -> Tokens | None:
    """The tokens of an account, or None; raises KeychainClosed when the keychain has to be unlocked first."""
    try:
        kept = credentials.get(_name(account_id))
    except credentials.KeychainClosed:
        raise
    except credentials.NoKeychain:
        return None  # it was never kept there
    if kept is None:
        return None
    try:
        values: Json = strict_json.loads(kept)
    except ValueError:
        values = None
    if not isinstance(values, dict):
        raise credentials.DamagedSecrets(
            f"The tokens of {account_id} cannot be read",
            why="the stored tokens are not a JSON object",
            todo="sign in again: `solo-unicorn auth login`",
        )
    for secret in (values.get("access"), values.get("refresh")):
        if secret:
            hide(str(secret))
    if "access" not in values:
        return None
    known = {one.name for one in fields(Tokens)}  # another version may keep more
    return Tokens(**{name: value for name, value in values.items() if name in known})  # type: ignore[arg-type]


def write(account_id: str, tokens: Tokens, *, in_file: bool = False) -> None:
    """Keep tokens; `in_file` allows a file where there is no keychain."""
    document = {one.name: getattr(tokens, one.name) for one in fields(Tokens)}
    credentials.put(_name(account_id), strict_json.dumps(document), in_file=in_file)


def forget(account_id: str) -> None:
    """Forget the tokens of an account; raises KeychainClosed as `read` does."""
    try:
        credentials.delete(_name(account_id))
    except credentials.KeychainClosed:
        raise
    except credentials.NoKeychain:
        pass  # they were never kept there


@contextmanager
def held() -> Iterator[None]:
    """Nobody else renews, keeps or forgets tokens meanwhile; waits for who does, who has a limit of its own."""
    with Lock(paths.made_home() / "auth.lock"):
        yield


class AccountBearer:
    """The token of one account, renewed when it is due."""

    def __init__(self, account_id: str, *, clock: Callable[[], float] = time.time) -> None:
        self._account_id = account_id
        self._clock = clock
        self._known: Tokens | None = None

    async def token(self) -> str | None:
        """The token to use now, renewed first when it ends soon."""
        if self._known is None:
            self._known = await asyncio.to_thread(read, self._account_id)
        if self._known is None:
            return None
        ends = self._known.expires_at
        if ends is not None and self._known.refresh and ends - self._clock() < MARGIN:
            with suppress(Offline):  # it may be good for a while yet; the hub says when it is not
                await self.renewed(self._known.access)
        return None if self._known is None else self._known.access

    def forget(self) -> None:
        """Read the tokens anew the next time: somebody may have signed in or out."""
        self._known = None

    async def renewed(self, refused: str) -> str | None:
        """Another token than the refused one, or None when only a sign-in helps; Offline when nobody can say now."""
        self._known = await asyncio.to_thread(renew, self._account_id, refused, self._clock)
        return None if self._known is None or self._known.access == refused else self._known.access


def renew(account_id: str, refused: str, clock: Callable[[], float] = time.time) -> Tokens | None:
    """Renew under the lock; what another process got meanwhile is taken as it is.

    None when the sign-in is over; Offline when the issuer cannot be reached or fails.
    """
    with held():
        known = read(account_id)
        if known is None or known.access != refused or not known.refresh:
            return known
        in_file = credentials.is_in_file(_name(account_id))
        if not known.renewal:  # of a sign-in that was made before there was one
            known = replace(known, renewal=secrets.token_urlsafe(24))
            write(account_id, known, in_file=in_file)
        try:
            fresh = refreshed(known, clock, hub=account_id.rpartition("@")[2])
        except SignedOut:
            return None
        write(account_id, fresh, in_file=in_file)
        return fresh


def refreshed(tokens: Tokens, clock: Callable[[], float] = time.time, *, hub: str = "") -> Tokens:
    """Use a refresh token. SignedOut when the issuer refuses it, Offline when it cannot be reached or fails.

    `hub`: host and port of the hub whose pinned authority counts for the issuer too.
    """
    form = {
        "grant_type": "refresh_token",
        "refresh_token": tokens.refresh or "",
        "client_id": tokens.client_id,
        **tokens.form,
    }
    headers = {"idempotency-key": tokens.renewal} if tokens.renewal else {}
    answer = ask(tokens.token_endpoint, hub=hub, form=form, headers=headers)
    if answer.status in (400, 401, 403):
        raise SignedOut("The sign-in has ended", todo="`solo-unicorn auth login`")
    if answer.status != 200 or not answer.object.get("access_token"):
        raise passing(answer, tokens.token_endpoint) or Offline(
            "The sign-in could not be renewed",
            why=f"{tokens.token_endpoint} answers HTTP {answer.status} without a token",
            todo="try again; if that does not help, tell the issuer's operator",
        )
    return granted(answer.object, tokens, clock)


def granted(body: JsonObject, before: Tokens, clock: Callable[[], float] = time.time) -> Tokens:
    """The tokens in an issuer's answer; endpoints and what it left out as before."""
    seconds, whole = body.get("expires_in"), body.get("refresh_expires_in")
    return replace(
        before,
        access=str(body["access_token"]),
        refresh=str(body["refresh_token"]) if body.get("refresh_token") else before.refresh,
        expires_at=clock() + float(seconds) if isinstance(seconds, int | float) else None,
        ends_at=clock() + float(whole) if isinstance(whole, int | float) else None,
        renewal=secrets.token_urlsafe(24),
    )


def _name(account_id: str) -> str:
    return f"account {account_id}"
