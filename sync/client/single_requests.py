"""Single requests around a sign-in, before there is a connection: to the hub, and to whoever issues its tokens."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Future
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

from ...config import network, trust
from ...missions.errors import Offline, SoloUnicornError
from ..replica.messages import Answer, NoAnswer, Response
from ..replica.trouble import trouble
from .answers import answer_of, error_of, unanswered

SECONDS = 20.0
"""For the whole of an answer."""


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
    host = f"{urlsplit(url).scheme}://{urlsplit(url).netloc}"

    async def asked() -> Answer:
        made = network.made(lambda: httpx.AsyncClient(verify=trust.context(url, hub or url), mounts=network.DIRECT))
        async with asyncio.timeout(SECONDS), made as client:
            answer = await client.request(
                "GET" if form is None else "POST", url, data=form, headers=sent, timeout=SECONDS
            )
        return answer_of(answer.status_code, dict(answer.headers), answer.content)

    try:
        said = _elsewhere(asked)
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
        if (refused := trust.refusal(error, url)) is not None:
            raise Offline(f"{host} cannot be trusted", why=refused[0], todo=refused[1]) from error
        raise error_of(trouble(unanswered(error, url)), host) from error
    if isinstance(said, NoAnswer):
        raise error_of(trouble(said), host)
    return said


def _elsewhere(ask: Callable[[], Coroutine[Any, Any, Answer]]) -> Answer:
    """Run it in a thread of its own: its deadline holds for all of the answer, however slowly it drips."""
    answered: Future[Answer] = Future()

    def run() -> None:
        try:
            answered.set_result(asyncio.run(ask()))
        except BaseException as error:
            answered.set_exception(error)

    Thread(target=run, name="asking", daemon=True).start()  # ctrl+c does not wait for it
    return answered.result()


def passing(answer: Response, url: str) -> SoloUnicornError | None:
    """The error of an answer that another try may change (HTTP 429, 503 and other 5xx); None of any other."""
    found = trouble(answer)
    host = f"{urlsplit(url).scheme}://{urlsplit(url).netloc}"
    return error_of(found, host) if found.kind in ("busy", "not_ready", "failing") else None
