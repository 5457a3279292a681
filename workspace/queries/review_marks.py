"""What a person has read of the changes of missions."""

from __future__ import annotations

import sqlite3

from ...missions.review_marks import Reading
from .. import lookup


def of_mission(connection: sqlite3.Connection, ref: str) -> Reading:
    """Marks and states of one mission."""
    mission_id = lookup.mission(connection, ref).id
    states = {
        kind: (commit, words)
        for kind, commit, words in connection.execute(
            "SELECT kind, commit_id, words FROM seen_state WHERE mission_id = ?", (mission_id,)
        )
    }
    marks = connection.execute("SELECT digest FROM reviewed_run WHERE mission_id = ?", (mission_id,))
    turn, turn_words = states.get("turn", (None, None))
    return Reading(
        mission_id,
        frozenset(digest for (digest,) in marks),
        look=states.get("look", (None, 0))[0],
        before=states.get("before", (None, 0))[0],
        turn=turn,
        turn_words=turn_words,
    )


def words_of_people(connection: sqlite3.Connection, mission_id: str) -> int:
    """How often a person decided about a mission or answered its agent; each time the agent begins a new turn."""
    row = connection.execute(
        "SELECT count(*) FROM event WHERE mission_id = ? AND kind IN ('approved', 'rejected', 'answered')",
        (mission_id,),
    ).fetchone()
    return int(row[0])
