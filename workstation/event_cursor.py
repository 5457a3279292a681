"""What changed in the workspace, and who began it.

The service is woken by every commit of any process (sync/bell.py). It takes the events since it looked last: the MCP
server tells its listening clients, and what follows from an event (a session, a landing) carries on its correlation id,
so that one id leads through the log from a key press to the last process it touched.
"""

from __future__ import annotations

from functools import partial

from ..workspace import queries
from .context import ServiceContext

AT_ONCE = 1000


class EventCursor:
    """Takes events in order, once."""

    def __init__(self, context: ServiceContext) -> None:
        self._context = context
        self._seen: int | None = None
        self._last = ""
        self._by_mission: dict[str, str] = {}
        self.any = False
        """Whether the last `take` found something."""

    def cause_of(self, mission_id: str) -> str:
        """The correlation id behind a mission's last change; the last of all where that one has none."""
        return self._by_mission.get(mission_id) or self._last

    async def take(self) -> EventCursor:
        """Take what is new; the first call begins a little before the end of what there is."""
        workspace = self._context.workspace
        if self._seen is None:
            self._seen = max(0, await workspace.read(queries.board.last_seq) - AT_ONCE)
        self.any = False
        self._last = ""
        while events := await workspace.read(queries.missions.events_since, self._seen, AT_ONCE):
            self.any = True
            self._seen = events[-1].seq
            for event in events:
                if event.correlation_id:
                    self._last = event.correlation_id
                    if event.mission_id is not None:
                        self._by_mission[event.mission_id] = event.correlation_id
            await self._context.supervisor.tried("MCP notifications", partial(self._context.mcp.changed, events))
        return self
