"""`solo-unicorn mcp`: a byte pump between an MCP client on stdio and the service's private socket.

Standard library only, because every client pays its start. It reads just enough of the JSON lines to keep three
promises: what a person's client asks first is answered at once, while the service is found or started; a request that
was under way when the service stopped is answered with a retryable error instead of silence; and a client of the
handshake era finds its session again after the service is back (its `initialize` is replayed).
"""

from __future__ import annotations

import json
import os
import selectors
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from ..system.lines import Lines
from .dialling import Dialling, ServiceRefused
from .opening import Opening
from .repairing import refusal, repaired

LIMIT = 16 * 1024 * 1024
"""The longest line a client may send; the socket takes no longer one."""
RETRYABLE = -32001
CANCELLED = -32800
LOOK_SECONDS = 5.0
"""How often is looked whether the client still lives."""
LAST_ANSWERS_SECONDS = 30.0
"""How long the answers to a client that has closed its side are waited for, since anything was heard last."""
HELD = "_solo_unicorn_replay"


class LineOutput(Protocol):
    """Where lines for the client go."""

    def write(self, data: bytes, /) -> object:
        """All of it."""

    def flush(self) -> object:
        """Now."""


def run(
    ensure_running: Callable[[], object],
    socket_path: Path,
    *,
    token: str | None = None,
    opening: Opening | None = None,
    stdin: int = 0,
    stdout: LineOutput | None = None,
    patience: float = 20.0,
) -> int:
    """Pump until the client closes its side. `ensure_running` starts the service when it is absent.

    `token` (environment SOLO_UNICORN_TOKEN) is a run's token; without one the client is the person's own agent, and
    `opening` answers what it asks first. Exit code 0; 5 when the token is refused; 6 when the service cannot be reached
    at the start.
    """
    dialling = Dialling(ensure_running, socket_path, token, _cwd(), patience)
    bridge = Bridge(dialling, opening, stdin, stdout or sys.stdout.buffer)
    try:
        return bridge.pump()
    except ServiceRefused as refused:
        print(f"solo-unicorn mcp: {refused}", file=sys.stderr)
        return 5
    except BrokenPipeError:
        return 0  # the client is gone
    finally:
        bridge.disconnect()


class Bridge:
    """One client, one connection at a time, and what must survive a reconnect."""

    def __init__(self, dialling: Dialling, opening: Opening | None, stdin: int, stdout: LineOutput) -> None:
        self._dialling = dialling
        self._opening = opening
        self._stdin = stdin
        self._stdout = stdout
        self._client = os.getppid()
        self._selector = selectors.SelectSelector()  # the one that also takes a plain file on stdin
        self._socket: socket.socket | None = None
        self._reached = False
        self._heard = time.monotonic()
        self._from_client = Lines()
        self._from_service = Lines()
        self._waiting: list[tuple[str, bytes]] = []
        """Lines for the service that is not there yet, each with the id of its request."""
        self._pending: dict[str, Any] = {}
        self._standing: set[str] = set()
        self._handshake: list[bytes] = []
        self._subscribed: dict[str, bytes] = {}

    def pump(self) -> int:
        """Until end of file on stdin; requests still under way are answered first."""
        self._dialling.begin()
        self._selector.register(self._dialling.ready, selectors.EVENT_READ)
        self._selector.register(self._stdin, selectors.EVENT_READ)
        open_input = True
        while open_input or self._pending.keys() - self._standing:
            if os.getppid() != self._client:  # killed, while another of its children holds the pipe open
                break
            if not open_input and time.monotonic() > self._heard + LAST_ANSWERS_SECONDS:
                break
            for key, _ in self._selector.select(LOOK_SECONDS):
                if key.fd == self._stdin:
                    open_input = self._take_from_client()
                    if not open_input:
                        self._selector.unregister(self._stdin)
                elif key.fd == self._dialling.ready:
                    if not self._connected():
                        return 6
                elif key.fileobj is self._socket:  # not one that a reconnect has just replaced
                    self._take_from_service()
            if not open_input and self._socket is None and not self._dialling.busy:
                break
        return 0

    def disconnect(self) -> None:
        """Let go of the socket."""
        if self._socket is not None:
            self._selector.unregister(self._socket)
            self._socket.close()
            self._socket = None
        self._from_service = Lines()

    # ---- the client's side

    def _take_from_client(self) -> bool:
        chunk = os.read(self._stdin, 1 << 16)
        self._heard = time.monotonic()
        for line in self._from_client.of(chunk):
            if not line.strip():
                continue
            if (answer := refusal(line)) is not None:
                self._stdout.write(json.dumps(answer).encode() + b"\n")
                self._stdout.flush()
            else:
                self._forward(repaired(line))
        if len(self._from_client.rest) > LIMIT:
            raise SystemExit("solo-unicorn mcp: a line of more than 16 MiB; closing.")
        return bool(chunk)

    def _forward(self, line: bytes) -> None:
        message = _parse(line)
        method, identity = message.get("method"), message.get("id")
        expects_answer = method is not None and identity is not None
        result = self._opening.result(str(method), message.get("params")) if self._opening and expects_answer else None
        if result is not None:
            self._answer({"id": identity, "result": result})
        elif expects_answer:
            self._pending[json.dumps(identity)] = identity
        match method:
            case "initialize":
                self._handshake = [line]
            case "notifications/initialized":
                self._handshake.append(line)
            case "resources/subscribe":
                self._subscribed[str(message.get("params"))] = line
            case "resources/unsubscribe":
                self._subscribed.pop(str(message.get("params")), None)
            case "notifications/cancelled":
                self._cancel(message)
            case "subscriptions/listen":
                self._standing.add(json.dumps(identity))
        if method == "initialize":
            line = self._again(line)
        elif result is not None:
            return
        if self._socket is None:
            if method not in ("initialize", "notifications/initialized"):  # these are sent when it is there
                self._waiting.append((json.dumps(identity), line))
            self._dialling.begin()
        else:
            self._send(line)

    def _send(self, *lines: bytes) -> None:
        try:
            for line in lines:
                if self._socket is not None:
                    self._socket.sendall(line + b"\n")
        except OSError as problem:
            self._lost(str(problem))

    def _again(self, line: bytes) -> bytes:
        """A request as it is, or, where its client has had the answer, under an id that nobody waits for."""
        message = _parse(line)
        answered = json.dumps(message.get("id")) not in self._pending
        return json.dumps(message | {"id": HELD}).encode() if answered else line

    def _cancel(self, notification: dict[str, Any]) -> None:
        """Answer a request that its client wants no more: the service does not, and nobody may wait for it."""
        identity = (notification.get("params") or {}).get("requestId")
        if self._pending.pop(json.dumps(identity), None) is not None:
            self._waiting = [one for one in self._waiting if one[0] != json.dumps(identity)]
            error = {"code": CANCELLED, "message": "The request was cancelled by its client."}
            self._answer({"id": identity, "error": error})

    def _answer(self, *answers: dict[str, Any]) -> None:
        for answer in answers:
            self._stdout.write(json.dumps({"jsonrpc": "2.0"} | answer).encode() + b"\n")
        self._stdout.flush()

    # ---- the service's side

    def _take_from_service(self) -> None:
        if self._socket is None:
            return
        try:
            chunk = self._socket.recv(1 << 16)
        except OSError:
            chunk = b""
        if not chunk:
            self._lost("the service stopped")
            return
        self._heard = time.monotonic()
        for line in self._from_service.of(chunk):
            message = _parse(line)
            if "method" not in message and message.get("id") is not None and not self._is_awaited(message["id"]):
                continue
            self._stdout.write(line + b"\n")
        self._stdout.flush()

    def _is_awaited(self, identity: object) -> bool:
        """Whether the client still waits for this answer: not that of a repeated handshake, and not a second one."""
        return identity != HELD and self._pending.pop(json.dumps(identity), None) is not None

    def _lost(self, why: str) -> None:
        """Answer what was under way; the next message connects again."""
        self.disconnect()
        self._waiting.clear()
        error = {
            "code": RETRYABLE,
            "message": f"offline: The Solo Unicorn service is not running ({why}). The next message starts it again. "
            "Pending calls may have taken effect: read before you repeat them.",
            "data": {"code": "offline", "retryable": True},
        }
        lost = [{"id": identity, "error": error} for identity in self._pending.values()]
        self._pending.clear()
        self._answer(*lost)

    def _connected(self) -> bool:
        """Send what waits for the service, after the handshake; False when it could not be reached at the start."""
        try:
            self._socket = self._dialling.end()
        except OSError as problem:
            self._lost(str(problem))
            if not self._reached:
                print(f"solo-unicorn mcp: {problem}", file=sys.stderr)
            return self._reached
        self._reached = True
        self._selector.register(self._socket, selectors.EVENT_READ)
        waiting, self._waiting = self._waiting, []
        greeting, sent = self._handshake[:1], {line for _, line in waiting}
        again = [line for line in self._subscribed.values() if line not in sent]
        self._send(*map(self._again, greeting), *self._handshake[1:], *map(self._again, again))
        self._send(*(line for _, line in waiting))
        return True


def _parse(line: bytes) -> dict[str, Any]:
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return message if isinstance(message, dict) else {}


def _cwd() -> str | None:
    try:
        return str(Path.cwd())
    except OSError:
        return None
