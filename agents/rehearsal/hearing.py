"""What the rehearsal agent is told on its standard input: prompts, and requests of the host."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable, Iterator
from typing import Any

from ...system import strict_json

_CHUNK = 65536


class InterruptHeard(Exception):
    """The turn was stopped by a person."""


class Hearing:
    """Reads standard input in a thread of its own, so that an interrupt is heard while the agent works.

    Read by `os.read`: a thread that waits in a buffered reader could hold its lock while the interpreter ends.
    """

    def __init__(self, descriptor: int, *, streaming: bool, respond: Callable[[str], None]) -> None:
        """`streaming`: more prompts may follow (--input-format stream-json); else one prompt is all."""
        self._descriptor = descriptor
        self._streaming = streaming
        self._respond = respond
        self._prompts: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._interrupt = threading.Event()
        threading.Thread(target=self._listen, name="hearing", daemon=True).start()

    def prompts(self) -> Iterator[str]:
        """Each prompt as it comes, until there can be no more."""
        while (prompt := self._prompts.get()) is not None:
            self._interrupt.clear()
            yield prompt
            if not self._streaming:
                return

    def interrupt(self) -> None:
        """Stop the turn at its next step."""
        self._interrupt.set()

    def wait(self, seconds: float | None) -> None:
        """Pause (None: for ever); raises Interrupted as soon as a person stops the turn."""
        if self._interrupt.wait(seconds):
            self._interrupt.clear()
            raise InterruptHeard

    def _listen(self) -> None:
        plain: list[str] = []
        for line in self._lines():
            if not plain and line.lstrip().startswith("{"):
                self._take(line)
            elif plain or line.strip():
                plain.append(line)
        if plain:
            self._prompts.put("\n".join(plain).strip())
        self._prompts.put(None)

    def _lines(self) -> Iterator[str]:
        held = b""
        while chunk := os.read(self._descriptor, _CHUNK):
            *complete, held = (held + chunk).split(b"\n")
            for line in complete:
                yield line.decode("utf-8", "replace")
        if held:
            yield held.decode("utf-8", "replace")

    def _take(self, line: str) -> None:
        try:
            event: Any = strict_json.heard(line)
        except ValueError:
            self._prompts.put(line.strip())
            return
        match event:
            case {"type": "user", "message": {"content": str(text)}}:
                self._prompts.put(text)
            case {"type": "user", "message": {"content": list(blocks)}}:
                texts = [str(block["text"]) for block in blocks if isinstance(block, dict) and "text" in block]
                self._prompts.put("\n".join(texts))
            case {"type": "control_request", "request_id": str(request), "request": {"subtype": "interrupt"}}:
                self._interrupt.set()
                self._respond(request)
            case {"type": "control_request", "request_id": str(request)}:
                self._respond(request)
            case _:
                pass  # other events of the host mean nothing without a model
