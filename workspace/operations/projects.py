"""Projects and what belongs to them: repositories, flows, actors."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import replace

from ...missions.entities import LISTS, SYSTEM, Actor, Flow, FlowStage, Project, ProjectRepository
from ...missions.errors import Conflict, InvalidValue
from ...missions.operations import missions, parts
from ...missions.operations.checks import changed, check_name
from ...missions.rules.flows import system_flows
from .. import rows
from ..change import Change

FIXED_OF_PROJECT = {"id", "created_at", "updated_at", "archived_at", "organization_id", "hub", "version", "star_count"}
OF_THE_HUB = frozenset({"public_slug", "featured", "memory"})
"""Settings of a connected project that the hub alone decides on."""


SANDBOXES = ("off", "guard", "strict")


def edit(change: Change, ref: str, changes: Mapping[str, object]) -> Project:
    """Change settings of a project by their snake_case names; `status` 'archived' archives it."""
    project = change.project(ref)
    _refuse_shared(project, changes)
    after = changed(project, changes, FIXED_OF_PROJECT)
    check_name(after.name)
    _check_limits(after.wip_limits)
    if after.name != project.name and "slug" not in changes:
        after = replace(after, slug=free_slug(change.connection, after.name, project.id))
    archived = change.now if after.status == "archived" else None
    saved = change.save_project(project, replace(after, archived_at=archived))
    change.event(project.id, "project_changed", note=", ".join(sorted(changes)))
    return saved


def set_sandbox(change: Change, ref: str, level: str) -> None:
    """The least sandbox that agents of the project run in on this machine (`off`: what each agent has)."""
    project = change.project(ref)
    if level not in SANDBOXES:
        raise InvalidValue("sandbox", f"There is no sandbox level {level!r}", todo=f"one of {', '.join(SANDBOXES)}")
    change.connection.execute(
        "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        (f"sandbox {project.id}", level),
    )
    change.event(project.id, "project_changed", note=f"sandbox {level}")


def delete(change: Change, ref: str, *, discard_unsent: bool = False) -> None:
    """Remove a project with its missions, history and memory for good; Conflict while something runs in it.

    A connected project is removed from this machine only. While it has edits that the hub does not have, or open
    conflicts, that is a Conflict too, unless `discard_unsent`: they are lost then.
    """
    project = change.project(ref)
    if not discard_unsent:
        _refuse_unsent(change, project)
    busy = change.connection.execute(
        "SELECT count(*) FROM mission WHERE project_id = ? AND session_status <> 'INACTIVE'", (project.id,)
    ).fetchone()[0]
    if busy:
        raise Conflict(
            f"{project.name} has {busy} running mission(s)", todo="stop them first: `solo-unicorn project pause`"
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


def add_repository(change: Change, /, project: str, name: str, **values: object) -> ProjectRepository:
    """Link a repository to a project; `values` are further fields of ProjectRepository by their names."""
    made = parts.create(change, project, ProjectRepository, name, values)
    _take_in(change, made)
    return made


def create_flow(
    change: Change, project: str, name: str, stages: Sequence[FlowStage], *, description: str | None = None
) -> Flow:
    """A new flow of a project."""
    values = {"stage_sequence": tuple(stages), "description": description}
    return parts.create(change, project, Flow, name, values)


def set_stages(change: Change, ref: str, stages: Sequence[FlowStage]) -> Flow:
    """Replace the stages of a flow that is not a system flow; missions that use it are fitted to it."""
    return parts.edit(change, Flow, ref, {"stage_sequence": tuple(stages)})


def describe_flow(change: Change, ref: str, *, name: str | None = None, description: str | None = None) -> Flow:
    """Give a flow that is not a system flow another name or description."""
    changes = {"name": name or None, "description": None if description is None else description.strip()}
    changes = {field: value for field, value in changes.items() if value is not None}
    return parts.edit(change, Flow, ref, changes)


def create_actor(change: Change, project: str, name: str, *, methodology: str = "", focus: str = "") -> Actor:
    """A new persona for the prompts of a project."""
    return parts.create(change, project, Actor, name, {"methodology": methodology, "focus": focus})


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


def create(change: Change, name: str, *, description: str | None = None, is_sample: bool = False) -> Project:
    """Create a project inside an open change."""
    check_name(name)
    project_id = change.new_id()
    flows = system_flows(project_id, change.new_id, change.now)
    project = Project(
        project_id,
        name.strip(),
        free_slug(change.connection, name, project_id),
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


def _refuse_shared(project: Project, changes: Mapping[str, object]) -> None:
    """What the hub alone decides on is not changed here: it would take a change back unseen."""
    refused = sorted(changes.keys() & OF_THE_HUB)
    if project.hub is not None and refused:
        raise Conflict(
            f"{', '.join(refused)} of {project.name} cannot be changed here",
            why=f"the project is mirrored from {project.hub}, which controls these settings",
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
            why="they exist only on this machine, and would be lost with it",
            todo="`solo-unicorn sync` sends them; `project disconnect --force` keeps all of it here; "
            "--discard-unsent gives them up",
        )


def _check_limits(limits: Mapping[str, int]) -> None:
    for name, limit in limits.items():
        if name not in LISTS or limit < 1:
            raise InvalidValue(
                "wipLimits",
                f"{name}={limit} is not a valid limit",
                todo=f"name one of {', '.join(LISTS)} and a number from 1",
            )


def free_slug(connection: sqlite3.Connection, name: str, project_id: str) -> str:
    base = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "project"
    taken = {str(slug) for (slug,) in connection.execute("SELECT slug FROM project WHERE id <> ?", (project_id,))}
    return next(slug for slug in (base, *(f"{base}-{n}" for n in range(2, len(taken) + 3))) if slug not in taken)
