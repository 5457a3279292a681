"""The hub's own pages where another issuer signs people in: code flow with state, nonce and PKCE, then a cookie."""

from __future__ import annotations

import secrets
import time
from typing import Any, Final
from urllib.parse import urlsplit

from sqlalchemy import Connection
from starlette.requests import Request as HttpRequest
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from ...config.log import logger
from ...missions.errors import SignedOut, SoloUnicornError
from ..storage.database import Database
from .browsers import NO_STORE, Browsers, form_of, style
from .keys import seal, sealed
from .outside import OutsideIssuer, arrived

CALLBACK: Final = "/sign-in/callback"
FLOW_SECONDS: Final = 600


class OutsidePages:
    """`/sign-in`, its callback, `/sign-out`."""

    def __init__(self, database: Database, issuer: OutsideIssuer, browsers: Browsers) -> None:
        self._database, self._issuer, self.browsers = database, issuer, browsers
        self._settings = issuer.settings
        self._name = browsers.cookies.browser + "-flow"

    def routes(self) -> list[Route]:
        return [
            Route("/sign-in", self._sign_in, methods=["GET", "POST"]),
            Route(CALLBACK, self._callback),
            Route("/sign-out", self._sign_out, methods=["POST"]),
            Route("/oauth/style.css", style),
        ]

    async def _sign_in(self, request: HttpRequest) -> Response:
        """Who is signed in; else a button that leads to the issuer."""
        about = await self._issuer.metadata()
        endpoint = str(about.get("authorization_endpoint") or "")
        if request.method == "GET" or not endpoint or not await self._ours(request):
            account = await self.browsers.signed_in(request)
            host = urlsplit(self._settings.issuer).netloc
            wrong = "" if endpoint else f"{host} does not answer. Please try again later."
            values: dict[str, Any] = {"account": account, "host": host, "message": wrong}
            return await self.browsers.form("outside.html", request, target=endpoint, **values)
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        address, _ = self._client().create_authorization_url(endpoint, state, code_verifier=verifier, nonce=nonce)
        flow = ".".join((state, nonce, verifier, str(int(time.time()) + FLOW_SECONDS)))
        mark = await self._database.write(lambda at: seal(self.browsers.secret(at), "sign-in", flow))
        response = RedirectResponse(address, 303, NO_STORE)
        self.browsers.cookies.put(response, self._name, f"{flow}.{mark}", FLOW_SECONDS)
        return response

    async def _callback(self, request: HttpRequest) -> Response:
        """The issuer sent the browser back."""
        try:
            claims = await self._claims(request)
            account = await arrived(self._database, self._settings, claims)
        except SoloUnicornError as error:
            logger("hub.audit").warning("sign-in refused", extra={"why": str(error)})
            await self.browsers.audited(request, "anonymous", "sign-in", "sign-in refused")
            response = self.browsers.render("refused.html", request, status=403, message=str(error))
        else:
            await self.browsers.audited(request, f"user:{account.id}", "sign-in", "signed in")
            response = RedirectResponse("/sign-in", 303, NO_STORE)
            await self.browsers.remember(request, response, account)
        self.browsers.cookies.drop(response, self._name)
        return response

    async def _claims(self, request: HttpRequest) -> dict[str, Any]:
        """Of the id token (OpenID Connect Core, 3.1.3.7), completed from userinfo; SignedOut."""
        flow = await self._flow(request)
        given = request.query_params
        if flow is None or not secrets.compare_digest(given.get("state", "").encode(), flow[0].encode()):
            raise SignedOut("This sign-in was not started in this browser, or too long ago", todo="start it again")
        if given.get("iss", self._settings.issuer).rstrip("/") != self._settings.issuer:
            raise SignedOut("The answer came from another issuer", todo="start the sign-in again")
        if "code" not in given:
            why = given.get("error_description") or given.get("error") or "there is no code in its answer"
            raise SignedOut("The issuer did not sign you in", why=why[:300], todo="start the sign-in again")
        tokens = await self._exchanged(given["code"], flow[2])
        client = self._settings.web_client_id
        claims = await self._issuer.claims(str(tokens.get("id_token") or ""), client)
        if claims is None or claims.get("nonce") != flow[1] or claims.get("azp", client) != client:
            raise SignedOut("The issuer's answer is not valid", todo="start the sign-in again")
        return await self._issuer.completed(claims, str(tokens.get("access_token") or ""))

    async def _exchanged(self, code: str, verifier: str) -> dict[str, Any]:
        import httpx
        from authlib.common.errors import AuthlibBaseError

        endpoint = str((await self._issuer.metadata()).get("token_endpoint") or "")
        try:
            async with self._client() as client:
                return dict(await client.fetch_token(endpoint, code=code, code_verifier=verifier))
        except (AuthlibBaseError, httpx.HTTPError, ValueError) as error:
            raise SignedOut("The issuer did not sign you in", why=str(error)[:300], todo="try again") from error

    async def _flow(self, request: HttpRequest) -> tuple[str, str, str] | None:
        """State, nonce and verifier of the sign-in that this browser began."""
        flow, _, mark = request.cookies.get(self._name, "").rpartition(".")

        def right(at: Connection) -> bool:
            return sealed(self.browsers.secret(at), mark, "sign-in", flow)

        if flow.count(".") != 3 or not await self._database.write(right):
            return None
        state, nonce, verifier, until = flow.split(".")
        return (state, nonce, verifier) if int(until) > time.time() else None

    async def _sign_out(self, request: HttpRequest) -> Response:
        response: Response = RedirectResponse("/sign-in", 303, NO_STORE)
        if await self._ours(request):
            await self.browsers.end(request)
            self.browsers.cookies.drop(response, self.browsers.cookies.session)
        return response

    async def _ours(self, request: HttpRequest) -> bool:
        return await self.browsers.from_our_page(request, await form_of(request))

    def _client(self) -> Any:
        import httpx
        from authlib.integrations.httpx_client import AsyncOAuth2Client

        secret = self._settings.web_client_secret
        return AsyncOAuth2Client(
            self._settings.web_client_id,
            secret or None,
            token_endpoint_auth_method="client_secret_basic" if secret else "none",
            scope=" ".join(one for one in self._settings.scope.split() if one != "offline_access"),
            redirect_uri=self._settings.public_url + CALLBACK,
            code_challenge_method="S256",
            timeout=10,
            trust_env=False,
            verify=httpx.create_ssl_context(),
        )
