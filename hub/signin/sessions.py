"""Signed-in browsers: an HttpOnly cookie, kept by its digest, bound to the browser, with its own CSRF token."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, delete, select, update
from starlette.requests import HTTPConnection
from starlette.responses import Response

from .. import permission_changes
from .keys import seal, sealed
from .tables import digest, new_secret, web_sessions

IDLE_SECONDS: Final = 7 * 86400
LONGEST_SECONDS: Final = 30 * 86400
TOUCH_SECONDS: Final = 300
PER_PERSON: Final = 10
"""The oldest browser is signed out when an eleventh comes."""
CSRF_HEADER: Final = "x-csrf-token"


@dataclass(frozen=True, slots=True)
class WebSession:
    """A signed-in browser."""

    token: str
    user_id: str


@dataclass(frozen=True, slots=True)
class Cookies:
    """Names and flags of the hub's cookies; `__Host-` where there is TLS."""

    secure: bool

    @property
    def session(self) -> str:
        return "__Host-solo-unicorn" if self.secure else "solo-unicorn"

    @property
    def browser(self) -> str:
        """Ties forms to the browser that was shown them."""
        return "__Host-solo-unicorn-form" if self.secure else "solo-unicorn-form"

    def put(self, response: Response, name: str, value: str, seconds: int) -> None:
        response.set_cookie(name, value, max_age=seconds, path="/", secure=self.secure, httponly=True, samesite="lax")

    def drop(self, response: Response, name: str) -> None:
        response.delete_cookie(name, path="/", secure=self.secure, httponly=True, samesite="lax")


def open_session(connection: Connection, user_id: str, request: HTTPConnection) -> WebSession:
    """A new session; the oldest ones of the person go."""
    session, now = WebSession(new_secret(), user_id), time.time()
    connection.execute(
        web_sessions.insert().values(
            digest=digest(session.token), user_id=user_id, agent=_agent(request), made_at=now, used_at=now
        )
    )
    mine = (
        select(web_sessions.c.digest).where(web_sessions.c.user_id == user_id).order_by(web_sessions.c.used_at.desc())
    )
    older = connection.execute(mine.offset(PER_PERSON)).scalars().all()
    connection.execute(delete(web_sessions).where(web_sessions.c.digest.in_(older)))
    return session


def find_session(connection: Connection, token: str | None, request: HTTPConnection) -> WebSession | None:
    """The session of a cookie: known, used within a week, made within a month, and from the same browser."""
    if not token:
        return None
    row = connection.execute(select(web_sessions).where(web_sessions.c.digest == digest(token))).one_or_none()
    now = time.time()
    if row is None or row.agent != _agent(request):
        return None
    if row.used_at < now - IDLE_SECONDS or row.made_at < now - LONGEST_SECONDS:
        return None
    return WebSession(token, row.user_id)


def touch(connection: Connection, token: str) -> None:
    """Used now; written at most every few minutes."""
    place = (web_sessions.c.digest == digest(token), web_sessions.c.used_at < time.time() - TOUCH_SECONDS)
    connection.execute(update(web_sessions).where(*place).values(used_at=time.time()))


def end_session(connection: Connection, token: str) -> None:
    connection.execute(delete(web_sessions).where(web_sessions.c.digest == digest(token)))
    permission_changes.changed(connection)


def csrf_token(secret: bytes, value: str) -> str:
    """What a form or a script must send beside the cookie with this value."""
    return seal(secret, value)


def csrf_right(secret: bytes, value: str | None, given: str | None) -> bool:
    return bool(value and given) and sealed(secret, str(given), str(value))


def _agent(request: HTTPConnection) -> str:
    return digest(request.headers.get("user-agent", ""))
