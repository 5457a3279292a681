"""A client of the MCP server over streamable HTTP, by the standard library, that outlives a restart of the server.

A connection is made for each request, so that a refused one proves that nothing was sent and may be tried again. A
request that was sent and has no answer is repeated only when that is harmless: when the tool says so (its annotations),
or when the board shows that it had no effect.
"""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from ..missions.entities import Json, JsonObject
from ..missions.errors import Offline, SignedOut, SoloUnicornError
from ..system import strict_json
from ..system.backoff import Backoff

PROTOCOL = "2025-11-25"
PATIENCE = 60.0
"""Seconds a server may be gone."""
ANSWER_SECONDS = 60.0
REPEATS = 5
"""How often one call may be lost on its way before the agent gives up."""


class Unanswered(Exception):
    """The request was sent and its answer never came: nobody knows whether it had an effect."""


class _SessionGone(Exception):
    """The server does not know our session any more: it was restarted. Nothing was done."""


class _Away(Exception):
    """The server cannot be reached or is not ready; nothing was done."""


@dataclass(frozen=True, slots=True)
class McpServerEntry:
    """One entry of an --mcp-config file."""

    name: str
    url: str
    headers: dict[str, str]


@dataclass(frozen=True, slots=True)
class McpAnswer:
    """What a tool answered."""

    text: str
    is_error: bool
    code: str = ""


class McpClient:
    """One MCP session. `wait` pauses between tries, `retrying` is told once when the server is gone."""

    def __init__(
        self,
        server: McpServerEntry,
        *,
        version: str,
        wait: Callable[[float], None],
        retrying: Callable[[str, float], None],
        patience: float = PATIENCE,
        name: str = "solo-unicorn",
        title: str = "Solo Unicorn",
        answer_seconds: float = ANSWER_SECONDS,
    ) -> None:
        self._name, self._title = name, title
        self._answer_seconds = answer_seconds
        self._server = server
        self._version = version
        self._wait = wait
        self._retrying = retrying
        self._patience = patience
        self._session: str | None = None
        self._protocol: str | None = None
        self._last_id = 0
        self._repeatable: frozenset[str] = frozenset()
        self.tools: tuple[str, ...] = ()

    def connect(self) -> None:
        """Greet the server and learn its tools. Offline when it stays away, SignedOut when it refuses the token."""
        listed = self._request("tools/list", {}).get("tools")
        tools = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
        self.tools = tuple(str(tool["name"]) for tool in tools)
        self._repeatable = frozenset(str(tool["name"]) for tool in tools if _harmless(tool.get("annotations")))

    def call(self, tool: str, arguments: JsonObject, took_effect: Callable[[], bool] | None = None) -> McpAnswer:
        """Call a tool once. `took_effect` asks the board whether a call without an answer was carried out."""
        for _ in range(REPEATS):
            try:
                answer = _answer(self._request("tools/call", {"name": tool, "arguments": arguments}, once=True))
                if answer.code != "offline":
                    return answer
            except Unanswered:
                pass
            if tool in self._repeatable:
                continue
            if took_effect is None:
                break
            if took_effect():
                return McpAnswer('{"already":true}', False)
        raise Offline(f"The call of {tool} has no answer", why="the connection to the MCP server was lost while it ran")

    def close(self) -> None:
        """Tell the server that the session is over; it may be gone already."""
        if self._session is not None:
            try:
                self._exchange("DELETE", None)
            except (_Away, Unanswered, _SessionGone, SoloUnicornError):
                return
            finally:
                self._session = None

    def _request(self, method: str, parameters: JsonObject, *, once: bool = False) -> JsonObject:
        """One JSON-RPC request, through restarts of the server. With `once` raises Unanswered instead of repeating."""
        pause, gone_since, reason = Backoff(0.05, 2.0), None, ""
        while gone_since is None or time.monotonic() - gone_since < self._patience:
            try:
                if self._protocol is None:
                    self._greet()
                return self._rpc(method, parameters)
            except _SessionGone:
                self._session = self._protocol = None
                reason = reason or "the server was restarted"
            except _Away as away:
                reason = str(away)
            except Unanswered as lost:
                if once and self._protocol is not None:
                    raise
                reason = str(lost)
            if gone_since is None:
                gone_since = time.monotonic()
                self._retrying(reason, self._patience)
            self._wait(pause.next())
        raise Offline(
            f"The MCP server {self._server.name} at {self._server.url} does not answer",
            why=f"tried for {self._patience:g} s: {reason}",
            todo="check that the workstation service is running: `solo-unicorn workstation status`",
        )

    def _greet(self) -> None:
        self._session = None
        greeting: JsonObject = {
            "protocolVersion": PROTOCOL,
            "capabilities": {},
            "clientInfo": {"name": self._name, "title": self._title, "version": self._version},
        }
        answered = self._rpc("initialize", greeting)
        protocol = str(answered.get("protocolVersion", PROTOCOL))
        self._exchange("POST", {"jsonrpc": "2.0", "method": "notifications/initialized"}, protocol)
        self._protocol = protocol

    def _rpc(self, method: str, parameters: JsonObject) -> JsonObject:
        self._last_id += 1
        message: JsonObject = {"jsonrpc": "2.0", "id": self._last_id, "method": method, "params": parameters}
        answered = self._exchange("POST", message)
        match answered:
            case {"result": dict(result)}:
                return result
            case {"error": {"code": code, "message": text}}:
                raise SoloUnicornError(f"The MCP server refused {method}", why=f"{text} ({code})")
            case _:
                raise Unanswered(f"{method} got no answer")

    def _exchange(self, verb: str, message: JsonObject | None, protocol: str | None = None) -> JsonObject | None:
        """One HTTP request on a connection of its own; the JSON-RPC answer, None when there is none."""
        address = urlsplit(self._server.url)
        kind = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
        connection = kind(address.hostname or "", address.port, timeout=self._answer_seconds)
        try:
            try:
                connection.connect()
            except OSError as error:
                raise _Away(f"{address.netloc}: {error.strerror or error}") from error
            body = None if message is None else json.dumps(message).encode()
            try:
                connection.request(verb, address.path or "/", body, self._headers(protocol))
                return self._read(connection.getresponse(), None if message is None else message.get("id"))
            except (OSError, http.client.HTTPException) as error:
                raise Unanswered(f"{address.netloc}: the connection broke ({error})") from error
        finally:
            connection.close()

    def _headers(self, protocol: str | None) -> dict[str, str]:
        headers = {
            "Content-Type": "application/json",
            "Accept": "application/json, text/event-stream",
            "User-Agent": f"{self._name}/{self._version}",
        } | self._server.headers
        if self._session:
            headers["Mcp-Session-Id"] = self._session
        if chosen := protocol or self._protocol:
            headers["MCP-Protocol-Version"] = chosen
        return headers

    def _read(self, response: http.client.HTTPResponse, wanted: Json) -> JsonObject | None:
        self._session = response.headers.get("Mcp-Session-Id") or self._session
        match response.status:
            case 200:
                streamed = response.headers.get_content_type() == "text/event-stream"
                return _from_stream(response, wanted) if streamed else _object(response.read())
            case 202 | 204:
                return None
            case 401 | 403:
                raise SignedOut(
                    f"The MCP server {self._server.name} refuses this run's token",
                    why=f"HTTP {response.status}",
                    todo="start the mission again: each session gets a token of its own",
                )
            case 404 if self._session is not None:
                raise _SessionGone
            case 502 | 503 | 429:
                raise _Away(f"HTTP {response.status}")
            case status if status >= 500:
                raise Unanswered(f"HTTP {status}")
            case status:
                said = response.read(2_000).decode("utf-8", "replace")
                raise SoloUnicornError(f"The MCP server answered HTTP {status}", why=said.strip())


def _from_stream(response: http.client.HTTPResponse, wanted: Json) -> JsonObject:
    """The answer to our request out of a stream of server-sent events."""
    data: list[bytes] = []
    while line := response.readline():
        line = line.rstrip(b"\r\n")
        if line.startswith(b"data:"):
            data.append(line[5:].lstrip())
        elif not line and data:
            message = _object(b"\n".join(data))
            data = []
            if message.get("id") == wanted:
                return message
    raise Unanswered("the stream ended before the answer came")


def _object(text: bytes) -> JsonObject:
    try:
        value = strict_json.heard(text)
    except ValueError as error:
        raise Unanswered(f"the answer was cut off: {error}") from error
    return value if isinstance(value, dict) else {}


def _harmless(annotations: Json) -> bool:
    """Whether a tool's annotations say that calling it twice does no more than calling it once."""
    return isinstance(annotations, dict) and bool(annotations.get("readOnlyHint") or annotations.get("idempotentHint"))


def _answer(result: JsonObject) -> McpAnswer:
    blocks = result.get("content")
    texts = (
        [str(one["text"]) for one in blocks if isinstance(one, dict) and "text" in one]
        if isinstance(blocks, list)
        else []
    )
    code = ""
    match result.get("structuredContent"):
        case {"error": {"code": str(named)}}:
            code = named
    return McpAnswer("\n".join(texts), bool(result.get("isError")), code)
