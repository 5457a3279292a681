"""Where a mission's work stands: read from what is recorded, measured by whoever has git at hand."""

from __future__ import annotations

from dataclasses import replace

from ..missions.change_state import ChangeMeasure, ChangeState, change_state
from ..missions.entities import Session, Worktree
from ..missions.wire import to_wire
from . import lookup, rows
from .base import WorkspaceBase


class ChangeStateOperations(WorkspaceBase):
    """The read model of a mission's change, and its measurements."""

    def change_state(self, ref: str) -> ChangeState:
        """Worktree, branch, pull request with checks, ahead and behind; no git is asked."""
        with self._reading() as connection:
            mission = lookup.mission(connection, ref)
            project = lookup.project(connection, mission.project_id)
            docs = connection.execute("SELECT doc FROM session WHERE mission_id = ? ORDER BY started_at", (mission.id,))
            sessions = tuple(rows.load(Session, doc) for (doc,) in docs)
            held = connection.execute("SELECT doc FROM worktree WHERE mission_id = ?", (mission.id,)).fetchone()
            seen = connection.execute("SELECT doc FROM change_measure WHERE mission_id = ?", (mission.id,)).fetchone()
        return change_state(
            mission,
            project,
            sessions,
            rows.load(Worktree, held[0]) if held else None,
            rows.load(ChangeMeasure, seen[0]) if seen else None,
        )

    def change_measured(self, mission_id: str, measure: ChangeMeasure) -> None:
        """Keep what git said; screens are woken when it says something else than before."""
        with self._store.writing() as connection:
            row = connection.execute("SELECT doc FROM change_measure WHERE mission_id = ?", (mission_id,)).fetchone()
            before = rows.load(ChangeMeasure, row[0]) if row else None
            if before is not None and replace(before, at=measure.at) == measure:
                return
            connection.execute(
                "INSERT INTO change_measure (mission_id, doc) SELECT ?1, ?2 WHERE EXISTS "
                "(SELECT 1 FROM mission WHERE id = ?1) ON CONFLICT (mission_id) DO UPDATE SET doc = excluded.doc",
                (mission_id, rows.dump(to_wire(measure))),
            )
