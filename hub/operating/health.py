"""`/healthz`: the process answers. `/readyz`: it may be sent requests. `/metrics`: its counts, for who may see them."""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ...missions.errors import SoloUnicornError
from ..disk import DiskFull
from .metrics import HubMetrics

REMEMBERED_SECONDS = 1.0
ANSWER_SECONDS = 1.5


@dataclass(frozen=True, slots=True)
class HealthDependency:
    """Something that a hub cannot do without, and how it is asked whether it is well."""

    place: str
    """Where it is, without a password; for the operator alone."""
    probe: Callable[[], Awaitable[object]]
    """Raises what is wrong."""


class Health:
    """Whether this process and everything that it depends on is well."""

    def __init__(
        self, dependencies: Mapping[str, HealthDependency], metrics: HubMetrics, options: Mapping[str, str]
    ) -> None:
        self._dependencies, self._metrics = dependencies, metrics
        self._token = options.get("metrics_token", "")
        self._proxies = options.get("proxies", "")
        self._asked: dict[str, asyncio.Future[object]] = {}
        """Who was asked and has not answered yet; nobody is asked twice at once."""
        self._found: dict[str, str] = {}
        self._found_at = float("-inf")
        self.started = False
        self.stopping = False

    def routes(self) -> list[Route]:
        """Outside the API and its limits."""
        return [Route("/healthz", self._alive), Route("/readyz", self._ready), Route("/metrics", self._counts)]

    async def _alive(self, request: Request) -> Response:
        return JSONResponse({"status": "ok"}, headers={"Cache-Control": "no-store"})

    async def _ready(self, request: Request) -> Response:
        """The state of each dependency: for who may read the counts in words, for all others ok or failing."""
        if self.stopping or not self.started:
            return _state({"status": "not ready", "why": "stopping" if self.stopping else "starting"})
        if time.monotonic() - self._found_at > REMEMBERED_SECONDS:
            wrong = await asyncio.gather(*(self._wrong(name) for name in self._dependencies))
            self._found = dict(zip(self._dependencies, wrong, strict=True))
            self._found_at = time.monotonic()
        told = self._allowed(request)
        checks = {name: (wrong if told else "failing") if wrong else "ok" for name, wrong in self._found.items()}
        failing = [name for name, wrong in self._found.items() if wrong]
        if failing:
            return _state({"status": "not ready", "why": f"failing: {', '.join(failing)}", "checks": checks})
        return _state({"status": "ready", "checks": checks})

    async def _wrong(self, name: str) -> str:
        """What is wrong with a dependency, and where it is; empty when it is well."""
        dependency = self._dependencies[name]
        asked = self._asked.get(name) or asyncio.ensure_future(dependency.probe())
        self._asked[name] = asked
        await asyncio.wait({asked}, timeout=ANSWER_SECONDS)
        if not asked.done():
            return f"{dependency.place} did not answer within {ANSWER_SECONDS} s"
        self._asked.pop(name, None)  # another request may have waited for the same
        try:
            asked.result()
        except DiskFull as error:
            return f"{error.place}: {error.why}"
        except SoloUnicornError as error:
            return f"{dependency.place}: {error.why or error.what}"
        except Exception as error:  # whatever it is, requests would meet it too
            return f"{dependency.place}: {str(error).strip().partition(chr(10))[0] or type(error).__name__}"
        return ""

    async def _counts(self, request: Request) -> Response:
        """For who has the token; without one set, for this machine and private networks."""
        if not self._allowed(request):
            return Response(status_code=404)
        page, kind = self._metrics.page()
        return Response(page, media_type=kind)

    def _allowed(self, request: Request) -> bool:
        if self._token:
            given = request.headers.get("authorization", "").removeprefix("Bearer ")
            return hmac.compare_digest(given.encode(), self._token.encode())
        if not self._proxies and {"x-forwarded-for", "forwarded"} & set(request.headers):
            return False  # of a proxy that nobody named: its own address says nothing of who asks
        try:
            place = ipaddress.ip_address(request.client.host if request.client else "")
        except ValueError:
            return False
        return place.is_loopback or place.is_private


def _state(body: dict[str, object]) -> Response:
    return JSONResponse(body, 200 if body["status"] == "ready" else 503, headers={"Cache-Control": "no-store"})
