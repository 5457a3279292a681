"""The addresses of device authorization: where a machine asks, and the page where a person agrees."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from sqlalchemy import Connection
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from ..operating.token_buckets import place_of
from ..storage.database import Database
from .accounts import IssuerAccount
from .browsers import NO_STORE, Browsers, form_of, posted
from .device import Asking, asking, decide, plain
from .exchange import IssuerAnswer
from .issuer import Issuer

if TYPE_CHECKING:
    from ..operating.token_buckets import Limits

PAGE: Final = "/oauth/device"
REQUESTS_AN_HOUR: Final = 60
"""Of one address for codes."""
TRIES_PER_MINUTE: Final = 10
"""Of user codes, for one person and for one address."""
UNKNOWN: Final = "This code is not valid. It may have been used, or be older than ten minutes."


class DevicePages:
    """The pages of device authorization, for the built-in issuer."""

    def __init__(
        self,
        database: Database,
        browsers: Browsers,
        issuer: Callable[[Connection], Issuer],
        who: Callable[[HttpRequest, dict[str, str]], Awaitable[tuple[IssuerAccount | None, str]]],
        limits: Limits,
    ) -> None:
        self._database, self._browsers, self._limits = database, browsers, limits
        self._issuer, self._who = issuer, who

    def routes(self) -> list[Route]:
        return [
            Route("/oauth/device_authorization", self._ask, methods=["POST"]),
            Route(PAGE, self._page, methods=["GET", "POST"]),
        ]

    async def _ask(self, request: HttpRequest) -> Response:
        """A machine asks for codes."""
        place = request.client.host if request.client else ""
        if not (await self._limits.ask(f"device:{place_of(request)}", REQUESTS_AN_HOUR, 3600)).allowed:
            return JSONResponse({"error": "temporarily_unavailable"}, 429, {**NO_STORE, "Retry-After": "60"})
        asked = await posted(request)
        if asked is None or not asked.readable:
            return JSONResponse({"error": "invalid_request"}, 400, NO_STORE)
        asked.headers["x-place"] = place  # pyright: ignore[reportIndexIssue, reportOptionalSubscript]  # ours is a dict
        answer: IssuerAnswer = await self._database.write(
            lambda at: self._issuer(at).create_endpoint_response("device_authorization", asked)
        )
        return JSONResponse(answer.body, answer.status, {**answer.headers, **NO_STORE})

    async def _page(self, request: HttpRequest) -> Response:
        """Sign in where that is needed, enter the code, see who asks, agree or refuse."""
        code = request.query_params.get("user_code", "")[:40]
        account = await self._browsers.signed_in(request)
        if request.method == "GET":
            return await self._shown(request, account, code)
        form = await form_of(request)
        if not await self._browsers.from_our_page(request, form):
            return await self._shown(request, account, code, "The page was open too long. Please try again.", 403)
        if form.get("action") in ("sign-in", "switch"):
            return await self._signed_in(request, form, code)
        if account is None:
            return await self._shown(request, None, code)
        if form.get("action") == "look":
            return _to(form.get("code", ""))
        one = await self._looked(request, account, code)
        approved = form.get("action") == "allow"
        if isinstance(one, str):
            return await self._shown(request, account, "", one, 400)
        if not await self._database.write(lambda at: decide(at, one, account, approved=approved)):
            return await self._shown(request, account, "", UNKNOWN, 400)
        outcome = "allowed" if approved else "refused"
        await self._browsers.audited(request, f"user:{account.id}", "device", outcome)
        return self._browsers.render("device_done.html", request, approved=approved, machine=one.name)

    async def _signed_in(self, request: HttpRequest, form: dict[str, str], code: str) -> Response:
        account, told = await self._who(request, form)
        if account is None:
            status = 401 if told else 200
            return await self._shown(request, None, code, told, status, form.get("email", ""))
        response = _to(code)
        await self._browsers.remember(request, response, account)
        return response

    async def _shown(
        self,
        request: HttpRequest,
        account: IssuerAccount | None,
        code: str,
        message: str = "",
        status: int = 200,
        email: str = "",
    ) -> Response:
        action = PAGE + (f"?{urlencode({'user_code': code})}" if code else "")
        shown: dict[str, Any] = {"account": account, "message": message, "action": action}
        if account is None:
            return await self._browsers.form("sign_in.html", request, status=status, client=None, email=email, **shown)
        found = await self._looked(request, account, code) if code else None
        if isinstance(found, str):
            shown |= {"message": found, "action": PAGE}
            return await self._browsers.form("device.html", request, status=400, asking=None, **shown)
        letters = plain(code)
        pretty = f"{letters[:4]}-{letters[4:]}"
        return await self._browsers.form("device.html", request, status=status, asking=found, code=pretty, **shown)

    async def _looked(self, request: HttpRequest, account: IssuerAccount, code: str) -> Asking | str:
        """Who waits under the code, or why that is not said."""
        for who in (f"device-code:{place_of(request)}", f"device-code:{account.id}"):
            if not (await self._limits.ask(who, TRIES_PER_MINUTE, 60)).allowed:
                return "Too many attempts. Please wait a minute."
        return await self._database.read(lambda at: asking(at, code)) or UNKNOWN


def _to(code: str) -> Response:
    return RedirectResponse(f"{PAGE}?{urlencode({'user_code': code[:40]})}", 303, NO_STORE)
