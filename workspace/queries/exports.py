"""A project as one JSON file: everything but what belongs to a machine, and at rest, so that nothing is ready or runs.

What was exported and imported is exported again as the same bytes.
"""

from __future__ import annotations

import base64
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Final, TypeVar

from ...missions.comments import LineComment
from ...missions.entities import Actor, Attachment, Flow, Json, JsonObject, Mission, Project, ProjectRepository, Session
from ...missions.wire import to_wire
from .. import lookup, memory_documents, rows
from ..rows import RecordUnreadable
from ..transfer import FORMAT, FORMAT_VERSION, LISTS, lines_of
from .attachments import content_path

E = TypeVar("E")
AT_REST: Final[dict[str, Any]] = {
    "agent_session_status": "INACTIVE",
    "session_id": None,
    "worktree_path": None,
    "landing_status": None,
    "ready": False,
}
"""Fields of a mission that nobody works on."""
OF_A_MACHINE: Final = ("localPath", "isManagedClone")
IMPORTED: Final = "project_imported"
"""The kind of the event that tells of an import, which is about one machine."""
CHUNK: Final = 3 << 18
"""Bytes of an attached file on one line; a multiple of three, so that only the last has padding."""


def export_project(connection: sqlite3.Connection, ref: str) -> JsonObject:
    """The whole export in memory; `write_project` needs less."""
    found: JsonObject = {}
    lists: dict[str, list[Json]] = {name: [] for name in LISTS}
    for name, item in _parts(connection, ref):
        if name in lists:
            lists[name].append(item)
        else:
            found[name] = item
    return {**found, **lists}


def write_project(connection: sqlite3.Connection, ref: str, write: Callable[[str], object]) -> None:
    """Hand the export to `write`, line by line."""
    for line in lines_of(_parts(connection, ref)):
        write(line)


def at_rest(session: Session) -> Session:
    """A session as another machine may know it: over, and without paths and processes."""
    kept = replace(session, worktree_path=None, host_pid=None, activity="", waits_for="", transcript_offset=0)
    if kept.phase == "ended":
        return kept
    reason = "it was running when its project was exported"
    return replace(
        kept, phase="ended", outcome="unknown", reason=reason, ended_at=kept.last_event_at or kept.started_at
    )


def _parts(connection: sqlite3.Connection, ref: str) -> Iterator[tuple[str, Json]]:
    project = replace(lookup.project(connection, ref), hub=None)
    own = (project.id,)

    def entities(cls: type[E], table: str) -> Iterator[E]:
        for (doc,) in connection.execute(f"SELECT doc FROM {table} WHERE project_id = ? ORDER BY rowid", own):
            try:
                yield rows.load(cls, doc)
            except RecordUnreadable:  # `doctor` names it, and keeps what can be read of it
                continue

    yield "format", FORMAT
    yield "version", FORMAT_VERSION
    yield "project", to_wire(project)
    for flow in entities(Flow, "flow"):
        yield "flows", to_wire(flow)
    for actor in entities(Actor, "actor"):
        yield "actors", to_wire(actor)
    for repository in entities(ProjectRepository, "repository"):
        wire = to_wire(repository)
        yield "repositories", {name: value for name, value in wire.items() if name not in OF_A_MACHINE}
    for mission in entities(Mission, "mission"):
        yield "missions", to_wire(replace(mission, **AT_REST))
    for first, second, relation in connection.execute(
        "SELECT d.mission_id, d.other_id, d.relation FROM dependency d JOIN mission m ON m.id = d.other_id "
        "WHERE m.project_id = ? ORDER BY 1, 2, 3",
        own,
    ):
        yield "dependencies", {"missionId": first, "otherId": second, "relation": rows.text_of(relation)}
    for (doc,) in connection.execute(
        "SELECT c.doc FROM line_comment c JOIN mission m ON m.id = c.mission_id WHERE m.project_id = ? ORDER BY c.id",
        own,
    ):
        yield "comments", to_wire(rows.load(LineComment, doc))
    for session in entities(Session, "session"):
        yield "sessions", to_wire(at_rest(session))
    yield from _history(connection, project)
    yield from _memory(connection, project)
    for name, query in connection.execute(
        "SELECT name, query FROM saved_filter WHERE project_id = ? ORDER BY name", own
    ):
        yield "filters", {"name": rows.text_of(name), "query": rows.text_of(query)}
    yield from _files(list(entities(Attachment, "attachment")))


def _history(connection: sqlite3.Connection, project: Project) -> Iterator[tuple[str, Json]]:
    for mission_id, kind, author_kind, author_name, session_id, at, changes, note in connection.execute(
        "SELECT mission_id, kind, author_kind, author_name, session_id, at, changes, note FROM event "
        "WHERE project_id = ? AND kind <> ? ORDER BY seq",
        (project.id, IMPORTED),
    ):
        yield (
            "events",
            {
                "missionId": mission_id,
                "kind": rows.text_of(kind),
                "authorKind": rows.text_of(author_kind),
                "authorName": rows.text_of(author_name),
                "sessionId": session_id,
                "at": rows.text_of(at),
                "changes": rows.changes_of(changes),
                "note": rows.text_of(note),
            },
        )


def _memory(connection: sqlite3.Connection, project: Project) -> Iterator[tuple[str, Json]]:
    """Every version that is kept, of each document the oldest first."""
    for row in connection.execute(
        f"SELECT {rows.MEMORY_COLUMNS} FROM memory WHERE project_id = ? ORDER BY name", (project.id,)
    ):
        newest = rows.memory_of(row)
        for version in memory_documents.versions(connection, project.id, newest.name) or [newest]:
            wire = to_wire(version)
            wire.pop("projectId")
            yield "memory", wire


def _files(attached: list[Attachment]) -> Iterator[tuple[str, Json]]:
    """The attached files, then the contents that are on this machine, each once."""
    for file in attached:
        yield "attachments", to_wire(file)
    for sha256, path in sorted({file.sha256: content_path(file) for file in attached}.items()):
        if path.exists():
            with path.open("rb") as content:
                while chunk := content.read(CHUNK):
                    yield "contents", {"sha256": sha256, "base64": base64.b64encode(chunk).decode()}
