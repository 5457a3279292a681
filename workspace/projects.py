"""Projects and what belongs to them: repositories, flows, actors."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import replace

from ..missions.entities import LISTS, SYSTEM, USER, Actor, Author, Flow, FlowStage, Project, ProjectRepository
from ..missions.errors import Conflict, InvalidValue
from ..missions.flows import system_flows
from ..missions.operations import missions, parts
from ..missions.operations.checks import changed, check_name
from . import lookup, rows
from .base import WorkspaceBase
from .change import Change

FIXED_OF_PROJECT = {"id", "created_at", "updated_at", "archived_at", "organization_id", "hub", "version", "star_count"}


class ProjectOperations(WorkspaceBase):
    """Operations on projects and their parts."""

    def create_project(
        self, name: str, *, description: str | None = None, is_sample: bool = False, by: Author = USER
    ) -> Project:
        """A new local project with the system flows."""
        with self._change(by) as change:
            return create_project_in(change, name, description=description, is_sample=is_sample)

    def update_project(self, ref: str, changes: Mapping[str, object], *, by: Author = USER) -> Project:
        """Change settings of a project by their snake_case names; `status` 'archived' archives it."""
        with self._change(by) as change:
            project = change.project(ref)
            _refuse_shared(project, changes)
            after = changed(project, changes, FIXED_OF_PROJECT)
            check_name(after.name)
            _check_limits(after.wip_limits)
            if after.name != project.name and "slug" not in changes:
                after = replace(after, slug=_free_slug(change.connection, after.name, project.id))
            archived = change.now if after.status == "archived" else None
            saved = change.save_project(project, replace(after, archived_at=archived))
            change.event(project.id, "project_changed", note=", ".join(sorted(changes)))
            return saved

    def delete_project(self, ref: str, *, discard_unsent: bool = False, by: Author = USER) -> None:
        """Remove a project with its missions, history and memory for good; Conflict while something runs in it.

        A connected project is removed from this machine only. While it has edits that the hub does not have, or open
        conflicts, that is a Conflict too, unless `discard_unsent`: they are lost then.
        """
        with self._change(by) as change:
            project = change.project(ref)
            if not discard_unsent:
                _refuse_unsent(change, project)
            busy = change.connection.execute(
                "SELECT count(*) FROM mission WHERE project_id = ? AND session_status <> 'INACTIVE'", (project.id,)
            ).fetchone()[0]
            if busy:
                raise Conflict(
                    f"{project.name} has {busy} running mission(s)",
                    todo="stop them first: `solo-unicorn project pause`",
                )
            for statement in (
                "DELETE FROM dependency WHERE mission_id IN (SELECT id FROM mission WHERE project_id = ?1) "
                "OR other_id IN (SELECT id FROM mission WHERE project_id = ?1)",
                "DELETE FROM session WHERE project_id = ?1",
                "DELETE FROM event WHERE project_id = ?1",
                "DELETE FROM outbox WHERE project_id = ?1",
                "DELETE FROM project WHERE id = ?1",
            ):
                change.connection.execute(statement, (project.id,))
            change.event(project.id, "project_deleted", note=project.name)

    def repository(self, ref: str) -> ProjectRepository:
        """A repository by id or (unique) name; NotFound."""
        with self._reading() as connection:
            return lookup.part(connection, ProjectRepository, ref)

    def add_repository(self, project: str, name: str, *, by: Author = USER, **values: object) -> ProjectRepository:
        """Link a repository to a project; `values` are further fields of ProjectRepository by their names."""
        with self._change(by) as change:
            made = parts.create(change, project, ProjectRepository, name, values)
            _take_in(change, made)
            return made

    def update_repository(self, ref: str, changes: Mapping[str, object], *, by: Author = USER) -> ProjectRepository:
        """Change fields of a repository by their snake_case names."""
        return self.write_as(by, parts.edit, ProjectRepository, ref, changes)

    def remove_repository(self, ref: str, *, by: Author = USER) -> ProjectRepository:
        """Unlink a repository; its files stay. Conflict while an open mission works in it."""
        return self.write_as(by, parts.remove, ProjectRepository, ref)

    def flows(self, project: str) -> list[Flow]:
        """The flows of a project with how many open missions use each."""
        flows = self._parts(Flow, project)
        with self._reading() as connection:
            used = dict(
                connection.execute(
                    "SELECT json_extract(doc, '$.flowId'), count(*) FROM mission "
                    "WHERE project_id = ? AND deleted = 0 AND list <> 'done' GROUP BY 1",
                    (flows[0].project_id if flows else "",),
                ).fetchall()
            )
        return [replace(flow, missions_using_count=used.get(flow.id, 0)) for flow in flows]

    def flow(self, flow_id: str, project: str | None = None) -> Flow:
        """A flow by id, or by name within a project; NotFound."""
        with self._reading() as connection:
            owner = lookup.project(connection, project).id if project else None
            return lookup.part(connection, Flow, flow_id, owner)

    def flow_of(self, ref: str) -> Flow:
        """The flow that a mission follows."""
        with self._reading() as connection:
            return lookup.flow_of(connection, lookup.mission(connection, ref))

    def create_flow(
        self, project: str, name: str, stages: Sequence[FlowStage], *, description: str | None = None, by: Author = USER
    ) -> Flow:
        """A new flow of a project."""
        values = {"stage_sequence": tuple(stages), "description": description}
        return self.write_as(by, parts.create, project, Flow, name, values)

    def update_flow(self, ref: str, stages: Sequence[FlowStage], *, by: Author = USER) -> Flow:
        """Replace the stages of a flow that is not a system flow; missions that use it are fitted to it."""
        return self.write_as(by, parts.edit, Flow, ref, {"stage_sequence": tuple(stages)})

    def describe_flow(
        self, ref: str, *, name: str | None = None, description: str | None = None, by: Author = USER
    ) -> Flow:
        """Give a flow that is not a system flow another name or description."""
        changes = {"name": name or None, "description": None if description is None else description.strip()}
        changes = {field: value for field, value in changes.items() if value is not None}
        return self.write_as(by, parts.edit, Flow, ref, changes)

    def delete_flow(self, ref: str, *, by: Author = USER) -> Flow:
        """Remove a flow. Conflict for a system flow, and while a mission follows it."""
        return self.write_as(by, parts.remove, Flow, ref)

    def actors(self, project: str) -> list[Actor]:
        """The personas of a project."""
        return self._parts(Actor, project)

    def create_actor(
        self, project: str, name: str, *, methodology: str = "", focus: str = "", by: Author = USER
    ) -> Actor:
        """A new persona for the prompts of a project."""
        return self.write_as(by, parts.create, project, Actor, name, {"methodology": methodology, "focus": focus})

    def update_actor(self, ref: str, changes: Mapping[str, object], *, by: Author = USER) -> Actor:
        """Change fields of a persona by their snake_case names."""
        return self.write_as(by, parts.edit, Actor, ref, changes)

    def delete_actor(self, ref: str, *, by: Author = USER) -> Actor:
        """Remove a persona. Conflict while an open mission speaks through it."""
        return self.write_as(by, parts.remove, Actor, ref)

    def _parts(self, cls: type[lookup.Part], project: str | None) -> list[lookup.Part]:
        with self._reading() as connection:
            return lookup.parts(connection, cls, lookup.project(connection, project).id if project else None)


def _take_in(change: Change, repository: ProjectRepository) -> None:
    """Give the only repository of a project to its open missions that have none, as if they were made now."""
    others = change.connection.execute(
        "SELECT 1 FROM repository WHERE project_id = ? AND id <> ? LIMIT 1", (repository.project_id, repository.id)
    ).fetchone()
    if others:
        return
    waiting = change.connection.execute(
        "SELECT id FROM mission WHERE project_id = ? AND repository_id IS NULL AND deleted = 0 AND list <> 'done'",
        (repository.project_id,),
    ).fetchall()
    for (mission_id,) in waiting:
        mission = change.mission(mission_id)
        branch = mission.target_branch or repository.default_branch
        given = {"project_repository_id": repository.id, "target_branch": branch}
        missions.edit(change, mission.id, given)


def create_project_in(change: Change, name: str, *, description: str | None = None, is_sample: bool = False) -> Project:
    """Create a project inside an open change."""
    check_name(name)
    project_id = change.new_id()
    flows = system_flows(project_id, change.new_id, change.now)
    project = Project(
        project_id,
        name.strip(),
        _free_slug(change.connection, name, project_id),
        change.now,
        change.now,
        description=description,
        default_flow_id=next(flow.id for flow in flows if flow.is_default),
        is_sample=is_sample,
        version=1,
    )
    rows.put_project(change.connection, project)
    for flow in flows:
        rows.put_part(change.connection, "flow", flow)
    change.event(project_id, "project_created", note=project.name, by=SYSTEM if is_sample else None)
    return project


OF_THE_HUB = frozenset({"public_slug", "featured", "memory"})
"""Settings of a connected project that the hub alone decides on."""


def _refuse_shared(project: Project, changes: Mapping[str, object]) -> None:
    """What the hub alone decides on is not changed here: it would take a change back unseen."""
    refused = sorted(changes.keys() & OF_THE_HUB)
    if project.hub is not None and refused:
        raise Conflict(
            f"{', '.join(refused)} of {project.name} cannot be changed here",
            why=f"the project is mirrored from {project.hub}, which decides on that",
            todo="change it at the hub",
        )


def _refuse_unsent(change: Change, project: Project) -> None:
    waiting, undecided = change.connection.execute(
        "SELECT (SELECT count(*) FROM outbox WHERE project_id = ?1), "
        "(SELECT count(*) FROM conflict WHERE project_id = ?1 AND state = 'open')",
        (project.id,),
    ).fetchone()
    if waiting or undecided:
        raise Conflict(
            f"{project.name} has {waiting} edit(s) that the hub does not have and {undecided} open conflict(s)",
            why="they are on this machine only, and would be lost with it",
            todo="`solo-unicorn sync` sends them; `project disconnect --force` keeps all of it here; "
            "--discard-unsent gives them up",
        )


def _check_limits(limits: Mapping[str, int]) -> None:
    for name, limit in limits.items():
        if name not in LISTS or limit < 1:
            raise InvalidValue(
                "wipLimits", f"{name}={limit} is no limit", todo=f"name one of {', '.join(LISTS)} and a number from 1"
            )


def _free_slug(connection: sqlite3.Connection, name: str, project_id: str) -> str:
    base = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "project"
    taken = {str(slug) for (slug,) in connection.execute("SELECT slug FROM project WHERE id <> ?", (project_id,))}
    return next(slug for slug in (base, *(f"{base}-{n}" for n in range(2, len(taken) + 3))) if slug not in taken)
