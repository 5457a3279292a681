"""One connection to the workstation service's control socket: a request, an answer (protocol in client.py)."""

from __future__ import annotations

import socket

from ..config import paths
from ..config.correlation import handed_on
from ..missions.entities import Json, JsonObject
from ..missions.errors import TryAgain, from_wire
from ..system import strict_json
from ..system.lines import Lines

ANSWER_SECONDS = 5.0


class NotRunning(TryAgain):
    """No service answers."""

    code = "not_running"


def request(op: str, fields: JsonObject | None = None, *, timeout: float = ANSWER_SECONDS) -> JsonObject:
    """Ask one thing and return the answer; raises NotRunning, or the error that the service answered with."""
    with ControlConnection(timeout) as connection:
        return connection.ask(op, fields)


class ControlConnection:
    """One connection to the service; `hold` makes it that of an open screen."""

    def __init__(self, timeout: float = ANSWER_SECONDS) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(timeout)
        self._lines = Lines()
        self._read: list[bytes] = []
        try:
            self._socket.connect(str(paths.service_socket()))
        except OSError as error:
            self._socket.close()
            raise _not_running() from error

    def __enter__(self) -> ControlConnection:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def ask(self, op: str, fields: JsonObject | None = None) -> JsonObject:
        """One request, one answer."""
        line = strict_json.dumps({"op": op, **handed_on(), **(fields or {})}).encode() + b"\n"
        try:
            self._socket.sendall(line)
            answer = self.read()
        except OSError as error:
            raise _not_running() from error
        if answer is None:
            raise _not_running()
        if answer.get("ok") is not True:
            raise from_wire(answer.get("error"))
        return answer

    def read(self) -> JsonObject | None:
        """The next line, or None when the service is gone."""
        while not self._read:
            chunk = self._socket.recv(65536)
            if not chunk:
                return None
            self._read += self._lines.of(chunk)
        answer: Json = strict_json.loads(self._read.pop(0))
        return answer if isinstance(answer, dict) else None

    def fileno(self) -> int:
        """The descriptor to wait on."""
        return self._socket.fileno()

    def close(self) -> None:
        self._socket.close()


def _not_running() -> NotRunning:
    return NotRunning(
        "The workstation service is not running",
        todo="start it with `solo-unicorn workstation start`, or open the board",
    )
