"""One GitHub's REST API over httpx: authenticated, polite, patient.

- What was read once is asked for again by its ETag; an unchanged answer costs nothing of the rate limit.
- Limits (primary and secondary) and server errors are waited out where that is short, for as long as GitHub says, else
  reported as `RateLimited` or `Unavailable` with the time from which it is worth trying again.
- A request that may have been carried out is only repeated when carrying it out twice does no harm.
- Redirects are followed on the same host only: a renamed repository is found, a token never goes elsewhere.
"""

from __future__ import annotations

import random
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from ... import __version__
from ...missions.entities import Json, JsonObject
from ...missions.errors import Conflict, NotAllowed, NotFound, Offline, SignedOut, SoloUnicornError, TryAgain
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


class Unavailable(TryAgain):
    """GitHub does not answer as it should just now; `until` is when it is worth trying again, None for soon."""

    code = "github_unavailable"

    def __init__(self, what: str, *, until: datetime | None = None, why: str = "", todo: str = "") -> None:
        super().__init__(what, why=why, todo=todo)
        self.until = until


class RateLimited(Unavailable):
    """GitHub's rate limit (the hourly or a secondary one) is used up."""

    code = "github_rate_limited"


class Refused(SoloUnicornError):
    """GitHub understood and said no; `status` is its answer."""

    code = "github_refused"

    def __init__(self, what: str, *, status: int, why: str = "", todo: str = "") -> None:
        super().__init__(what, why=why, todo=todo)
        self.status = status


class NotMergeable(Conflict):
    """The pull request cannot be merged now: its head moved, checks or reviews are missing, or it conflicts."""

    code = "not_mergeable"


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
        found = _json(response)
        return found if isinstance(found, dict) else {}

    def graphql(self, query: str, variables: Mapping[str, Json]) -> JsonObject:
        """The `data` of a GraphQL query (reads only: it may be repeated)."""
        content: dict[str, Json] = {"query": query, "variables": dict(variables)}
        response = self._ask("POST", self.host.graphql, content=content, safe=True)
        found = _json(response)
        data = found.get("data") if isinstance(found, dict) else None
        if not isinstance(data, dict) or (isinstance(found, dict) and found.get("errors")):
            said = _said(found) or "it answered without data"
            raise Refused(f"{self.host.name} did not answer a query", status=response.status_code, why=said)
        return data

    # ---- one request ------------------------------------------------------------------------------------------------

    def _read(self, url: str) -> tuple[Json, str]:
        """What is at that address, and the address of the next page."""
        known = self._remembered.get(url)
        response = self._ask("GET", url, etag=known[0] if known else "")
        if response.status_code == 304 and known:
            self._remembered.move_to_end(url)
            return known[1], known[2]
        found = _json(response)
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
        hops = 0
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
                self._sleep(_growing(attempt))
                continue
            if response.is_success or response.status_code == 304:
                return response
            wait = self._wait(response)
            if wait is None or (response.status_code >= 500 and not repeatable):
                raise self._error(method, url, response)
            seconds = wait if wait > 0 else _growing(attempt)
            if attempt == self._tries or seconds > self._patience:
                raise self._unavailable(response, seconds)
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
            self._client = httpx.Client(
                transport=self._transport,
                timeout=self._timeout,
                follow_redirects=False,
                headers={
                    "Accept": "application/vnd.github+json",
                    "X-GitHub-Api-Version": API_VERSION,
                    "User-Agent": f"solo-unicorn/{__version__}",
                },
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
            raise Refused(
                f"{self.host.name} points elsewhere for {response.url.path}",
                status=response.status_code,
                why="a token is not sent to another host, and a change not to another address",
                todo="check the repository's address: it may have been renamed",
            )
        return target

    # ---- what an answer means ---------------------------------------------------------------------------------------

    def _wait(self, response: httpx.Response) -> float | None:
        """Seconds after which the same request may succeed (0: a growing pause); None when it never will by itself."""
        status, headers = response.status_code, response.headers
        if status not in (403, 429) and status < 500:
            return None
        if (after := _seconds(headers.get("retry-after"), self._clock())) is not None:
            return after
        if status >= 500:
            return 0.0
        if headers.get("x-ratelimit-remaining") == "0":
            return max(1.0, float(headers.get("x-ratelimit-reset") or 0) - self._clock())
        if status == 429 or "secondary rate limit" in (_said(_json(response)) or "").lower():
            return 60.0  # GitHub's advice for a secondary limit that names no time
        return None

    def _unavailable(self, response: httpx.Response, seconds: float) -> Unavailable:
        until = datetime.fromtimestamp(self._clock() + seconds, UTC)
        if response.status_code >= 500:
            return Unavailable(
                f"{self.host.name} answered {response.status_code}", until=until, why=_said(_json(response)),
                todo="it is tried again later",
            )  # fmt: skip
        return RateLimited(
            f"The rate limit of {self.host.name} is used up", until=until, why=_said(_json(response)),
            todo=f"it is tried again at {until:%H:%M} UTC",
        )  # fmt: skip

    def _offline(self, error: _Unreached) -> SoloUnicornError:
        if error.never_sent:
            return Offline(f"{self.host.name} cannot be reached", why=str(error), todo="check the network")
        return Unavailable(
            f"{self.host.name} did not answer", why=f"{error}, so nobody knows whether it did what was asked"
        )

    def _error(self, method: str, url: str, response: httpx.Response) -> SoloUnicornError:
        said, path = _said(_json(response)), urlsplit(url).path
        what = f"{self.host.name} refused {method} {path}"
        match response.status_code:
            case 401:
                self._token = ""  # the next request looks for a new one
                return SignedOut(
                    f"{self.host.name} does not accept the token", why=said,
                    todo=f"`gh auth login --hostname {self.host.name}`, or renew the token",
                )  # fmt: skip
            case 403:
                return NotAllowed(what, why=said, todo="the token needs access to contents and pull requests")
            case 404:
                return NotFound(
                    f"{self.host.name} knows no {path}", why=said or "or the token may not see it",
                    todo="check the repository's name and what the token may do",
                )  # fmt: skip
            case 405 | 409 if path.endswith("/merge"):
                return NotMergeable("The pull request cannot be merged now", why=said)
            case status if status >= 500:
                return Unavailable(f"{self.host.name} answered {status}", why=said)
            case status:
                return Refused(what, status=status, why=said)

    def _unexpected(self, path: str) -> Refused:
        return Refused(
            f"{self.host.name} answered something else than expected for {path}", status=200,
            todo="check github.api_url",
        )  # fmt: skip


class _Unreached(Exception):
    """No answer came; `never_sent`: the request did not leave this machine."""

    def __init__(self, why: str, *, never_sent: bool) -> None:
        super().__init__(why)
        self.never_sent = never_sent


def _json(response: httpx.Response) -> Json:
    try:
        found: Json = response.json()
    except ValueError:
        return None
    return found


def _said(found: Json) -> str:
    """GitHub's own words: its message and the messages of its errors."""
    if not isinstance(found, dict):
        return ""
    parts = [str(found.get("message") or "")]
    errors = found.get("errors")
    for error in errors if isinstance(errors, list) else []:
        match error:
            case str():
                parts.append(error)
            case {"message": str(message)}:
                parts.append(message)
            case {"field": str(field), "code": str(code)}:
                parts.append(f"{field}: {code}")
    return "; ".join(part for part in dict.fromkeys(parts) if part)


def _seconds(text: str | None, now: float) -> float | None:
    """`Retry-After`: seconds, or a date."""
    if not text:
        return None
    if text.strip().isdecimal():
        return max(1.0, float(text))
    try:
        return max(1.0, parsedate_to_datetime(text).timestamp() - now)
    except (TypeError, ValueError):
        return None


def _growing(attempt: int) -> float:
    return float(min(0.5 * 2 ** (attempt - 1), 8.0) * random.uniform(0.75, 1.25))
