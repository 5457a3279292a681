"""What the board shows: cards, counts, how much waits for a person. Needed for the first paint: few imports."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from sys import intern
from typing import Final

from ...missions.board import Card, ListCount
from ...missions.entities import LISTS, ListName
from ...system import strict_json
from .. import lookup
from ..integrity.salvage import UNREADABLE

CARDS: Final = """
SELECT m.id, m.number, m.version, m.project_id, m.title, m.list, m.list_order, m.priority, m.stage, m.stage_position,
    m.stage_count, m.requires_review, m.ready, m.is_loop, coalesce(r.name, ''), m.tasks_done, m.tasks_total,
    m.blockers,
    CASE WHEN m.blockers = 0 THEN '' ELSE coalesce((
        SELECT b.title FROM dependency d LEFT JOIN mission b ON b.id = d.mission_id AND b.deleted = 0
        WHERE d.other_id = m.id AND d.relation = 'blocks' AND b.list IS NOT 'done'
        ORDER BY d.mission_id LIMIT 1), '') END,
    m.session_status, s.started_at, coalesce(s.agent_name, m.agent), coalesce(s.activity, ''), m.review_status,
    m.review_requested_at, m.attention, m.question, m.retry_at, m.attempts, m.landing_status, m.pr_number, m.updated_at,
    coalesce(a.name, ''),
    CASE WHEN EXISTS (SELECT 1 FROM conflict c WHERE c.mission_id = m.id AND c.state = 'open') THEN 'conflict'
        ELSE coalesce((SELECT CASE WHEN o.state = 'parked' THEN 'parked' ELSE 'waiting' END FROM outbox o
            WHERE o.entity_id = m.id ORDER BY o.state = 'parked' DESC LIMIT 1), '') END,
    coalesce(json_extract(iif(json_valid(s.doc), s.doc, '{}'), '$.waitsFor'), ''),
    coalesce(json_extract(iif(json_valid(s.doc), s.doc, '{}'), '$.unasked'), 0)
FROM mission m
LEFT JOIN repository r ON r.id = m.repository_id
LEFT JOIN actor a ON a.id = m.actor_id
LEFT JOIN session s ON s.id = m.session_id AND s.phase <> 'ended'
"""
REPEATED: Final = (3, 5, 8, 14, 19, 21, 23, 29, 32)
"""Columns of CARDS that say the same few words in thousands of rows; each of these is kept once."""
_LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)


def cards(
    connection: sqlite3.Connection, project_id: str, in_list: ListName, offset: int = 0, limit: int | None = None
) -> list[Card]:
    """The cards of a list in board order."""
    found = connection.execute(
        CARDS + "WHERE m.project_id = ? AND m.list = ? AND m.deleted = 0 ORDER BY m.list_order, m.id LIMIT ? OFFSET ?",
        (project_id, in_list, -1 if limit is None else limit, offset),
    ).fetchall()
    return [card_of(row) for row in found]


def list_counts(connection: sqlite3.Connection, project_id: str) -> dict[ListName, ListCount]:
    """How many missions each list holds, is ready, and runs; every list is present."""
    limits = lookup.project(connection, project_id).wip_limits
    found = {
        name: (total, ready, running)
        for name, total, ready, running in connection.execute(
            "SELECT list, count(*), sum(ready), sum(session_status <> 'INACTIVE') FROM mission "
            "WHERE project_id = ? AND deleted = 0 GROUP BY list",
            (project_id,),
        )
    }
    return {name: ListCount(*found.get(name, (0, 0, 0)), limits.get(name)) for name in LISTS}


def waiting_count(connection: sqlite3.Connection) -> int:
    """How much waits for a person, over all projects; reads nothing of the missions but an index."""
    query = (
        "SELECT count(*) FROM mission WHERE deleted = 0 "
        "AND (attention IS NOT NULL OR question IS NOT NULL OR review_status = 'pending')"
    )
    asked = (
        "SELECT count(*) FROM inbox i WHERE i.decision IS NULL "
        "AND EXISTS (SELECT 1 FROM session s WHERE s.id = i.session_id AND s.phase <> 'ended')"
    )
    return int(connection.execute(query).fetchone()[0]) + int(connection.execute(asked).fetchone()[0])


def running_count(connection: sqlite3.Connection) -> int:
    """How many sessions run, over all projects."""
    return int(connection.execute("SELECT count(*) FROM session WHERE phase <> 'ended'").fetchone()[0])


def last_seq(connection: sqlite3.Connection) -> int:
    """The number of the newest event."""
    return int(connection.execute("SELECT coalesce(max(seq), 0) FROM event").fetchone()[0])


def card_of(row: Sequence[object]) -> Card:
    """The card in a row of CARDS."""
    values = list(row)
    for index in REPEATED:
        if isinstance(text := values[index], str):
            values[index] = intern(text)
    for index in (11, 12, 13, 35):
        values[index] = bool(values[index])
    for index in (20, 24, 27, 31):
        if values[index] is not None:
            try:
                values[index] = datetime.fromisoformat(str(values[index]))
            except ValueError:
                values[index], values[25] = _LONG_AGO if index == 31 else None, UNREADABLE
    return Card(*values)  # type: ignore[arg-type]


def cards_by_id(connection: sqlite3.Connection, ids: Iterable[str]) -> list[Card]:
    """Cards by their ids, in no order; deleted ones are left out."""
    found = connection.execute(
        CARDS + "WHERE m.id IN (SELECT value FROM json_each(?)) AND m.deleted = 0", (strict_json.dumps(list(ids)),)
    ).fetchall()
    return [card_of(row) for row in found]


def unfinished(connection: sqlite3.Connection, project_id: str) -> list[tuple[int, str, ListName]]:
    """Number, title and list of a project's missions that are not done, the newest first."""
    return connection.execute(
        "SELECT number, title, list FROM mission WHERE project_id = ? AND deleted = 0 AND list <> 'done' "
        "ORDER BY number DESC",
        (project_id,),
    ).fetchall()


def live_cards(connection: sqlite3.Connection, project_id: str) -> list[Card]:
    """The cards of missions that run now."""
    found = connection.execute(
        CARDS + "WHERE m.project_id = ? AND m.session_status <> 'INACTIVE' AND m.deleted = 0", (project_id,)
    ).fetchall()
    return [card_of(row) for row in found]
