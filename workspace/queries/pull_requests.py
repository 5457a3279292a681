"""Missions that wait in a pull request."""

from __future__ import annotations

import sqlite3

from ...missions.entities import Mission
from ...missions.rules import pull_requests
from ..integrity import salvage


def followed(connection: sqlite3.Connection) -> list[Mission]:
    """Missions whose open pull request is followed, oldest first."""
    docs = connection.execute(
        "SELECT doc FROM mission WHERE pr_number IS NOT NULL AND deleted = 0 AND list <> 'done' ORDER BY id"
    ).fetchall()
    return [mission for mission in salvage.missions(connection, docs) if pull_requests.is_followed(mission)]
