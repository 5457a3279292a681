"""What is read of projects: themselves, their repositories, flows, actors and saved filters."""

from __future__ import annotations

import sqlite3

from ...missions.entities import Actor, Flow, Project, ProjectRepository
from ...missions.records import replace
from .. import lookup, rows


def saved_filters(connection: sqlite3.Connection, project_id: str) -> dict[str, str]:
    """The filters that a project keeps: queries by their names, in the order of the names."""
    found = connection.execute(
        "SELECT name, query FROM saved_filter WHERE project_id = ? ORDER BY name", (project_id,)
    ).fetchall()
    return {str(name): str(query) for name, query in found}


def list_all(connection: sqlite3.Connection, *, archived: bool = False) -> list[Project]:
    """The projects of the workspace by name; archived ones when asked for."""
    docs = connection.execute(
        "SELECT doc FROM project WHERE ? OR status <> 'archived' ORDER BY name COLLATE NOCASE, id", (archived,)
    ).fetchall()
    return [rows.load(Project, doc) for (doc,) in docs]


def get(connection: sqlite3.Connection, ref: str) -> Project:
    """The project that answers to an id, a slug or a name; NotFound."""
    return lookup.project(connection, ref)


def sandbox(connection: sqlite3.Connection, ref: str) -> str:
    """The least sandbox that its agents run in on this machine; empty when the project asks for none."""
    return lookup.meta(connection, f"sandbox {lookup.project(connection, ref).id}") or ""


def repositories(connection: sqlite3.Connection, project: str | None = None) -> list[ProjectRepository]:
    """The repositories of a project, or of all projects."""
    owner = lookup.project(connection, project).id if project else None
    docs = connection.execute(
        "SELECT doc FROM repository WHERE ?1 IS NULL OR project_id = ?1 ORDER BY rowid", (owner,)
    ).fetchall()
    return [rows.load(ProjectRepository, doc) for (doc,) in docs]


def repository(connection: sqlite3.Connection, ref: str) -> ProjectRepository:
    """A repository by id or (unique) name; NotFound."""
    return lookup.part(connection, ProjectRepository, ref)


def flows(connection: sqlite3.Connection, project: str) -> list[Flow]:
    """The flows of a project with how many open missions use each."""
    flows = _parts(connection, Flow, project)
    used = dict(
        connection.execute(
            "SELECT json_extract(doc, '$.flowId'), count(*) FROM mission "
            "WHERE project_id = ? AND deleted = 0 AND list <> 'done' GROUP BY 1",
            (flows[0].project_id if flows else "",),
        ).fetchall()
    )
    return [replace(flow, missions_using_count=used.get(flow.id, 0)) for flow in flows]


def flow(connection: sqlite3.Connection, flow_id: str, project: str | None = None) -> Flow:
    """A flow by id, or by name within a project; NotFound."""
    owner = lookup.project(connection, project).id if project else None
    return lookup.part(connection, Flow, flow_id, owner)


def flow_of(connection: sqlite3.Connection, ref: str) -> Flow:
    """The flow that a mission follows."""
    return lookup.flow_of(connection, lookup.mission(connection, ref))


def actors(connection: sqlite3.Connection, project: str) -> list[Actor]:
    """The personas of a project."""
    return _parts(connection, Actor, project)


def _parts(connection: sqlite3.Connection, cls: type[lookup.Part], project: str | None) -> list[lookup.Part]:
    return lookup.parts(connection, cls, lookup.project(connection, project).id if project else None)
