"""One GitHub's REST API over httpx: authenticated, polite, patient.

- What was read once is asked for again by its ETag; an unchanged answer costs nothing of the rate limit.
- Limits (primary and secondary) and server errors are waited out where that is short, for as long as GitHub says, else
  reported as `RateLimited` or `Unavailable` with the time from which it is worth trying again.
- A request that may have been carried out is only repeated when carrying it out twice does no harm.
- Redirects are followed on the same host only: a renamed repository is found, a token never goes elsewhere.
"""

from __future__ import annotations

import re
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from random import Random
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from ... import __version__
from ...config import network
from ...missions.entities import Json, JsonObject
from ...missions.errors import Offline, SoloUnicornError
from ...system.backoff import Backoff
from .answers import GitHubRefused, Unavailable, body_of, refusal, said, unavailable, wait_for
from .hosts import Host
from .tokens import token

if TYPE_CHECKING:
    import httpx

API_VERSION = "2022-11-28"
TRIES = 4
PATIENCE_SECONDS = 20.0
"""The longest single wait inside one call; what takes longer is the caller's to come back for."""
REMEMBERED = 500
PAGES = 10
HOPS = 3
_REPEATABLE = frozenset({"GET", "PUT", "DELETE"})
_NEXT = re.compile(r'<([^>]+)>;\s*rel="next"')


class GitHub:
    """The API of one host. May be used from several threads; `close` lets go of its connections."""

    def __init__(
        self,
        host: Host,
        *,
        find_token: Callable[[str], str] = token,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.time,
        transport: httpx.BaseTransport | None = None,
        timeout: float = 30.0,
        tries: int = TRIES,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        self.host = host
        self._find_token = find_token
        self._sleep = sleep
        self._clock = clock
        self._transport = transport
        self._timeout = timeout
        self._tries = tries
        self._patience = patience
        self._client: httpx.Client | None = None
        self._token = ""
        """Kept until it is not accepted any more."""
        self._remembered: OrderedDict[str, tuple[str, Json, str]] = OrderedDict()

    def close(self) -> None:
        """Let go of open connections."""
        if self._client is not None:
            self._client.close()

    def get(self, path: str, **query: str | int) -> JsonObject:
        """One object."""
        found, _ = self._read(self._url(path, query))
        if not isinstance(found, dict):
            raise self._unexpected(path)
        return found

    def pages(self, path: str, key: str = "", **query: str | int) -> list[JsonObject]:
        """All entries of a list, page by page (at most PAGES of 100); `key` names the list within an object."""
        entries: list[JsonObject] = []
        url = self._url(path, {"per_page": 100, **query})
        for _ in range(PAGES):
            found, following = self._read(url)
            part = found.get(key) if key and isinstance(found, dict) else found
            if not isinstance(part, list):
                raise self._unexpected(path)
            entries += [entry for entry in part if isinstance(entry, dict)]
            if not following or not self._is_ours(following):
                break
            url = following
        return entries

    def send(self, method: str, path: str, content: Mapping[str, Json]) -> JsonObject:
        """A change; answers the object GitHub answers, empty when it answers none."""
        response = self._ask(method, self._url(path, {}), content=content)
        found = body_of(response)
        return found if isinstance(found, dict) else {}

    def graphql(self, query: str, variables: Mapping[str, Json]) -> JsonObject:
        """The `data` of a GraphQL query (reads only: it may be repeated)."""
        content: dict[str, Json] = {"query": query, "variables": dict(variables)}
        response = self._ask("POST", self.host.graphql, content=content, safe=True)
        found = body_of(response)
        data = found.get("data") if isinstance(found, dict) else None
        if not isinstance(data, dict) or (isinstance(found, dict) and found.get("errors")):
            raise GitHubRefused(
                f"{self.host.name} did not answer a query",
                status=response.status_code,
                why=said(found) or "it answered without data",
                todo="try again in a moment",
            )
        return data

    # ---- one request ------------------------------------------------------------------------------------------------

    def _read(self, url: str) -> tuple[Json, str]:
        """What is at that address, and the address of the next page."""
        known = self._remembered.get(url)
        response = self._ask("GET", url, etag=known[0] if known else "")
        if response.status_code == 304 and known:
            self._remembered.move_to_end(url)
            return known[1], known[2]
        found = body_of(response)
        following = _NEXT.search(response.headers.get("link", ""))
        after = following[1] if following else ""
        if etag := response.headers.get("etag"):
            self._remembered[url] = (etag, found, after)
            while len(self._remembered) > REMEMBERED:
                self._remembered.popitem(last=False)
        return found, after

    def _ask(
        self, method: str, url: str, *, content: Mapping[str, Json] | None = None, etag: str = "", safe: bool = False
    ) -> httpx.Response:
        """Send until there is an answer that counts, or raise what it means."""
        repeatable = safe or method in _REPEATABLE
        hops, growing = 0, Backoff(0.5, 8.0, random=Random(), between=(0.75, 1.25))
        for attempt in range(1, self._tries + 1):
            try:
                response = self._once(method, url, content, etag)
                while response.status_code in (301, 302, 307, 308) and hops < HOPS:
                    hops += 1
                    url = self._redirected(method, response)
                    response = self._once(method, url, content, etag)
            except _Unreached as error:
                if attempt == self._tries or not (repeatable or error.never_sent):
                    raise self._offline(error) from error
                self._sleep(growing.next())
                continue
            if response.is_success or response.status_code == 304:
                return response
            wait = wait_for(response, self._clock())
            if wait is None or (response.status_code >= 500 and not repeatable):
                raise self._refused(method, url, response)
            seconds = wait if wait > 0 else growing.next()
            if attempt == self._tries or seconds > self._patience:
                raise unavailable(self.host.name, response, self._clock() + seconds)
            self._sleep(seconds)
        raise AssertionError("unreachable")

    def _once(self, method: str, url: str, content: Mapping[str, Json] | None, etag: str) -> httpx.Response:
        import httpx

        if not self._token:
            self._token = self._find_token(self.host.name)
        headers = {"Authorization": f"Bearer {self._token}"}
        if etag:
            headers["If-None-Match"] = etag
        try:
            return self._http().request(method, url, json=content, headers=headers)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol) as error:
            raise _Unreached(str(error) or type(error).__name__, never_sent=True) from error
        except httpx.HTTPError as error:
            raise _Unreached(str(error) or type(error).__name__, never_sent=False) from error

    def _http(self) -> httpx.Client:
        import httpx

        if self._client is None:
            self._client = network.made(
                lambda: httpx.Client(
                    transport=self._transport,
                    timeout=self._timeout,
                    follow_redirects=False,
                    headers={
                        "Accept": "application/vnd.github+json",
                        "X-GitHub-Api-Version": API_VERSION,
                        "User-Agent": f"solo-unicorn/{__version__}",
                    },
                )
            )
        return self._client

    def _url(self, path: str, query: Mapping[str, str | int]) -> str:
        asked = "&".join(f"{name}={quote(str(value), safe='')}" for name, value in query.items())
        return f"{self.host.rest}{path}" + (f"?{asked}" if asked else "")

    def _is_ours(self, url: str) -> bool:
        """Whether an address GitHub names is on the same API."""
        ours, other = urlsplit(self.host.rest), urlsplit(url)
        return (ours.scheme, ours.netloc) == (other.scheme, other.netloc)

    def _redirected(self, method: str, response: httpx.Response) -> str:
        target = str(response.url.join(response.headers.get("location", "")))
        if not self._is_ours(target) or (method != "GET" and response.status_code in (301, 302)):
            raise GitHubRefused(
                f"{self.host.name} points elsewhere for {response.url.path}",
                status=response.status_code,
                why="tokens are not sent to another host, nor changes to another address",
                todo="check the repository's address: it may have been renamed",
            )
        return target

    def _refused(self, method: str, url: str, response: httpx.Response) -> SoloUnicornError:
        if response.status_code == 401:
            self._token = ""  # the next request looks for a new one
        return refusal(self.host.name, method, url, response)

    def _offline(self, error: _Unreached) -> SoloUnicornError:
        if error.never_sent:
            return Offline(f"{self.host.name} cannot be reached", why=str(error), todo="check the network")
        return Unavailable(
            f"{self.host.name} did not answer",
            why=f"{error}, so it is unknown whether it did what was asked",
            todo="check GitHub, or try again: completed steps will be recognised",
        )

    def _unexpected(self, path: str) -> GitHubRefused:
        return GitHubRefused(
            f"{self.host.name} sent an unexpected answer for {path}", status=200, todo="check github.api_url"
        )


class _Unreached(Exception):
    """No answer came; `never_sent`: the request did not leave this machine."""

    def __init__(self, why: str, *, never_sent: bool) -> None:
        super().__init__(why)
        self.never_sent = never_sent
