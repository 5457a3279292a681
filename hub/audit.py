"""The audit log: who did what, when and from where, as rows that can be asked for.

Kept of what changes rights, settings and keys, and of what takes away; a row is written in the transaction of its
deed, so that neither is there without the other. What happens to missions otherwise is told by their project's events.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Column, Connection, Float, Index, String, Table, and_, delete, insert, select

from ..missions.entities import JsonObject
from ..missions.ids import new_ulid
from .storage.tables import metadata

KEPT_DAYS: Final = 400
"""Unless SOLO_UNICORN_HUB_AUDIT_DAYS says otherwise."""

entries = Table(
    "audit",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("at", Float, nullable=False),
    Column("organization_id", String(64)),
    Column("project_id", String(64)),
    Column("caller", String(80), nullable=False),
    Column("action", String(64), nullable=False),
    Column("target", String(300), nullable=False),
    Column("outcome", String(64), nullable=False),
    Column("place", String(64), nullable=False),
    Column("agent", String(300), nullable=False),
    Column("correlation", String(64), nullable=False),
    Index("audit_organization", "organization_id", "id"),
    Index("audit_at", "at"),
)


def write(
    at: Connection,
    *,
    caller: str,
    action: str,
    place: str,
    outcome: str = "done",
    target: str = "",
    agent: str = "",
    trace_id: str = "",
    organization_id: str | None = None,
    project_id: str | None = None,
) -> None:
    """One row: `caller` as `Caller.name`, `action` as the endpoint's operationId, `place` the client's address."""
    at.execute(
        insert(entries).values(
            id=new_ulid(),
            at=time.time(),
            organization_id=organization_id,
            project_id=project_id,
            caller=caller[:80],
            action=action[:64],
            target=_plain(target, 300),
            outcome=outcome[:64],
            place=_plain(place, 64),
            agent=_plain(agent, 300),
            correlation=_plain(trace_id, 64),
        )
    )


def read(
    at: Connection, *, limit: int, after: str = "", organization_id: str = "", action: str = "", caller: str = ""
) -> Sequence[Any]:
    """Rows, the newest first; those older than the row `after`."""
    wanted = [
        column == value
        for column, value in (
            (entries.c.organization_id, organization_id),
            (entries.c.action, action),
            (entries.c.caller, caller),
        )
        if value
    ]
    if after:
        wanted.append(entries.c.id < after)
    return at.execute(select(entries).where(and_(True, *wanted)).order_by(entries.c.id.desc()).limit(limit)).all()


def shown(row: Any) -> JsonObject:
    """A row as it is answered."""
    return {
        "id": row.id,
        "at": datetime.fromtimestamp(row.at, UTC).isoformat()[:-6] + "Z",
        "organizationId": row.organization_id,
        "projectId": row.project_id,
        "caller": row.caller,
        "action": row.action,
        "target": row.target,
        "outcome": row.outcome,
        "place": row.place,
        "agent": row.agent,
        "traceId": row.correlation,
    }


def prune(at: Connection, now: float, days: int = KEPT_DAYS) -> int:
    """Forget what is older; how many."""
    return at.execute(delete(entries).where(entries.c.at < now - days * 86_400)).rowcount


def _plain(text: str, most: int) -> str:
    """What came from outside, without what a terminal or a column would not take."""
    return "".join(sign if sign.isprintable() else "?" for sign in text[:most])
