"""One change of the workspace: what a domain operation reads and writes inside its transaction.

A change is validated by `missions`, then written with its event in the same transaction. Everything an operation
saves goes through `Change.save`, so that versions, events and the counts of other missions are right by construction.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from ..config.correlation import correlation
from ..missions.dependencies import is_resolved
from ..missions.entities import (
    SYSTEM,
    Actor,
    Author,
    Flow,
    Json,
    ListName,
    Mission,
    MissionEvent,
    Project,
    ProjectRepository,
    Session,
)
from ..missions.errors import NotFound
from ..missions.flows import enabled_stages
from ..missions.order import between, renumbered
from ..missions.wire import BOOKKEEPING, changes, to_wire
from ..sync.replica.outbox import account_of, hub_forgot, record_change, record_part
from . import lookup, rows

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
Part = Flow | Actor | ProjectRepository | Project
UNRECORDED = frozenset({"updatedAt", "version", "agentSessionStatusChangedAt"})
"""Bookkeeping that a history does not show."""


@dataclass(slots=True)
class Change:
    """An open write transaction with its author and time."""

    connection: sqlite3.Connection
    now: datetime
    by: Author
    new_id: Callable[[], str]

    def mission(self, ref: str) -> Mission:
        """The mission that answers to `ref`; NotFound."""
        return lookup.mission(self.connection, ref)

    def project(self, ref: str) -> Project:
        """The project that answers to `ref`; NotFound."""
        return lookup.project(self.connection, ref)

    def session(self, session_id: str) -> Session:
        """The session with that id; NotFound."""
        return lookup.session(self.connection, session_id)

    def repository_of(self, mission: Mission) -> ProjectRepository | None:
        """The repository the mission works in, if it has one that still exists."""
        if mission.project_repository_id is None:
            return None
        try:
            return lookup.part(self.connection, ProjectRepository, mission.project_repository_id)
        except NotFound:
            return None

    def flow_of(self, mission: Mission) -> Flow:
        """The flow the mission follows: its own, else the project's default."""
        return lookup.flow_of(self.connection, mission)

    def save(
        self, before: Mission | None, after: Mission, kind: str, *, note: str = "", placed: bool = False
    ) -> Mission:
        """Write a mission that changed (or is new: before None) with its event; returns it as saved.

        Nothing is written when nothing changed and there is no note. The version grows unless only MACHINE_FIELDS
        changed. `placed`: its place in the list is chosen already.
        """
        found = {} if before is None else recorded(before, after)
        if before is not None and not found and not note:
            return before
        if before is not None and after.list != before.list and not placed:
            # the rules decide on a list, the place in it is given here: at the end, but what is done goes on top
            order = self.order(after.project_id, after.list, top=after.list == "done", moving=after.id)
            after = replace(after, list_order=order)
        revived = "deletedAt" in found and after.deleted_at is None
        if revived and hub_forgot(self.connection, after.project_id, after.id):
            return self._made_again(after, kind, note)
        stage_count = len(enabled_stages(self.flow_of(after), after.flow_config))
        saved = self.keep(before, after, kind, stage_count=stage_count, note=note)
        self.queue(saved, None if before is None else _recorded_in_full(before, saved))
        return self._caught_up(saved) if revived else saved

    def keep(
        self,
        before: Mission | None,
        after: Mission,
        kind: str,
        *,
        stage_count: int,
        note: str = "",
        quiet: bool = False,
    ) -> Mission:
        """Write a mission with its event and let those that wait for it know; nothing is queued for a hub.

        `quiet` leaves the event out: one event for many missions tells of them.
        """
        found = {} if before is None else recorded(before, after)
        version = before.version if before else 0
        if before is None or not found.keys() <= MACHINE_FIELDS:
            version += 1
        saved = replace(after, version=version, updated_at=self.now)
        rows.put_mission(self.connection, saved, stage_count)
        if not quiet:
            self.event(saved.project_id, kind, mission_id=saved.id, changes=found, note=note)
        if before is not None and is_resolved(before) != is_resolved(saved):
            self.recount_blocked_by(saved.id)
        return saved

    def queue(self, saved: Mission, changed: Mapping[str, tuple[Json, Json]] | None) -> None:
        """Put what changed (None: all of a new mission) into the outbox, if the project is connected to a hub."""
        if account_of(self.connection, saved.project_id) is not None:
            record_change(
                self.connection,
                mutation_id=self.new_id(),
                project_id=saved.project_id,
                mission_id=saved.id,
                changed=changed,
                document=to_wire(saved),
                at=rows.stamp(self.now) or "",
                by=self.by,
            )

    def queue_links(self, mission_id: str, project_id: str, name: str, before: list[str], after: list[str]) -> None:
        """Put changed links of a mission (`blockedBy`, `relatesTo`) into the outbox, if its project is connected."""
        if before != after:
            record_change(
                self.connection,
                mutation_id=self.new_id(),
                project_id=project_id,
                mission_id=mission_id,
                changed={name: (list(before), list(after))},
                document={},
                at=rows.stamp(self.now) or "",
                by=self.by,
            )

    def queue_part(self, table: str, part: Flow | Actor | ProjectRepository) -> None:
        """Put a new repository, flow or actor into the outbox, if its project is connected."""
        if account_of(self.connection, part.project_id) is not None:
            from ..sync.replica.connecting import told_of

            at = rows.stamp(self.now) or ""
            record_part(self.connection, self.new_id(), part.project_id, table, told_of(part), at)

    def queue_part_change(self, table: str, before: Part, after: Part) -> None:
        """Put what changed of a part, or of the project itself, into the outbox, if the project is connected."""
        project_id = after.id if isinstance(after, Project) else after.project_id
        if account_of(self.connection, project_id) is not None:
            from ..sync.replica.part_view import record_fields, told

            was, now = told(table, to_wire(before)), told(table, to_wire(after))
            names = [name for name in was.keys() | now.keys() if was.get(name) != now.get(name)]
            wished, seen = {name: now.get(name) for name in names}, {name: was.get(name) for name in names}
            record_fields(self, table, project_id, after.id, wished, seen)

    def queue_part_removal(self, table: str, part: Flow | Actor | ProjectRepository) -> None:
        """Put a removed part into the outbox, if the project is connected."""
        if account_of(self.connection, part.project_id) is not None:
            from ..sync.replica.part_view import record_removal

            record_removal(self, table, part)

    def _caught_up(self, saved: Mission) -> Mission:
        """A mission of a connected project that comes back shows what the hub said of it meanwhile."""
        if account_of(self.connection, saved.project_id) is None:
            return saved
        from ..sync.replica.base import Taking

        Taking(self, saved.project_id).refold(saved.id)
        return lookup.mission(self.connection, saved.id, deleted=True)

    def _made_again(self, after: Mission, kind: str, note: str) -> Mission:
        """A mission that the hub has deleted comes back as a new one: ids of deleted missions are never used again."""
        from .missions import next_number

        return self.save(None, replace(after, id=self.new_id(), number=next_number(self)), kind, note=note)

    def save_session(self, session: Session) -> Session:
        """Write a session; its mission's events tell what it meant."""
        rows.put_session(self.connection, session)
        return session

    def conflicts_in_a_row(self, mission_id: str) -> int:
        """Landings that met conflicts since a person last did something with the mission."""
        row = self.connection.execute(
            "SELECT count(*) FROM event WHERE mission_id = ?1 AND kind = 'landing_conflicted' AND seq > "
            "(SELECT coalesce(max(seq), 0) FROM event WHERE mission_id = ?1 AND author_kind = 'user')",
            (mission_id,),
        ).fetchone()
        return int(row[0])

    def event(
        self,
        project_id: str,
        kind: str,
        *,
        mission_id: str | None = None,
        changes: Mapping[str, tuple[Json, Json]] | None = None,
        note: str = "",
        by: Author | None = None,
    ) -> int:
        """Append an event; returns its sequence number."""
        return rows.put_event(
            self.connection,
            MissionEvent(
                0, project_id, mission_id, kind, by or self.by, self.now, dict(changes or {}), note, correlation.get()
            ),
        )

    def recount_blocked_by(self, blocker_id: str) -> None:
        """Bring `dependencyCount` up to date for every mission that waits for `blocker_id`."""
        waiting = self.connection.execute(
            "SELECT other_id FROM dependency WHERE mission_id = ? AND relation = 'blocks'", (blocker_id,)
        ).fetchall()
        for (mission_id,) in waiting:
            self.recount(str(mission_id))

    def recount(self, mission_id: str) -> None:
        """Bring `dependencyCount` of one mission up to date (domain.md, Dependencies)."""
        try:
            mission = lookup.mission(self.connection, mission_id, deleted=True)
        except NotFound:
            return
        count = len(lookup.unresolved_blockers(self.connection, mission_id))
        if count != mission.dependency_count:
            author, self.by = self.by, SYSTEM
            self.save(mission, replace(mission, dependency_count=count), "blockers_changed")
            self.by = author

    def order(
        self,
        project_id: str,
        in_list: ListName,
        *,
        before: str | None = None,
        after: str | None = None,
        top: bool = False,
        moving: str = "",
    ) -> float:
        """A `listOrder`: before or after a mission, at the top, or (default) at the end; makes room if needed."""
        for _ in range(2):
            low, high = self._neighbours(project_id, in_list, before, after, top, moving)
            middle = between(low, high)
            if middle is not None:
                return middle
            self._renumber(project_id, in_list)
        raise AssertionError("a renumbered list has room")

    def _neighbours(
        self, project_id: str, in_list: str, before: str | None, after: str | None, top: bool, moving: str
    ) -> tuple[float | None, float | None]:
        anchor = before or after
        if anchor is None:
            edge = self._value(
                f"SELECT {'min' if top else 'max'}(list_order) FROM mission "
                "WHERE project_id = ? AND list = ? AND deleted = 0 AND id <> ?",
                project_id,
                in_list,
                moving,
            )
            return (None, edge) if top else (edge, None)
        standing = self.mission(anchor)
        if standing.project_id != project_id or standing.list != in_list:
            raise NotFound(f"{anchor} is not in {in_list}", todo="name a mission of the list that you move to, or none")
        smaller = before is not None
        neighbour = self._value(
            f"SELECT list_order FROM mission WHERE project_id = ? AND list = ? AND deleted = 0 AND id <> ? "
            f"AND (list_order, id) {'<' if smaller else '>'} (?, ?) "
            f"ORDER BY list_order {'DESC' if smaller else 'ASC'}, id {'DESC' if smaller else 'ASC'} LIMIT 1",
            project_id,
            in_list,
            moving,
            standing.list_order,
            standing.id,
        )
        return (neighbour, standing.list_order) if smaller else (standing.list_order, neighbour)

    def _value(self, query: str, *parameters: object) -> float | None:
        row = self.connection.execute(query, parameters).fetchone()
        return None if row is None or row[0] is None else float(row[0])

    def _renumber(self, project_id: str, in_list: str) -> None:
        """Spread a list out evenly; one event without a mission says that the whole list is to be read again."""
        ids = self.connection.execute(
            "SELECT id FROM mission WHERE project_id = ? AND list = ? AND deleted = 0 ORDER BY list_order, id",
            (project_id, in_list),
        ).fetchall()
        if account_of(self.connection, project_id) is not None:  # each new place is an edit that the hub hears of
            for order, (mission_id,) in zip(renumbered(len(ids)), ids, strict=True):
                mission = self.mission(str(mission_id))
                self.save(mission, replace(mission, list_order=order), "reordered")
            return
        self.connection.executemany(
            "UPDATE mission SET list_order = ?1, version = version + 1, "
            "doc = json_set(doc, '$.listOrder', ?1, '$.version', version + 1) WHERE id = ?2",
            [(order, mission_id) for order, (mission_id,) in zip(renumbered(len(ids)), ids, strict=True)],
        )
        self.event(project_id, "renumbered", note=in_list, by=SYSTEM)


def recorded(before: Mission, after: Mission) -> dict[str, tuple[Json, Json]]:
    """What a history shows of a change: field -> (before, after)."""
    return {name: pair for name, pair in changes(before, after).items() if name not in UNRECORDED}


def _recorded_in_full(before: Mission, after: Mission) -> dict[str, tuple[Json, Json]]:
    """What a hub is told of a change: the bookkeeping of the session too."""
    return {name: pair for name, pair in changes(before, after).items() if name not in BOOKKEEPING}
