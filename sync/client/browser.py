"""Signing in with a browser on this machine: a code with PKCE, answered on a loopback port of ours (RFC 7636, 8252).

The code that comes back is worth nothing without the verifier that never left this process, and it is taken only with
the state that was sent out.
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

from ...missions.errors import SignedOut
from .discovery import KnownIssuer
from .single_requests import ask, passing
from .tokens import Tokens, blank, granted


def sign_in(issuer: KnownIssuer, *, show: Callable[[str], None], patience: float, pasting: bool) -> Tokens:
    """Tokens of the person who signs in on the issuer's page, whose address `show` is given. SignedOut, Offline."""
    verifier = secrets.token_urlsafe(64)
    state = secrets.token_urlsafe(24)
    with _Callback(state, issuer.address) as callback:
        redirect = f"http://127.0.0.1:{callback.server_port}/callback"
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        query = {
            "response_type": "code",
            "client_id": issuer.client_id,
            "redirect_uri": redirect,
            "scope": issuer.scope,
            "state": state,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            **issuer.form,
        }
        if "offline_access" in issuer.scope.split():
            query["prompt"] = "consent"  # without it OpenID Connect issuers give no refresh token (Core, 11)
        joint = "&" if urlsplit(issuer.authorization_endpoint).query else "?"
        show(f"{issuer.authorization_endpoint}{joint}{urlencode(query)}")
        code = callback.wait(patience, pasting=pasting)
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect,
        "client_id": issuer.client_id,
        "code_verifier": verifier,
        **issuer.form,
    }
    said = ask(issuer.token_endpoint, hub=issuer.hub, form=form)
    answer = said.object
    if error := passing(said, issuer.token_endpoint):
        raise error
    if not said.ok or not answer.get("access_token"):
        why = str(answer.get("error_description") or answer.get("error") or f"HTTP {said.status}")
        raise SignedOut("The sign-in was not completed", why=why, todo="try `solo-unicorn auth login` again")
    return granted(answer, blank(issuer))


class _Callback(HTTPServer):
    """Waits on a loopback port for the browser to come back."""

    def __init__(self, state: str, issuer: str) -> None:
        super().__init__(("127.0.0.1", 0), _Page)
        self.timeout = 0.3
        self.state = state
        self.issuer = issuer
        self.code = ""
        self.refusal = ""

    def wait(self, patience: float, *, pasting: bool) -> str:
        """The code; SignedOut when it was refused or nobody came."""
        until = time.monotonic() + patience
        while not self.code and not self.refusal:
            if time.monotonic() > until:
                self.refusal = "nobody signed in within the time limit"
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
        """Look at the address that the browser came to; False when it belongs to no sign-in of ours."""
        given = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        if not secrets.compare_digest(given.get("state", "").encode(), self.state.encode()):
            return False  # somebody else's page may have sent the browser here
        if given.get("iss", self.issuer).rstrip("/") != self.issuer:
            self.refusal = f"the answer came from another issuer, {given['iss']}"  # RFC 9207
        elif given.get("error"):
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
            self._answer(400, "This is not the sign-in that was started here.")
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
