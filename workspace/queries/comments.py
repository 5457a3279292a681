"""Line comments on the diff of a mission."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from ...missions.comments import LineComment, in_order
from .. import line_comments, lookup, rows


def of_mission(connection: sqlite3.Connection, ref: str, *, open_only: bool = False) -> list[LineComment]:
    """The line comments of a mission, by file and line."""
    found = in_order(line_comments.of_mission(connection, lookup.mission(connection, ref).id))
    return [one for one in found if one.open or not open_only]


def one(connection: sqlite3.Connection, ref: str) -> LineComment:
    """By its id or a unique beginning or end of it; NotFound."""
    return line_comments.one(connection, ref)


def rejections(connection: sqlite3.Connection, mission_id: str) -> list[datetime]:
    """When a person sent the mission back: each begins the next round of the review."""
    found = connection.execute(
        "SELECT at FROM event WHERE mission_id = ? AND kind = 'rejected' ORDER BY seq", (mission_id,)
    )
    return [rows.known_moment(at) for (at,) in found]
