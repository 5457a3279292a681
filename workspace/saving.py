"""A mission written with its event, and the counts of those that wait for it; nothing is queued for a hub."""

from __future__ import annotations

from dataclasses import replace

from ..missions.entities import SYSTEM, Author, Flow, Mission
from ..missions.errors import NotFound
from ..missions.history import recorded
from ..missions.rules.dependencies import is_resolved
from ..missions.rules.flows import enabled_stages
from . import lookup, rows
from .transaction import Transaction

MACHINE_FIELDS = frozenset(
    {
        "agentSessionStatus",
        "attempts",
        "dependencyCount",
        "lastCodeAgentName",
        "lastCodeAgentSessionId",
        "limitHits",
        "listOrder",
        "prBranchName",
        "pullRequest",
        "retryAt",
        "sessionId",
        "worktreePath",
    }
)
"""What the machine itself notes down while an agent works; it does not make anybody's knowledge of a mission stale."""


def keep(
    transaction: Transaction,
    before: Mission | None,
    after: Mission,
    kind: str,
    *,
    flow: Flow | None = None,
    note: str = "",
    quiet: bool = False,
    by: Author | None = None,
) -> Mission:
    """Write a mission with its event (by `by`, else the transaction's author) and let those that wait for it know.

    `flow` is the one it follows, where the caller has it. `quiet` leaves the event out: one for many tells of them.
    """
    found = {} if before is None else recorded(before, after)
    version = before.version if before else 0
    if before is None or not found.keys() <= MACHINE_FIELDS:
        version += 1
    saved = replace(after, version=version, updated_at=transaction.now)
    flow = flow or lookup.flow_of(transaction.connection, saved)
    rows.put_mission(transaction.connection, saved, len(enabled_stages(flow, saved.flow_config)))
    if not quiet:
        transaction.event(saved.project_id, kind, mission_id=saved.id, changes=found, note=note, by=by)
    if before is not None and is_resolved(before) != is_resolved(saved):
        recount_blocked_by(transaction, saved.id)
    return saved


def recount_blocked_by(transaction: Transaction, blocker_id: str) -> None:
    """Bring `dependencyCount` up to date for every mission that waits for `blocker_id`."""
    waiting = transaction.connection.execute(
        "SELECT other_id FROM dependency WHERE mission_id = ? AND relation = 'blocks'", (blocker_id,)
    ).fetchall()
    for (mission_id,) in waiting:
        recount(transaction, str(mission_id))


def recount(transaction: Transaction, mission_id: str) -> None:
    """Bring `dependencyCount` of one mission up to date (domain.md, Dependencies)."""
    try:
        mission = lookup.mission(transaction.connection, mission_id, deleted=True)
    except NotFound:
        return
    count = len(lookup.unresolved_blockers(transaction.connection, mission_id))
    if count != mission.dependency_count:
        keep(transaction, mission, replace(mission, dependency_count=count), "blockers_changed", by=SYSTEM)
