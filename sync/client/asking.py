"""Single requests around a sign-in, before there is a connection: to the hub, and to whoever issues its tokens."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from ...config import trust
from ...missions.errors import Offline, SoloUnicornError
from ..replica.exchange import trouble
from ..replica.messages import NoAnswer, Response
from .answers import answer_of, error_of, unanswered

SECONDS = 20.0


def ask(
    url: str,
    *,
    hub: str = "",
    form: dict[str, str] | None = None,
    token: str = "",
    headers: Mapping[str, str] | None = None,
) -> Response:
    """GET, or POST of a form; Offline (or a certificate's refusal) when nothing comes that the other side says.

    `hub`: the hub that named this address, whose pinned authority counts for it too.
    """
    import httpx

    sent = {"accept": "application/json", **(headers or {})} | ({"authorization": f"Bearer {token}"} if token else {})
    method = "GET" if form is None else "POST"
    host = f"{urlsplit(url).scheme}://{urlsplit(url).netloc}"
    try:
        answer = httpx.request(
            method, url, data=form, headers=sent, timeout=SECONDS, verify=trust.context(url, hub or url)
        )
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        if (refused := trust.refusal(error, url)) is not None:
            raise Offline(f"{host} cannot be trusted", why=refused[0], todo=refused[1]) from error
        raise error_of(trouble(unanswered(error, url)), host) from error
    said = answer_of(answer.status_code, dict(answer.headers), answer.content)
    if isinstance(said, NoAnswer):
        raise error_of(trouble(said), host)
    return said


def passing(answer: Response, url: str) -> SoloUnicornError | None:
    """The error of an answer that another try may change (HTTP 429, 503 and other 5xx); None of any other."""
    found = trouble(answer)
    host = f"{urlsplit(url).scheme}://{urlsplit(url).netloc}"
    return error_of(found, host) if found.kind in ("busy", "not_ready", "failing") else None
