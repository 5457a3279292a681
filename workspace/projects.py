"""Projects and what belongs to them: repositories, flows, actors."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import TypeVar

from ..missions.editing import refit
from ..missions.entities import LISTS, SYSTEM, USER, Actor, Author, Flow, FlowStage, Mission, Project, ProjectRepository
from ..missions.errors import Conflict, InvalidValue
from ..missions.flows import check_flow, enabled_stages, system_flows
from ..missions.wire import from_wire, to_wire
from . import lookup, rows
from .base import WorkspaceBase
from .change import Change

NAME_MAX = 200
FIXED_OF_PROJECT = {"id", "created_at", "updated_at", "archived_at", "organization_id", "hub", "version", "star_count"}
FIXED_OF_REPOSITORY = {"id", "project_id", "created_at", "updated_at"}
Entity = TypeVar("Entity", Project, ProjectRepository, Flow, Actor)


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
            after = _changed(project, changes, FIXED_OF_PROJECT)
            _check_name(after.name)
            _check_limits(after.wip_limits)
            if after.name != project.name and "slug" not in changes:
                after = replace(after, slug=_free_slug(change.connection, after.name, project.id))
            archived = change.now if after.status == "archived" else None
            after = replace(after, archived_at=archived, updated_at=change.now, version=project.version + 1)
            rows.put_project(change.connection, after)
            change.queue_part_change("project", project, after)
            change.event(project.id, "project_changed", note=", ".join(sorted(changes)))
            return after

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
            owner = change.project(project)
            _check_name(name)
            self._refuse_taken(change, "repository", owner.id, name)
            new = ProjectRepository(change.new_id(), owner.id, name, change.now, change.now)
            new = _changed(new, values, FIXED_OF_REPOSITORY)
            rows.put_part(change.connection, "repository", new)
            change.queue_part("repository", new)
            change.event(owner.id, "repository_added", note=name)
            return new

    def update_repository(self, ref: str, changes: Mapping[str, object], *, by: Author = USER) -> ProjectRepository:
        """Change fields of a repository by their snake_case names."""
        with self._change(by) as change:
            repository = lookup.part(change.connection, ProjectRepository, ref)
            after = replace(_changed(repository, changes, FIXED_OF_REPOSITORY), updated_at=change.now)
            if after.max_concurrent_missions < 0:
                raise InvalidValue("maxConcurrentMissions", "The limit cannot be negative", todo="0 means no limit")
            rows.put_part(change.connection, "repository", after)
            change.queue_part_change("repository", repository, after)
            change.event(after.project_id, "repository_changed", note=after.name)
            return after

    def remove_repository(self, ref: str, *, by: Author = USER) -> ProjectRepository:
        """Unlink a repository; its files stay. Conflict while an open mission works in it."""
        with self._change(by) as change:
            repository = lookup.part(change.connection, ProjectRepository, ref)
            busy = change.connection.execute(
                "SELECT count(*) FROM mission WHERE repository_id = ? AND deleted = 0 "
                "AND (session_status <> 'INACTIVE' OR landing_status IS NOT NULL OR list IN ('doing', 'review'))",
                (repository.id,),
            ).fetchone()[0]
            if busy:
                raise Conflict(
                    f"{repository.name} is in use by {busy} mission(s) in Doing or Review",
                    todo="finish, move or delete them first",
                )
            change.connection.execute("DELETE FROM repository WHERE id = ?", (repository.id,))
            change.queue_part_removal("repository", repository)
            change.event(repository.project_id, "repository_removed", note=repository.name)
            return repository

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
        with self._change(by) as change:
            owner = change.project(project)
            _check_name(name)
            self._refuse_taken(change, "flow", owner.id, name)
            flow = Flow(change.new_id(), owner.id, name, change.now, change.now, description, tuple(stages))
            check_flow(flow)
            rows.put_part(change.connection, "flow", flow)
            change.queue_part("flow", flow)
            change.event(owner.id, "flow_created", note=name)
            return flow

    def update_flow(self, ref: str, stages: Sequence[FlowStage], *, by: Author = USER) -> Flow:
        """Replace the stages of a flow that is not a system flow; missions that use it are counted anew."""
        with self._change(by) as change:
            flow = lookup.part(change.connection, Flow, ref)
            if flow.is_system:
                raise Conflict(f"{flow.name} is a system flow", todo="create a flow of your own with these stages")
            after = replace(flow, stage_sequence=tuple(stages), updated_at=change.now)
            check_flow(after)
            using = change.connection.execute(
                "SELECT doc FROM mission WHERE project_id = ? AND json_extract(doc, '$.flowId') = ? AND deleted = 0",
                (flow.project_id, flow.id),
            ).fetchall()
            missions = [rows.load(Mission, doc) for (doc,) in using]
            rows.put_part(change.connection, "flow", after)
            change.queue_part_change("flow", flow, after)
            for mission in missions:
                rows.put_mission(change.connection, mission, len(enabled_stages(after, mission.flow_config)))
                change.save(mission, refit(mission, after, now=change.now), "refitted", note=after.name)
            change.event(flow.project_id, "flow_changed", note=flow.name)
            return after

    def delete_flow(self, ref: str, *, by: Author = USER) -> None:
        """Remove a flow that no mission uses and that is not a system flow."""
        with self._change(by) as change:
            flow = lookup.part(change.connection, Flow, ref)
            used = change.connection.execute(
                "SELECT count(*) FROM mission WHERE json_extract(doc, '$.flowId') = ? AND deleted = 0", (flow.id,)
            ).fetchone()[0]
            if flow.is_system or used:
                why = "it is a system flow" if flow.is_system else f"{used} mission(s) use it"
                raise Conflict(f"{flow.name} cannot be deleted", why=why, todo="give the missions another flow first")
            change.connection.execute("DELETE FROM flow WHERE id = ?", (flow.id,))
            change.queue_part_removal("flow", flow)
            change.event(flow.project_id, "flow_deleted", note=flow.name)

    def actors(self, project: str) -> list[Actor]:
        """The personas of a project."""
        return self._parts(Actor, project)

    def create_actor(
        self, project: str, name: str, *, methodology: str = "", focus: str = "", by: Author = USER
    ) -> Actor:
        """A new persona for the prompts of a project."""
        with self._change(by) as change:
            owner = change.project(project)
            _check_name(name)
            self._refuse_taken(change, "actor", owner.id, name)
            actor = Actor(change.new_id(), owner.id, name, change.now, change.now, None, methodology, focus)
            rows.put_part(change.connection, "actor", actor)
            change.queue_part("actor", actor)
            change.event(owner.id, "actor_created", note=name)
            return actor

    def _parts(self, cls: type[lookup.Part], project: str | None) -> list[lookup.Part]:
        with self._reading() as connection:
            owner = lookup.project(connection, project).id if project else None
            docs = connection.execute(
                f"SELECT doc FROM {lookup.TABLES[cls]} WHERE ?1 IS NULL OR project_id = ?1 ORDER BY rowid", (owner,)
            ).fetchall()
        return [rows.load(cls, doc) for (doc,) in docs]

    @staticmethod
    def _refuse_taken(change: Change, table: str, project_id: str, name: str) -> None:
        taken = change.connection.execute(
            f"SELECT 1 FROM {table} WHERE project_id = ? AND name = ?", (project_id, name)
        ).fetchone()
        if taken:
            raise Conflict(f"The project has a {table} {name!r} already", todo="choose another name")


def create_project_in(change: Change, name: str, *, description: str | None = None, is_sample: bool = False) -> Project:
    """Create a project inside an open change."""
    _check_name(name)
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


def _changed(entity: Entity, changes: Mapping[str, object], fixed: set[str]) -> Entity:
    """`entity` with changed fields, checked against its wire form."""
    known = {field.name for field in fields(entity)} - fixed
    unknown = sorted(set(changes) - known)
    if unknown:
        raise InvalidValue(unknown[0], f"{unknown[0]!r} cannot be set", todo=f"choose from: {', '.join(sorted(known))}")
    return from_wire(type(entity), to_wire(replace(entity, **changes)))  # type: ignore[arg-type]


def _check_name(name: str) -> None:
    if not name.strip() or len(name) > NAME_MAX:
        raise InvalidValue("name", f"A name has 1 to {NAME_MAX} characters", todo="choose another name")


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
