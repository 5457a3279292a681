"""Machines of a test: a workspace and the real engine each, with a clock of their own, at one hub."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

from solo_unicorn.missions.entities import Mission
from solo_unicorn.missions.rules.creating import MissionDraft
from solo_unicorn.sync import replica
from solo_unicorn.sync.client.engine import Engine
from solo_unicorn.sync.client.link import AccountLink
from solo_unicorn.sync.client.transport import Bearer, HttpTransport
from solo_unicorn.sync.replica.connecting import Account
from solo_unicorn.workspace import operations, queries
from solo_unicorn.workspace.thread import WorkspaceThread

from ..simulation.served import PAT

PROJECT: dict[str, Any] = {"id": "01J00000000000000000000000", "name": "Shared", "slug": "shared"}


class Time:
    """Seconds that pass only when told."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class Key:
    """A token that cannot be renewed."""

    def __init__(self, value: str = PAT) -> None:
        self.value = value

    async def token(self) -> str | None:
        return self.value

    async def renewed(self, refused: str) -> str | None:
        return None


@dataclass
class Machine:
    """One person's machine."""

    thread: WorkspaceThread
    engine: Engine
    account: Account
    project: str = PROJECT["id"]

    @property
    def link(self) -> AccountLink:
        """Its side of the connection."""
        return self.engine.link(self.account)

    async def make(self, title: str) -> str:
        """A new mission; its id."""
        made = await self.thread.write(operations.missions.create, self.project, MissionDraft(title=title))
        return made.id

    async def edit(self, mission_id: str, **fields: Any) -> None:
        """Change a mission."""
        await self.thread.write(operations.missions.edit, mission_id, fields)

    async def board(self) -> list[Mission]:
        """All missions, as the board shows them."""
        return list((await self.thread.read(queries.missions.page, self.project, limit=500)).items)

    async def settle(self, rounds: int = 60) -> None:
        """Read and send until nothing is left to do."""
        for _ in range(rounds):
            if await self.engine.once() == [] and not (await self.thread.run(queries.connection.sync_state)).waiting:
                return
        state = await self.thread.run(queries.connection.sync_state)
        raise AssertionError(f"it does not settle: {state.word}")


@asynccontextmanager
async def machine(
    path: Path,
    hub: str,
    *,
    bearer: Bearer | None = None,
    clock: Callable[[], float] = time.monotonic,
    wall: Callable[[], float] = time.time,
    project: dict[str, Any] = PROJECT,
    seed: int = 1,
) -> AsyncIterator[Machine]:
    """A machine with the project connected; `wall` is the clock of its system, `clock` the one that never jumps."""
    account = Account("ann@hub", "hub", hub, "ann", "ann@example.org", "token", True, {})
    async with WorkspaceThread(path) as thread:
        thread.workspace.now = lambda: datetime.fromtimestamp(wall(), UTC)
        if not await thread.read(replica.sync_steps.mirrors):
            await thread.run(replica.connecting.put_account, account)
            await thread.write(replica.connecting.connect, account, project, {})
        engine = Engine(
            thread, lambda one: HttpTransport(one.hub, bearer or Key()), random=Random(seed), clock=clock, wall=wall
        )
        try:
            yield Machine(thread, engine, account, project["id"])
        finally:
            await engine.close()
