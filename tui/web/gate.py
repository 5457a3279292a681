"""Who may come in: a link that works once becomes a cookie; foreign pages and foreign names of this host stay out.

The board starts code agents, so whoever can talk to it can run programs as this user. Loopback alone does not protect
that: every page in the browser, and every program of another user, can reach a port of this machine.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from hmac import compare_digest
from typing import Final

COOKIE: Final = "solo_unicorn_web"
LINK_SECONDS: Final = 900.0
"""How long a link works when nobody uses it."""
MOST_TRIES: Final = 20
"""Wrong tokens after which the link that is out is called back."""


class Gate:
    """Links, cookies, and the names under which this server answers."""

    def __init__(self, port: int, clock: Callable[[], float]) -> None:
        self.hosts: Final = frozenset(f"{name}:{port}" for name in ("127.0.0.1", "localhost"))
        self._clock = clock
        self._link: tuple[str, float] | None = None
        self._rooms: dict[str, str] = {}
        """The cookie of each browser that was let in, by the path that is its own."""
        self._tries = 0

    def link(self) -> str:
        """A new token; the one before works no longer."""
        token = secrets.token_urlsafe(32)
        self._link, self._tries = (token, self._clock() + LINK_SECONDS), 0
        return token

    def redeem(self, token: str) -> tuple[str, str] | None:
        """What a token is exchanged for, None when it is wrong, old, or was used already: a room and its cookie.

        The room is a path that nobody can guess. A browser sends a cookie to every port of a host; one that is meant
        for this path alone is not sent to the server of somebody else on this machine.
        """
        if self._link is None:
            return None
        known, until = self._link
        if not compare_digest(token.encode(), known.encode()):
            self._tries += 1
            if self._tries >= MOST_TRIES:
                self._link = None
            return None
        self._link = None
        if self._clock() > until:
            return None
        room, cookie = secrets.token_urlsafe(16), secrets.token_urlsafe(32)
        self._rooms[room] = cookie
        return room, cookie

    def knows(self, room: str, cookie: str | None) -> bool:
        """Whether this is the cookie of that room."""
        known = self._rooms.get(room)
        return known is not None and cookie is not None and compare_digest(cookie.encode(), known.encode())

    def is_us(self, host: str | None) -> bool:
        """Whether a request means this server: a foreign name that resolves to it (DNS rebinding) does not."""
        return host in self.hosts

    def is_ours(self, origin: str | None) -> bool:
        """Whether a page of this server made the request."""
        return origin is not None and origin.removeprefix("http://") in self.hosts and origin.startswith("http://")
