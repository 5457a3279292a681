"""A project as one JSON file, with everything but what belongs to a machine."""

from __future__ import annotations

import sqlite3
from typing import cast

from ...missions.entities import Json, JsonObject
from ...missions.wire import to_wire
from ...system import strict_json
from .. import lookup

FORMAT = "solo-unicorn-project"
FORMAT_VERSION = 1
OF_A_MACHINE = ("localPath", "isManagedClone")


def export_project(connection: sqlite3.Connection, ref: str) -> JsonObject:
    """The project with its parts, missions, links, history and memory; local paths are left out."""
    project = lookup.project(connection, ref)

    def documents(table: str, extra: str = "") -> list[Json]:
        found = connection.execute(
            f"SELECT doc FROM {table} WHERE project_id = ? {extra} ORDER BY rowid", (project.id,)
        )
        return [strict_json.loads(doc) for (doc,) in found.fetchall()]

    repositories = cast("list[JsonObject]", documents("repository"))
    for repository in repositories:
        for name in OF_A_MACHINE:
            repository.pop(name, None)
    events = connection.execute(
        "SELECT mission_id, kind, author_kind, author_name, at, changes, note FROM event "
        "WHERE project_id = ? ORDER BY seq",
        (project.id,),
    ).fetchall()
    links = connection.execute(
        "SELECT d.mission_id, d.other_id, d.relation FROM dependency d JOIN mission m ON m.id = d.other_id "
        "WHERE m.project_id = ?",
        (project.id,),
    ).fetchall()
    comments = connection.execute(
        "SELECT c.doc FROM line_comment c JOIN mission m ON m.id = c.mission_id "
        "WHERE m.project_id = ? AND m.deleted = 0 ORDER BY c.id",
        (project.id,),
    ).fetchall()
    memory = connection.execute(
        "SELECT name, text, version FROM memory WHERE project_id = ? AND text <> '' ORDER BY name", (project.id,)
    ).fetchall()
    filters = connection.execute(
        "SELECT name, query FROM saved_filter WHERE project_id = ? ORDER BY name", (project.id,)
    ).fetchall()
    return {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        "project": to_wire(project),
        "flows": documents("flow"),
        "actors": documents("actor"),
        "repositories": cast("list[Json]", repositories),
        "missions": documents("mission", "AND deleted = 0"),
        "dependencies": [
            {"missionId": first, "otherId": second, "relation": relation} for first, second, relation in links
        ],
        "comments": [strict_json.loads(doc) for (doc,) in comments],
        "events": [
            {
                "missionId": mission_id,
                "kind": kind,
                "authorKind": author_kind,
                "authorName": author_name,
                "at": at,
                "changes": strict_json.loads(changes),
                "note": note,
            }
            for mission_id, kind, author_kind, author_name, at, changes, note in events
        ],
        "memory": [{"name": name, "text": text, "version": version} for name, text, version in memory],
        "filters": [{"name": name, "query": query} for name, query in filters],
    }
