"""Records that cannot be read are put aside, and what can be read of them takes their place."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ...missions.entities import Mission, Session
from .. import rows
from ..change import Change
from ..integrity import proof, salvage


def repair(change: Change, folder: Path) -> list[Path]:
    """Repair every damaged record; the files in `folder` that keep the originals."""
    kept = []
    for one in salvage.damaged(change.connection):
        kept.append(salvage.put_aside(folder, change.connection, one))
        if one.table == "session":
            rows.put_session(change.connection, salvage.rebuilt(change.connection, Session, one.id))
            proof.accept(change.connection, one.table, one.id)
            continue
        mission = salvage.rebuilt(change.connection, Mission, one.id)
        mission = replace(mission, ready=False, attention=salvage.REPAIRED, updated_at=change.now)
        (stages,) = change.connection.execute("SELECT stage_count FROM mission WHERE id = ?", (one.id,)).fetchone()
        rows.put_mission(change.connection, mission, stages)
        proof.accept(change.connection, one.table, one.id)
        note = f"{one.why}; the original is in {kept[-1]}"
        change.event(mission.project_id, "repaired", mission_id=mission.id, note=note)
    return kept
