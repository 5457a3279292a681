"""What every request passes on its way in and out: its id, its limits, its headers, its line in the log, its count.

One ASGI layer rather than six, because each costs a little of every request.
"""

from __future__ import annotations

import asyncio
import os
import re
import time
from itertools import count
from typing import Final

from starlette.requests import ClientDisconnect, HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ...config.correlation import correlation
from ...config.log import logger
from ..errors import HubError, refusal
from .metrics import HubMetrics
from .rate_limits import RateLimits

REQUEST_ID: Final = re.compile(rb"[A-Za-z0-9._-]{8,64}")
BODY_BYTES: Final = 8 * 1024 * 1024
UPLOADS: Final = "/uploads/"
"""Their size is checked by what was agreed on when the address was signed."""
BODY_SECONDS: Final = 30.0
"""For a whole body."""
SLOW_SECONDS: Final = 1.0
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
HEADERS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'"),
)
CLOSE: Final = {"Connection": "close"}
"""What else comes on this connection is not read."""
HSTS: Final = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")


_IDS: Final = count(int.from_bytes(os.urandom(3)))
_PROCESS: Final = os.urandom(4).hex()


def _new_id() -> str:
    """An id for a request: this process and a counter. It is not a secret, so it need not cost a system call."""
    return f"{_PROCESS}{next(_IDS):08x}"


class TooLarge(Exception):
    """The body exceeds its limit."""


class TooSlow(Exception):
    """The body does not arrive in time."""


class RequestMiddleware:
    """Surrounds the whole application."""

    def __init__(
        self, app: ASGIApp, *, rates: RateLimits, metrics: HubMetrics, secure: bool, body_bytes: int = BODY_BYTES
    ) -> None:
        self._app, self._rates, self._metrics = app, rates, metrics
        self._headers = (*HEADERS, HSTS) if secure else HEADERS
        self._body_bytes = body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "websocket":
                correlation.set(_new_id())
            await self._app(scope, receive, send)
            return
        await _Passing(self, scope, receive, send).run()

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)

    @property
    def rates(self) -> RateLimits:
        return self._rates

    @property
    def metrics(self) -> HubMetrics:
        return self._metrics

    @property
    def headers(self) -> tuple[tuple[bytes, bytes], ...]:
        return self._headers

    def body_limit(self, path: str) -> int | None:
        """In bytes; None where another check knows better."""
        return None if path.startswith(UPLOADS) else self._body_bytes


class _Passing:
    """One HTTP request on its way through."""

    def __init__(self, door: RequestMiddleware, scope: Scope, receive: Receive, send: Send) -> None:
        self._door, self._scope, self._receive, self._send = door, scope, receive, send
        self._status = 0
        self._taken = 0
        self._limit = door.body_limit(scope["path"])
        self._began = time.perf_counter()
        self._extra: list[tuple[bytes, bytes]] = []
        self._body_ends = 0.0

    async def run(self) -> None:
        """From its first byte to the line in the log."""
        self._name_it()
        self._door.metrics.begin()
        try:
            await self._inside()
        except TooLarge:
            await self._refuse(
                HubError("payload_too_large", f"A body is limited to {self._limit} bytes", headers=CLOSE)
            )
        except TooSlow:
            await self._refuse(
                HubError(
                    "bad_request", "The body did not come in time", todo="send it within 30 seconds", headers=CLOSE
                )
            )
        except ClientDisconnect:  # before its body was there: nobody reads the answer, and it is not the hub's fault
            if not self._status:
                await Response(status_code=408)(self._scope, self._receive, self._answer)
        except Exception:
            logger("hub").exception("a request failed", extra={"path": self._scope["path"][:200]})
            await self._refuse(
                HubError("internal", "Something failed in the hub", todo="report the traceId to its operator")
            )
        finally:
            self._tell()

    async def _inside(self) -> None:
        length = next((value for name, value in self._scope["headers"] if name == b"content-length"), b"")
        if self._limit is not None and length.isdigit() and int(length) > self._limit:
            raise TooLarge
        connection = HTTPConnection(self._scope)
        allowance = await self._door.rates.ask(connection)
        if allowance is not None:
            self._extra += allowance.headers()
            if not allowance.allowed:
                await self._refuse(
                    HubError(
                        "rate_limited",
                        f"More than {allowance.limit} requests in {allowance.per}",
                        todo=f"try again in {allowance.reset_seconds} s",
                        headers={"Retry-After": str(allowance.reset_seconds)},
                    )
                )
                return
        await self._door.serve(self._scope, self._read, self._answer)

    def _name_it(self) -> None:
        """Keep the caller's id where it is well-formed, else make one; it is in each log line and in the answer."""
        given = next((value for name, value in self._scope["headers"] if name == b"x-request-id"), b"")
        if REQUEST_ID.fullmatch(given):
            correlation.set(given.decode("ascii"))
        else:
            correlation.set(_new_id())
        self._extra.append((b"x-request-id", correlation.get().encode()))

    async def _read(self) -> Message:
        """The body, within its limits of size and time."""
        if self._limit is None:
            return await self._receive()
        now = time.monotonic()
        self._body_ends = self._body_ends or now + BODY_SECONDS
        if self._status or self._taken < 0:
            return await self._receive()
        try:
            async with asyncio.timeout(max(0.01, self._body_ends - now)):
                message = await self._receive()
        except TimeoutError:
            raise TooSlow from None
        if message["type"] == "http.request":
            self._taken += len(message.get("body", b""))
            if self._taken > self._limit:
                raise TooLarge
            if not message.get("more_body"):
                self._taken = -1  # all of it is here: what comes next is the end of the connection, whenever
        return message

    async def _answer(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            headers = list(message.get("headers", ()))
            there = {name.lower() for name, _ in headers}
            headers += [header for header in (*self._door.headers, *self._extra) if header[0] not in there]
            message = {**message, "headers": headers}
        await self._send(message)

    async def _refuse(self, error: HubError) -> None:
        """Answer with the refusal. An answer that has begun is cut off instead, which the client notices."""
        if not self._status:
            await refusal(error)(self._scope, self._receive, self._answer)

    def _tell(self) -> None:
        """Count the request; log it when it failed, was refused, took long or changed something."""
        seconds = time.perf_counter() - self._began
        path = getattr(self._scope.get("endpoint"), "__name__", "(none)").strip("_")
        method, status = self._scope["method"], self._status
        self._door.metrics.end(method, path, status, seconds)
        log = logger("hub.access")
        changes = method not in SAFE_METHODS
        if not (changes or status >= 400 or status == 0 or seconds > SLOW_SECONDS):
            log.debug("request", extra={"method": method, "route": path, "status": status})
            return
        about = {
            "method": method,
            "route": path,
            "path": self._scope["path"][:300],
            "status": status,
            "milliseconds": round(seconds * 1000, 1),
            "place": self._scope["client"][0] if self._scope.get("client") else "",
            "caller": self._scope.get("state", {}).get("caller", ""),
        }
        log.log(40 if status >= 500 or status == 0 else 20, "request", extra=about)
        if changes and 200 <= status < 400:
            logger("hub.audit").info("changed", extra=about)
