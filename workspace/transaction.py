"""An open write transaction with its author and time: what everything that changes the workspace is a function of."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from ..config.correlation import correlation
from ..missions.entities import Author, Json, MissionEvent
from . import rows


@dataclass(slots=True)
class Transaction:
    """What stands in it is durable, all of it or nothing, when it ends."""

    connection: sqlite3.Connection
    now: datetime
    by: Author
    new_id: Callable[[], str]

    def next_number(self) -> int:
        """The short number of a new mission: never used twice, even when a project is removed."""
        row = self.connection.execute(
            "INSERT INTO meta (key, value) VALUES ('mission.number', '1') "
            "ON CONFLICT (key) DO UPDATE SET value = CAST(value AS INTEGER) + 1 RETURNING value"
        ).fetchone()
        return int(row[0])

    def number_near(self, wished: int) -> int:
        """The short number `wished` for a new mission where it is free, else the next one."""
        taken = wished < 1 or self.connection.execute("SELECT 1 FROM mission WHERE number = ?", (wished,)).fetchone()
        if taken:
            return self.next_number()
        self.connection.execute(
            "INSERT INTO meta (key, value) VALUES ('mission.number', ?1) "
            "ON CONFLICT (key) DO UPDATE SET value = max(CAST(value AS INTEGER), ?1)",
            (wished,),
        )
        return wished

    def event(
        self,
        project_id: str,
        kind: str,
        *,
        mission_id: str | None = None,
        changes: Mapping[str, tuple[Json, Json]] | None = None,
        note: str = "",
        by: Author | None = None,
    ) -> int:
        """Append an event; returns its sequence number."""
        return rows.put_event(
            self.connection,
            MissionEvent(
                0, project_id, mission_id, kind, by or self.by, self.now, dict(changes or {}), note, correlation.get()
            ),
        )
