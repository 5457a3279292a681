"""Single requests around a sign-in, before there is a connection: to the hub, and to whoever issues its tokens."""

from __future__ import annotations

from urllib.parse import urlsplit

from ...config import trust
from ...missions.entities import Json, JsonObject
from ...missions.errors import Offline

SECONDS = 20.0


def ask(url: str, *, hub: str = "", form: dict[str, str] | None = None, token: str = "") -> tuple[int, JsonObject]:
    """GET, or POST of a form: the status and the JSON object of the answer (empty when it is none). Raises Offline.

    `hub`: the hub that named this address, whose pinned authority counts for it too.
    """
    import httpx

    headers = {"accept": "application/json"} | ({"authorization": f"Bearer {token}"} if token else {})
    method = "GET" if form is None else "POST"
    try:
        answer = httpx.request(
            method, url, data=form, headers=headers, timeout=SECONDS, verify=trust.context(url, hub or url)
        )
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise unreachable(url, error) from error
    return answer.status_code, _object(answer.content)


def unreachable(url: str, error: BaseException) -> Offline:
    """What a request that got no answer is told as."""
    host = f"{urlsplit(url).scheme}://{urlsplit(url).netloc}"
    if (refused := trust.refusal(error, url)) is not None:
        return Offline(f"{host} cannot be trusted", why=refused[0], todo=refused[1])
    why = str(error) or type(error).__name__
    return Offline(f"{host} cannot be reached", why=why, todo="check the address and the network, then try again")


def _object(content: bytes) -> JsonObject:
    import json

    try:
        body: Json = json.loads(content)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
