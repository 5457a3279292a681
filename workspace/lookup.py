"""Finding one thing by what a person or a record calls it."""

from __future__ import annotations

import sqlite3
from typing import TypeVar

from ..missions.entities import Actor, CodeAgent, Flow, Mission, Project, ProjectRepository, Session
from ..missions.errors import NotFound
from ..missions.ids import parse_shared_id, parse_short_id
from ..missions.naming import choices, nearest
from .rows import load

Part = TypeVar("Part", Flow, Actor, ProjectRepository)
TABLES: dict[type, str] = {Flow: "flow", Actor: "actor", ProjectRepository: "repository"}
SHORTEST_PREFIX = 6


def mission(connection: sqlite3.Connection, ref: str, *, deleted: bool = False) -> Mission:
    """A mission by id, by short id (`M-42`, `42`), shared id (`S-4K1XQ2`) or a beginning of its id that only it has."""
    ref = ref.strip()
    number, ending = parse_short_id(ref), parse_shared_id(ref)
    if number is not None:
        row = connection.execute("SELECT doc, deleted FROM mission WHERE number = ?", (number,)).fetchone()
    elif ending is not None:
        found = connection.execute(
            "SELECT doc, deleted FROM mission WHERE id LIKE '%' || ? LIMIT 2", (ending,)
        ).fetchall()
        row = found[0] if len(found) == 1 else None
    else:
        row = connection.execute("SELECT doc, deleted FROM mission WHERE id = ?", (ref.upper(),)).fetchone()
        if row is None and len(ref) >= SHORTEST_PREFIX and ref.isalnum():
            found = connection.execute(
                "SELECT doc, deleted FROM mission WHERE id >= ?1 AND id < ?1 || '~' LIMIT 2", (ref.upper(),)
            ).fetchall()
            row = found[0] if len(found) == 1 else None
    if row is None or (row[1] and not deleted):
        raise NotFound(f"No mission {ref!r}", todo="`solo-unicorn mission list` lists them")
    return load(Mission, row[0])


def project(connection: sqlite3.Connection, ref: str) -> Project:
    """A project by id, slug or name (letter case does not matter); NotFound."""
    row = connection.execute(
        "SELECT doc FROM project WHERE id = ?1 OR slug = ?1 OR name = ?1 COLLATE NOCASE "
        "ORDER BY id = ?1 DESC, slug = ?1 DESC",
        (ref.strip(),),
    ).fetchone()
    if row is None:
        rows_found = connection.execute("SELECT name, slug FROM project ORDER BY name COLLATE NOCASE").fetchall()
        near = nearest(ref, [str(name) for pair in rows_found for name in reversed(pair)])
        todo = choices(slug for _, slug in rows_found) or "`solo-unicorn project create NAME` makes one"
        raise NotFound(f"No project {ref!r}", why=near, todo=todo)
    return load(Project, row[0])


def part(connection: sqlite3.Connection, cls: type[Part], ref: str, project_id: str | None = None) -> Part:
    """A repository, flow or actor by id, or by name within a project; NotFound."""
    table = TABLES[cls]
    row = connection.execute(f"SELECT doc FROM {table} WHERE id = ?", (ref,)).fetchone()
    found: list[tuple[str]] = []
    if row is None:
        found = connection.execute(
            f"SELECT doc FROM {table} WHERE name = ?1 COLLATE NOCASE AND (?2 IS NULL OR project_id = ?2) LIMIT 2",
            (ref, project_id),
        ).fetchall()
        row = found[0] if len(found) == 1 else None
    if row is None:
        names = connection.execute(
            f"SELECT DISTINCT name FROM {table} WHERE ?1 IS NULL OR project_id = ?1 ORDER BY name", (project_id,)
        )
        known = [str(name) for (name,) in names]
        if len(found) > 1:
            raise NotFound(
                f"Several projects have a {table} {ref!r}", todo="name the project too (--project), or give the id"
            )
        raise NotFound(
            f"No {table} {ref!r}", why=nearest(ref, known), todo=choices(known) or f"the project has no {table} yet"
        )
    return load(cls, row[0])


def parts(connection: sqlite3.Connection, cls: type[Part], project_id: str | None) -> list[Part]:
    """The repositories, flows or actors of a project (None: of all), oldest first."""
    docs = connection.execute(
        f"SELECT doc FROM {TABLES[cls]} WHERE ?1 IS NULL OR project_id = ?1 ORDER BY rowid", (project_id,)
    ).fetchall()
    return [load(cls, doc) for (doc,) in docs]


def flow_of(connection: sqlite3.Connection, mission: Mission) -> Flow:
    """The flow a mission follows: its own, else the default of its project."""
    row = connection.execute(
        "SELECT doc FROM flow WHERE project_id = ?1 AND (id = ?2 OR json_extract(doc, '$.isDefault')) "
        "ORDER BY id = ?2 DESC",
        (mission.project_id, mission.flow_id or ""),
    ).fetchone()
    if row is None:
        raise NotFound(
            f"The project of {mission.title!r} has no flow", todo="add one: `solo-unicorn doctor` can repair it"
        )
    return load(Flow, row[0])


def session(connection: sqlite3.Connection, session_id: str) -> Session:
    """A session by its id; NotFound."""
    row = connection.execute("SELECT doc FROM session WHERE id = ?", (session_id,)).fetchone()
    if row is None:
        raise NotFound(f"No session {session_id!r}")
    return load(Session, row[0])


def agents(connection: sqlite3.Connection) -> list[CodeAgent]:
    """The code agents of this workstation, by name."""
    return [load(CodeAgent, doc) for (doc,) in connection.execute("SELECT doc FROM code_agent ORDER BY name")]


def unresolved_blockers(connection: sqlite3.Connection, mission_id: str) -> list[tuple[str, str | None, str | None]]:
    """(id, title, list) of each blocker that is not done; title and list None when it is missing or deleted."""
    return [
        (str(other), title, in_list)
        for other, title, in_list in connection.execute(
            "SELECT d.mission_id, m.title, m.list FROM dependency d "
            "LEFT JOIN mission m ON m.id = d.mission_id AND m.deleted = 0 "
            "WHERE d.other_id = ? AND d.relation = 'blocks' AND m.list IS NOT 'done' ORDER BY d.mission_id",
            (mission_id,),
        )
    ]


def meta(connection: sqlite3.Connection, key: str) -> str | None:
    """A setting of the workspace itself."""
    row = connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    return None if row is None else str(row[0])
