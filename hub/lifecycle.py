"""Small parts of a hub that start and stop with it."""

from __future__ import annotations

import asyncio
from typing import Final

from sqlalchemy import select

from ..config.log import logger
from .hub import Hub
from .operating.health import Health
from .storage.tables import projects

FEED_SECONDS: Final = 5.0


class HubSecrets:
    """Creates the secrets of a hub before its first request, so that requests never write them."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    async def start(self) -> None:
        """All of them; Unopened with the wrong key."""
        await self._hub.database.write(self._hub.keys.begin)

    async def stop(self) -> None:
        """Nothing."""


class FeedPoller:
    """The feed's numbers read every five seconds: whoever missed a nudge is late by no more than that."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = asyncio.create_task(self._read(), name="feed poller")

    async def stop(self) -> None:
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _read(self) -> None:
        seen: dict[str, int] = {}
        while True:
            try:
                now = await self._hub.database.read(
                    lambda at: {row.id: row.seq for row in at.execute(select(projects.c.id, projects.c.seq))}
                )
                for project, seq in now.items():
                    if seen and seq != seen.get(project):
                        self._hub.bus.changed(project, seq)
                seen = now
            except Exception:
                logger("hub").exception("the feed's numbers could not be read; trying again")
            await asyncio.sleep(FEED_SECONDS)


class Readiness:
    """The last part to start: from now on requests are welcome."""

    def __init__(self, health: Health) -> None:
        self._health = health

    async def start(self) -> None:
        self._health.started = True

    async def stop(self) -> None:
        self._health.stopping = True
