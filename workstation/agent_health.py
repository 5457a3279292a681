"""The code agents of this machine: which there are, and whether they can work.

They are looked at when the service starts, when a person asks, when settings change, and now and then while one is held
(signed out, broken, too old).
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

from ..agents import catalogue, detection
from ..config import paths
from ..config.log import logger
from ..missions.entities import SYSTEM, CodeAgent
from ..system.backoff import Backoff
from ..workspace import operations, queries
from .context import ServiceContext

SCAN_DEADLINE_SECONDS = 5.0
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

        An agent that a run found signed out, and that cannot be asked whether it is signed in again, is held until a
        person asks for a look (or the service starts): a look by itself would set it to work in vain for ever.
        """
        async with self._scanning:
            settings = self._context.settings
            before = {agent.name: agent for agent in await self._context.workspace.read(queries.workstation.agents)}
            seen = {agent.name: agent.binary for agent in before.values()}
            found = await asyncio.to_thread(detection.scan, settings, SCAN_DEADLINE_SECONDS, seen=seen)
            if not asked:
                mute = await asyncio.to_thread(_cannot_be_asked)
                found = [_still_held(agent, before.get(agent.name), mute) for agent in found]
            await self._context.workspace.write_as(SYSTEM, operations.workstation.set_agents, found)
        self._log.info("agents scanned", extra={"agents": {agent.name: agent.state for agent in found}})
        self.scanned.set()
        self._context.wakeup.look()

    async def look(self) -> float:
        """Scan at the start, then again while an agent is signed out or broken; seconds until the next look."""
        if not self.scanned.is_set():
            await self.scan()
        elif any(is_held(agent) for agent in await self._context.workspace.read(queries.workstation.agents)):
            await self.scan(asked=False)
        else:
            self._pause.reset()
        return self._pause.next()


def _cannot_be_asked() -> frozenset[str]:
    entries = catalogue.load(own=paths.home() / "agents").values()
    return frozenset(entry.type for entry in entries if detection.only_a_run_tells(entry.sign_in_check))


def _still_held(found: CodeAgent, before: CodeAgent | None, mute: frozenset[str]) -> CodeAgent:
    if before is not None and before.state == "signed_out" and found.state == "ready" and found.type in mute:
        return replace(found, state="signed_out", detail=before.detail)
    return found


def is_held(agent: CodeAgent) -> bool:
    """Whether a look may find it better than the last one did."""
    return agent.enabled and agent.state in ("signed_out", "broken", "too_old")
