"""Signing in: with a browser (authorization code with PKCE, answered on a loopback port of ours), or with a key.

The code that comes back is worth nothing without the verifier that never left this process, and it is taken only with
the state that was sent out. A key (`pat_…`, `org_key_…`) is used as it is.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import select
import sys
import time
from collections.abc import Callable
from html import escape
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

from ...missions.entities import Json, JsonObject
from ...missions.errors import Offline, SignedOut, SoloUnicornError, UsageError
from ...missions.records import record
from ..replica.connecting import Account, Kind
from ..replica.exchange import items
from ..replica.messages import API
from .tokens import Tokens, granted

CLIENT_ID = "solo-unicorn-cli"
SCOPE = "openid email profile offline_access"
PATIENCE_SECONDS = 300.0
WELL_KNOWN = ("/.well-known/oauth-authorization-server", "/.well-known/openid-configuration")


@record
class SignIn:
    """A sign-in that succeeded; nothing of it is kept yet."""

    account: Account
    tokens: Tokens


def hub_url(text: str) -> str:
    """A hub's base URL as it is kept; UsageError for what is none. Without TLS only on this machine."""
    url = text.strip().rstrip("/")
    if "://" not in url:
        url = f"https://{url}"
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment or parts.username:
        raise UsageError(f"{text!r} is no address of a hub", todo="give one like https://hub.example.org")
    if parts.scheme == "http" and parts.hostname not in ("127.0.0.1", "localhost", "::1"):
        raise UsageError(
            f"{url} is not encrypted", why="your sign-in would be readable on the way", todo="use its https address"
        )
    return url


def with_browser(
    hub: str, profile: str, *, show: Callable[[str], None], patience: float = PATIENCE_SECONDS, pasting: bool = False
) -> SignIn:
    """Sign in on the hub's own page; `show` is given its address. Offline, or SignedOut when it is refused.

    `pasting`: where the browser is on another machine, the address that it ended at may be pasted instead.
    """
    about = _discovered(hub)
    verifier = secrets.token_urlsafe(64)
    state = secrets.token_urlsafe(24)
    with _Callback(state) as callback:
        redirect = f"http://127.0.0.1:{callback.server_port}/callback"
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        form = {
            "response_type": "code",
            "client_id": CLIENT_ID,
            "redirect_uri": redirect,
            "scope": SCOPE,
            "state": state,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        show(f"{about['authorization_endpoint']}?{urlencode(form)}")
        code = callback.wait(patience, pasting=pasting)
    answer = _post(
        str(about["token_endpoint"]),
        {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect,
            "client_id": CLIENT_ID,
            "code_verifier": verifier,
        },
    )
    blank = Tokens(
        access="",
        token_endpoint=str(about["token_endpoint"]),
        revocation_endpoint=str(about.get("revocation_endpoint") or ""),
        client_id=CLIENT_ID,
    )
    tokens = granted(answer, blank)
    return SignIn(_account(hub, profile, tokens.access, "session"), tokens)


def with_key(hub: str, profile: str, key: str) -> SignIn:
    """Sign in with a personal access token or an organisation key; SignedOut when the hub does not know it."""
    key = key.strip()
    kind: Kind = "organization" if key.startswith("org_key_") else "token"
    if not key or not key.isascii() or any(letter.isspace() for letter in key):
        raise UsageError("That is no key", todo="give one that begins with pat_ or org_key_; - reads it from a pipe")
    return SignIn(_account(hub, profile, key, kind), Tokens(access=key))


def revoke(tokens: Tokens) -> bool:
    """Tell the issuer that a sign-in is over; False when it could not be told (the tokens end by themselves then)."""
    import httpx

    if not tokens.revocation_endpoint:
        return not tokens.refresh
    form = {"token": tokens.refresh or tokens.access, "client_id": tokens.client_id}
    try:
        return httpx.post(tokens.revocation_endpoint, data=form, timeout=10).status_code < 400
    except httpx.HTTPError:
        return False


def who(hub: str, token: str) -> JsonObject:
    """What the hub says of the holder of a token (`/auth/whoami`); SignedOut when it does not accept it."""
    import httpx

    try:
        answer = httpx.get(f"{hub}{API}/auth/whoami", headers={"authorization": f"Bearer {token}"}, timeout=20)
    except httpx.HTTPError as error:
        raise _offline(hub, str(error)) from error
    if answer.status_code in (401, 403):
        raise SignedOut(f"{hub} does not accept this sign-in", todo="sign in again, or make a new key")
    body = _json(answer.content)
    if answer.status_code != 200 or not ("user" in body or "organizations" in body):
        raise SoloUnicornError(
            f"{hub} does not say who you are",
            why=f"HTTP {answer.status_code}",
            todo="check the address: is it a hub of this version?",
        )
    return body


def _account(hub: str, profile: str, token: str, kind: Kind) -> Account:
    """Whose token it is: a person, or for an organisation key the organisation that it acts for."""
    said = who(hub, token)
    user, belongs = said.get("user"), items(said.get("organizations"))
    holder = user if isinstance(user, dict) else belongs[0] if belongs else {}
    holder_id = str(holder.get("id") or "")
    if not holder_id:
        raise SoloUnicornError(f"{hub} does not say who you are", why="its answer names no person and no organization")
    name = str(holder.get("email") or holder.get("name") or "")
    account_id = f"{holder_id}@{urlsplit(hub).netloc}"
    return Account(account_id, profile, hub, holder_id, name, kind, True, {"organizations": list[Json](belongs)})


def _discovered(hub: str) -> JsonObject:
    import httpx

    said = ""
    for path in WELL_KNOWN:
        try:
            answer = httpx.get(hub + path, timeout=20)
        except httpx.HTTPError as error:
            raise _offline(hub, str(error)) from error
        body = _json(answer.content) if answer.status_code == 200 else {}
        if body.get("authorization_endpoint") and body.get("token_endpoint"):
            return body
        said = f"HTTP {answer.status_code} for {path}"
    raise SoloUnicornError(
        f"{hub} does not say how to sign in", why=said, todo="check the address, or sign in with --api-key"
    )


def _post(url: str, form: dict[str, str]) -> JsonObject:
    import httpx

    try:
        answer = httpx.post(url, data=form, timeout=20)
    except httpx.HTTPError as error:
        raise _offline(url, str(error)) from error
    body = _json(answer.content)
    if answer.status_code != 200 or not body.get("access_token"):
        why = str(body.get("error_description") or body.get("error") or f"HTTP {answer.status_code}")
        raise SignedOut("The sign-in was not completed", why=why, todo="try `solo-unicorn auth login` again")
    return body


def _json(content: bytes) -> JsonObject:
    import json

    try:
        body: Json = json.loads(content)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _offline(hub: str, why: str) -> Offline:
    return Offline(f"{hub} cannot be reached", why=why, todo="check the address and the network, then try again")


class _Callback(HTTPServer):
    """Waits on a loopback port for the browser to come back."""

    def __init__(self, state: str) -> None:
        super().__init__(("127.0.0.1", 0), _Page)
        self.timeout = 0.3
        self.state = state
        self.code = ""
        self.refusal = ""

    def wait(self, patience: float, *, pasting: bool) -> str:
        """The code; SignedOut when it was refused or nobody came."""
        until = time.monotonic() + patience
        while not self.code and not self.refusal:
            if time.monotonic() > until:
                self.refusal = "nobody signed in within the time"
            elif pasting and select.select([sys.stdin], [], [], 0)[0]:
                line = sys.stdin.readline()
                pasting = bool(line)
                self.take(line.strip())
            else:
                self.handle_request()
        if self.refusal:
            raise SignedOut(
                "The sign-in was not completed", why=self.refusal, todo="try `solo-unicorn auth login` again"
            )
        return self.code

    def take(self, address: str) -> bool:
        """Look at the address that the browser came to; False when it is none of ours."""
        given = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        if not secrets.compare_digest(given.get("state", "").encode(), self.state.encode()):
            return False  # somebody else's page may have sent the browser here
        if given.get("error"):
            self.refusal = given.get("error_description") or given["error"]
        else:
            self.code = given.get("code", "")
            self.refusal = "" if self.code else "the hub sent no code"
        return True


class _Page(BaseHTTPRequestHandler):
    server: _Callback

    def do_GET(self) -> None:
        """The browser is back."""
        if urlsplit(self.path).path != "/callback" or not self.server.take(self.path):
            self._answer(400, "This is not the sign-in that was begun here.")
        elif self.server.refusal:
            self._answer(200, f"The sign-in was not completed: {self.server.refusal}. You can close this page.")
        else:
            self._answer(200, "You are signed in. You can close this page and go back to the terminal.")

    def _answer(self, status: int, sentence: str) -> None:
        page = f"<!doctype html><meta charset=utf-8><title>Solo Unicorn</title><p>{escape(sentence)}</p>".encode()
        self.send_response(status)
        for name, value in (
            ("content-type", "text/html; charset=utf-8"),
            ("content-length", str(len(page))),
            ("content-security-policy", "default-src 'none'"),
            ("referrer-policy", "no-referrer"),
            ("cache-control", "no-store"),
            ("connection", "close"),
        ):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *_: object) -> None:
        """The address has the code in it: nothing is logged."""
