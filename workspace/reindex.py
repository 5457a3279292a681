"""The index of the search made from nothing, after a migration that has emptied it."""

from __future__ import annotations

import sqlite3

from . import passages
from .integrity import salvage


def reindex(connection: sqlite3.Connection) -> None:
    """Write the passages of every mission and document."""
    connection.execute("DELETE FROM passage")
    for (doc,) in connection.execute("SELECT doc FROM mission WHERE deleted = 0").fetchall():
        (mission,) = salvage.missions(connection, [(doc,)])
        passages.put_mission(connection, mission)
    for project_id, name, text in connection.execute("SELECT project_id, name, text FROM memory").fetchall():
        passages.put_document(connection, project_id, name, text)
