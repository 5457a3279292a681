"""Who a signed-in browser's request is from: the cookie of its session, with the CSRF token where something changes."""

from __future__ import annotations

from sqlalchemy import Connection
from starlette.requests import HTTPConnection

from ..errors import HubError
from ..hub import Hub
from ..identity import SCOPES, Caller
from ..operating.middleware import SAFE_METHODS
from .browsers import Browsers
from .hub_accounts import HubAccounts
from .sessions import CSRF_HEADER, csrf_right, find_session


class CookieSessions:
    """Requests of signed-in browsers: those that change something carry the CSRF token of their session too."""

    def __init__(self, hub: Hub, browsers: Browsers, accounts: HubAccounts) -> None:
        self._hub, self._browsers, self._accounts = hub, browsers, accounts

    async def read(self, request: HTTPConnection) -> Caller | None:
        """The session's person; HubError `forbidden` without the token."""
        cookie = request.cookies.get(self._browsers.cookies.session)
        if not cookie:
            return None

        def find(at: Connection) -> Caller | None:
            session = find_session(at, cookie, request)
            account = self._accounts.by_id(at, session.user_id) if session else None
            if session is None or account is None:
                return None
            safe = request.scope["type"] == "http" and request.scope["method"] in SAFE_METHODS
            if not safe and not csrf_right(self._browsers.secret(at), session.token, request.headers.get(CSRF_HEADER)):
                raise HubError("forbidden", "The CSRF token is missing or wrong", todo=f"send it as {CSRF_HEADER}")
            return Caller("session", account.id, account.email, scopes=frozenset(SCOPES))

        found = await self._hub.database.read(find)
        if found is not None:
            await self._browsers.touched(cookie)
        return found
