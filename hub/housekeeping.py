"""What a hub does by itself: reads the epoch, ends leases that ran out, offers missions, forgets old answers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from contextlib import suppress
from typing import Final, get_args

from sqlalchemy import Connection, and_, bindparam, select

from ..config.log import logger
from ..missions.entities import AgentSessionStatus, JsonObject
from ..missions.errors import SoloUnicornError, TryAgain
from . import audit
from .api import idempotency
from .change import Change
from .errors import DatabaseUnusable
from .hub import Hub
from .identity import SCOPES, Caller
from .services import assignments, running
from .storage import epoch
from .storage.tables import missions
from .unit_of_work import UnitOfWork

PASS_SECONDS: Final = 5.0
PRUNE_SECONDS: Final = 3_600.0
SILENT_SECONDS: Final = 600
"""A holder is given up so long after its lease ran out; until then it may come back."""
SYSTEM: Final = Caller("organization", organization_id="hub", scopes=frozenset(SCOPES))


class Housekeeping:
    """A part that makes one pass every few seconds, and at once when a feed grew."""

    def __init__(self, hub: Hub, *, pass_seconds: float = PASS_SECONDS) -> None:
        self._hub = hub
        self._pass_seconds = pass_seconds
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._pruned_at = 0.0
        self._failing: set[tuple[str, str]] = set()

    async def start(self) -> None:
        """Read the epoch, then begin."""
        self._hub.epoch = await self._hub.database.read(epoch.current)
        self._hub.bus.listen(self)
        self._task = asyncio.create_task(self._run(), name="housekeeping")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    def changed(self, project: str, seq: int, /) -> None:
        """A feed grew: a mission may be due for an offer."""
        self._wake.set()

    def post(self, channel: str, kind: str, payload: JsonObject, /) -> None:
        """Messages for channels do not matter here."""

    async def _run(self) -> None:
        while True:
            try:
                async with asyncio.timeout(self._pass_seconds):
                    await self._wake.wait()
                    await asyncio.sleep(min(0.5, self._pass_seconds))  # what comes together is looked at together
            except TimeoutError:
                pass
            self._wake.clear()
            try:
                await self.one_pass()
            except SoloUnicornError as error:
                logger("hub").warning("housekeeping waits for the database", exc_info=error)
            except Exception as error:  # a fault here must not end what keeps the hub in order
                logger("hub").error("housekeeping failed", exc_info=error)

    async def one_pass(self) -> None:
        now = time.time()
        self._hub.epoch = await self._hub.database.read(epoch.current)  # an operator may have begun another
        for project_id, mission_id in await self._hub.database.read(lambda at: silent(at, now)):
            await self._apart("mission", mission_id, self._end(project_id, mission_id, now))
        for project_id in await self._hub.database.read(lambda at: assignments.waiting_projects(at, now)):
            await self._apart("project", project_id, self._offer(project_id, now))
        if now - self._pruned_at > PRUNE_SECONDS:
            self._pruned_at = now
            await self._hub.database.write(lambda at: idempotency.prune(at, now))
            days = int(self._hub.settings.options.get("audit_days", audit.KEPT_DAYS))
            await self._hub.database.write(lambda at: audit.prune(at, now, days))

    async def _apart(self, what: str, identifier: str, work: Awaitable[None]) -> None:
        """One that fails does not keep the others from their turn; a database that is away ends the pass."""
        try:
            await work
        except (TryAgain, DatabaseUnusable, OSError):
            raise
        except Exception as error:
            if (what, identifier) not in self._failing:  # tried again in every pass, told of once
                logger("hub").error(f"housekeeping of one {what} failed", extra={what: identifier}, exc_info=error)
            self._failing.add((what, identifier))
        else:
            self._failing.discard((what, identifier))

    async def _offer(self, project_id: str, now: float) -> None:
        for offer in await self._hub.database.write(lambda at: assignments.assign(at, project_id, now)):
            self._hub.bus.post(f"workstation:{offer.workstation_id}", "mission.assign", offer.payload)

    async def _end(self, project_id: str, mission_id: str, now: float) -> None:
        def end(at: Connection) -> UnitOfWork:
            work = UnitOfWork(hub=self._hub, at=at, caller=SYSTEM, now=now, correlation="")
            running.expire(Change(work, project_id, None), mission_id)
            return work

        for hint in (await self._hub.database.write(end)).after:
            hint()


_OVERDUE: Final = select(missions.c.project_id, missions.c.id, missions.c.session_status, missions.c.lease_until).where(
    and_(
        # both columns of their index, by value: "is not INACTIVE" alone would read every mission twice a second
        missions.c.ready.in_([True, False]),
        missions.c.session_status.in_([status for status in get_args(AgentSessionStatus) if status != "INACTIVE"]),
        missions.c.lease_until < bindparam("now"),
    )
)


def silent(at: Connection, now: float) -> list[tuple[str, str]]:
    """(project, mission) whose holder let its lease run out long ago; before an agent ran, as soon as it ran out."""
    rows = at.execute(_OVERDUE, {"now": now}).all()
    return [
        (row.project_id, row.id)
        for row in rows
        if row.session_status == "PUSHING" or row.lease_until < now - SILENT_SECONDS
    ]
