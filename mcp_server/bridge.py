"""`solo-unicorn mcp`: a byte pump between an MCP client on stdio and the service's private socket.

Standard library only, because every client pays its start. It reads just enough of the JSON lines to keep two promises:
a request that was under way when the service went away is answered with a retryable error instead of silence, and a
client of the handshake era finds its session again after the service is back (its `initialize` is replayed).
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


class Refused(Exception):
    """The service does not take this client."""


class Output(Protocol):
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
    stdin: int = 0,
    stdout: Output | None = None,
    patience: float = 20.0,
) -> int:
    """Pump until the client closes its side. `ensure_running` starts the service when it is absent.

    `token` (environment SOLO_UNICORN_TOKEN) is a run's token; without one the client is the person's own agent.
    Exit code 0; 5 when the token is refused; 6 when the service cannot be reached at the start.
    """
    bridge = Bridge(ensure_running, socket_path, token, stdin, stdout or sys.stdout.buffer, patience)
    try:
        return bridge.pump()
    except Refused as refused:
        print(f"solo-unicorn mcp: {refused}", file=sys.stderr)
        return 5
    except BrokenPipeError:
        return 0  # the client is gone
    finally:
        bridge.disconnect()


class Bridge:
    """One client, one connection at a time, and what must survive a reconnect."""

    def __init__(
        self,
        ensure_running: Callable[[], object],
        socket_path: Path,
        token: str | None,
        stdin: int,
        stdout: Output,
        patience: float,
    ) -> None:
        self._ensure_running = ensure_running
        self._path = socket_path
        self._token = token
        self._stdin = stdin
        self._stdout = stdout
        self._patience = patience
        self._client = os.getppid()
        self._selector = selectors.SelectSelector()  # the one that also takes a plain file on stdin
        self._socket: socket.socket | None = None
        self._heard = time.monotonic()
        self._from_client = b""
        self._from_service = b""
        self._pending: dict[str, Any] = {}
        self._standing: set[str] = set()
        self._handshake: list[bytes] = []
        self._subscribed: dict[str, bytes] = {}

    def pump(self) -> int:
        """Until end of file on stdin; requests still under way are answered first."""
        try:
            self._connect()
        except OSError as problem:
            print(f"solo-unicorn mcp: {problem}", file=sys.stderr)
            return 6
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
                elif key.fileobj is self._socket:  # not one that a reconnect has just replaced
                    self._take_from_service()
            if not open_input and self._socket is None:
                break
        return 0

    def disconnect(self) -> None:
        """Let go of the socket."""
        if self._socket is not None:
            self._selector.unregister(self._socket)
            self._socket.close()
            self._socket = None
        self._from_service = b""

    # ---- the client's side

    def _take_from_client(self) -> bool:
        chunk = os.read(self._stdin, 1 << 16)
        self._heard = time.monotonic()
        *lines, self._from_client = (self._from_client + chunk).split(b"\n")
        for line in lines:
            if not line.strip():
                continue
            if (answer := refusal(line)) is not None:
                self._stdout.write(json.dumps(answer).encode() + b"\n")
                self._stdout.flush()
            else:
                self._forward(repaired(line))
        if len(self._from_client) > LIMIT:
            raise SystemExit("solo-unicorn mcp: a line of more than 16 MiB; closing.")
        return bool(chunk)

    def _forward(self, line: bytes) -> None:
        message = _parse(line)
        method, identity = message.get("method"), message.get("id")
        if method == "initialize":
            self._handshake = [line]
        elif method == "notifications/initialized":
            self._handshake.append(line)
        elif method == "resources/subscribe":
            self._subscribed[str(message.get("params"))] = line
        elif method == "resources/unsubscribe":
            self._subscribed.pop(str(message.get("params")), None)
        elif method == "notifications/cancelled":
            self._cancel(message)
        expects_answer = method is not None and identity is not None
        if method == "subscriptions/listen":
            self._standing.add(json.dumps(identity))
        try:
            if self._socket is None:
                self._connect(replay=method not in ("initialize", "notifications/initialized"))
            if expects_answer:
                self._pending[json.dumps(identity)] = identity
            assert self._socket is not None
            self._socket.sendall(line + b"\n")
        except OSError as problem:
            if expects_answer:
                self._pending[json.dumps(identity)] = identity
            self._lost(str(problem))

    def _cancel(self, notification: dict[str, Any]) -> None:
        """Answer a request that its client wants no more: the service does not, and nobody may wait for it."""
        identity = (notification.get("params") or {}).get("requestId")
        if self._pending.pop(json.dumps(identity), None) is not None:
            error = {"code": CANCELLED, "message": "The request was cancelled by its client."}
            self._stdout.write(json.dumps({"jsonrpc": "2.0", "id": identity, "error": error}).encode() + b"\n")
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
            self._lost("the service went away")
            return
        self._heard = time.monotonic()
        *lines, self._from_service = (self._from_service + chunk).split(b"\n")
        for line in lines:
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
        for identity in self._pending.values():
            error = {
                "code": RETRYABLE,
                "message": f"offline: The Solo Unicorn service is not there ({why}). It is started again by the next "
                "message. What was under way may have been done: read before you repeat it.",
                "data": {"code": "offline", "retryable": True},
            }
            answer = {"jsonrpc": "2.0", "id": identity, "error": error}
            self._stdout.write(json.dumps(answer).encode() + b"\n")
        self._pending.clear()
        self._stdout.flush()

    def _connect(self, replay: bool = False) -> None:
        """A greeted connection, starting the service when nobody listens. OSError when it stays away."""
        deadline = time.monotonic() + self._patience
        started = False
        while self._socket is None:
            try:
                self._socket = self._dial(deadline)
            except OSError:
                if time.monotonic() > deadline:
                    raise
                if started:
                    time.sleep(0.05)
                else:
                    _start(self._ensure_running)
                    started = True
        self._selector.register(self._socket, selectors.EVENT_READ)
        if replay and self._handshake:
            for line in (_held(self._handshake[0]), *self._handshake[1:], *map(_held, self._subscribed.values())):
                self._socket.sendall(line + b"\n")

    def _dial(self, deadline: float) -> socket.socket:
        """Connect and wait for the greeting: a dying service may still accept, but it greets nobody."""
        attempt = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            attempt.connect(str(self._path))
            hello = {"hello": "solo-unicorn", "token": self._token, "cwd": _cwd()}
            attempt.sendall(json.dumps(hello).encode() + b"\n")
            attempt.settimeout(max(1.0, deadline - time.monotonic()))
            greeting = b""
            while not greeting.endswith(b"\n"):
                chunk = attempt.recv(4096)
                if not chunk:
                    raise ConnectionResetError("the service left before it greeted")
                greeting += chunk
            attempt.settimeout(None)
        except OSError:
            attempt.close()
            raise
        answer = _parse(greeting)
        if "ready" not in answer:
            attempt.close()
            raise Refused(str(answer.get("refused", "The service speaks another language; restart it.")))
        return attempt


def _start(ensure_running: Callable[[], object]) -> None:
    try:
        ensure_running()
    except Exception as problem:  # whatever it is, to the client it means: not there
        raise OSError(str(problem)) from problem


def _held(line: bytes) -> bytes:
    """A request to repeat whose answer the client has had long ago."""
    return json.dumps(_parse(line) | {"id": HELD}).encode()


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
