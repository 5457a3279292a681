"""An exported project brought into this workspace."""

from __future__ import annotations

import re
import sqlite3
from dataclasses import field, replace
from datetime import datetime
from typing import Any, TypeVar, cast

from ...missions.comments import LineComment
from ...missions.entities import (
    Actor,
    AuthorKind,
    Dependency,
    Flow,
    Json,
    JsonObject,
    Mission,
    Project,
    ProjectRepository,
)
from ...missions.errors import Conflict, InvalidValue
from ...missions.fields import CHECKS, checked
from ...missions.records import record
from ...missions.rules.flows import enabled_stages
from ...missions.wire import from_wire
from ...system import strict_json
from .. import line_comments, passages, rows
from ..change import Change
from ..queries.exports import FORMAT, FORMAT_VERSION
from .projects import free_slug

ULID = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")
OF_A_RUN: dict[str, Any] = {
    "agent_session_status": "INACTIVE",
    "session_id": None,
    "worktree_path": None,
    "landing_status": None,
}
E = TypeVar("E")
NO_ID = "0" * 26
"""Of parts that have none of their own."""


def import_project(change: Change, exported: JsonObject, *, copy: bool = False) -> Project:
    """Bring an exported project in, keeping its ids (Conflict when they are here) or as a copy with new ones.

    Missions get short ids of this workspace where theirs are taken; nothing of it is ready to run.
    """
    if exported.get("format") != FORMAT:
        raise InvalidValue(
            "format", "This is not an exported project", todo="choose a file made by `solo-unicorn export`"
        )
    version = exported.get("version", 0)
    if not isinstance(version, int) or version > FORMAT_VERSION:
        raise InvalidValue("version", "This file was exported by a newer version", todo="update solo-unicorn first")
    if copy:
        exported = _with_new_ids(exported, change.new_id)
    try:
        return _import(change, exported)
    except sqlite3.IntegrityError as error:
        raise InvalidValue(
            "file", "The parts of this file do not fit together", why=str(error), todo="export the project once more"
        ) from error


@record
class ImportedEvent:
    """An event as an export tells it."""

    kind: str
    author_kind: AuthorKind
    at: datetime
    mission_id: str | None = None
    author_name: str = ""
    changes: dict[str, Json] = field(default_factory=dict)
    note: str = ""


@record
class ImportedDocument:
    """A memory document as an export tells it."""

    name: str
    text: str
    version: int = 1


@record
class ImportedFilter:
    """A saved filter as an export tells it."""

    name: str
    query: str


def _import(change: Change, exported: JsonObject) -> Project:
    def items(name: str, cls: type[E]) -> list[E]:
        found = exported.get(name) or []
        if not isinstance(found, list):
            raise InvalidValue(name, f"{name} is not a list")
        return [_one(cls, f"{name}[{place}]", item) for place, item in enumerate(found)]

    project = _one(Project, "project", exported.get("project"))
    if change.connection.execute("SELECT 1 FROM project WHERE id = ?", (project.id,)).fetchone():
        raise Conflict(f"{project.name} is in this workspace already", todo="import it with --copy, or delete it first")
    project = replace(project, slug=free_slug(change.connection, project.slug, project.id), hub=None)
    rows.put_project(change.connection, project)
    flows = {flow.id: flow for flow in items("flows", Flow)}
    for flow in flows.values():
        rows.put_part(change.connection, "flow", flow)
    for actor in items("actors", Actor):
        rows.put_part(change.connection, "actor", actor)
    for repository in items("repositories", ProjectRepository):
        rows.put_part(change.connection, "repository", repository)
    for mission in items("missions", Mission):
        flow_of = flows.get(mission.flow_id or project.default_flow_id or "")
        if flow_of is None:
            raise InvalidValue("missions", f"The flow of {mission.title!r} is missing")
        known = _at_rest(change, mission)
        rows.put_mission(change.connection, known, len(enabled_stages(flow_of, known.flow_config)))
    change.connection.executemany(
        "INSERT OR IGNORE INTO dependency (mission_id, other_id, relation) VALUES (?, ?, ?)",
        [(link.mission_id, link.other_id, link.relation) for link in items("dependencies", Dependency)],
    )
    for comment in items("comments", LineComment):
        line_comments.put(change.connection, comment)
    change.connection.executemany(
        "INSERT INTO event (project_id, mission_id, kind, author_kind, author_name, at, changes, note, correlation_id) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, '')",
        [
            (
                project.id,
                e.mission_id,
                e.kind,
                e.author_kind,
                e.author_name,
                rows.stamp(e.at),
                rows.dump(e.changes),
                e.note,
            )
            for e in items("events", ImportedEvent)
        ],
    )
    for document in items("memory", ImportedDocument):
        change.connection.execute(
            "INSERT INTO memory (project_id, name, version, updated_at, author_kind, author_name, text) "
            "VALUES (?, ?, ?, ?, 'user', '', ?)",
            (project.id, document.name, document.version, rows.stamp(change.now), document.text),
        )
        passages.put_document(change.connection, project.id, document.name, document.text)
    change.connection.executemany(
        "INSERT INTO saved_filter (project_id, name, query) VALUES (?, ?, ?)",
        [(project.id, saved.name, saved.query) for saved in items("filters", ImportedFilter)],
    )
    change.event(project.id, "project_imported", note=project.name)
    return project


def _one(cls: type[E], place: str, item: Json) -> E:
    """One part of the file; InvalidValue names its place and, in it, the field that is wrong."""
    try:
        found = from_wire(cls, item)
        if ULID.fullmatch(known := getattr(found, "id", NO_ID)) is None:
            raise InvalidValue("id", f"id is not an id of ours but {known[:60]!r}")
        return found
    except InvalidValue as error:
        raise InvalidValue(place, f"{place}: {error.what}", why=error.why, todo=error.todo) from None


def _at_rest(change: Change, mission: Mission) -> Mission:
    """A mission as it comes in: with every field in its limits, in no run, not ready, under a number of its own."""
    kept: dict[str, Any] = {name: checked(name, getattr(mission, name)) for name in CHECKS if hasattr(mission, name)}
    number = change.number_near(mission.number)
    return replace(mission, **kept | OF_A_RUN | {"ready": False, "number": number})


def _with_new_ids(exported: JsonObject, new_id: object) -> JsonObject:
    assert callable(new_id)
    text = strict_json.dumps(exported)
    own = set[str]()
    for name in ("project", "flows", "actors", "repositories", "missions", "comments"):
        part = exported.get(name)
        items = part if isinstance(part, list) else [part]
        own |= {known for item in items if isinstance(item, dict) and isinstance(known := item.get("id"), str)}
    fresh = {old: new_id() for old in own}
    return cast("JsonObject", strict_json.loads(ULID.sub(lambda match: fresh.get(match[0], match[0]), text)))
