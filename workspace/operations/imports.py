"""An exported project brought into this workspace."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, TypeVar, cast

from ...missions.comments import LineComment
from ...missions.entities import (
    Actor,
    Attachment,
    Author,
    AuthorKind,
    Dependency,
    Flow,
    Json,
    JsonObject,
    MemoryDocument,
    Mission,
    Project,
    ProjectRepository,
    Session,
)
from ...missions.errors import Conflict, InvalidValue
from ...missions.fields import CHECKS, checked
from ...missions.records import field, record, replace
from ...missions.rules.flows import enabled_stages
from ...missions.wire import from_wire
from ...system import strict_json
from .. import line_comments, memory_documents, rows
from ..change import Change
from ..queries.exports import AT_REST, IMPORTED, at_rest
from ..transfer import FORMAT, FORMAT_VERSION, Part, Source, of_object
from .attachments import SIZE_MAX, checked_name, insert
from .contents import Contents, ImportedContent
from .projects import free_slug

ULID = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")
SHA256 = re.compile(r"[0-9a-f]{64}")
E = TypeVar("E")
NO_ID = "0" * 26
"""Of parts that have none of their own."""
WITH_IDS = ("project", "flows", "actors", "repositories", "missions", "comments", "sessions", "attachments")


def import_project(change: Change, exported: JsonObject | Source, *, copy: bool = False) -> Project:
    """Bring an exported project in, keeping its ids (Conflict when they are here) or as a copy with new ones.

    Missions get short ids of this workspace where theirs are taken; nothing of it is ready to run.
    """
    source = of_object(exported) if isinstance(exported, dict) else exported
    if copy:
        source = _with_new_ids(source, change.new_id)
    taking = _Import(change)
    try:
        for part in source():
            taking.take(part)
        return taking.finish()
    except sqlite3.IntegrityError as error:
        raise InvalidValue(
            "file", "The parts of this file do not match", why=str(error), todo="export the project again"
        ) from error
    finally:
        taking.contents.close()


@record
class ImportedEvent:
    """An event as an export tells it."""

    kind: str
    author_kind: AuthorKind
    at: datetime
    mission_id: str | None = None
    author_name: str = ""
    session_id: str | None = None
    changes: dict[str, Json] = field(default_factory=dict)
    note: str = ""


@record
class ImportedDocument:
    """A version of a memory document as an export tells it; of each document the newest comes last."""

    name: str
    text: str
    version: int = 1
    updated_at: datetime | None = None
    updated_by: Author = Author("user")


@record
class ImportedFilter:
    """A saved filter as an export tells it."""

    name: str
    query: str


class _Import:
    """Takes in one part of the file after the other."""

    def __init__(self, change: Change) -> None:
        self._change = change
        self._project: Project | None = None
        self._flows: dict[str, Flow] = {}
        self._missions = set[str]()
        self._attached = set[str]()
        self._format: Json = None
        self.contents = Contents()

    def take(self, part: Part) -> None:
        """Write it; InvalidValue names its place and, in it, the field that is wrong."""
        name, place, item = part
        match name:
            case "format":
                self._format = item
            case "version":
                self._check_format(item)
            case "project":
                self._take_project(_one(Project, "project", item))
            case _ if (take := getattr(self, f"_take_{name}", None)) is not None:
                take(item, f"{name}[{place}]")

    def finish(self) -> Project:
        """The project, once everything was taken in."""
        project = self._within
        self.contents.finish()
        self._change.event(project.id, IMPORTED, note=project.name)
        return project

    @property
    def _within(self) -> Project:
        if self._project is None:
            raise InvalidValue("project", "The file has no project", todo="choose a file made by `solo-unicorn export`")
        return self._project

    def _check_format(self, version: Json) -> None:
        if self._format != FORMAT:
            todo = "choose a file made by `solo-unicorn export`"
            raise InvalidValue("format", "This is not an exported project", todo=todo)
        if not isinstance(version or 0, int) or cast("int", version or 0) > FORMAT_VERSION:
            raise InvalidValue("version", "This file was exported by a newer version", todo="update solo-unicorn first")

    def _take_project(self, project: Project) -> None:
        connection = self._change.connection
        if connection.execute("SELECT 1 FROM project WHERE id = ?", (project.id,)).fetchone():
            todo = "import it with --copy, or delete it first"
            raise Conflict(f"{project.name} is already in this workspace", todo=todo)
        self._project = replace(project, slug=free_slug(connection, project.slug, project.id), hub=None)
        rows.put_project(connection, self._project)

    def _take_flows(self, item: Json, place: str) -> None:
        flow = _one(Flow, place, item)
        self._flows[flow.id] = flow
        rows.put_part(self._change.connection, "flow", flow)

    def _take_actors(self, item: Json, place: str) -> None:
        rows.put_part(self._change.connection, "actor", _one(Actor, place, item))

    def _take_repositories(self, item: Json, place: str) -> None:
        rows.put_part(self._change.connection, "repository", _one(ProjectRepository, place, item))

    def _take_missions(self, item: Json, place: str) -> None:
        mission = _one(Mission, place, item)
        flow = self._flows.get(mission.flow_id or self._within.default_flow_id or "")
        if flow is None:
            raise InvalidValue("missions", f"The flow of {mission.title!r} is missing")
        # with every field in its limits, in no run, not ready, under a number of its own
        kept: dict[str, Any] = {one: checked(one, getattr(mission, one)) for one in CHECKS if hasattr(mission, one)}
        number = self._change.number_near(mission.number)
        known = replace(mission, **kept | AT_REST | {"number": number})
        rows.put_mission(self._change.connection, known, len(enabled_stages(flow, known.flow_config)))
        self._missions.add(known.id)

    def _take_dependencies(self, item: Json, place: str) -> None:
        link = _one(Dependency, place, item)
        self._change.connection.execute(
            "INSERT OR IGNORE INTO dependency (mission_id, other_id, relation) VALUES (?, ?, ?)",
            (link.mission_id, link.other_id, link.relation),
        )

    def _take_comments(self, item: Json, place: str) -> None:
        line_comments.put(self._change.connection, _one(LineComment, place, item))

    def _take_sessions(self, item: Json, place: str) -> None:
        session = at_rest(_one(Session, place, item))
        self._known(session.mission_id, place)
        rows.put_session(self._change.connection, replace(session, project_id=self._within.id))

    def _take_events(self, item: Json, place: str) -> None:
        event = _one(ImportedEvent, place, item)
        self._change.connection.execute(
            "INSERT INTO event (project_id, mission_id, kind, author_kind, author_name, session_id, at, changes, note, "
            "correlation_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, '')",
            (
                self._within.id,
                event.mission_id,
                event.kind,
                event.author_kind,
                event.author_name,
                event.session_id,
                rows.stamp(event.at),
                rows.dump(event.changes),
                event.note,
            ),
        )

    def _take_memory(self, item: Json, place: str) -> None:
        said = _one(ImportedDocument, place, item)
        at = said.updated_at or self._change.now
        document = MemoryDocument(self._within.id, said.name, said.text, said.version, at, said.updated_by)
        memory_documents.put(self._change.connection, document)

    def _take_filters(self, item: Json, place: str) -> None:
        saved = _one(ImportedFilter, place, item)
        self._change.connection.execute(
            "INSERT INTO saved_filter (project_id, name, query) VALUES (?, ?, ?)",
            (self._within.id, saved.name, saved.query),
        )

    def _take_attachments(self, item: Json, place: str) -> None:
        file = _one(Attachment, place, item)
        self._known(file.mission_id, place)
        if SHA256.fullmatch(file.sha256) is None or not 0 <= file.size <= SIZE_MAX:
            raise InvalidValue(place, f"{place}: it has no file content")
        insert(self._change.connection, replace(file, name=checked_name(file.name), project_id=self._within.id))
        self._attached.add(file.sha256)

    def _take_contents(self, item: Json, place: str) -> None:
        content = _one(ImportedContent, place, item)
        if content.sha256 not in self._attached:
            raise InvalidValue(place, f"{place}: no attachment has this content")
        self.contents.take(content, place)

    def _known(self, mission_id: str, place: str) -> None:
        if mission_id not in self._missions:
            raise InvalidValue(place, f"{place}: its mission {mission_id[:60]!r} is not in this file")


def _one(cls: type[E], place: str, item: Json) -> E:
    try:
        found = from_wire(cls, item)
        if ULID.fullmatch(known := getattr(found, "id", NO_ID)) is None:
            raise InvalidValue("id", f"id is not a valid id: {known[:60]!r}")
        return found
    except InvalidValue as error:
        raise InvalidValue(place, f"{place}: {error.what}", why=error.why, todo=error.todo) from None


def _with_new_ids(source: Source, new_id: Callable[[], str]) -> Source:
    """The same with an id of its own for everything in it."""
    fresh = {
        known: new_id()
        for name, _, item in source()
        if name in WITH_IDS and isinstance(item, dict) and isinstance(known := item.get("id"), str)
    }

    def parts() -> Iterator[Part]:
        for name, place, item in source():
            if name == "contents":
                yield name, place, item
                continue
            text = ULID.sub(lambda match: fresh.get(match[0], match[0]), strict_json.dumps(item))
            yield name, place, strict_json.loads(text)

    return parts
