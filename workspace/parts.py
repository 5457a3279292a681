"""Changing the smaller parts of a project: its personas, and what its flows are called."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import replace

from ..missions.entities import USER, Actor, Author, Flow
from ..missions.errors import Conflict, InvalidValue
from . import lookup, rows
from .base import WorkspaceBase
from .projects import _changed, _check_name

FIXED_OF_ACTOR = {"id", "project_id", "created_at", "updated_at"}
TEXT_MAX = 50_000


class PartOperations(WorkspaceBase):
    """What people change on the project screens."""

    def update_actor(self, ref: str, changes: Mapping[str, object], *, by: Author = USER) -> Actor:
        """Change fields of a persona by their snake_case names."""
        with self._change(by) as change:
            actor = lookup.part(change.connection, Actor, ref)
            after = replace(_changed(actor, changes, FIXED_OF_ACTOR), updated_at=change.now)
            _check_name(after.name)
            if max(len(after.methodology), len(after.focus)) > TEXT_MAX:
                raise InvalidValue("methodology", f"A persona has at most {TEXT_MAX} characters", todo="shorten it")
            if after.name != actor.name:
                _refuse_name(change.connection, "actor", after.project_id, after.name)
            rows.put_part(change.connection, "actor", after)
            change.queue_part_change("actor", actor, after)
            change.event(after.project_id, "actor_changed", note=after.name)
            return after

    def delete_actor(self, ref: str, *, by: Author = USER) -> Actor:
        """Remove a persona. Conflict while an open mission speaks through it."""
        with self._change(by) as change:
            actor = lookup.part(change.connection, Actor, ref)
            used = change.connection.execute(
                "SELECT count(*) FROM mission WHERE project_id = ? AND json_extract(doc, '$.actorId') = ? "
                "AND deleted = 0 AND list <> 'done'",
                (actor.project_id, actor.id),
            ).fetchone()[0]
            if used:
                raise Conflict(f"{actor.name} is used by {used} open mission(s)", todo="give them another actor first")
            change.connection.execute("DELETE FROM actor WHERE id = ?", (actor.id,))
            project = change.project(actor.project_id)
            if project.default_actor_id == actor.id:
                after = replace(project, default_actor_id=None, version=project.version + 1, updated_at=change.now)
                rows.put_project(change.connection, after)
                change.queue_part_change("project", project, after)
            change.queue_part_removal("actor", actor)
            change.event(actor.project_id, "actor_deleted", note=actor.name)
            return actor

    def describe_flow(
        self, ref: str, *, name: str | None = None, description: str | None = None, by: Author = USER
    ) -> Flow:
        """Give a flow that is not a system flow another name or description."""
        with self._change(by) as change:
            flow = lookup.part(change.connection, Flow, ref)
            if flow.is_system:
                raise Conflict(f"{flow.name} is a system flow", todo="create a flow of your own with these stages")
            after = replace(
                flow,
                name=(name or flow.name).strip(),
                updated_at=change.now,
                description=flow.description if description is None else description.strip() or None,
            )
            _check_name(after.name)
            if after.name != flow.name:
                _refuse_name(change.connection, "flow", after.project_id, after.name)
            rows.put_part(change.connection, "flow", after)
            change.queue_part_change("flow", flow, after)
            change.event(after.project_id, "flow_changed", note=after.name)
            return after


def _refuse_name(connection: sqlite3.Connection, table: str, project_id: str, name: str) -> None:
    """Conflict when another part of this kind has the name."""
    taken = connection.execute(f"SELECT 1 FROM {table} WHERE project_id = ? AND name = ?", (project_id, name))
    if taken.fetchone():
        raise Conflict(f"The project has a {table} {name!r} already", todo="choose another name")
