"""What the first screen of the board reads, and no more: it is on the way to the first frame, whose imports are few."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from sys import intern
from typing import Any, Final, Self

from ..config import paths
from ..missions.board import Card, ListCount
from ..missions.connected import Heard, Link, SyncState
from ..missions.entities import LISTS, ListName, Project, ProjectRepository
from . import heard, lookup, rows
from .store import Store

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
    coalesce(json_extract(s.doc, '$.unasked'), 0)
FROM mission m
LEFT JOIN repository r ON r.id = m.repository_id
LEFT JOIN actor a ON a.id = m.actor_id
LEFT JOIN session s ON s.id = m.session_id AND s.phase <> 'ended'
"""
REPEATED: Final = (3, 5, 8, 14, 19, 21, 23, 29, 32)
"""Columns of CARDS that say the same few words in thousands of rows; each of these is kept once."""
PAUSED: Final = "workstation.paused"


def utc_now() -> datetime:
    """The wall clock, in UTC."""
    return datetime.now(UTC)


class Reads:
    """An open workspace file and the reads of its first screen; `Workspace` has them too."""

    def __init__(self, store: Store, clock: Callable[[], datetime] = utc_now) -> None:
        self._store = store
        self._clock = clock

    @classmethod
    def glimpse(cls, path: Path | None = None) -> Self | None:
        """The workspace for reading at once, as it is; None when it is absent, of another version, or in trouble.

        Nothing is made or changed, and no lock is waited for: reads raise TryAgain instead.
        """
        store = Store.glimpse(path or paths.workspace_db())
        return None if store is None else cls(store)

    @property
    def path(self) -> Path:
        """The workspace file."""
        return self._store.path

    @property
    def read_only(self) -> str | None:
        """Why nothing can be written, or None when everything can."""
        return self._store.read_only

    def close(self) -> None:
        """Let go of the file."""
        self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def data_version(self) -> int:
        """A number that changes when another process has committed."""
        return self._store.data_version()

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with self._store.reading() as connection:
            yield connection

    def saved_filters(self, project_id: str) -> dict[str, str]:
        """The filters that a project keeps: queries by their names, in the order of the names."""
        with self._reading() as connection:
            found = connection.execute(
                "SELECT name, query FROM saved_filter WHERE project_id = ? ORDER BY name", (project_id,)
            ).fetchall()
        return {str(name): str(query) for name, query in found}

    def meta(self, key: str) -> str | None:
        """A setting of the workspace itself, such as the port of the MCP server."""
        with self._store.reading() as connection:
            row = connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def projects(self, *, archived: bool = False) -> list[Project]:
        """The projects of the workspace by name; archived ones when asked for."""
        with self._reading() as connection:
            docs = connection.execute(
                "SELECT doc FROM project WHERE ? OR status <> 'archived' ORDER BY name COLLATE NOCASE, id", (archived,)
            ).fetchall()
        return [rows.load(Project, doc) for (doc,) in docs]

    def project(self, ref: str) -> Project:
        """The project that answers to an id, a slug or a name; NotFound."""
        with self._reading() as connection:
            return lookup.project(connection, ref)

    def repositories(self, project: str | None = None) -> list[ProjectRepository]:
        """The repositories of a project, or of all projects."""
        with self._reading() as connection:
            owner = lookup.project(connection, project).id if project else None
            docs = connection.execute(
                "SELECT doc FROM repository WHERE ?1 IS NULL OR project_id = ?1 ORDER BY rowid", (owner,)
            ).fetchall()
        return [rows.load(ProjectRepository, doc) for (doc,) in docs]

    def cards(self, project_id: str, in_list: ListName, offset: int = 0, limit: int | None = None) -> list[Card]:
        """The cards of a list in board order."""
        with self._reading() as connection:
            found = connection.execute(
                CARDS + "WHERE m.project_id = ? AND m.list = ? AND m.deleted = 0 "
                "ORDER BY m.list_order, m.id LIMIT ? OFFSET ?",
                (project_id, in_list, -1 if limit is None else limit, offset),
            ).fetchall()
        return [card_of(row) for row in found]

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

    def waiting_count(self) -> int:
        """How much waits for a person, over all projects; reads nothing of the missions but an index."""
        with self._reading() as connection:
            query = (
                "SELECT count(*) FROM mission WHERE deleted = 0 "
                "AND (attention IS NOT NULL OR question IS NOT NULL OR review_status = 'pending')"
            )
            asked = (
                "SELECT count(*) FROM inbox i WHERE i.decision IS NULL "
                "AND EXISTS (SELECT 1 FROM session s WHERE s.id = i.session_id AND s.phase <> 'ended')"
            )
            return int(connection.execute(query).fetchone()[0]) + int(connection.execute(asked).fetchone()[0])

    def running_count(self) -> int:
        """How many sessions run, over all projects."""
        with self._reading() as connection:
            return int(connection.execute("SELECT count(*) FROM session WHERE phase <> 'ended'").fetchone()[0])

    def workstation_paused(self) -> bool:
        """Whether this workstation takes no new work; running sessions go on."""
        return self.meta(PAUSED) == "1"

    def sync_state(self, project: str | None = None) -> SyncState:
        """How the connected projects stand: of all, or of one (an id)."""
        with self._reading() as connection:
            found = connection.execute(
                "SELECT p.name, m.hub, m.account, coalesce(a.profile, m.account), coalesce(a.email, ''), "
                "coalesce(a.signed_in, 0), m.trouble, m.failing_since, m.error, "
                "m.cursor IS NULL OR m.resync IS NOT NULL, m.synced_at, m.read_only "
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
        kept = heard.read(self._store.path)
        return SyncState(
            links=tuple(_link(row, kept) for row in found),
            waiting=int(waiting or 0),
            parked=int(parked or 0),
            conflicts=int(conflicts),
            read_only=next((str(row[-1]) for row in found if row[-1]), ""),
            oldest_waiting=rows.moment(oldest),
            now=self._clock(),
            synchronising=heard.synchronising(self._store.path),
        )

    def last_seq(self) -> int:
        """The number of the newest event."""
        with self._reading() as connection:
            return int(connection.execute("SELECT coalesce(max(seq), 0) FROM event").fetchone()[0])


def _link(row: Sequence[Any], kept: Mapping[str, Heard]) -> Link:
    project, hub, account, profile, user, signed_in, trouble, since, reason, first, read_at, _ = row
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
        read_at=rows.moment(read_at),
        heard=kept.get(account, Heard()),
    )


def card_of(row: Sequence[object]) -> Card:
    """The card in a row of CARDS."""
    values = list(row)
    for index in REPEATED:
        if isinstance(text := values[index], str):
            values[index] = intern(text)
    for index in (11, 12, 13, 34):
        values[index] = bool(values[index])
    for index in (20, 24, 27, 31):
        if values[index] is not None:
            values[index] = datetime.fromisoformat(str(values[index]))
    return Card(*values)  # type: ignore[arg-type]
