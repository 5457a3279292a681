"""What a person has read of the changes of missions; it is theirs and stays on this machine."""

from __future__ import annotations

from collections.abc import Iterable

from ...missions.operations.checks import refuse_agents
from ...missions.reading import Reading
from ..change import Change
from ..queries import reading


def mark(change: Change, ref: str, runs: Iterable[str], *, reviewed: bool = True) -> Reading:
    """Mark runs of changed lines as reviewed, or take their marks back; an agent may not (NotAllowed)."""
    refuse_agents(change.by, "mark what a person has reviewed")
    mission_id = change.mission(ref).id
    wanted = [(mission_id, run) for run in runs]
    if reviewed:
        change.connection.executemany("INSERT OR IGNORE INTO reviewed_run VALUES (?, ?)", wanted)
    else:
        change.connection.executemany("DELETE FROM reviewed_run WHERE mission_id = ? AND digest = ?", wanted)
    return reading.of_mission(change.connection, mission_id)
