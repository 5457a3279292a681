"""What a person has read of the changes of missions."""

from __future__ import annotations

import sqlite3

from ...missions.reading import Reading
from .. import lookup


def of_mission(connection: sqlite3.Connection, ref: str) -> Reading:
    """Marks and states of one mission."""
    mission_id = lookup.mission(connection, ref).id
    marks = connection.execute("SELECT digest FROM reviewed_run WHERE mission_id = ?", (mission_id,))
    return Reading(mission_id, frozenset(digest for (digest,) in marks))
