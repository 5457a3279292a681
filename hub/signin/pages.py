"""The issuer's addresses: the sign-in page, tokens, revocation, registration, keys and discovery."""

# pyright: reportOptionalMemberAccess=false, reportAttributeAccessIssue=false
# authlib has no types; its classes say None where a grant has set something.

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import orjson
from authlib.oauth2 import OAuth2Error
from sqlalchemy import Connection
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from ...config.log import logger
from ...missions.errors import InvalidValue
from ..operating.token_buckets import place_of
from ..storage.database import Database
from . import clients
from .accounts import Accounts, IssuerAccount, check_password
from .browsers import FORM_BYTES, NO_STORE, Browsers, form_of, posted, style
from .device import DEVICE_GRANT
from .device_pages import DevicePages
from .exchange import IssuerAnswer, IssuerRequest
from .grants import user_info
from .issuer import Issuer, IssuerSettings
from .issuer_setup import opened
from .keys import Keys
from .verifier import OwnTokens

if TYPE_CHECKING:
    from ..operating.token_buckets import Limits

UNREADABLE: Final = "The address of this page has invalid characters."
TRIES_PER_MINUTE: Final = 5
"""Of a password for one address from one place; 20 from one place for all addresses."""


class SignInPages:
    """Routes of the built-in issuer."""

    def __init__(
        self,
        database: Database,
        settings: IssuerSettings,
        keys: Keys,
        accounts: Accounts,
        tokens: OwnTokens,
        limits: Limits,
    ) -> None:
        self._database, self._settings, self._keys = database, settings, keys
        self._accounts, self._tokens, self._limits = accounts, tokens, limits
        self.browsers = Browsers(database, keys, accounts, secure=settings.issuer.startswith("https:"))

    def routes(self) -> list[Route]:
        return [
            Route("/oauth/authorize", self._authorize, methods=["GET", "POST"]),
            Route("/oauth/token", self._token, methods=["POST"]),
            Route("/oauth/revoke", self._revoke, methods=["POST"]),
            *DevicePages(self._database, self.browsers, self._issuer, self.who, self._limits).routes(),
            Route("/oauth/register", self._register, methods=["POST"]),
            Route("/oauth/jwks", self._jwks),
            Route("/oauth/userinfo", self._userinfo, methods=["GET", "POST"]),
            Route("/oauth/style.css", style),
            Route("/sign-in", self._sign_in, methods=["GET", "POST"]),
            Route("/sign-out", self._sign_out, methods=["POST"]),
            Route("/.well-known/oauth-authorization-server", self._discovery),
            Route("/.well-known/openid-configuration", self._discovery),
        ]

    async def _authorize(self, request: HttpRequest) -> Response:
        """Show who asks for what; after the person agreed, send them back with a code."""
        asked = IssuerRequest(request.method, str(request.url), request.query_params, dict(request.headers))
        asked.method = "GET"
        if not asked.readable:
            return self.browsers.render("refused.html", request, status=400, message=UNREADABLE)
        try:
            client = await self._database.read(lambda connection: self._checked(connection, asked))
        except OAuth2Error as error:
            return self._refused(request, error)
        if request.method == "GET":
            return await self._page(request, client)
        form = await form_of(request)
        if not await self.browsers.from_our_page(request, form):
            return await self._page(request, client, "The page was open too long. Please try again.", status=403)
        if form.get("action") == "cancel":
            return await self._answer(asked, None)
        account, told = await self.who(request, form)
        if account is None:
            return await self._page(request, client, told, email=form.get("email", ""), status=401 if told else 200)
        answer = await self._answer(asked, account)
        if form.get("action") == "sign-in":
            await self.browsers.remember(request, answer, account)
        return answer

    def _checked(self, connection: Connection, asked: IssuerRequest) -> clients.OAuthClient:
        issuer = self._issuer(connection)
        grant = issuer.get_consent_grant(asked, None)
        issuer.resource(asked.payload.data.get("resource"))
        found: clients.OAuthClient = grant.client
        return found

    def _issuer(self, connection: Connection) -> Issuer:
        return opened(connection, self._settings, self._keys, self._accounts)

    async def _answer(self, asked: IssuerRequest, account: IssuerAccount | None) -> Response:
        def grant(connection: Connection) -> IssuerAnswer:
            issuer = self._issuer(connection)
            found = issuer.get_consent_grant(asked, account)
            answer: IssuerAnswer = issuer.create_authorization_response(asked, grant_user=account, grant=found)
            return answer

        return RedirectResponse((await self._database.write(grant)).location, 303, NO_STORE)

    def _refused(self, request: HttpRequest, error: OAuth2Error) -> Response:
        """Back to the client where its address is known to be its own; else a page that says what is wrong."""
        status, _, headers = error()
        place = dict(headers).get("Location")
        if status == 302 and place:
            return RedirectResponse(place, 303, NO_STORE)
        text = error.description or error.error
        return self.browsers.render("refused.html", request, status=400, message=text)

    async def _page(
        self,
        request: HttpRequest,
        client: clients.OAuthClient | None,
        message: str = "",
        *,
        email: str = "",
        status: int = 200,
    ) -> Response:
        """The sign-in page, or for a browser that is signed in the question whether to go on."""
        account = await self.browsers.signed_in(request)
        target = request.query_params.get("redirect_uri", "")
        return await self.browsers.form(
            "sign_in.html",
            request,
            status=status,
            target=target,
            account=account,
            client=client,
            message=message,
            email=email,
            action=request.url.path + (f"?{request.url.query}" if request.url.query else ""),
            host=urlsplit(target).netloc if client else "",
            rights=self._rights(request, client) if client else frozenset(),
        )

    @staticmethod
    def _rights(request: HttpRequest, client: clients.OAuthClient) -> frozenset[str]:
        """What it is given when the person agrees, for the page to say."""
        granted = client.get_allowed_scope(request.query_params.get("scope"))
        return frozenset(clients.rights(client.id, granted.split()))

    async def who(self, request: HttpRequest, form: dict[str, str]) -> tuple[IssuerAccount | None, str]:
        """Who agrees: the signed-in browser's person, or the one whose password is right."""
        if form.get("action") == "continue":
            return await self.browsers.signed_in(request), ""
        if form.get("action") == "switch":
            await self.browsers.end(request)
            return None, ""
        email, password = form.get("email", "").strip(), form.get("password", "")
        place, counted = request.client.host if request.client else "", place_of(request)
        mine = await self._limits.ask(f"sign-in:{counted}:{email.lower()[:200]}", TRIES_PER_MINUTE, 60)
        if not (mine.allowed and (await self._limits.ask(f"sign-in:{counted}", 4 * TRIES_PER_MINUTE, 60)).allowed):
            logger("hub.audit").warning("sign-in held back", extra={"place": place})
            return None, "Too many attempts. Please wait a minute."
        account = await check_password(self._database, self._accounts, email, password)
        outcome = "signed in" if account else "sign-in refused"
        logger("hub.audit").info(outcome, extra={"place": place, "user": account.id if account else ""})
        await self.browsers.audited(request, f"user:{account.id}" if account else "anonymous", "sign-in", outcome)
        return account, "" if account else "That e-mail address and password do not match."

    async def _sign_in(self, request: HttpRequest) -> Response:
        """Signing in without a client: for the pages of the hub itself."""
        if request.method == "GET":
            return await self._page(request, None)
        form = await form_of(request)
        if not await self.browsers.from_our_page(request, form):
            return await self._page(request, None, "The page was open too long. Please try again.", status=403)
        account, told = await self.who(request, form)
        if account is None:
            return await self._page(request, None, told, email=form.get("email", ""), status=401 if told else 200)
        response: Response = RedirectResponse("/sign-in", 303, NO_STORE)
        if form.get("action") == "sign-in":
            await self.browsers.remember(request, response, account)
        return response

    async def _sign_out(self, request: HttpRequest) -> Response:
        form = await form_of(request)
        if not await self.browsers.from_our_page(request, form):
            return self.browsers.render("refused.html", request, status=403, message="The page was open too long.")
        await self.browsers.end(request)
        response: Response = RedirectResponse("/sign-in", 303, NO_STORE)
        self.browsers.cookies.drop(response, self.browsers.cookies.session)
        return response

    async def _token(self, request: HttpRequest) -> Response:
        asked = await posted(request)
        if asked is None or not asked.readable:
            return _told(400, {"error": "invalid_request", "error_description": "form-encoded, at most 64 KB of ASCII"})
        answer: IssuerAnswer = await self._database.write(lambda one: self._issuer(one).create_token_response(asked))
        if answer.status != 200:
            why = {"why": answer.body.get("error"), "grant": asked.given.get("grant_type")}
            logger("hub.audit").warning("token refused", extra=why)
            await self.browsers.audited(request, "anonymous", "token", str(why["why"]))
        return _told(answer.status, answer.body, answer.headers)

    async def _revoke(self, request: HttpRequest) -> Response:
        asked = await posted(request)
        if asked is None or not asked.readable:
            return _told(400, {"error": "invalid_request"})
        answer: IssuerAnswer = await self._database.write(
            lambda one: self._issuer(one).create_endpoint_response("revocation", asked)
        )
        self._tokens.clear()
        return _told(answer.status, answer.body, answer.headers)

    async def _register(self, request: HttpRequest) -> Response:
        if not (await self._limits.ask(f"register:{place_of(request)}", 20, 3600)).allowed:
            return _told(429, {"error": "temporarily_unavailable"})
        body = await request.body()
        try:
            given = orjson.loads(body) if len(body) <= FORM_BYTES else None
            if not isinstance(given, dict):
                raise InvalidValue("body", "The body must be a JSON object of at most 64 KB")
            made = await self._database.write(
                lambda connection: clients.register(connection, given, self._settings.redirects)
            )
        except (orjson.JSONDecodeError, InvalidValue) as error:
            return _told(400, {"error": "invalid_client_metadata", "error_description": str(error)})
        return _told(201, made)

    async def _jwks(self, request: HttpRequest) -> Response:
        keys = await self._database.write(self._keys.published)
        return JSONResponse(keys, headers={"Cache-Control": "public, max-age=300"})

    async def _userinfo(self, request: HttpRequest) -> Response:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        identity = await self._tokens.identify(token) if scheme.lower() == "bearer" else None
        user_id = identity.user_id if identity else ""
        account = await self._database.read(lambda connection: self._accounts.by_id(connection, user_id))
        if not identity or not account:
            return Response(status_code=401, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})
        return JSONResponse(user_info(account, " ".join(identity.scopes)), headers=NO_STORE)

    async def _discovery(self, request: HttpRequest) -> Response:
        return JSONResponse(discovery(self._settings.issuer), headers={"Cache-Control": "public, max-age=300"})


def discovery(issuer: str) -> dict[str, Any]:
    """RFC 8414 and OpenID Connect Discovery in one document."""
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/oauth/authorize",
        "token_endpoint": f"{issuer}/oauth/token",
        "revocation_endpoint": f"{issuer}/oauth/revoke",
        "device_authorization_endpoint": f"{issuer}/oauth/device_authorization",
        "registration_endpoint": f"{issuer}/oauth/register",
        "userinfo_endpoint": f"{issuer}/oauth/userinfo",
        "jwks_uri": f"{issuer}/oauth/jwks",
        "scopes_supported": list(clients.SCOPES),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token", DEVICE_GRANT],
        "token_endpoint_auth_methods_supported": ["none"],
        "revocation_endpoint_auth_methods_supported": ["none"],
        "code_challenge_methods_supported": ["S256"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "authorization_response_iss_parameter_supported": True,
    }


def _told(status: int, body: Any, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse(body, status, {**(headers or {}), **NO_STORE})
