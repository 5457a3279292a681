"""What belongs to a project beside its missions: settings, flows, actors, repositories and memory.

As with missions, what is shown is fold(base, outbox): what the hub said last, and what was done here since. Names that
two machines gave at the same time are kept apart: the hub's keeps it, the one made here gets a number behind it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final, Literal

from ...missions.entities import Actor, Flow, Json, JsonObject, MemoryDocument, Project, ProjectRepository
from ...missions.errors import InvalidValue
from ...missions.field_kinds import HERE, OF_THIS_MACHINE, shared_fields
from ...missions.wire import from_wire, to_wire
from ...system import strict_json
from ...workspace import memory_documents, rows
from ...workspace.change import Change
from ...workspace.sync_state import base, outbox, outgoing
from . import conflicts
from .restored import FORMER, part_lost, part_taken_back

Part = Literal["project", "flow", "actor", "repository", "memory"]
Entity = Project | Flow | Actor | ProjectRepository
CLASSES: Final[dict[str, type[Flow] | type[Actor] | type[ProjectRepository]]] = {
    "flow": Flow,
    "actor": Actor,
    "repository": ProjectRepository,
}
LISTED: Final = {"flows": "flow", "actors": "actor", "repositories": "repository"}


def put_base(
    connection: sqlite3.Connection, project_id: str, part: str, part_id: str, version: int, document: JsonObject
) -> None:
    """Keep what the hub says of a part, every field spelled as here, the hub's own fields kept."""
    document = {**document, **_spelled(project_id, part, part_id, document)}
    base.put(connection, part, part_id, project_id, version, document)


def forget(connection: sqlite3.Connection, part: str, part_id: str) -> None:
    """The hub has it no more; its words are kept while edits wait that were made on them."""
    base.mark_deleted(connection, part, part_id)
    connection.execute(
        "DELETE FROM base WHERE kind = ?1 AND id = ?2 AND NOT EXISTS (SELECT 1 FROM outbox WHERE entity_id = ?2)",
        (part, part_id),
    )


def _spelled(project_id: str, part: str, part_id: str, document: JsonObject) -> JsonObject:
    if part == "memory":
        return {}
    moment = "1970-01-01T00:00:00Z"
    own: JsonObject = {"id": part_id} if part == "project" else {"id": part_id, "projectId": project_id}
    start: JsonObject = {"createdAt": moment, "updatedAt": moment, "slug": part_id.lower()}
    try:
        cls: type[Entity] = CLASSES.get(part, Project)
        return shared_fields(part, to_wire(from_wire(cls, _said({**start, **document, **own}))))
    except InvalidValue:
        return {}  # of a newer hub


def _take(change: Change, project_id: str, part: str, part_id: str, version: int, document: JsonObject) -> None:
    """Keep what the hub says of a part; what it said before it was restored is a person's to decide on."""
    connection = change.connection
    before = base.find(connection, part, part_id)
    put_base(connection, project_id, part, part_id, version, document)
    after = base.find(connection, part, part_id)
    if before is None:
        conflicts.reappeared(change, part_id)
    elif before[0] == FORMER and after is not None:
        part_taken_back(
            change, project_id, part, part_id, shared_fields(part, before[1]), shared_fields(part, after[1])
        )


def take_one(change: Change, project_id: str, part: str, part_id: str, version: int, document: JsonObject) -> None:
    """Take in the answer to a write, or what came with a refusal, unless something newer is known."""
    known = base.find(change.connection, part, part_id)
    if known is None or version >= known[0]:
        _take(change, project_id, part, part_id, version, document)
    show(change, project_id, part, part_id)


def take_list(
    change: Change, project_id: str, part: str, items: Iterable[tuple[str, int, JsonObject]], version: int | None
) -> None:
    """Take in all parts of a kind, as (id, version, document); those that are not named are gone at the hub.

    `version` is the project's before the list was read. What is known from later is left: an answer to something that
    was sent meanwhile may be newer than this list.
    """
    connection = change.connection
    known = {
        str(part_id): int(seen)
        for part_id, seen in connection.execute(
            "SELECT id, version FROM base WHERE project_id = ? AND kind = ?", (project_id, part)
        ).fetchall()
    }
    met = set()
    for part_id, number, document in items:
        met.add(part_id)
        newer = version is None or version >= known.get(part_id, 0) or number > known[part_id]
        if newer:
            _take(change, project_id, part, part_id, number, document)
    for part_id in known.keys() - met:
        if known[part_id] == FORMER and (words := base.find(connection, part, part_id)) is not None:
            part_lost(change, project_id, part, part_id, shared_fields(part, words[1]))
        if version is None or version >= known[part_id]:
            forget(connection, part, part_id)
    here: set[str] = set()
    if part in CLASSES:
        here = {str(one) for (one,) in connection.execute(f"SELECT id FROM {part} WHERE project_id = ?", (project_id,))}
        connection.execute(f"UPDATE {part} SET name = id WHERE project_id = ?", (project_id,))  # names may be swapped
    for part_id in sorted(known.keys() | met | here):
        show(change, project_id, part, part_id)


def show(change: Change, project_id: str, part: str, part_id: str) -> None:
    """Bring the view of one part up to date."""
    connection = change.connection
    known = base.find(connection, part, part_id)
    pending = outbox.entries(connection, part_id)
    document = outbox.fold(None if known is None else known[1], pending)
    if part == "memory":
        _show_memory(change, project_id, part_id, document)
    elif part == "project":
        _show_project(change, project_id, document)
    elif document is None:
        connection.execute(f"DELETE FROM {part} WHERE id = ?", (part_id,))
    else:
        _show_part(change, project_id, part, part_id, document, known)


def _show_part(
    change: Change, project_id: str, part: str, part_id: str, document: JsonObject, known: tuple[int, JsonObject] | None
) -> None:
    connection = change.connection
    row = connection.execute(f"SELECT doc FROM {part} WHERE id = ?", (part_id,)).fetchone()
    own: JsonObject = strict_json.loads(row[0]) if row else {}
    hidden = HERE.get(part, frozenset()) | {"createdAt", "updatedAt"}
    now = rows.stamp(change.now)
    whole = {"createdAt": now, "updatedAt": now, **document, **{k: v for k, v in own.items() if k in hidden}}
    try:
        entity = from_wire(CLASSES[part], _said({**whole, "id": part_id, "projectId": project_id}))
    except InvalidValue:
        return  # of a newer hub: as it was until this program understands it
    taken = connection.execute(
        f"SELECT id FROM {part} WHERE project_id = ? AND name = ? AND id <> ?", (project_id, entity.name, part_id)
    ).fetchone()
    if taken is not None:
        if known is not None and base.find(connection, part, str(taken[0])) is None:
            _renamed(change, project_id, part, str(taken[0]))
        else:
            free = _free_name(connection, part, project_id, entity.name)
            if known is None:  # made here, and the hub has another of this name
                outgoing.queue_fields(change, part, project_id, part_id, {"name": free}, {"name": entity.name})
            entity = replace(entity, name=free)
    rows.put_part(connection, part, entity)


def _renamed(change: Change, project_id: str, part: str, part_id: str) -> None:
    """The hub has another part of this name: the one that was made here, and is not there yet, gets another name."""
    doc = strict_json.loads(change.connection.execute(f"SELECT doc FROM {part} WHERE id = ?", (part_id,)).fetchone()[0])
    fields: JsonObject = {"name": _free_name(change.connection, part, project_id, doc["name"])}
    outgoing.queue_fields(change, part, project_id, part_id, fields, {"name": doc["name"]})
    entity = replace(from_wire(CLASSES[part], doc), name=str(fields["name"]))
    rows.put_part(change.connection, part, entity)


def _free_name(connection: sqlite3.Connection, part: str, project_id: str, name: str) -> str:
    taken = {str(one) for (one,) in connection.execute(f"SELECT name FROM {part} WHERE project_id = ?", (project_id,))}
    return next(wished for n in range(2, len(taken) + 3) if (wished := f"{name} ({n})") not in taken)


def _show_project(change: Change, project_id: str, document: JsonObject | None) -> None:
    if document is None:
        return
    doc = strict_json.loads(
        change.connection.execute("SELECT doc FROM project WHERE id = ?", (project_id,)).fetchone()[0]
    )  # a connected project is here
    own = {name: value for name, value in doc.items() if name in OF_THIS_MACHINE | {"createdAt", "updatedAt"}}
    try:
        project = from_wire(Project, _said({**document, **own, "id": project_id}))
    except InvalidValue:
        return
    rows.put_project(change.connection, project)


def _show_memory(change: Change, project_id: str, part_id: str, document: JsonObject | None) -> None:
    """The memory of a project is only ever added to: no document goes because a hub does not have it."""
    if document is not None and isinstance(document.get("text"), str):
        _written(change, project_id, part_id.split("/", 1)[1], str(document["text"]))


def _written(change: Change, project_id: str, name: str, text: str) -> None:
    """Write what the hub says of a document; nothing is queued, and nothing happens when it says the same."""
    before = memory_documents.find(change.connection, project_id, name)
    if before is None or before.text != text:
        version = before.version + 1 if before else 1
        memory_documents.put(change.connection, MemoryDocument(project_id, name, text, version, change.now, change.by))
        change.event(project_id, "memory_changed", note=name)


def name_of(connection: sqlite3.Connection, part: str, part_id: str) -> str:
    """What a person calls a part."""
    if part == "memory":
        return part_id.split("/", 1)[-1]
    row = connection.execute(f"SELECT name FROM {part} WHERE id = ?", (part_id,)).fetchone()
    if row is None and (known := base.find(connection, part, part_id)) is not None:
        return str(known[1].get("name", ""))
    return "" if row is None else str(row[0])


def inconsistent(connection: sqlite3.Connection, project_id: str) -> list[str]:
    """Ids of parts that are not shown as base and outbox say; empty when all is well."""
    wrong = []
    found = connection.execute(
        "SELECT id, kind FROM base WHERE project_id = ?1 AND deleted = 0 AND kind NOT IN ('mission', 'note', 'file') "
        "UNION SELECT entity_id, json_extract(patch, '$.table') FROM outbox WHERE project_id = ?1 "
        "AND kind IN ('part', 'part_patch', 'part_delete')",
        (project_id,),
    ).fetchall()
    for part_id, part in found:
        known = base.find(connection, part, part_id)
        wanted = outbox.fold(None if known is None else known[1], outbox.entries(connection, part_id))
        if part == "memory":
            shown = connection.execute(
                "SELECT json_object('text', text) FROM memory WHERE project_id = ? AND name = ?",
                (project_id, part_id.split("/", 1)[1]),
            ).fetchone()
            wanted = None if wanted is None else {"text": wanted.get("text")}
        else:
            shown = connection.execute(f"SELECT doc FROM {part} WHERE id = ?", (part_id,)).fetchone()
        is_shown = None if shown is None else shared_fields(part, strict_json.loads(shown[0]))
        absent = part != "memory" and (wanted is None) != (is_shown is None)
        if absent or (wanted is not None and is_shown is not None and _differs(shared_fields(part, wanted), is_shown)):
            wrong.append(str(part_id))
    return wrong


def _differs(wanted: JsonObject, shown: JsonObject) -> bool:
    """By what the hub names; a name that is taken twice is shown with a number."""
    return any(
        (wanted.get(name) or None) != (value or None) and name != "name"
        for name, value in shown.items()
        if name in wanted
    )


def _said(document: Mapping[str, Json]) -> JsonObject:
    return {name: value for name, value in document.items() if value is not None}
