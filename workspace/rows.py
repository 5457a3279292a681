"""Entities as rows: the whole entity as JSON in `doc`, and beside it the columns that queries need."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from typing import Final, TypeVar

from ..missions.entities import (
    Actor,
    Author,
    AuthorKind,
    CodeAgent,
    Flow,
    JsonObject,
    MemoryDocument,
    Mission,
    MissionEvent,
    Project,
    ProjectRepository,
    Session,
    Worktree,
)
from ..missions.errors import InvalidValue, SoloUnicornError, printable
from ..missions.wire import YEARS, from_wire, to_wire
from ..system import strict_json

E = TypeVar("E")
UNKNOWN: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""In the place of a time that cannot be read."""


class RecordUnreadable(SoloUnicornError):
    """A record of the workspace is damaged; all others can be read."""

    code = "damaged"

    @classmethod
    def of(cls, kind: str, why: str) -> RecordUnreadable:
        """The error for a mission, session or another record."""
        return cls(
            f"The record of a {kind} cannot be read",
            why=why,
            todo="`solo-unicorn doctor --repair` shows the possible repairs, and asks before making them",
        )


def stamp(at: datetime | None) -> str | None:
    """A time as the store keeps it: UTC, fixed width, so that text order is time order."""
    return None if at is None else at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def moment(text: str | None) -> datetime | None:
    """The time a stamp stands for."""
    return None if text is None else known_moment(text)


def known_moment(text: object) -> datetime:
    """The time a stamp stands for; UNKNOWN for what is not one."""
    return sane_moment(text) or UNKNOWN


def sane_moment(text: object) -> datetime | None:
    """The time a stamp stands for; None for what is not one."""
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found if found.tzinfo is not None and YEARS[0] <= found.year <= YEARS[1] else None


def dump(value: object) -> str:
    """Compact JSON; characters outside ASCII as they are, bytes of a path that are not UTF-8 as escapes."""
    return strict_json.dumps(value)


def doc_of(entity: object) -> str:
    """An entity as a `doc` column keeps it; InvalidValue when it could not be read again."""
    wire = to_wire(entity)
    from_wire(type(entity), wire)
    return dump(wire)


def load(cls: type[E], doc: str) -> E:
    """The entity in a `doc` column; RecordUnreadable."""
    try:
        return from_wire(cls, strict_json.loads(doc))
    except (InvalidValue, strict_json.Unfit) as error:
        raise RecordUnreadable.of(cls.__name__.lower(), str(error)) from error


MISSION_COLUMNS = (
    "id",
    "project_id",
    "number",
    "version",
    "list",
    "list_order",
    "priority",
    "ready",
    "stage",
    "stage_position",
    "stage_count",
    "requires_review",
    "is_loop",
    "repository_id",
    "session_status",
    "session_status_at",
    "session_id",
    "agent",
    "tasks_done",
    "tasks_total",
    "blockers",
    "review_status",
    "review_requested_at",
    "attention",
    "question",
    "retry_at",
    "attempts",
    "landing_status",
    "pr_number",
    "created_at",
    "updated_at",
    "deleted",
    "title",
    "description",
    "actor_id",
    "doc",
)
_UPSERT_MISSION = (
    f"INSERT INTO mission ({', '.join(MISSION_COLUMNS)}) VALUES ({', '.join('?' * len(MISSION_COLUMNS))}) "
    "ON CONFLICT (id) DO UPDATE SET "
    + ", ".join(f"{column} = excluded.{column}" for column in MISSION_COLUMNS if column != "id")
)


def put_mission(connection: sqlite3.Connection, mission: Mission, stage_count: int) -> None:
    """Write one mission; `stage_count` is the number of enabled stages of its flow."""
    connection.execute(_UPSERT_MISSION, mission_row(mission, stage_count))
    from . import passages  # who only reads does without the words of the search

    passages.put_mission(connection, mission)


def mission_row(mission: Mission, stage_count: int) -> tuple[object, ...]:
    """A mission as the values of MISSION_COLUMNS."""
    m = mission
    return (
        m.id,
        m.project_id,
        m.number,
        m.version,
        m.list,
        m.list_order,
        m.priority,
        m.ready,
        m.stage,
        m.current_flow_task,
        stage_count,
        m.requires_review,
        m.is_loop,
        m.project_repository_id,
        m.agent_session_status,
        stamp(m.agent_session_status_changed_at),
        m.session_id,
        m.code_agent_name or m.code_agent_type or "",
        m.tasks_current,
        len(m.tasks),
        m.dependency_count,
        m.review_status,
        stamp(m.review_requested_at),
        m.attention,
        m.question,
        stamp(m.retry_at),
        m.attempts,
        m.landing_status,
        m.github_pr_number,
        stamp(m.created_at),
        stamp(m.updated_at),
        m.deleted_at is not None,
        m.title,
        m.description or "",
        m.actor_id,
        doc_of(m),
    )


def put_project(connection: sqlite3.Connection, project: Project) -> None:
    connection.execute(
        "INSERT INTO project (id, slug, name, status, doc) VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET "
        "slug = excluded.slug, name = excluded.name, status = excluded.status, doc = excluded.doc",
        (project.id, project.slug, project.name, project.status, doc_of(project)),
    )


def put_part(connection: sqlite3.Connection, table: str, part: ProjectRepository | Flow | Actor) -> None:
    """Write one repository, flow or actor of a project."""
    connection.execute(
        f"INSERT INTO {table} (id, project_id, name, doc) VALUES (?, ?, ?, ?) "
        "ON CONFLICT (id) DO UPDATE SET name = excluded.name, doc = excluded.doc",
        (part.id, part.project_id, part.name, doc_of(part)),
    )


def put_session(connection: sqlite3.Connection, session: Session) -> None:
    """Write one session; its token stays as it is."""
    s = session
    connection.execute(
        "INSERT INTO session (id, mission_id, project_id, phase, agent_name, started_at, activity, doc) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET "
        "phase = excluded.phase, activity = excluded.activity, doc = excluded.doc",
        (s.id, s.mission_id, s.project_id, s.phase, s.agent_name, stamp(s.started_at), s.activity, doc_of(s)),
    )


def put_agent(connection: sqlite3.Connection, agent: CodeAgent) -> None:
    """Write one code agent of this workstation."""
    connection.execute(
        "INSERT INTO code_agent (name, doc) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET doc = excluded.doc",
        (agent.name, doc_of(agent)),
    )


def put_worktree(connection: sqlite3.Connection, worktree: Worktree) -> None:
    """Write one slot of the worktree pool."""
    w = worktree
    connection.execute(
        "INSERT INTO worktree (id, repository_id, path, mission_id, doc) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT (id) DO UPDATE SET path = excluded.path, mission_id = excluded.mission_id, doc = excluded.doc",
        (w.id, w.repository_id, w.path, w.mission_id, doc_of(w)),
    )


def put_event(connection: sqlite3.Connection, event: MissionEvent) -> int:
    """Append one event (its own `seq` is ignored) and return the number it got."""
    cursor = connection.execute(
        "INSERT INTO event (project_id, mission_id, kind, author_kind, author_name, session_id, at, changes, note, "
        "correlation_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            event.project_id,
            event.mission_id,
            event.kind,
            event.author.kind,
            event.author.name,
            event.author.session_id,
            stamp(event.at),
            dump({k: list(v) for k, v in event.changes.items()}),
            printable(event.note),
            event.correlation_id,
        ),
    )
    return int(cursor.lastrowid or 0)


EVENT_COLUMNS = (
    "seq, project_id, mission_id, kind, author_kind, author_name, session_id, at, changes, note, correlation_id"
)


def event_of(row: tuple[object, ...]) -> MissionEvent:
    """The event in a row of EVENT_COLUMNS."""
    seq, project_id, mission_id, kind, author_kind, author_name, session_id, at, changes, note, correlation_id = row
    return MissionEvent(
        seq=int(str(seq)),
        project_id=str(project_id),
        mission_id=None if mission_id is None else str(mission_id),
        kind=str(kind),
        author=author_of(author_kind, author_name, session_id),
        at=known_moment(at),
        changes={name: (pair[0], pair[1]) for name, pair in changes_of(changes).items() if isinstance(pair, list)},
        note=str(note),
        correlation_id=str(correlation_id),
    )


def changes_of(text: object) -> JsonObject:
    """What an event changed, as its column has it; nothing where that is damaged."""
    try:
        said = strict_json.loads(text_of(text))
    except strict_json.Unfit:
        return {}
    return said if isinstance(said, dict) else {}


def text_of(value: object) -> str:
    """The text in a column, also where a flipped bit has made bytes of it."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def author_of(kind: object, name: object, session_id: object) -> Author:
    """The author in three columns of a row."""
    kinds: dict[str, AuthorKind] = {"user": "user", "agent": "agent", "system": "system"}
    return Author(kinds.get(str(kind), "system"), str(name), None if session_id is None else str(session_id))


MEMORY_COLUMNS = "project_id, name, text, version, updated_at, author_kind, author_name, session_id"


def memory_of(row: tuple[object, ...]) -> MemoryDocument:
    """The memory document in a row of MEMORY_COLUMNS."""
    project_id, name, text, version, at, kind, author, session_id = row
    return MemoryDocument(
        project_id=str(project_id),
        name=str(name),
        text=str(text),
        version=int(str(version)),
        updated_at=known_moment(at),
        updated_by=author_of(kind, author, session_id),
    )
