"""Reads for the screens and the command line: cards, counts, lists, search, what waits for a person, events."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterable, Sequence

from ..missions.board import Card, Hit, Page, Waiting
from ..missions.entities import LISTS, ListName, Mission, MissionEvent
from ..missions.errors import InvalidValue
from ..missions.ids import short_id
from ..missions.query import compile_query
from . import lookup, rows
from .base import WorkspaceBase
from .reads import CARDS, card_of

MATCHES_RANKED = 500
"""Of more matches than this, the newest missions are ranked: a word that every title has stays quick."""


class BoardOperations(WorkspaceBase):
    """Reads only."""

    def cards_by_id(self, ids: Iterable[str]) -> list[Card]:
        """Cards by their ids, in no order; deleted ones are left out."""
        with self._reading() as connection:
            found = connection.execute(
                CARDS + "WHERE m.id IN (SELECT value FROM json_each(?)) AND m.deleted = 0", (json.dumps(list(ids)),)
            ).fetchall()
        return [card_of(row) for row in found]

    def live_cards(self, project_id: str) -> list[Card]:
        """The cards of missions that run now."""
        with self._reading() as connection:
            found = connection.execute(
                CARDS + "WHERE m.project_id = ? AND m.session_status <> 'INACTIVE' AND m.deleted = 0", (project_id,)
            ).fetchall()
        return [card_of(row) for row in found]

    def missions(
        self,
        project: str | None = None,
        *,
        lists: Sequence[ListName] | None = None,
        ready: bool | None = None,
        text: str | None = None,
        query: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[Mission]:
        """A page of missions in board order (list, then `listOrder`, then id); `cursor` is that of the page before.

        `text` are words of title or description, `query` is what `missions.query` reads; QueryError.
        """
        offset = _offset(cursor)
        if query is not None:
            return self._asked(project, query, lists, ready, text, limit, offset)
        with self._reading() as connection:
            only = lookup.project(connection, project).id if project else None
            wanted = LISTS if lists is None else tuple(name for name in LISTS if name in lists)
            if text and (match := _query(text)):
                docs, total = _matching(connection, match, only, wanted, ready, limit, offset)
            else:
                docs, total = _in_order(connection, only, wanted, ready, limit, offset)
        after = offset + len(docs)
        return Page(tuple(rows.load(Mission, doc) for doc in docs), total, str(after) if after < total else None)

    def _asked(
        self,
        project: str | None,
        query: str,
        lists: Sequence[ListName] | None,
        ready: bool | None,
        text: str | None,
        limit: int,
        offset: int,
    ) -> Page[Mission]:
        """The page of missions whose cards meet a query: all cards are looked at, the missions of the page are read."""
        names = LISTS if lists is None else tuple(name for name in LISTS if name in lists)
        found: list[str] = []
        for owner in self._owners(project):
            test = compile_query(query, self.saved_filters(owner))
            for name in names:
                found += [
                    card.id
                    for card in self.cards(owner, name)
                    if (test is None or test(card)) and (ready is None or card.ready == ready)
                ]
        with self._reading() as connection:
            if text and (match := _query(text)):
                having = _ids_matching(connection, match)
                found = [mission_id for mission_id in found if mission_id in having]
            page = tuple(lookup.mission(connection, mission_id) for mission_id in found[offset : offset + limit])
        after = offset + len(page)
        return Page(page, len(found), str(after) if after < len(found) else None)

    def _owners(self, project: str | None) -> list[str]:
        with self._reading() as connection:
            if project is not None:
                return [lookup.project(connection, project).id]
            return [str(row[0]) for row in connection.execute("SELECT id FROM project ORDER BY id")]

    def search(self, text: str, project: str | None = None, limit: int = 20) -> list[Hit]:
        """Missions whose title or description holds all the words, best first."""
        query = _query(text)
        if not query:
            return []
        with self._reading() as connection:
            only = lookup.project(connection, project).id if project else None
            found = connection.execute(
                "WITH best AS (SELECT hits.rowid AS rid, hits.rank AS worth, m.number, m.title FROM "
                f"(SELECT rowid, rank FROM mission_text WHERE mission_text MATCH ?1 ORDER BY rowid DESC "
                f"LIMIT {MATCHES_RANKED}) AS hits JOIN mission m ON m.rid = hits.rowid "
                "WHERE m.deleted = 0 AND (?2 IS NULL OR m.project_id = ?2) ORDER BY hits.rank LIMIT ?3) "
                "SELECT best.number, best.title, snippet(mission_text, 1, '[', ']', ' … ', 12) FROM best "
                "JOIN mission_text ON mission_text.rowid = best.rid AND mission_text MATCH ?1 ORDER BY best.worth",
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

    def events_since(self, seq: int, limit: int = 1000) -> list[MissionEvent]:
        """Events after `seq`, oldest first."""
        with self._reading() as connection:
            found = connection.execute(
                f"SELECT {rows.EVENT_COLUMNS} FROM event WHERE seq > ? ORDER BY seq LIMIT ?", (seq, limit)
            ).fetchall()
        return [rows.event_of(row) for row in found]


def _in_order(
    connection: sqlite3.Connection,
    project_id: str | None,
    lists: Sequence[ListName],
    ready: bool | None,
    limit: int,
    offset: int,
) -> tuple[list[str], int]:
    """A page in board order and the total: counted per list, read list by list along the index, never sorted."""
    which = " AND ready = ?" if ready is not None else ""
    only = " AND project_id = ?" if project_id is not None else ""
    values = [value for value in (ready, project_id) if value is not None]
    counts = {
        (owner, name): count
        for owner, name, count in connection.execute(
            f"SELECT project_id, list, count(*) FROM mission WHERE deleted = 0{which}{only} GROUP BY project_id, list",
            values,
        )
        if name in lists
    }
    docs: list[str] = []
    skip = offset
    for (owner, name), count in sorted(counts.items(), key=lambda entry: (entry[0][0], lists.index(entry[0][1]))):
        if skip < count and len(docs) < limit:
            docs += [
                doc
                for (doc,) in connection.execute(
                    f"SELECT doc FROM mission WHERE project_id = ? AND list = ? AND deleted = 0{which} "
                    "ORDER BY list_order, id LIMIT ? OFFSET ?",
                    (owner, name, *([] if ready is None else [ready]), limit - len(docs), skip),
                )
            ]
        skip = max(0, skip - count)
    return docs, sum(counts.values())


def _matching(
    connection: sqlite3.Connection,
    query: str,
    project_id: str | None,
    lists: Sequence[ListName],
    ready: bool | None,
    limit: int,
    offset: int,
) -> tuple[list[str], int]:
    """A page of those with the words, in board order, and how many there are."""
    ranks = " ".join(f"WHEN '{name}' THEN {rank}" for rank, name in enumerate(LISTS))
    where = (
        "rid IN (SELECT rowid FROM mission_text WHERE mission_text MATCH ?1) AND deleted = 0 "
        "AND (?2 IS NULL OR project_id = ?2) AND list IN (SELECT value FROM json_each(?3)) "
        "AND (?4 IS NULL OR ready = ?4)"
    )
    values = (query, project_id, json.dumps(list(lists)), ready)
    total = connection.execute(f"SELECT count(*) FROM mission WHERE {where}", values).fetchone()[0]
    docs = connection.execute(
        f"SELECT doc FROM mission WHERE {where} ORDER BY project_id, CASE list {ranks} END, list_order, id "
        "LIMIT ?5 OFFSET ?6",
        (*values, limit, offset),
    ).fetchall()
    return [doc for (doc,) in docs], int(total)


def _ids_matching(connection: sqlite3.Connection, match: str) -> set[str]:
    """Ids of the missions with the words."""
    found = connection.execute(
        "SELECT id FROM mission WHERE rid IN (SELECT rowid FROM mission_text WHERE mission_text MATCH ?)", (match,)
    )
    return {str(row[0]) for row in found}


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
