"""What is read of missions: pages of them, one with all that belongs to it, search, what waits for a person, events.

A list of missions is asked for at every turn: what only other queries need is imported by them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Sequence
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

from ...missions.board import DependencyView, Direction, Hit, Page, Waiting
from ...missions.entities import LISTS, ListName, Mission, MissionEvent, Worktree
from ...missions.errors import NotFound
from ...missions.ids import short_id
from ...missions.paging import PagePlace, cursor_after, place_of
from ...missions.rules.dependencies import is_resolved
from ...system import strict_json
from .. import lookup, rows
from ..integrity import salvage

if TYPE_CHECKING:
    from ...missions.rules.change_state import ChangeState

_WITH_WORDS = (
    "SELECT p.ref FROM passage_word JOIN passage p ON p.rid = passage_word.rowid "
    "WHERE passage_word MATCH ?1 AND p.kind = 'mission'"
)
"""Ids of the missions that have a passage with the words."""


def page(
    connection: sqlite3.Connection,
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
    place = None if cursor is None else place_of(cursor)
    if query is not None:
        return _asked(connection, project, query, lists, ready, text, limit, place)
    only = lookup.project(connection, project).id if project else None
    wanted = LISTS if lists is None else tuple(name for name in LISTS if name in lists)
    if text and (match := words_query(text)):
        docs, total = _matching(connection, match, only, wanted, ready, limit + 1, place)
    else:
        docs, total = _in_order(connection, only, wanted, ready, limit + 1, place)
    found = tuple(salvage.missions(connection, [(doc,) for doc in docs[:limit]]))
    return Page(found, total, cursor_after(found[-1]) if len(docs) > limit and found else None)


def _asked(
    connection: sqlite3.Connection,
    project: str | None,
    query: str,
    lists: Sequence[ListName] | None,
    ready: bool | None,
    text: str | None,
    limit: int,
    place: PagePlace | None,
) -> Page[Mission]:
    """The page of missions whose cards meet a query: all cards are looked at, the missions of the page are read."""
    from ...missions.filters.query import compile_query
    from .board import cards
    from .projects import saved_filters

    names = LISTS if lists is None else tuple(name for name in LISTS if name in lists)
    found: list[tuple[tuple[str, int, float, str], str]] = []
    for owner in _owners(connection, project):
        test = compile_query(query, saved_filters(connection, owner))
        for name in names:
            found += [
                ((owner, LISTS.index(name), card.list_order, card.id), card.id)
                for card in cards(connection, owner, name)
                if (test is None or test(card)) and (ready is None or card.ready == ready)
            ]
    if text and (match := words_query(text)):
        having = _ids_matching(connection, match)
        found = [one for one in found if one[1] in having]
    rest = [mission_id for key, mission_id in found if place is None or key > place.key]
    page = tuple(lookup.mission(connection, mission_id) for mission_id in rest[:limit])
    return Page(page, len(found), cursor_after(page[-1]) if len(rest) > limit and page else None)


def _owners(connection: sqlite3.Connection, project: str | None) -> list[str]:
    if project is not None:
        return [lookup.project(connection, project).id]
    return [str(row[0]) for row in connection.execute("SELECT id FROM project ORDER BY id")]


def search(connection: sqlite3.Connection, text: str, project: str | None = None, limit: int = 20) -> list[Hit]:
    """Missions that answer the question with their titles or texts, best first."""
    from ...missions.search import hits, ranking
    from ..passages import Passages

    only = lookup.project(connection, project).id if project else None
    matches = ranking.search(Passages(connection, "mission", only), text, limit, one_each=True)
    return hits.of_missions(matches, {match.ref: lookup.mission(connection, match.ref) for match in matches})


def waiting(connection: sqlite3.Connection, project: str | None = None) -> list[Waiting]:
    """What waits for a person, longest first: permissions, questions, reviews, missions that need attention."""
    from .inbox import asks_to_use, items

    only = lookup.project(connection, project).id if project else None
    docs = connection.execute(
        "SELECT doc FROM mission WHERE deleted = 0 AND (?1 IS NULL OR project_id = ?1) "
        "AND (attention IS NOT NULL OR question IS NOT NULL OR review_status = 'pending')",
        (only,),
    ).fetchall()
    found = [_waiting(mission) for mission in salvage.missions(connection, docs)]
    for item in items(connection, only):
        with suppress(NotFound):  # deleted while its agent asked
            mission = lookup.mission(connection, item.mission_id)
            found.append(Waiting("permission", mission, item.asked_at, asks_to_use(item)))
    return sorted(found, key=lambda entry: entry.since)


def words_for_later(connection: sqlite3.Connection, ref: str, since: datetime | None) -> list[str]:
    """What a person said that no session has been told yet: since the last one began."""
    mission = lookup.mission(connection, ref)
    found = connection.execute(
        "SELECT note FROM event WHERE mission_id = ? AND kind = 'said_later' AND at >= ? ORDER BY seq",
        (mission.id, rows.stamp(since) if since else ""),
    )
    return [str(note).rpartition("\n(")[0] for (note,) in found]


def decisions(connection: sqlite3.Connection, ref: str, limit: int = 20) -> list[str]:
    """The last decisions that were noted, oldest first."""
    mission = lookup.mission(connection, ref)
    found = connection.execute(
        "SELECT note FROM event WHERE mission_id = ? AND kind = 'noted_decision' ORDER BY seq DESC LIMIT ?",
        (mission.id, limit),
    ).fetchall()
    return [str(note) for (note,) in reversed(found)]


def events_since(connection: sqlite3.Connection, seq: int, limit: int = 1000) -> list[MissionEvent]:
    """Events after `seq`, oldest first."""
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
    place: PagePlace | None,
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
    for owner, name in sorted(counts, key=lambda entry: (entry[0], LISTS.index(entry[1]))):
        here = (owner, LISTS.index(name))
        if len(docs) >= limit or (place is not None and here < place.key[:2]):
            continue
        further = place is not None and here == place.key[:2]
        docs += [
            doc
            for (doc,) in connection.execute(
                f"SELECT doc FROM mission WHERE project_id = ? AND list = ? AND deleted = 0{which} "
                f"{'AND (list_order, id) > (?, ?) ' if further else ''}ORDER BY list_order, id LIMIT ?",
                (
                    *(owner, name),
                    *([] if ready is None else [ready]),
                    *(place.key[2:] if place is not None and further else ()),
                    limit - len(docs),
                ),
            )
        ]
    return docs, sum(counts.values())


def _matching(
    connection: sqlite3.Connection,
    query: str,
    project_id: str | None,
    lists: Sequence[ListName],
    ready: bool | None,
    limit: int,
    place: PagePlace | None,
) -> tuple[list[str], int]:
    """A page of those with the words, in board order, and how many there are."""
    ranks = " ".join(f"WHEN '{name}' THEN {rank}" for rank, name in enumerate(LISTS))
    order = f"project_id, CASE list {ranks} END, list_order, id"
    where = (
        f"id IN ({_WITH_WORDS}) AND deleted = 0 "
        "AND (?2 IS NULL OR project_id = ?2) AND list IN (SELECT value FROM json_each(?3)) "
        "AND (?4 IS NULL OR ready = ?4)"
    )
    values = (query, project_id, strict_json.dumps(list(lists)), ready)
    total = connection.execute(f"SELECT count(*) FROM mission WHERE {where}", values).fetchone()[0]
    further = f" AND ({order}) > (?6, ?7, ?8, ?9)" if place is not None else ""
    docs = connection.execute(
        f"SELECT doc FROM mission WHERE {where}{further} ORDER BY {order} LIMIT ?5",
        (*values, limit, *(place.key if place is not None else ())),
    ).fetchall()
    return [doc for (doc,) in docs], int(total)


def _ids_matching(connection: sqlite3.Connection, match: str) -> set[str]:
    """Ids of the missions with the words."""
    return {str(row[0]) for row in connection.execute(_WITH_WORDS, (match,))}


def _waiting(mission: Mission) -> Waiting:
    if mission.question:
        return Waiting("question", mission, mission.updated_at, mission.question)
    if mission.review_status == "pending":
        text = mission.to_check or mission.stage_summary or f"review the {mission.stage}"
        return Waiting("review", mission, mission.review_requested_at or mission.updated_at, text)
    return Waiting("attention", mission, mission.updated_at, mission.attention or "")


def words_query(text: str) -> str:
    """Words as an FTS5 query: all of them, each as the beginning of a word; nothing in them is an operator."""
    from ...missions.search.words import words
    from ..passages import beginning

    return " AND ".join(map(beginning, words(text)))


def get(connection: sqlite3.Connection, ref: str) -> Mission:
    """The mission that answers to `ref`: its id, `M-42`, `42`, or a unique beginning of the id; NotFound."""
    return lookup.mission(connection, ref)


def names(connection: sqlite3.Connection, ids: Collection[str]) -> dict[str, str]:
    """`M-3 Retry payments` for the missions with these ids, also for deleted ones and those that cannot be read."""
    found = connection.execute(
        f"SELECT id, number, title FROM mission WHERE id IN ({', '.join('?' * len(ids))})", [*ids]
    )
    return {str(mission_id): f"{short_id(number)} {title}" for mission_id, number, title in found}


def dependencies(connection: sqlite3.Connection, ref: str) -> list[DependencyView]:
    """Everything a mission is linked with, blockers first."""
    mission = lookup.mission(connection, ref)
    found: list[DependencyView] = []
    links = connection.execute(
        "SELECT mission_id, other_id, relation FROM dependency WHERE mission_id = ?1 OR other_id = ?1", (mission.id,)
    )
    for first, second, relation in links.fetchall():
        other_id = str(second if first == mission.id else first)
        try:
            other = lookup.mission(connection, other_id)
        except NotFound:
            other = None
        direction: Direction = "relates_to"
        if relation == "blocks":
            direction = "blocks" if first == mission.id else "blocked_by"
        found.append(DependencyView(relation, direction, other_id, other, is_resolved(other)))
    ranks = {"blocked_by": 0, "blocks": 1, "relates_to": 2}
    return sorted(found, key=lambda view: (ranks[view.direction], view.other_id))


def history(connection: sqlite3.Connection, ref: str, limit: int = 200) -> list[MissionEvent]:
    """The last events of a mission, oldest first."""
    mission = lookup.mission(connection, ref, deleted=True)
    found = connection.execute(
        f"SELECT {rows.EVENT_COLUMNS} FROM event WHERE mission_id = ? ORDER BY seq DESC LIMIT ?", (mission.id, limit)
    ).fetchall()
    return [rows.event_of(row) for row in reversed(found)]


def change_state_of(connection: sqlite3.Connection, ref: str) -> ChangeState:
    """Worktree, branch, pull request with checks, ahead and behind; no git is asked."""
    from ...missions.rules.change_state import ChangeMeasure, change_state

    mission = lookup.mission(connection, ref)
    project = lookup.project(connection, mission.project_id)
    docs = connection.execute("SELECT doc FROM session WHERE mission_id = ? ORDER BY started_at", (mission.id,))
    sessions = tuple(salvage.sessions(docs))
    held = connection.execute("SELECT doc FROM worktree WHERE mission_id = ?", (mission.id,)).fetchone()
    seen = connection.execute("SELECT doc FROM change_measure WHERE mission_id = ?", (mission.id,)).fetchone()
    return change_state(
        mission,
        project,
        sessions,
        rows.load(Worktree, held[0]) if held else None,
        rows.load(ChangeMeasure, seen[0]) if seen else None,
    )
