"""What goes to a hub and what comes back, without a word about how it gets there."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Literal, TypeVar

from ...missions.entities import Json, JsonObject
from ...missions.records import record

T = TypeVar("T")
API = "/api/v1"
LONGEST_WAIT = 15 * 60.0
"""A server that asks for more patience than this is asked again after it, and the wait is shown."""


@record
class FilePiece:
    """Part of a file, as the body of a request."""

    path: str
    start: int
    length: int


@record
class Request:
    """One request; `path` begins with a slash and is below the hub's URL, or it is a signed address of its own."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Json = None
    piece: FilePiece | None = None


@record
class Response:
    """An answer that could be read."""

    status: int
    headers: dict[str, str]
    """Names in lower case."""
    body: Json = None

    @property
    def ok(self) -> bool:
        """Whether it was done."""
        return 200 <= self.status < 300

    @property
    def object(self) -> JsonObject:
        """The body, when it is an object."""
        return self.body if isinstance(self.body, dict) else {}

    @property
    def version(self) -> int | None:
        """The number of the change, from the ETag: a deletion is answered without a body."""
        tag = self.headers.get("etag", "").strip('"')
        return int(tag) if tag.isascii() and tag.isdecimal() else None

    @property
    def error(self) -> JsonObject:
        """The error in the body: code, message, details."""
        error = self.object.get("error")
        return error if isinstance(error, dict) else {}

    @property
    def details(self) -> JsonObject:
        """What the error says beside its message."""
        details = self.error.get("details")
        return details if isinstance(details, dict) else {}

    @property
    def said(self) -> str:
        """The server's own words."""
        message = self.error.get("message") or self.object.get("detail") or self.object.get("message")
        return str(message or f"HTTP {self.status}")


Silence = Literal[
    "unreachable",
    "silent",
    "certificate",
    "proxy",
    "settings",
    "unreadable",
    "failing",
    "keychain",
    "credentials",
    "renewal",
    "signed_out",
]
"""Why there is no answer: no connection; nothing in time; its certificate is not trusted; a proxy wants a sign-in;
settings of this machine (proxy, certificates) cannot be used;
something that is not the hub's; a proxy says that the hub fails; or nothing was sent, because the token cannot be read
(the keychain, the file), cannot be renewed now, or has ended."""


@record
class NoAnswer:
    """No answer, or one that cannot be read: nobody knows whether it was done."""

    reason: str
    status: int = 0
    """What came with it, when something did."""
    kind: Silence = "unreachable"


Answer = Response | NoAnswer
Exchange = Generator[Request, Answer, T]
"""Yields requests, is sent their answers, and returns what came of it. Between two steps it holds no transaction."""


def get(path: str, **query: str | None) -> Request:
    return Request("GET", API + path, {name: value for name, value in query.items() if value is not None}, {})


def mission_in(body: Json) -> JsonObject | None:
    """The representation of a mission in a body, bare or below `data` or `mission`."""
    if not isinstance(body, dict):
        return None
    for candidate in (body, body.get("data"), body.get("mission")):
        if isinstance(candidate, dict) and isinstance(candidate.get("id"), str):
            return candidate
    return None


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds that the server asks to wait, at most LONGEST_WAIT; `now` is its own clock (for dates)."""
    said = headers.get("retry-after", "").strip()
    if not said:
        return None
    if said.isdecimal():
        return min(float(said), LONGEST_WAIT)
    at = server_time({"date": said})
    return None if at is None else min(max(0.0, at - now), LONGEST_WAIT)


def server_time(headers: Mapping[str, str]) -> float | None:
    """The server's clock, in seconds since 1970, from its Date header."""
    from email.utils import parsedate_to_datetime

    try:
        return parsedate_to_datetime(headers["date"]).timestamp()
    except (KeyError, ValueError, TypeError):
        return None
