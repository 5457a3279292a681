"""The code agents of this machine: which there are, and whether they can work.

They are looked at when the service starts, when a person asks, when settings change, and now and then while one is held
(signed out, broken, too old).
"""

from __future__ import annotations

import asyncio

from ...agents import detection
from ...config.log import logger
from ...missions.entities import SYSTEM, CodeAgent
from ...system.backoff import Backoff
from ...workspace import operations, queries
from ..context import ServiceContext

SCAN_DEADLINE_SECONDS, LONG_DEADLINE_SECONDS = 5.0, 30.0
"""How long agents may take to answer: at first, and where one was too slow for that."""
HELD_FIRST_SECONDS, HELD_LONGEST_SECONDS = 5.0, 60.0
"""How soon agents are looked at again while one of them is held; the pause doubles."""


class AgentHealth:
    """Finds agents and looks again at those that are held."""

    def __init__(self, context: ServiceContext) -> None:
        self._context = context
        self.scanned = asyncio.Event()
        """Set once it is known which agents there are."""
        self._pause = Backoff(HELD_FIRST_SECONDS, HELD_LONGEST_SECONDS)
        self._scanning = asyncio.Lock()
        self._log = logger("workstation.agents")

    async def scan(self, *, asked: bool = True) -> None:
        """Find the agents of this machine and record them.

        What a run met holds an agent until a person asks for a look (missions/holds.py): a look by itself would set it
        to work in vain for ever.
        """
        async with self._scanning:
            settings = self._context.settings
            known = await self._context.workspace.read(queries.workstation.agents)
            seen = {agent.name: agent.binary for agent in known}
            slow = any(agent.state == "broken" for agent in known)
            deadline = LONG_DEADLINE_SECONDS if slow else SCAN_DEADLINE_SECONDS
            found = await asyncio.to_thread(detection.scan, settings, deadline, seen=seen)
            await self._context.workspace.write_as(SYSTEM, operations.workstation.set_agents, found, asked=asked)
        self._log.info("agents scanned", extra={"agents": {agent.name: agent.state for agent in found}})
        self.scanned.set()
        self._context.wakeup.look()

    async def look(self) -> float:
        """Scan at the start, then again while an agent is signed out or broken; seconds until the next look."""
        known = await self._context.workspace.read(queries.workstation.agents)
        if not self.scanned.is_set() or any(is_held(agent) for agent in known):
            await self.scan(asked=False)
        else:
            self._pause.reset()
        return self._pause.next()


def is_held(agent: CodeAgent) -> bool:
    """Whether a look may find it better than the last one did."""
    return agent.enabled and agent.state in ("signed_out", "broken", "too_old")
