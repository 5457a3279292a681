"""Line comments on the diff of a mission."""

from __future__ import annotations

import sqlite3

from ...missions.comments import LineComment, in_order
from .. import line_comments, lookup


def of_mission(connection: sqlite3.Connection, ref: str, *, open_only: bool = False) -> list[LineComment]:
    """The line comments of a mission, by file and line."""
    found = in_order(line_comments.of_mission(connection, lookup.mission(connection, ref).id))
    return [one for one in found if one.open or not open_only]
