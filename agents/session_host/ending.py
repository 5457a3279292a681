"""How an agent is ended: SIGINT, SIGTERM, SIGKILL to its group, then whatever escaped from it.

An agent's children may have left its process group (a dev server, an MCP server started with setsid). Where the host
is their subreaper (Linux) they stay below it in the process tree; elsewhere it writes down what it sees below it, with
start times, while they are still there.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import suppress

from .processes import LINUX, Process, descendants, is_alive, send

NOTICE_SECONDS = 5.0
LEFTOVER_GRACE = 1.0
LEFTOVER_SECONDS = 5.0


class Ending:
    """The plan by which the agent, then its leftovers, are brought to an end; `due` says when to call `step`."""

    def __init__(self, *, grace: float, clock: Callable[[], float]) -> None:
        self.grace = grace
        self.reason: str | None = None
        self.signals: list[str] = []
        self.leftovers = 0
        self.agent: Process | None = None
        self._clock = clock
        self._plan: list[tuple[float, signal.Signals]] = []
        self._known: dict[int, Process] = {}
        self._noticed = clock()

    def begin(self, reason: str, grace: float | None = None) -> None:
        """Start to end the agent, softly first; a second call changes nothing."""
        if self.reason is None:
            self.reason = reason
            now, wait = self._clock(), self.grace if grace is None else grace
            hard = now + wait + min(5.0, wait / 2)
            self._plan = [(now, signal.SIGINT), (now + wait, signal.SIGTERM), (hard, signal.SIGKILL)]

    def kill(self, reason: str) -> None:
        """End it now, whatever was planned."""
        self.reason = self.reason or reason
        self._plan = [(self._clock(), signal.SIGKILL)]

    @property
    def due(self) -> float | None:
        """When `step` has something to do."""
        if self._plan:
            return self._plan[0][0]
        return None if LINUX else self._noticed + NOTICE_SECONDS

    def step(self) -> None:
        """Send what is due."""
        now = self._clock()
        if not LINUX and now >= self._noticed + NOTICE_SECONDS:
            self.notice()
        while self._plan and self._plan[0][0] <= now:
            _, number = self._plan.pop(0)
            self.signal(number)
            if number == signal.SIGKILL:
                self._plan = [(now + 0.2, signal.SIGKILL)]  # what was forked between the look and the signal

    def signal(self, number: signal.Signals) -> None:
        """Signal the agent's group; what left the group is written down, and ended when the agent is gone."""
        if self.agent is None:
            return
        if number.name not in self.signals:
            self.signals.append(number.name)
        self.notice()
        with suppress(OSError):  # the agent is not reaped before it is gone from `agent`: the group's number is its own
            os.killpg(self.agent.pid, number)

    def notice(self) -> list[Process]:
        """Write down who is below us now; returns all of them that still live."""
        self._noticed = self._clock()
        self._known |= descendants(os.getpid())
        self._known = {pid: process for pid, process in self._known.items() if is_alive(process)}
        return list(self._known.values())

    def agent_ended(self) -> None:
        """The agent is gone: what it left gets a SIGTERM now and, a second later, SIGKILL until none is left."""
        self.agent = None
        self._plan = []
        left = self.notice()
        self.leftovers = len(left)
        self._until = self._clock() + LEFTOVER_SECONDS
        self._hard_from = self._clock() + LEFTOVER_GRACE
        for process in left:
            send(process, signal.SIGTERM)

    def leftovers_gone(self) -> bool:
        """Whether all is quiet, or cannot be made so; to be asked again until True."""
        left = self.notice()
        if self._clock() >= self._hard_from:
            for process in left:
                send(process, signal.SIGKILL)
        return not left or self._clock() >= self._until
