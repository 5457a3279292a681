"""An issuer on its own, spoken to as a client does."""

from __future__ import annotations

import hashlib
import re
import secrets
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
from starlette.applications import Starlette

from solo_unicorn.hub.operating.token_buckets import InProcess, Limiter
from solo_unicorn.hub.signin.issuer import IssuerSettings
from solo_unicorn.hub.signin.keys import Keys
from solo_unicorn.hub.signin.pages import SignInPages
from solo_unicorn.hub.signin.vault import Vault, new_key
from solo_unicorn.hub.signin.verifier import OwnTokens
from solo_unicorn.hub.storage.database import Database

from .people import ANN, PASSWORD, People, database

URL = "http://127.0.0.1:8420"
BACK = "http://127.0.0.1:43210/callback"
CLIENT = "solo-unicorn-cli"
KEY = new_key()


@dataclass
class Flow:
    """One try to sign in."""

    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))
    state: str = field(default_factory=lambda: secrets.token_urlsafe(8))
    client: str = CLIENT
    back: str = BACK
    scope: str = "openid email offline_access"

    @property
    def challenge(self) -> str:
        return urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest()).rstrip(b"=").decode()

    def query(self, **other: str | None) -> str:
        asked: dict[str, str | None] = {
            "response_type": "code",
            "client_id": self.client,
            "redirect_uri": self.back,
            "scope": self.scope,
            "state": self.state,
            "code_challenge": self.challenge,
            "code_challenge_method": "S256",
        }
        return urlencode({name: value for name, value in (asked | other).items() if value is not None})


@dataclass
class Issued:
    """The running issuer with a client of its own."""

    http: httpx.AsyncClient
    database: Database
    people: People
    tokens: OwnTokens
    limiter: InProcess

    async def page(self, flow: Flow, **other: str | None) -> httpx.Response:
        return await self.http.get(f"/oauth/authorize?{flow.query(**other)}")

    async def submit(self, flow: Flow, page: httpx.Response, **fields: str) -> httpx.Response:
        csrf = re.search(r'name="csrf" value="([^"]+)"', page.text)
        assert csrf, page.text
        given = {"csrf": csrf[1], "action": "sign-in", "email": ANN.email, "password": PASSWORD} | fields
        return await self.http.post(f"/oauth/authorize?{flow.query()}", data=given)

    async def code(self, flow: Flow) -> str:
        page = await self.page(flow)
        given = {"action": "continue"} if "Continue as" in page.text else {}
        sent = await self.submit(flow, page, **given)
        assert sent.status_code == 303, sent.text
        answer = parse_qs(urlsplit(sent.headers["location"]).query)
        assert answer["state"] == [flow.state] and answer["iss"] == [URL]
        return answer["code"][0]

    async def exchange(self, flow: Flow, code: str, **other: str) -> httpx.Response:
        given = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": flow.back,
            "client_id": flow.client,
            "code_verifier": flow.verifier,
        }
        return await self.http.post("/oauth/token", data=given | other)

    async def sign_in(self, flow: Flow | None = None) -> dict[str, Any]:
        flow = flow or Flow()
        answer = await self.exchange(flow, await self.code(flow))
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def refresh(self, token: str, key: str | None = None, **other: str) -> httpx.Response:
        given = {"grant_type": "refresh_token", "refresh_token": token, "client_id": CLIENT} | other
        return await self.http.post("/oauth/token", data=given, headers={"Idempotency-Key": key} if key else {})

    async def revoke(self, token: str) -> httpx.Response:
        return await self.http.post("/oauth/revoke", data={"token": token, "client_id": CLIENT})

    async def good(self, token: str) -> bool:
        self.tokens.clear()
        return await self.tokens.identify(token) is not None


class _InTurn(httpx.AsyncBaseTransport):
    """Each request to the next of the applications."""

    def __init__(self, apps: Sequence[Starlette]) -> None:
        self._next = cycle(httpx.ASGITransport(app) for app in apps)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """To whose turn it is."""
        return await next(self._next).handle_async_request(request)


@asynccontextmanager
async def issuing(directory: Path, database_url: str = "") -> AsyncIterator[Issued]:
    """One process on SQLite; on the PostgreSQL of `database_url` two, which answer in turn and share nothing else."""
    opened, people, limiter = await database(directory, database_url), People(), InProcess(Limiter())
    apps = []
    for _ in range(2 if database_url else 1):
        keys = Keys(Vault(lambda: [KEY]))
        tokens = OwnTokens(opened, URL, keys, people)
        apps.append(Starlette(routes=SignInPages(opened, IssuerSettings(URL), keys, people, tokens, limiter).routes()))
    try:
        async with httpx.AsyncClient(transport=_InTurn(apps), base_url=URL) as http:
            yield Issued(http, opened, people, tokens, limiter)
    finally:
        await opened.close()
