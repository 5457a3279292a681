"""`/healthz`: the process answers. `/readyz`: it may be sent requests. `/metrics`: its counts, for who may see them."""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import time
from collections.abc import Mapping

from sqlalchemy import text
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ...missions.errors import SoloUnicornError
from ..database import Database
from .metrics import Metrics

REMEMBERED_SECONDS = 1.0
ANSWER_SECONDS = 1.5


class Health:
    """Whether this process is well."""

    def __init__(self, database: Database, metrics: Metrics, options: Mapping[str, str]) -> None:
        self._database, self._metrics = database, metrics
        self._token = options.get("metrics_token", "")
        self._found = (float("-inf"), "")
        self.started = False
        self.stopping = False

    def routes(self) -> list[Route]:
        """Outside the API and its limits."""
        return [Route("/healthz", self._alive), Route("/readyz", self._ready), Route("/metrics", self._counts)]

    async def _alive(self, request: Request) -> Response:
        return JSONResponse({"status": "ok"}, headers={"Cache-Control": "no-store"})

    async def _ready(self, request: Request) -> Response:
        why = await self._why_not()
        body = {"status": "ready"} if not why else {"status": "not ready", "why": why}
        return JSONResponse(body, 503 if why else 200, headers={"Cache-Control": "no-store"})

    async def _why_not(self) -> str:
        if self.stopping:
            return "stopping"
        if not self.started:
            return "starting"
        at, why = self._found
        if time.monotonic() - at > REMEMBERED_SECONDS:
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    await self._database.read(lambda connection: connection.execute(text("SELECT 1")).scalar_one())
                why = ""
            except TimeoutError:
                why = f"the database did not answer within {ANSWER_SECONDS} s"
            except SoloUnicornError as error:
                why = error.what
            except Exception:  # whatever it is, requests would meet it too
                why = "the database does not answer"
            self._found = (time.monotonic(), why)
        return why

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
        try:
            place = ipaddress.ip_address(request.client.host if request.client else "")
        except ValueError:
            return False
        return place.is_loopback or place.is_private
