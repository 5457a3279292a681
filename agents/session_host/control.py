"""The host's Unix socket: one JSON object a line in, one a line out.

{"op": "input", "line": "…\\n", "control": false}   write to the agent's standard input
{"op": "interrupt"}                                SIGINT to the agent, once
{"op": "stop", "reason": "stop", "grace": 10}      SIGINT, SIGTERM, SIGKILL
{"op": "kill", "reason": "kill"}                   SIGKILL
{"op": "wait", "seconds": 600}                     it is busy: do not end it for its silence, or after its result
{"op": "close_stdin"}                              the end of the agent's input
{"op": "status"}                                   what the host knows

The answer is {"ok": true, …} or {"ok": false, "error": an error as `missions.errors` sends it}.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from selectors import EVENT_READ, BaseSelector

from ...missions.errors import SoloUnicornError, UsageError
from ...system import strict_json
from ...system.ancestry import Gone, session_above
from ...system.lines import Lines
from ...system.peers import is_ours, peer_of

REQUEST_CAP = 16 << 20
CONNECTIONS = 32

Answer = Callable[[dict[str, object]], dict[str, object]]


class Control:
    """Accepts connections of our own user, hands each request to `answer`, writes back what it returns."""

    def __init__(self, path: Path, selector: BaseSelector, answer: Answer, runs: Path) -> None:
        self._path = path
        self._selector = selector
        self._answer = answer
        self._runs = runs
        self._connections: dict[socket.socket, Lines] = {}
        path.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        path.chmod(0o600)
        self._listener.listen(8)
        self._listener.setblocking(False)
        selector.register(self._listener, EVENT_READ, self._accept)

    def close(self) -> None:
        """Stop listening; the path goes away."""
        for connection in list(self._connections):
            self._drop(connection)
        self._selector.unregister(self._listener)
        self._listener.close()
        self._path.unlink(missing_ok=True)

    def _accept(self) -> None:
        with suppress(OSError):
            connection, _ = self._listener.accept()
            if len(self._connections) >= CONNECTIONS or not is_ours(connection) or self._is_an_agent(connection):
                connection.close()
                return
            connection.setblocking(False)
            self._connections[connection] = Lines()
            self._selector.register(connection, EVENT_READ, lambda: self._read(connection))

    def _is_an_agent(self, connection: socket.socket) -> bool:
        """Whether a session of the same home asks: an agent may not speak to its own host, or stop another's."""
        peer = peer_of(connection)
        try:
            return peer is not None and session_above(peer, self._runs) is not None
        except Gone:
            return True

    def _read(self, connection: socket.socket) -> None:
        try:
            data = connection.recv(1 << 16)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        lines = self._connections[connection]
        if not data or len(lines.rest) + len(data) > REQUEST_CAP:
            self._drop(connection)
            return
        for line in lines.of(data):
            with suppress(OSError):  # an asker that does not read its answers has only itself to blame
                connection.send(json.dumps(self._answered(line)).encode() + b"\n")

    def _answered(self, line: bytes) -> dict[str, object]:
        try:
            request = strict_json.heard(line)
        except ValueError as error:
            return _refusal(UsageError("The request is not JSON", why=str(error)))
        if not isinstance(request, dict):
            return _refusal(UsageError("A request is a JSON object"))
        try:
            return self._answer(request)
        except SoloUnicornError as error:
            return _refusal(error)

    def _drop(self, connection: socket.socket) -> None:
        self._connections.pop(connection, None)
        self._selector.unregister(connection)
        connection.close()


def _refusal(error: SoloUnicornError) -> dict[str, object]:
    return {"ok": False, "error": error.to_wire()}
