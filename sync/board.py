"""Reads for the screens and the command line: cards, counts, lists, search, what waits for a person, events."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from datetime import datetime

from ..missions.board import Card, Hit, ListCount, Page, Waiting
from ..missions.entities import LISTS, ListName, Mission, MissionEvent
from ..missions.errors import InvalidValue
from ..missions.ids import short_id
from . import lookup, rows
from .base import WorkspaceBase

_CARDS = """
SELECT m.id, m.number, m.version, m.project_id, m.title, m.list, m.list_order, m.priority, m.stage, m.stage_position,
    m.stage_count, m.requires_review, m.ready, m.is_loop, coalesce(r.name, ''), m.tasks_done, m.tasks_total,
    m.blockers,
    CASE WHEN m.blockers = 0 THEN '' ELSE coalesce((
        SELECT b.title FROM dependency d LEFT JOIN mission b ON b.id = d.mission_id AND b.deleted = 0
        WHERE d.other_id = m.id AND d.relation = 'blocks' AND b.list IS NOT 'done'
        ORDER BY d.mission_id LIMIT 1), '') END,
    m.session_status, s.started_at, coalesce(s.agent_name, m.agent), coalesce(s.activity, ''), m.review_status,
    m.review_requested_at, m.attention, m.question, m.retry_at, m.attempts, m.landing_status, m.pr_number, m.updated_at
FROM mission m
LEFT JOIN repository r ON r.id = m.repository_id
LEFT JOIN session s ON s.id = m.session_id AND s.phase <> 'ended'
"""
MATCHES_RANKED = 2000


class BoardOperations(WorkspaceBase):
    """Reads only."""

    def cards(self, project_id: str, in_list: ListName, offset: int = 0, limit: int | None = None) -> list[Card]:
        """The cards of a list in board order."""
        with self._reading() as connection:
            found = connection.execute(
                _CARDS + "WHERE m.project_id = ? AND m.list = ? AND m.deleted = 0 "
                "ORDER BY m.list_order, m.id LIMIT ? OFFSET ?",
                (project_id, in_list, -1 if limit is None else limit, offset),
            ).fetchall()
        return [_card(row) for row in found]

    def cards_by_id(self, ids: Iterable[str]) -> list[Card]:
        """Cards by their ids, in no order; deleted ones are left out."""
        with self._reading() as connection:
            found = connection.execute(
                _CARDS + "WHERE m.id IN (SELECT value FROM json_each(?)) AND m.deleted = 0", (json.dumps(list(ids)),)
            ).fetchall()
        return [_card(row) for row in found]

    def live_cards(self, project_id: str) -> list[Card]:
        """The cards of missions that run now."""
        with self._reading() as connection:
            found = connection.execute(
                _CARDS + "WHERE m.project_id = ? AND m.session_status <> 'INACTIVE' AND m.deleted = 0", (project_id,)
            ).fetchall()
        return [_card(row) for row in found]

    def list_counts(self, project_id: str) -> dict[ListName, ListCount]:
        """How many missions each list holds, is ready, and runs; every list is present."""
        with self._reading() as connection:
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

    def missions(
        self,
        project: str | None = None,
        *,
        lists: Sequence[ListName] | None = None,
        ready: bool | None = None,
        text: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[Mission]:
        """A page of missions in board order (list, then `listOrder`, then id); `cursor` is that of the page before."""
        offset = _offset(cursor)
        conditions, values = ["m.deleted = 0"], list[object]()
        with self._reading() as connection:
            if project is not None:
                conditions.append("m.project_id = ?")
                values.append(lookup.project(connection, project).id)
            if lists is not None:
                conditions.append("m.list IN (SELECT value FROM json_each(?))")
                values.append(json.dumps(list(lists)))
            if ready is not None:
                conditions.append("m.ready = ?")
                values.append(ready)
            if text and _query(text):
                conditions.append("m.rid IN (SELECT rowid FROM mission_text WHERE mission_text MATCH ?)")
                values.append(_query(text))
            where = " AND ".join(conditions)
            total = connection.execute(f"SELECT count(*) FROM mission m WHERE {where}", values).fetchone()[0]
            ranks = " ".join(f"WHEN '{name}' THEN {rank}" for rank, name in enumerate(LISTS))
            docs = connection.execute(
                f"SELECT m.doc FROM mission m WHERE {where} "
                f"ORDER BY m.project_id, CASE m.list {ranks} END, m.list_order, m.id LIMIT ? OFFSET ?",
                (*values, limit, offset),
            ).fetchall()
        after = offset + len(docs)
        return Page(tuple(rows.load(Mission, doc) for (doc,) in docs), total, str(after) if after < total else None)

    def search(self, text: str, project: str | None = None, limit: int = 20) -> list[Hit]:
        """Missions whose title or description holds all the words, best first."""
        query = _query(text)
        if not query:
            return []
        with self._reading() as connection:
            only = lookup.project(connection, project).id if project else None
            found = connection.execute(
                "SELECT m.number, m.title, snippet(mission_text, 1, '[', ']', ' … ', 12) FROM "
                f"(SELECT rowid, rank FROM mission_text WHERE mission_text MATCH ?1 LIMIT {MATCHES_RANKED}) AS hits "
                "JOIN mission_text ON mission_text.rowid = hits.rowid AND mission_text MATCH ?1 "
                "JOIN mission m ON m.rid = hits.rowid "
                "WHERE m.deleted = 0 AND (?2 IS NULL OR m.project_id = ?2) ORDER BY hits.rank LIMIT ?3",
                (query, only, limit),
            ).fetchall()
        return [Hit("mission", short_id(number), title, excerpt or "") for number, title, excerpt in found]

    def waiting(self, project: str | None = None) -> list[Waiting]:
        """What waits for a person, longest first: questions, reviews, missions that need attention."""
        with self._reading() as connection:
            only = lookup.project(connection, project).id if project else None
            docs = connection.execute(
                "SELECT doc FROM mission WHERE deleted = 0 AND (?1 IS NULL OR project_id = ?1) "
                "AND (attention IS NOT NULL OR question IS NOT NULL OR review_status = 'pending')",
                (only,),
            ).fetchall()
        return sorted((_waiting(rows.load(Mission, doc)) for (doc,) in docs), key=lambda entry: entry.since)

    def last_seq(self) -> int:
        """The number of the newest event."""
        with self._reading() as connection:
            return int(connection.execute("SELECT coalesce(max(seq), 0) FROM event").fetchone()[0])

    def events_since(self, seq: int, limit: int = 1000) -> list[MissionEvent]:
        """Events after `seq`, oldest first."""
        with self._reading() as connection:
            found = connection.execute(
                f"SELECT {rows.EVENT_COLUMNS} FROM event WHERE seq > ? ORDER BY seq LIMIT ?", (seq, limit)
            ).fetchall()
        return [rows.event_of(row) for row in found]


def _waiting(mission: Mission) -> Waiting:
    if mission.question:
        return Waiting("question", mission, mission.updated_at, mission.question)
    if mission.review_status == "pending":
        text = mission.to_check or mission.stage_summary or f"review the {mission.stage}"
        return Waiting("review", mission, mission.review_requested_at or mission.updated_at, text)
    return Waiting("attention", mission, mission.updated_at, mission.attention or "")


def _query(text: str) -> str:
    """Words as an FTS5 query: all of them, each as the beginning of a word; nothing in them is an operator."""
    return " ".join(f'"{word}"*' for word in re.findall(r"\w+", text))


def _offset(cursor: str | None) -> int:
    if cursor is None:
        return 0
    if not cursor.isdecimal():
        raise InvalidValue("cursor", f"{cursor!r} is not a cursor", todo="pass the nextCursor of the page before")
    return int(cursor)


def _card(row: Sequence[object]) -> Card:
    values = list(row)
    for index in (11, 12, 13):
        values[index] = bool(values[index])
    for index in (20, 24, 27, 31):
        if values[index] is not None:
            values[index] = datetime.fromisoformat(str(values[index]))
    return Card(*values)  # type: ignore[arg-type]
