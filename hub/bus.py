"""What services tell after a commit: a project's feed grew, or a message for a channel.

The bus carries hints only. Whoever misses one finds everything in the change feed, so it never fails and never waits.
"""

from __future__ import annotations

from typing import Protocol

from ..missions.entities import JsonObject


class Listener(Protocol):
    """Whoever passes hints on: the realtime rooms, a web hook, a test. Called on the event loop; must not block."""

    def changed(self, project: str, seq: int, /) -> None:
        """The feed of the project has grown to `seq`."""

    def post(self, channel: str, kind: str, payload: JsonObject, /) -> None:
        """A message for a channel: `mission:{id}`, `workstation:{id}`, `project:{id}:workstations`."""


class Bus:
    """Fan-out within this process."""

    def __init__(self) -> None:
        self._listeners: list[Listener] = []

    def listen(self, listener: Listener) -> None:
        """Pass everything on to `listener` from now on."""
        self._listeners.append(listener)

    def changed(self, project: str, seq: int) -> None:
        """The feed of a project has grown to `seq`."""
        for listener in self._listeners:
            listener.changed(project, seq)

    def post(self, channel: str, kind: str, payload: JsonObject) -> None:
        """A message for a channel."""
        for listener in self._listeners:
            listener.post(channel, kind, payload)
