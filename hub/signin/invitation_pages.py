"""`/invitations/TOKEN`: where the link of an invitation leads: who invites, into what, and two buttons."""

from __future__ import annotations

import time
from typing import Any

import orjson
from sqlalchemy import Connection, Row
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from .. import audit
from ..errors import HubError
from ..hub import Hub
from ..services import invitations
from .browsers import Browsers, form_of


class InvitationPages:
    """Of one hub, whoever signs its people in."""

    def __init__(self, hub: Hub, browsers: Browsers) -> None:
        self._hub, self._browsers = hub, browsers

    def routes(self) -> list[Route]:
        return [Route("/invitations/{token}", self._page, methods=["GET", "POST"])]

    async def _page(self, request: Request) -> Response:
        token, database = request.path_params["token"], self._hub.database
        row = await database.read(lambda at: invitations.behind(at, token, time.time()))
        if row is None:
            message = "This invitation is no longer open: it was answered or withdrawn, or is older than two weeks."
            return self._browsers.render("refused.html", request, status=404, message=message)
        account = await self._browsers.signed_in(request)
        values: dict[str, Any] = {"account": account, "invitation": row, "organization": orjson.loads(row.doc)["name"]}
        if request.method == "GET" or account is None:
            return await self._browsers.form("invitation.html", request, action=request.url.path, **values)
        form = await form_of(request)
        if not await self._browsers.from_our_page(request, form):
            message = "The page was open too long. Please try again."
            return await self._browsers.form(
                "invitation.html", request, status=403, action=request.url.path, message=message, **values
            )
        accepted = form.get("action") == "accept"
        try:
            await database.write(lambda at: self._decide(at, request, row, account.id, accepted=accepted))
        except HubError as error:  # somebody else was faster
            return self._browsers.render("refused.html", request, status=409, message=f"{error.what}: {error.why}.")
        self._hub.permissions.forget()
        return self._browsers.render("invitation.html", request, done="joined" if accepted else "declined", **values)

    @staticmethod
    def _decide(at: Connection, request: Request, row: Row[Any], user_id: str, *, accepted: bool) -> None:
        invitations.decide(at, row, user_id, accepted=accepted, now=time.time())
        audit.write(
            at,
            caller=f"user:{user_id}",
            action="invitation.accept" if accepted else "invitation.decline",
            target=row.id,
            organization_id=row.organization_id,
            place=request.client.host if request.client else "",
            agent=request.headers.get("user-agent", ""),
        )
