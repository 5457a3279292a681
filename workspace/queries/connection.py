"""How the connected projects stand with their hubs."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from ...missions.connected import Heard, Link, SyncState
from .. import rows
from ..sync_state import last_heard
from ..workspace import Workspace


def sync_state(workspace: Workspace, project: str | None = None) -> SyncState:
    """How the connected projects stand: of all, or of one (an id)."""
    return workspace.read(_state, project, path=workspace.path, now=workspace.now())


def _state(connection: sqlite3.Connection, project: str | None, *, path: Path, now: datetime) -> SyncState:
    found = connection.execute(
        "SELECT p.name, m.hub, m.account, coalesce(a.profile, m.account), coalesce(a.email, ''), "
        "coalesce(a.signed_in, 0), m.trouble, m.failing_since, m.error, "
        "m.cursor IS NULL OR m.resync IS NOT NULL, m.synced_at, p.status = 'archived', m.read_only "
        "FROM mirror m JOIN project p ON p.id = m.project_id "
        "LEFT JOIN account a ON a.id = m.account WHERE ?1 IS NULL OR m.project_id = ?1 ORDER BY p.name",
        (project,),
    ).fetchall()
    if not found:
        return SyncState()
    waiting, parked, oldest = connection.execute(
        "SELECT sum(state <> 'parked'), sum(state = 'parked'), min(CASE WHEN state <> 'parked' THEN at END) "
        "FROM outbox WHERE ?1 IS NULL OR project_id = ?1",
        (project,),
    ).fetchone()
    conflicts = connection.execute(
        "SELECT count(*) FROM conflict WHERE state = 'open' AND (?1 IS NULL OR project_id = ?1)", (project,)
    ).fetchone()[0]
    kept = last_heard.read(path)
    return SyncState(
        links=tuple(_link(row, kept) for row in found),
        waiting=int(waiting or 0),
        parked=int(parked or 0),
        conflicts=int(conflicts),
        read_only=next((str(row[-1]) for row in found if row[-1]), ""),
        oldest_waiting=rows.moment(oldest),
        now=now,
        synchronising=last_heard.synchronising(path),
    )


def _link(row: Sequence[Any], kept: Mapping[str, Heard]) -> Link:
    project, hub, account, profile, user, signed_in, trouble, since, reason, first, read_at, archived, _ = row
    return Link(
        project=project,
        hub=hub,
        account=account,
        profile=profile,
        user=user,
        signed_in=bool(signed_in),
        trouble=trouble,
        since=rows.moment(since),
        reason=reason or "",
        first=bool(first),
        archived=bool(archived),
        read_at=rows.moment(read_at),
        heard=kept.get(account, Heard()),
    )
