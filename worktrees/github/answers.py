"""What an answer of GitHub means: worth waiting for, or an error that says what happened, why and what to do."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ...missions.entities import Json
from ...missions.errors import Conflict, NotAllowed, NotFound, SignedOut, SoloUnicornError, TryAgain

if TYPE_CHECKING:
    import httpx

SECONDARY_SECONDS = 60.0
"""GitHub's advice for a secondary limit that names no time."""


class Unavailable(TryAgain):
    """GitHub does not answer as it should just now; `until` is when it is worth trying again, None for soon."""

    code = "github_unavailable"

    def __init__(self, what: str, *, until: datetime | None = None, why: str = "", todo: str = "") -> None:
        super().__init__(what, why=why, todo=todo)
        self.until = until


class RateLimited(Unavailable):
    """GitHub's rate limit (the hourly or a secondary one) is used up."""

    code = "github_rate_limited"


class GitHubRefused(SoloUnicornError):
    """GitHub understood and said no; `status` is its answer."""

    code = "github_refused"

    def __init__(self, what: str, *, status: int, why: str = "", todo: str = "") -> None:
        super().__init__(what, why=why, todo=todo)
        self.status = status


class NotMergeable(Conflict):
    """The pull request cannot be merged now: its head moved, checks or reviews are missing, or it conflicts."""

    code = "not_mergeable"


def wait_for(response: httpx.Response, now: float) -> float | None:
    """Seconds after which the same request may succeed (0: a growing pause); None when it never will by itself."""
    status, headers = response.status_code, response.headers
    if status not in (403, 429) and status < 500:
        return None
    if (after := _seconds(headers.get("retry-after"), now)) is not None:
        return after
    if status >= 500:
        return 0.0
    if headers.get("x-ratelimit-remaining") == "0":
        return max(1.0, float(headers.get("x-ratelimit-reset") or 0) - now)
    if status == 429 or "secondary rate limit" in said(body_of(response)).lower():
        return SECONDARY_SECONDS
    return None


def unavailable(host: str, response: httpx.Response, at: float) -> Unavailable:
    """A refusal that ends at a time (Unix seconds)."""
    until = datetime.fromtimestamp(at, UTC)
    if response.status_code >= 500:
        return Unavailable(
            f"{host} answered {response.status_code}",
            until=until,
            why=said(body_of(response)),
            todo="it will be tried again later",
        )
    return RateLimited(
        f"The rate limit of {host} is used up",
        until=until,
        why=said(body_of(response)),
        todo=f"it will be tried again at {until:%H:%M} UTC",
    )


def refusal(host: str, method: str, url: str, response: httpx.Response) -> SoloUnicornError:
    """The error that an answer is."""
    why, path = said(body_of(response)), urlsplit(url).path
    what = f"{host} refused {method} {path}"
    match response.status_code:
        case 401:
            return SignedOut(
                f"{host} does not accept the token",
                why=why,
                todo=f"`gh auth login --hostname {host}`, or renew the token",
            )
        case 403:
            return NotAllowed(what, why=why, todo="the token needs access to contents and pull requests")
        case 404:
            return NotFound(
                f"{host} does not have {path}",
                why=why or "or the token may not access it",
                todo="check the repository's name and the token's permissions",
            )
        case 405 | 409 if path.endswith("/merge"):
            return NotMergeable(
                "The pull request cannot be merged now", why=why, todo="check the pull request on GitHub"
            )
        case status if status >= 500:
            return Unavailable(f"{host} answered {status}", why=why, todo="try again in a moment")
        case status:
            return GitHubRefused(what, status=status, why=why, todo="change the request as GitHub asks")


def body_of(response: httpx.Response) -> Json:
    try:
        found: Json = response.json()
    except ValueError:
        return None
    return found


def said(found: Json) -> str:
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
