"""An exported project brought into this workspace."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import cast

from ...missions.comments import LineComment
from ...missions.entities import Actor, Flow, Json, JsonObject, Mission, Project, ProjectRepository
from ...missions.errors import Conflict, InvalidValue
from ...missions.flows import enabled_stages
from ...missions.wire import from_wire
from .. import line_comments, rows
from ..change import Change
from ..queries.exports import FORMAT, FORMAT_VERSION
from .projects import free_slug

ULID = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")
OF_A_RUN = {"agentSessionStatus": "INACTIVE", "sessionId": None, "worktreePath": None, "landingStatus": None}


def import_project(change: Change, exported: JsonObject, *, copy: bool = False) -> Project:
    """Bring an exported project in, keeping its ids (Conflict when they are here) or as a copy with new ones.

    Missions get short ids of this workspace where theirs are taken; nothing of it is ready to run.
    """
    if exported.get("format") != FORMAT:
        raise InvalidValue(
            "format", "This is not an exported project", todo="choose a file made by `solo-unicorn export`"
        )
    if cast("int", exported.get("version", 0)) > FORMAT_VERSION:
        raise InvalidValue("version", "This file was exported by a newer version", todo="update solo-unicorn first")
    if copy:
        exported = _with_new_ids(exported, change.new_id)
    return _import(change, exported)


def _import(change: Change, exported: JsonObject) -> Project:
    def items(name: str) -> list[JsonObject]:
        return cast("list[JsonObject]", exported.get(name) or [])

    project = from_wire(Project, cast("JsonObject", exported["project"]))
    if change.connection.execute("SELECT 1 FROM project WHERE id = ?", (project.id,)).fetchone():
        raise Conflict(f"{project.name} is in this workspace already", todo="import it with --copy, or delete it first")
    project = replace(project, slug=free_slug(change.connection, project.slug, project.id), hub=None)
    rows.put_project(change.connection, project)
    flows = {flow.id: flow for flow in (from_wire(Flow, item) for item in items("flows"))}
    for flow in flows.values():
        rows.put_part(change.connection, "flow", flow)
    for item in items("actors"):
        rows.put_part(change.connection, "actor", from_wire(Actor, item))
    for item in items("repositories"):
        rows.put_part(change.connection, "repository", from_wire(ProjectRepository, item))
    for item in items("missions"):
        mission = from_wire(Mission, {k: v for k, v in {**item, **OF_A_RUN}.items() if v is not None})
        taken = change.connection.execute("SELECT 1 FROM mission WHERE number = ?", (mission.number,)).fetchone()
        mission = replace(
            mission, ready=False, number=change.next_number() if taken else reserve(change, mission.number)
        )
        flow_id = mission.flow_id or project.default_flow_id or ""
        rows.put_mission(change.connection, mission, len(enabled_stages(flows[flow_id], mission.flow_config)))
    change.connection.executemany(
        "INSERT OR IGNORE INTO dependency (mission_id, other_id, relation) VALUES (?, ?, ?)",
        [(item["missionId"], item["otherId"], item["relation"]) for item in items("dependencies")],
    )
    for item in items("comments"):
        line_comments.put(change.connection, from_wire(LineComment, item))
    change.connection.executemany(
        "INSERT INTO event (project_id, mission_id, kind, author_kind, author_name, at, changes, note, correlation_id) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, '')",
        [
            (
                project.id,
                e.get("missionId"),
                e["kind"],
                e["authorKind"],
                e["authorName"],
                e["at"],
                rows.dump(e["changes"]),
                e["note"],
            )
            for e in items("events")
        ],
    )
    for item in items("memory"):
        change.connection.execute(
            "INSERT INTO memory (project_id, name, version, updated_at, author_kind, author_name, text) "
            "VALUES (?, ?, ?, ?, 'user', '', ?)",
            (project.id, item["name"], item["version"], rows.stamp(change.now), item["text"]),
        )
    change.connection.executemany(
        "INSERT INTO saved_filter (project_id, name, query) VALUES (?, ?, ?)",
        [(project.id, item["name"], item["query"]) for item in items("filters")],
    )
    change.event(project.id, "project_imported", note=project.name)
    return project


def reserve(change: Change, number: int) -> int:
    """Keep a free short id and make sure that it is not given out again."""
    change.connection.execute(
        "INSERT INTO meta (key, value) VALUES ('mission.number', ?1) "
        "ON CONFLICT (key) DO UPDATE SET value = max(CAST(value AS INTEGER), ?1)",
        (number,),
    )
    return number


def _with_new_ids(exported: JsonObject, new_id: object) -> JsonObject:
    assert callable(new_id)
    text = json.dumps(exported)
    own = {cast("str", cast("JsonObject", exported["project"])["id"])}
    for part in ("flows", "actors", "repositories", "missions", "comments"):
        own |= {cast("str", cast("JsonObject", item)["id"]) for item in cast("list[Json]", exported.get(part) or [])}
    fresh = {old: new_id() for old in own}
    return cast("JsonObject", json.loads(ULID.sub(lambda match: fresh.get(match[0], match[0]), text)))
