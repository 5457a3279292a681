"""Missions of the workspace: doors to the operations on them, and what is read of a single one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..missions.board import DependencyView, Direction
from ..missions.creating import MissionDraft
from ..missions.dependencies import is_resolved
from ..missions.entities import USER, Author, ListName, Mission, MissionEvent, NoteKind, Relation
from ..missions.errors import NotFound
from ..missions.operations import missions
from . import lookup, rows
from .base import WorkspaceBase


class MissionOperations(WorkspaceBase):
    """Operations on single missions (missions/operations/missions.py)."""

    def mission(self, ref: str) -> Mission:
        """The mission that answers to `ref`: its id, `M-42`, `42`, or a unique beginning of the id; NotFound."""
        return self.read(lookup.mission, ref)

    def create_mission(self, project: str, draft: MissionDraft, *, by: Author = USER) -> Mission:
        """Put a new mission on the board of a project (domain.md, Creating)."""
        return self.write_as(by, missions.create, project, draft)

    def edit_mission(
        self, ref: str, changes: Mapping[str, object], *, expected_version: int | None = None, by: Author = USER
    ) -> Mission:
        """Change fields (names of `missions.editing.EDITABLE`); VersionConflict when it changed meanwhile."""
        return self.write_as(by, missions.edit, ref, changes, expected_version=expected_version)

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
        return self.write_as(by, missions.move, ref, to_list, before=before, after=after, top=top)

    def set_ready(self, ref: str, ready: bool, *, by: Author = USER) -> Mission:
        """Say that a mission may be (or may not yet be) given to an agent; clears what had asked for attention."""
        return self.write_as(by, missions.set_ready, ref, ready)

    def delete_mission(self, ref: str, *, by: Author = USER) -> Mission:
        """Take a mission off the board; `restore_mission` and undo bring it back. Conflict while it runs."""
        return self.write_as(by, missions.delete, ref)

    def restore_mission(self, ref: str, *, by: Author = USER) -> Mission:
        """Bring a deleted mission back where it was."""
        return self.write_as(by, missions.restore, ref)

    def link(self, ref: str, other: str, relation: Relation = "blocks", *, by: Author = USER) -> None:
        """`ref` blocks (or relates to) `other`; a cycle is refused, naming it (domain.md, Dependencies)."""
        self.write_as(by, missions.link, ref, other, relation)

    def unlink(self, ref: str, other: str, relation: Relation = "blocks", *, by: Author = USER) -> None:
        """Take a dependency away; NotFound when there is none."""
        self.write_as(by, missions.unlink, ref, other, relation)

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
                found.append(DependencyView(relation, direction, other_id, other, is_resolved(other)))
        ranks = {"blocked_by": 0, "blocks": 1, "relates_to": 2}
        return sorted(found, key=lambda view: (ranks[view.direction], view.other_id))

    def update_tasks(
        self, ref: str, titles: Sequence[str], current: int, *, expected_version: int | None = None, by: Author = USER
    ) -> Mission:
        """Replace a mission's plan; the first `current` of its tasks are finished."""
        return self.write_as(by, missions.update_tasks, ref, titles, current, expected_version=expected_version)

    def add_note(self, ref: str, kind: NoteKind, text: str, *, by: Author = USER) -> Mission:
        """Append a note to a mission's history."""
        return self.write_as(by, missions.add_note, ref, kind, text)

    def attach_solution(
        self, ref: str, text: str, *, expected_version: int | None = None, by: Author = USER
    ) -> Mission:
        """Set a mission's solution document (Markdown)."""
        return self.write_as(by, missions.attach_solution, ref, text, expected_version=expected_version)

    def history(self, ref: str, limit: int = 200) -> list[MissionEvent]:
        """The last events of a mission, oldest first."""
        with self._reading() as connection:
            mission = lookup.mission(connection, ref, deleted=True)
            found = connection.execute(
                f"SELECT {rows.EVENT_COLUMNS} FROM event WHERE mission_id = ? ORDER BY seq DESC LIMIT ?",
                (mission.id, limit),
            ).fetchall()
        return [rows.event_of(row) for row in reversed(found)]
