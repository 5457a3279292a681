"""From a request to its answer: who calls, what was sent, one transaction, and what an earlier try was told."""

from __future__ import annotations

import hashlib
import time
from dataclasses import replace
from typing import Any, Final
from urllib.parse import parse_qsl

import orjson
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ...config.correlation import correlation, new_correlation
from ...config.log import logger
from ...missions.entities import JsonObject
from ...missions.errors import SoloUnicornError
from .. import projection
from ..errors import HubError, refusal
from ..hub import Hub
from ..identity import Caller
from ..unit_of_work import Shown
from . import auditing, idempotency
from .endpoint import Answer, Call, Endpoint
from .idempotency import KeptAnswer

JSON: Final = "application/json"
BODY_BYTES: Final = 8 * 1024 * 1024
GZIP_BYTES: Final = 1024
"""From this size on a body is compressed for who accepts it (dispatch.py)."""
NUL: Final = "\0"


def route(endpoint: Endpoint, prefix: str) -> Route:
    """The route that serves an endpoint."""

    async def serve(request: Request) -> Response:
        if not correlation.get():
            new_correlation()
        try:
            return await _serve(endpoint, request)
        except SoloUnicornError as error:
            return refusal(error)

    serve.__name__ = endpoint.name.replace(".", "_")
    return Route(prefix + endpoint.path, serve, methods=[endpoint.method], name=endpoint.name)


async def _serve(endpoint: Endpoint, request: Request) -> Response:
    hub: Hub = request.app.state.hub
    caller = await hub.identity.caller(request)
    request.scope.setdefault("state", {})["caller"] = caller.name  # for the log
    _check_caller(endpoint, caller)
    call = Call(
        hub=hub,
        at=None,  # type: ignore[arg-type]  # set where the transaction begins
        caller=caller,
        endpoint=endpoint,
        path=request.path_params,
        query=_query(endpoint, request),
        body={},
        if_match=None,
        key="",
        correlation=correlation.get(),
        base_url=hub.settings.public_url or str(request.base_url).rstrip("/"),
        media_type=request.headers.get("content-type", "").partition(";")[0].strip().lower(),
        client=request.client.host if request.client else "",
        agent=request.headers.get("user-agent", "")[:300],
        now=time.time(),
    )
    for value in call.path.values():
        if NUL in value:
            raise HubError("not_found", "Nothing here has that name", why="it has a NUL character")
    if not endpoint.writes:
        answer = await hub.database.read(lambda at: _run(call, at))
        return _response(endpoint, answer, request.headers.get("if-none-match"))
    raw = await _body(endpoint, request)
    if raw:
        call.body = _object(raw)
    elif endpoint.body is not None and endpoint.body_required:
        raise HubError("bad_request", "The request has no body", todo="send a JSON object")
    call.if_match = _if_match(endpoint, request.headers.get("if-match"))
    call.key = _key(request.headers.get("idempotency-key", ""))
    answer, replayed = await _write(call, raw)
    for hint in call.after:
        hint()
    return _response(endpoint, answer, None, replayed=replayed)


def _run(call: Call, at: Connection) -> Answer:
    call.at = at
    call.after.clear()  # of a try that was rolled back
    call.stranger = False
    answer = auditing.recorded(call) if call.endpoint.audited else call.endpoint.serve(call)
    if not call.stranger:
        return answer
    shown = projection.public(call.endpoint.name, Shown(answer.body, answer.version))
    return replace(answer, body=shown.body, version=shown.version)


async def _write(call: Call, raw: bytes) -> tuple[Answer, bool]:
    """Run it in one transaction with the record of its key; the former answer when the key has done its work."""
    hub = call.hub
    if not call.key:
        return await hub.database.write(lambda at: _run(call, at)), False
    mark = hashlib.sha256(
        b"\0".join((call.endpoint.method.encode(), call.endpoint.path.encode(), _names(call), raw))
    ).hexdigest()
    claim = (call.caller.name, call.key)

    def work(at: Connection) -> tuple[Answer, bool]:
        kept = idempotency.find(at, *claim)
        if kept is not None:
            if kept.digest != mark:
                raise HubError(
                    "idempotency_mismatch",
                    "This Idempotency-Key was used for another request",
                    todo="use a new key for each new request",
                )
            body = hub.keys.vault.open(kept.body).encode()
            return Answer(body, kept.status, headers=orjson.loads(kept.headers)), True
        answer = _run(call, at)
        headers = _headers(call.endpoint, answer)
        text = answer.body.decode()
        if headers.get("Cache-Control") == "no-store":  # it has a secret in it
            text = hub.keys.vault.seal(text)
        idempotency.keep(at, *claim, KeptAnswer(mark, answer.status, orjson.dumps(headers).decode(), text))
        return answer, False

    with idempotency.in_progress(claim):
        try:
            return await hub.database.write(work)
        except IntegrityError as error:
            if "idempotency" not in str(error.orig):
                raise
            # another process committed the same key meanwhile; ours was rolled back
            return await hub.database.write(work)


def _names(call: Call) -> bytes:
    return orjson.dumps([dict(call.path), sorted(call.query.items())])


def _check_caller(endpoint: Endpoint, caller: Caller) -> None:
    if endpoint.needs in ("nothing", "public"):
        return
    if caller.kind == "anonymous":
        raise HubError("unauthenticated", "This needs a sign-in", todo="send `Authorization: Bearer TOKEN`")
    if endpoint.scope not in caller.scopes:
        raise HubError(
            "insufficient_scope",
            f"This needs the scope {endpoint.scope!r}",
            why=f"the token has {', '.join(sorted(caller.scopes)) or 'none'}",
            todo="create a token with that scope",
            details={"scope": endpoint.scope},
        )


def _query(endpoint: Endpoint, request: Request) -> dict[str, str]:
    """The query's parameters, checked against the endpoint's row."""
    raw = request.scope["query_string"]
    if not raw:
        return {}
    try:
        pairs = parse_qsl(raw.decode("ascii"), keep_blank_values=True, max_num_fields=50, errors="strict")
    except ValueError as error:
        raise HubError("bad_request", "The query cannot be read", why=str(error)) from error
    known = {parameter.name: parameter.schema for parameter in endpoint.query}
    found: dict[str, str] = {}
    for name, value in pairs:
        if name not in known:
            continue
        found[name] = _checked(name, value, known[name])
    return found


def _checked(name: str, value: str, schema: JsonObject) -> str:
    """A parameter's value; HubError `invalid` when its schema refuses it."""
    if NUL in value:
        raise _wrong(name, "it has a NUL character")
    match schema.get("type"):
        case "integer":
            low, high = schema.get("minimum", 0), schema.get("maximum", 2**53)
            if not value.isascii() or not value.isdigit() or len(value) > 16 or not low <= int(value) <= high:  # type: ignore[operator]
                raise _wrong(name, f"it must be a number from {low} to {high}")
        case "boolean" if value not in ("true", "false"):
            raise _wrong(name, "it must be true or false")
        case "string":
            choices: Any = schema.get("enum")
            if choices and value not in choices:
                raise _wrong(name, f"it must be one of {', '.join(choices)}")
            if len(value) > int(schema.get("maxLength", 2000)):  # type: ignore[arg-type]
                raise _wrong(name, "it is too long")
    return value


def _wrong(name: str, why: str) -> HubError:
    return HubError("invalid", f"Invalid value for query parameter {name}", why=why, details={"field": name})


async def _body(endpoint: Endpoint, request: Request) -> bytes:
    """The body's bytes; no more than BODY_BYTES of them are ever read."""
    length = request.headers.get("content-length", "0")
    if length.isdigit() and int(length) > BODY_BYTES:
        raise HubError("payload_too_large", f"The body is larger than {BODY_BYTES} bytes")
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > BODY_BYTES:
            raise HubError("payload_too_large", f"The body is larger than {BODY_BYTES} bytes")
        parts.append(part)
    raw = b"".join(parts)
    if raw and endpoint.body is not None:
        media = request.headers.get("content-type", JSON).partition(";")[0].strip().lower()
        if media not in (JSON, "application/merge-patch+json"):
            raise HubError("unsupported_media_type", f"{media!r} is not supported here", todo=f"send {JSON}")
    return raw


def _object(raw: bytes) -> JsonObject:
    try:
        found = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise HubError("bad_request", "The body is not JSON", why=str(error)) from error
    if not isinstance(found, dict):
        raise HubError("invalid", "The body is not a JSON object", details={"field": ""})
    return found


def _if_match(endpoint: Endpoint, header: str | None) -> int | None:
    """The version of an If-Match header; the precondition is checked where the entity is read."""
    if endpoint.if_match == "no" or header is None:
        return None
    value = header.strip()
    if value == "*":
        return -1
    text = value[1:-1] if value.startswith('"') and value.endswith('"') and len(value) > 2 else ""
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise HubError(
            "bad_request", "The If-Match header cannot be read", todo='send the ETag exactly as received: "42"'
        )
    return int(text)


def _key(header: str) -> str:
    key = header.strip().strip('"')
    if len(key) > 200 or not key.isascii() or not (key.isprintable() or not key):
        raise HubError("bad_request", "The Idempotency-Key has 1 to 200 printable ASCII characters")
    return key


def _headers(endpoint: Endpoint, answer: Answer) -> dict[str, str]:
    headers = dict(answer.headers)
    if answer.version is not None:
        headers["ETag"] = f'"{answer.version}"'
    if endpoint.deprecated:
        headers["Deprecation"] = endpoint.deprecated
        if endpoint.sunset:
            headers["Sunset"] = endpoint.sunset
    return headers


def _response(endpoint: Endpoint, answer: Answer, if_none_match: str | None, *, replayed: bool = False) -> Response:
    headers = _headers(endpoint, answer)
    if not endpoint.writes:
        headers["Cache-Control"] = "public, max-age=60" if answer.public else "private, no-cache"
        if if_none_match and headers.get("ETag") in [
            one.strip().removeprefix("W/") for one in if_none_match.split(",")
        ]:
            return Response(b"", 304, headers)
    if replayed:
        headers["Idempotent-Replayed"] = "true"
    if answer.status == 204:
        return Response(status_code=204, headers=headers)
    if len(answer.body) >= GZIP_BYTES:
        headers["Vary"] = "Accept-Encoding"
    return Response(answer.body, answer.status, headers, JSON)


def defect(error: Exception) -> Response:
    """The answer for a fault of the hub: the traceback goes to the log, the trace id to the caller."""
    logger("hub").error("request failed", exc_info=error)
    return refusal(
        HubError("internal", "Something failed in the hub", todo="report the traceId of this answer to its operator")
    )
