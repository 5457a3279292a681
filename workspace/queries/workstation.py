"""What is read of this machine: its code agents, worktree slots, open requests to its service."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from typing import Final

from ...missions.board import ServiceRequest
from ...missions.entities import CodeAgent, Worktree
from ...system import strict_json
from .. import lookup, rows

PAUSED: Final = "workstation.paused"


def paused(connection: sqlite3.Connection) -> bool:
    """Whether this workstation takes no new work; running sessions go on."""
    return lookup.meta(connection, PAUSED) == "1"


WORKSTATION, GENERATION = "workstation", "workstation.generation"


def generation(connection: sqlite3.Connection) -> int:
    """How often this workstation was started, as hubs know it; 1 at least."""
    return int(lookup.meta(connection, GENERATION) or 1)


def agents(connection: sqlite3.Connection) -> list[CodeAgent]:
    """The code agents of this workstation, as the last scan found them."""
    return lookup.agents(connection)


def worktrees(connection: sqlite3.Connection, repository: str | None = None) -> list[Worktree]:
    """The slots of the worktree pool, of one repository (id) or of all, oldest first."""
    docs = connection.execute(
        "SELECT doc FROM worktree WHERE ?1 IS NULL OR repository_id = ?1 ORDER BY id", (repository,)
    ).fetchall()
    return [rows.load(Worktree, doc) for (doc,) in docs]


def requests(connection: sqlite3.Connection, after: int = 0) -> list[ServiceRequest]:
    """Open requests after the one with that id, oldest first; each stays until it is finished."""
    found = connection.execute(
        "SELECT id, kind, mission_id, session_id, payload, at, correlation_id FROM request WHERE id > ? ORDER BY id",
        (after,),
    ).fetchall()
    return [
        ServiceRequest(number, kind, rows.known_moment(at), mission_id, session_id, strict_json.loads(payload), chain)
        for number, kind, mission_id, session_id, payload, at, chain in found
    ]


def begun_at(connection: sqlite3.Connection) -> datetime | None:
    """When the first thing happened in the workspace; None before that."""
    row = connection.execute("SELECT at FROM event ORDER BY seq LIMIT 1").fetchone()
    return None if row is None else rows.sane_moment(row[0])
