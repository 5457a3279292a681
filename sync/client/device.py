"""Signing in on a machine without a browser: a short code, entered in a browser elsewhere (RFC 8628)."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable

from ...missions.entities import JsonObject
from ...missions.errors import Offline, SignedOut, SoloUnicornError
from ...missions.records import record
from .discovery import KnownIssuer
from .single_requests import ask, passing
from .tokens import Tokens, blank, granted

GRANT = "urn:ietf:params:oauth:grant-type:device_code"
INTERVAL_SECONDS, LONGEST_INTERVAL = 5.0, 60.0


@record
class Invitation:
    """What a person is shown."""

    address: str
    """Of the page that asks for the code."""
    code: str
    complete: str
    """The same page with the code filled in; empty where the issuer has none."""
    seconds: float
    """How long the code is good for."""


def sign_in(
    issuer: KnownIssuer,
    *,
    show: Callable[[Invitation], None],
    wait: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Tokens:
    """Tokens of the person who enters the code that `show` is given. SignedOut when they refuse or nobody comes."""
    if not issuer.device_endpoint:
        raise SoloUnicornError(
            f"{issuer.address} does not offer sign-in with a code",
            todo="sign in with a browser on this machine, or with an access token: --api-key -",
        )
    asked = {"client_id": issuer.client_id, "scope": issuer.scope, "device_name": platform.node(), **issuer.form}
    answer = ask(issuer.device_endpoint, hub=issuer.hub, form=asked)
    if error := passing(answer, issuer.device_endpoint):
        raise error
    said = answer.object
    if not answer.ok or not said.get("device_code") or not said.get("user_code"):
        raise _refused(said, answer.status)
    lasts = _seconds(said.get("expires_in"), 600.0)
    until, interval = clock() + lasts, _seconds(said.get("interval"), INTERVAL_SECONDS)
    page = str(said.get("verification_uri") or "")
    show(Invitation(page, str(said["user_code"]), str(said.get("verification_uri_complete") or ""), lasts))
    form = {"grant_type": GRANT, "device_code": str(said["device_code"]), "client_id": issuer.client_id, **issuer.form}
    while clock() < until:
        wait(interval)
        try:
            answer = ask(issuer.token_endpoint, hub=issuer.hub, form=form)
        except Offline:
            interval = min(LONGEST_INTERVAL, interval * 2)  # RFC 8628, 3.5
            continue
        said = answer.object
        if answer.ok and said.get("access_token"):
            return granted(said, blank(issuer))
        match said.get("error"):
            case "authorization_pending":
                pass
            case "slow_down":
                interval += 5
            case _ if passing(answer, issuer.token_endpoint):
                interval = min(LONGEST_INTERVAL, interval * 2)
            case _:
                raise _refused(said, answer.status)
    raise _refused({"error": "expired_token"}, 0)


def _refused(said: JsonObject, status: int) -> SignedOut:
    words = {"access_denied": "it was refused in the browser", "expired_token": "nobody entered the code in time"}
    error = str(said.get("error") or f"HTTP {status}")
    why = words.get(error) or str(said.get("error_description") or error)
    return SignedOut("The sign-in was not completed", why=why, todo="try `solo-unicorn auth login` again")


def _seconds(value: object, otherwise: float) -> float:
    return float(value) if isinstance(value, int | float) and value > 0 else otherwise
