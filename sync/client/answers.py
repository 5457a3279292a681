"""What came back over HTTP: whether it is the hub's own, and what a person is told when it is not valid."""

from __future__ import annotations

from typing import Final

from ...config import network, trust
from ...missions.connected import Link, failure
from ...missions.entities import Json
from ...missions.errors import Conflict, NotFound, SoloUnicornError
from ...system import strict_json
from ..replica.messages import Answer, NoAnswer, Response, Silence
from ..replica.trouble import Trouble, elsewhere, trouble

PASSING: Final = frozenset({408, 425, 429})
"""Refusals that ask for patience, whoever on the way says them: how long is in their headers."""


def answer_of(status: int, headers: dict[str, str], body: bytes) -> Answer:
    """What an answer says, when it is one of the hub or its issuer: they explain every refusal in JSON.

    What says nothing, or something else, comes from a proxy or from whatever is at that address.
    """
    headers = {name.lower(): value for name, value in headers.items()}
    decoded = _json(body)
    if status in PASSING or (status < 400 and not body.strip()):
        return Response(status, headers, decoded)
    if status == 407:
        return NoAnswer("HTTP 407", status, "proxy")
    challenged = status == 401 and "bearer" in headers.get("www-authenticate", "").lower()
    explained = isinstance(decoded, dict) and bool(decoded.get("error"))
    if challenged or (decoded is not None and (status != 401 or explained)):
        return Response(status, headers, decoded)
    kind: Silence = "unreachable" if status in (502, 504) else "failing" if status >= 500 else "unreadable"
    what = "without a word" if not body.strip() else "that is not the hub's" if decoded else "that is not JSON"
    return NoAnswer(elsewhere(status, headers) or f"HTTP {status} {what}", status, kind)


def _json(body: bytes) -> Json:
    try:
        decoded: Json = strict_json.loads(body)
    except ValueError:
        return None
    return decoded


def unanswered(error: BaseException, address: str) -> NoAnswer:
    """What became of a request to which nothing came back."""
    import httpx

    if isinstance(error, network.WrongSettings):
        return NoAnswer(error.why, kind="settings")
    said = why_not(error, address)
    if trust.refusal(error, address) is not None:
        return NoAnswer(said, kind="certificate")
    if isinstance(error, httpx.ProxyError) and "407" in said:
        return NoAnswer(said, 407, "proxy")
    if isinstance(error, httpx.DecodingError):
        return NoAnswer(said, kind="unreadable")
    late = isinstance(error, TimeoutError | httpx.TimeoutException)
    return NoAnswer(said, kind="silent" if late and not isinstance(error, httpx.ConnectTimeout) else "unreachable")


def why_not(error: BaseException, address: str) -> str:
    """The reason in an error of the network."""
    import httpx

    if isinstance(error, TimeoutError | httpx.TimeoutException):
        return "no answer in time"
    if (refused := trust.refusal(error, address)) is not None:
        return "; ".join(refused)
    if "WRONG_VERSION_NUMBER" in str(error):
        return "what answers there does not speak TLS: does its address begin with http://?"
    said = str(error) or type(error).__name__
    through = network.proxy(address) if isinstance(error, httpx.ConnectError | httpx.ProxyError) else ""
    return f"{said}, through the proxy {through}" if through else said


def readable(answer: Answer, hub: str) -> Response:
    """A good answer, or the error that tells a person what stands in the way."""
    if not isinstance(answer, NoAnswer) and answer.ok:
        return answer
    raise error_of(trouble(answer), hub)


def error_of(found: Trouble, hub: str) -> SoloUnicornError:
    """What stands in the way, in three parts."""
    match found.kind:
        case "gone":
            return NotFound(f"{hub} does not have that", why=found.reason)
        case "forbidden" if found.answer is not None and found.answer.error.get("code") == "insufficient_scope":
            todo = "create a key with that scope, and sign in with it"
            return Conflict(f"{hub} does not allow that", why=found.reason, todo=todo)
        case "forbidden":
            return Conflict(f"{hub} does not allow that", why=found.reason, todo="ask an owner of the project")
        case "refused":
            return SoloUnicornError(f"{hub} refused it", why=found.reason)
    return failure(found.kind, Link(hub=hub, trouble=found.kind, reason=found.reason))
