"""Finding the service beside the pump of the bridge: a thread starts it where it is absent, and greets it.

Standard library only.
"""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

from ..system import strict_json


class ServiceRefused(Exception):
    """The service does not take this client."""


class Dialling:
    """One search at a time; `ready` can be read once it has ended."""

    def __init__(
        self, ensure_running: Callable[[], object], path: Path, token: str | None, cwd: str | None, patience: float
    ) -> None:
        self._ensure_running = ensure_running
        self._path = path
        self._hello = json.dumps({"hello": "solo-unicorn", "token": token, "cwd": cwd}).encode() + b"\n"
        self._patience = patience
        self._ends: list[socket.socket | Exception] = []
        self.busy = False
        self.ready, self._writing = os.pipe()

    def begin(self) -> None:
        """Search, unless a search goes on."""
        if not self.busy:
            self.busy = True
            threading.Thread(target=self._search, daemon=True).start()

    def end(self) -> socket.socket:
        """The greeted connection. OSError when the service stays away, Refused when it does not take this client."""
        os.read(self.ready, 1)
        self.busy = False
        found = self._ends.pop()
        if isinstance(found, Exception):
            raise found
        return found

    def _search(self) -> None:
        try:
            self._ends.append(self._connection())
        except Exception as problem:  # whatever it is, the pump tells it
            self._ends.append(problem if isinstance(problem, ServiceRefused) else OSError(str(problem)))
        os.write(self._writing, b".")

    def _connection(self) -> socket.socket:
        deadline = time.monotonic() + self._patience
        started = False
        while True:
            try:
                return self._dial(deadline)
            except OSError:
                if time.monotonic() > deadline:
                    raise
                if started:
                    time.sleep(0.05)
                else:
                    self._ensure_running()
                    started = True

    def _dial(self, deadline: float) -> socket.socket:
        """Connect and wait for the greeting: a dying service may still accept, but it greets nobody."""
        attempt = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            attempt.connect(str(self._path))
            attempt.sendall(self._hello)
            attempt.settimeout(max(1.0, deadline - time.monotonic()))
            greeting = b""
            while not greeting.endswith(b"\n"):
                chunk = attempt.recv(4096)
                if not chunk:
                    raise ConnectionResetError("the service stopped before it answered")
                greeting += chunk
            attempt.settimeout(None)
            answer = _object(greeting)
            if "ready" not in answer:
                raise ServiceRefused(str(answer.get("refused", "The service uses another protocol; restart it.")))
        except BaseException:
            attempt.close()
            raise
        return attempt


def _object(line: bytes) -> dict[str, object]:
    try:
        found = strict_json.heard(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
