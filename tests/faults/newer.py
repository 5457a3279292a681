"""A program of a newer version than this one: `python -m solo_unicorn.tests.faults.newer PROJECT TITLE`.

It takes the workspace over, as the first command after an update does, and writes a mission, whose id it prints.
"""

from __future__ import annotations

import sqlite3
import sys
from pathlib import Path

from solo_unicorn.missions.rules.creating import MissionDraft
from solo_unicorn.workspace import operations, store
from solo_unicorn.workspace.workspace import Workspace

LATER = "CREATE TABLE later (id TEXT PRIMARY KEY) STRICT"


def take_over(project: str, title: str) -> str:
    """Write with a format of which this version knows nothing; the id of the mission."""
    shipped, version = store.migrations(), store.latest_format() + 1
    store.migrations = lambda: [*shipped, (version, LATER)]
    store.latest_format = lambda: version
    with Workspace.open() as workspace:
        return workspace.write(operations.missions.create, project, MissionDraft(title=title)).id


def give_back(database: Path) -> None:
    """As if it had never been there, but for what it wrote."""
    connection = sqlite3.connect(database, timeout=30, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("DROP TABLE later")
    connection.execute("DELETE FROM proof WHERE place = 'sqlite_master' AND key LIKE '%later%'")
    connection.execute(f"PRAGMA user_version = {store.latest_format()}")
    connection.execute("COMMIT")
    connection.close()


if __name__ == "__main__":
    print(take_over(*sys.argv[1:]))
