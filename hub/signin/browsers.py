"""Browsers that are shown the hub's own pages: their forms, their sign-ins, how a page is made."""

from __future__ import annotations

import secrets
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, select_autoescape
from sqlalchemy import Connection
from starlette.datastructures import ImmutableMultiDict
from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from ...config.correlation import correlation
from .. import audit
from ..storage.database import Database
from .accounts import Accounts, IssuerAccount
from .exchange import IssuerRequest
from .keys import Keys
from .sessions import Cookies, csrf_right, csrf_token, end_session, find_session, open_session, touch

FORM_BYTES: Final = 64 * 1024
NO_STORE: Final = {"Cache-Control": "no-store", "Pragma": "no-cache"}


class Browsers:
    def __init__(self, database: Database, keys: Keys, accounts: Accounts, *, secure: bool) -> None:
        self._database, self._keys, self._accounts = database, keys, accounts
        self.cookies = Cookies(secure)

    def secret(self, connection: Connection) -> bytes:
        """Of the seals that forms and browsers carry."""
        return self._keys.secret(connection, "csrf")

    async def form(
        self, name: str, request: HttpRequest, *, status: int = 200, target: str = "", **values: Any
    ) -> Response:
        """A page with a form that only this browser can send; `target`: where the answer may lead to."""
        browser = request.cookies.get(self.cookies.browser) or secrets.token_urlsafe(24)
        token = await self._database.write(lambda connection: csrf_token(self.secret(connection), browser))
        response = self.render(name, request, status=status, target=target, csrf=token, **values)
        self.cookies.put(response, self.cookies.browser, browser, 3600)
        return response

    def render(
        self, name: str, request: HttpRequest, *, status: int = 200, target: str = "", **values: Any
    ) -> Response:
        """A page that loads nothing from elsewhere; `target`: where its form may lead to."""
        parts = urlsplit(target)
        back = f" {parts.scheme}://{parts.netloc}" if parts.scheme in ("http", "https") and parts.netloc else ""
        page = _templates().get_template(name).render(**values)
        return Response(
            page,
            status,
            {
                **NO_STORE,
                "Content-Security-Policy": f"default-src 'none'; style-src 'self'; form-action 'self'{back}; "
                "frame-ancestors 'none'; base-uri 'none'",
                "X-Frame-Options": "DENY",
                "Referrer-Policy": "no-referrer",
            },
            "text/html",
        )

    async def from_our_page(self, request: HttpRequest, form: dict[str, str]) -> bool:
        """The form carries the seal of this browser's cookie, and comes from this hub."""
        if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return False
        browser = request.cookies.get(self.cookies.browser)
        return await self._database.write(
            lambda connection: csrf_right(self.secret(connection), browser, form.get("csrf"))
        )

    async def audited(self, request: HttpRequest, caller: str, action: str, outcome: str) -> None:
        """A row of the audit log that belongs to no organization: for the operator of the hub."""
        place, agent = request.client.host if request.client else "", request.headers.get("user-agent", "")
        said = {"caller": caller, "action": action, "outcome": outcome}
        row = {**said, "place": place, "agent": agent, "trace_id": correlation.get()}
        await self._database.write(lambda connection: audit.write(connection, **row))

    async def signed_in(self, request: HttpRequest) -> IssuerAccount | None:
        """The person who is signed in with this browser."""
        cookie = request.cookies.get(self.cookies.session)

        def find(connection: Connection) -> IssuerAccount | None:
            session = find_session(connection, cookie, request)
            return self._accounts.by_id(connection, session.user_id) if session else None

        return await self._database.read(find) if cookie else None

    async def remember(self, request: HttpRequest, response: Response, account: IssuerAccount) -> None:
        """This browser is signed in; what it was before is over (no session is taken over from before a sign-in)."""
        old = request.cookies.get(self.cookies.session)

        def change(connection: Connection) -> str:
            if old:
                end_session(connection, old)
            return open_session(connection, account.id, request).token

        self.cookies.put(response, self.cookies.session, await self._database.write(change), 30 * 86400)

    async def end(self, request: HttpRequest) -> None:
        """Sign this browser out."""
        cookie = request.cookies.get(self.cookies.session)
        if cookie:
            await self._database.write(lambda connection: end_session(connection, cookie))

    async def touched(self, token: str) -> None:
        """A session was used."""
        await self._database.write(lambda connection: touch(connection, token))


async def posted(request: HttpRequest) -> IssuerRequest | None:
    """A form-encoded request for Authlib; None when it is not one or too large."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/x-www-form-urlencoded":
        return None
    if len(await request.body()) > FORM_BYTES:
        return None
    form = await request.form()
    given = [(name, value) for name, value in form.multi_items() if isinstance(value, str)]
    return IssuerRequest("POST", str(request.url), ImmutableMultiDict(given), dict(request.headers))


async def form_of(request: HttpRequest) -> dict[str, str]:
    """The fields of a form, empty when it is none."""
    asked = await posted(request)
    return asked.form if asked else {}


async def style(request: HttpRequest) -> Response:
    css = (Path(__file__).parent / "templates" / "style.css").read_text("utf-8")
    return Response(css, headers={"Cache-Control": "public, max-age=3600"}, media_type="text/css")


@cache
def _templates() -> Environment:
    here = Path(__file__).parent / "templates"
    return Environment(loader=FileSystemLoader(here), autoescape=select_autoescape(["html"]), auto_reload=False)
