"""Missions: creating, editing, moving, linking, deleting; what an agent reports about its work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ..missions import creating, dependencies, editing, moving
from ..missions.board import DependencyView, Direction
from ..missions.creating import MissionDraft
from ..missions.entities import (
    USER,
    Author,
    Flow,
    ListName,
    Mission,
    MissionEvent,
    NoteKind,
    ProjectRepository,
    Relation,
    Task,
)
from ..missions.errors import Conflict, InvalidValue, NotFound, VersionConflict
from ..missions.ids import short_id
from ..sync.replica.base import links
from ..sync.replica.history import queue_note
from . import lookup, rows
from .base import WorkspaceBase
from .change import Change

NOTE_MAX = 20_000


class MissionOperations(WorkspaceBase):
    """Operations on single missions."""

    def mission(self, ref: str) -> Mission:
        """The mission that answers to `ref`: its id, `M-42`, `42`, or a unique beginning of the id; NotFound."""
        with self._reading() as connection:
            return lookup.mission(connection, ref)

    def create_mission(self, project: str, draft: MissionDraft, *, by: Author = USER) -> Mission:
        """Put a new mission on the board of a project (domain.md, Creating)."""
        with self._change(by) as change:
            return create_in(change, project, draft)

    def edit_mission(
        self, ref: str, changes: Mapping[str, object], *, expected_version: int | None = None, by: Author = USER
    ) -> Mission:
        """Change fields (names of `missions.editing.EDITABLE`); VersionConflict when it changed meanwhile."""
        with self._change(by) as change:
            return edit_in(change, ref, changes, expected_version=expected_version)

    def move_mission(
        self,
        ref: str,
        to_list: ListName,
        *,
        before: str | None = None,
        after: str | None = None,
        top: bool = False,
        by: Author = USER,
    ) -> Mission:
        """Move to a list: before or after a mission standing there, at the top, or (default) at the end."""
        with self._change(by) as change:
            return move_in(change, ref, to_list, before=before, after=after, top=top)

    def set_ready(self, ref: str, ready: bool, *, by: Author = USER) -> Mission:
        """Say that a mission may be (or may not yet be) given to an agent; clears what had asked for attention."""
        with self._change(by) as change:
            return set_ready_in(change, ref, ready)

    def delete_mission(self, ref: str, *, by: Author = USER) -> Mission:
        """Take a mission off the board; `restore_mission` and undo bring it back. Conflict while it runs."""
        with self._change(by) as change:
            return delete_in(change, ref)

    def restore_mission(self, ref: str, *, by: Author = USER) -> Mission:
        """Bring a deleted mission back where it was."""
        with self._change(by) as change:
            mission = lookup.mission(change.connection, ref, deleted=True)
            return change.save(mission, replace(mission, deleted_at=None), "restored")

    def link(self, ref: str, other: str, relation: Relation = "blocks", *, by: Author = USER) -> None:
        """`ref` blocks (or relates to) `other`; a cycle is refused, naming it (domain.md, Dependencies)."""
        with self._change(by) as change:
            link_in(change, change.mission(ref), change.mission(other), relation)

    def unlink(self, ref: str, other: str, relation: Relation = "blocks", *, by: Author = USER) -> None:
        """Take a dependency away; NotFound when there is none."""
        with self._change(by) as change:
            mission, second = change.mission(ref), lookup.mission(change.connection, other, deleted=True)
            before = _links_of(change, mission, second, relation)
            gone = change.connection.execute(
                "DELETE FROM dependency WHERE relation = ?3 AND (mission_id = ?1 AND other_id = ?2 "
                "OR relation = 'relates_to' AND mission_id = ?2 AND other_id = ?1)",
                (mission.id, second.id, relation),
            ).rowcount
            if not gone:
                raise NotFound(
                    f"{short_id(mission.number)} has no '{relation}' link to {short_id(second.number)}",
                    todo="`solo-unicorn mission show` lists its links",
                )
            change.event(mission.project_id, "unlinked", mission_id=mission.id, note=f"{relation} {second.id}")
            change.event(second.project_id, "unlinked", mission_id=second.id, note=f"{relation} {mission.id}")
            change.recount(second.id)
            _queue_links(change, before, _links_of(change, mission, second, relation))

    def dependencies(self, ref: str) -> list[DependencyView]:
        """Everything a mission is linked with, blockers first."""
        with self._reading() as connection:
            mission = lookup.mission(connection, ref)
            found: list[DependencyView] = []
            links = connection.execute(
                "SELECT mission_id, other_id, relation FROM dependency WHERE mission_id = ?1 OR other_id = ?1",
                (mission.id,),
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
                found.append(DependencyView(relation, direction, other_id, other, dependencies.is_resolved(other)))
        ranks = {"blocked_by": 0, "blocks": 1, "relates_to": 2}
        return sorted(found, key=lambda view: (ranks[view.direction], view.other_id))

    def update_tasks(
        self, ref: str, titles: Sequence[str], current: int, *, expected_version: int | None = None, by: Author = USER
    ) -> Mission:
        """Replace a mission's plan; the first `current` of its tasks are finished."""
        cleaned = [title.strip() for title in titles]
        if any(not title or len(title) > 500 for title in cleaned):
            raise InvalidValue("tasks", "A task needs a title of 1 to 500 characters", todo="give each task one line")
        if not 0 <= current <= len(cleaned):
            raise InvalidValue(
                "current", f"{current} of {len(cleaned)} tasks cannot be finished", todo="count finished tasks from 0"
            )
        with self._change(by) as change:
            mission = change.mission(ref)
            check_version(mission, expected_version)
            after = replace(mission, tasks=tuple(Task(title) for title in cleaned), tasks_current=current)
            return change.save(mission, after, "tasks_updated")

    def add_note(self, ref: str, kind: NoteKind, text: str, *, by: Author = USER) -> Mission:
        """Append a note to a mission's history."""
        text = text.strip()
        if not text or len(text) > NOTE_MAX:
            raise InvalidValue("text", f"A note has 1 to {NOTE_MAX} characters", todo="shorten it or split it")
        with self._change(by) as change:
            mission = change.mission(ref)
            change.event(mission.project_id, f"noted_{kind}", mission_id=mission.id, note=text)
            queue_note(change, mission.project_id, mission.id, f"noted_{kind}", text)
            return mission

    def attach_solution(
        self, ref: str, text: str, *, expected_version: int | None = None, by: Author = USER
    ) -> Mission:
        """Set a mission's solution document (Markdown)."""
        with self._change(by) as change:
            mission = change.mission(ref)
            check_version(mission, expected_version)
            return change.save(mission, replace(mission, solution=text), "solution_attached")

    def history(self, ref: str, limit: int = 200) -> list[MissionEvent]:
        """The last events of a mission, oldest first."""
        with self._reading() as connection:
            mission = lookup.mission(connection, ref, deleted=True)
            found = connection.execute(
                f"SELECT {rows.EVENT_COLUMNS} FROM event WHERE mission_id = ? ORDER BY seq DESC LIMIT ?",
                (mission.id, limit),
            ).fetchall()
        return [rows.event_of(row) for row in reversed(found)]


def create_in(change: Change, project: str, draft: MissionDraft) -> Mission:
    """Create a mission inside an open change."""
    owner = change.project(project)
    flow_ref = draft.flow_id or owner.default_flow_id
    flow = lookup.part(change.connection, Flow, flow_ref or "Standard", owner.id)
    repository = _repository_for(change, owner.id, draft)
    into: ListName = draft.list or ("loop" if draft.is_loop else "todo")
    draft = replace(draft, flow_id=flow.id, project_repository_id=repository.id if repository else None)
    mission = creating.create(
        draft,
        project=owner,
        flow=flow,
        repository=repository,
        id=change.new_id(),
        number=next_number(change),
        list_order=change.order(owner.id, into),
        now=change.now,
    )
    return change.save(None, mission, "created")


def edit_in(change: Change, ref: str, changes: Mapping[str, object], *, expected_version: int | None = None) -> Mission:
    """Change fields of a mission inside an open change."""
    mission = change.mission(ref)
    check_version(mission, expected_version)
    flow = change.flow_of(mission)
    if changes.get("flow_id"):
        flow = lookup.part(change.connection, Flow, str(changes["flow_id"]), mission.project_id)
        changes = {**changes, "flow_id": flow.id}
    repository = None
    if changes.get("project_repository_id"):
        repository = lookup.part(
            change.connection, ProjectRepository, str(changes["project_repository_id"]), mission.project_id
        )
        changes = {**changes, "project_repository_id": repository.id}
    after = editing.edit(mission, changes, flow=flow, now=change.now, repository=repository)
    return change.save(mission, after, "edited")


def move_in(
    change: Change,
    ref: str,
    to_list: ListName,
    *,
    before: str | None = None,
    after: str | None = None,
    top: bool = False,
) -> Mission:
    """Move a mission inside an open change."""
    mission = change.mission(ref)
    order = change.order(mission.project_id, to_list, before=before, after=after, top=top, moving=mission.id)
    mission = change.mission(ref)  # the list may have been renumbered to make room
    moved = moving.move(mission, to_list, order, flow=change.flow_of(mission), now=change.now)
    return change.save(mission, moved, "moved", placed=True)


def set_ready_in(change: Change, ref: str, ready: bool) -> Mission:
    """Mark a mission ready, or not, inside an open change."""
    mission = change.mission(ref)
    after = editing.set_ready(mission, ready, now=change.now)
    return change.save(mission, after, "readied" if ready else "unreadied")


def delete_in(change: Change, ref: str) -> Mission:
    """Take a mission off the board inside an open change; Conflict while it runs."""
    mission = change.mission(ref)
    if mission.agent_session_status != "INACTIVE":
        raise Conflict(f"{short_id(mission.number)} is running", todo="stop its session first, then delete it")
    return change.save(mission, replace(mission, deleted_at=change.now), "deleted")


def _repository_for(change: Change, project_id: str, draft: MissionDraft) -> ProjectRepository | None:
    """The repository a draft names, else the only one of the project."""
    if draft.project_repository_id:
        return lookup.part(change.connection, ProjectRepository, draft.project_repository_id, project_id)
    found = change.connection.execute(
        "SELECT doc FROM repository WHERE project_id = ? LIMIT 2", (project_id,)
    ).fetchall()
    return rows.load(ProjectRepository, found[0][0]) if len(found) == 1 else None


def next_number(change: Change) -> int:
    """Short ids are never used twice, even when a project is removed."""
    row = change.connection.execute(
        "INSERT INTO meta (key, value) VALUES ('mission.number', '1') "
        "ON CONFLICT (key) DO UPDATE SET value = CAST(value AS INTEGER) + 1 RETURNING value"
    ).fetchone()
    return int(row[0])


def link_in(change: Change, mission: Mission, other: Mission, relation: Relation) -> None:
    """Add a dependency inside an open change."""
    if mission.id == other.id:
        raise Conflict(f"{short_id(mission.number)} cannot be linked with itself", todo="name another mission")
    if relation == "blocks":
        edges = change.connection.execute("SELECT mission_id, other_id FROM dependency WHERE relation = 'blocks'")
        cycle = dependencies.find_cycle(((str(a), str(b)) for a, b in edges.fetchall()), (mission.id, other.id))
        if cycle:
            names = " → ".join(short_id(lookup.mission(change.connection, step, deleted=True).number) for step in cycle)
            raise Conflict(
                f"{short_id(mission.number)} cannot block {short_id(other.number)}",
                why=f"they would wait for each other: {names}",
                todo="take one of these links away first",
            )
    before = _links_of(change, mission, other, relation)
    added = change.connection.execute(
        "INSERT OR IGNORE INTO dependency (mission_id, other_id, relation) VALUES (?, ?, ?)",
        (mission.id, other.id, relation),
    ).rowcount
    if added:
        change.event(mission.project_id, "linked", mission_id=mission.id, note=f"{relation} {other.id}")
        change.event(other.project_id, "linked", mission_id=other.id, note=f"{relation} {mission.id}")
        change.recount(other.id)
        _queue_links(change, before, _links_of(change, mission, other, relation))


Links = dict[tuple[str, str, str], list[str]]
"""(mission, project, wire name of the kind of links) -> ids."""


def _links_of(change: Change, first: Mission, second: Mission, relation: Relation) -> Links:
    """The links that a hub keeps with the blocked mission, or with the one that was linked."""
    if relation == "blocks":
        return {(second.id, second.project_id, "blockedBy"): links(change.connection, second.id, "blockedBy")}
    return {
        (one.id, one.project_id, "relatesTo"): links(change.connection, one.id, "relatesTo") for one in (first, second)
    }


def _queue_links(change: Change, before: Links, after: Links) -> None:
    for (mission_id, project_id, name), ids in after.items():
        change.queue_links(mission_id, project_id, name, before[mission_id, project_id, name], ids)


def check_version(mission: Mission, expected: int | None) -> None:
    """Refuse a replacing write that was made on an older state."""
    if expected is not None and expected != mission.version:
        raise VersionConflict(
            f"{short_id(mission.number)} changed since it was read",
            current=mission.version,
            why=f"it is at version {mission.version}, not {expected}",
            todo="read it again and repeat the change on what it is now",
        )
