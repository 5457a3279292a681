"""A person decides: conflicts listed and settled. Keeping one's own side is a new edit made on what the hub has now."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from hashlib import blake2b
from typing import cast

from ...missions.entities import Json, JsonObject, Mission
from ...missions.errors import Conflict, InvalidValue, NotFound
from ...missions.field_kinds import LOCAL, PROGRESS, shared_fields
from ...missions.fields import CHECKS, checked
from ...missions.wire import from_wire, to_wire, wire_name
from ...system import strict_json
from ...workspace import lookup
from ...workspace.change import Change
from ...workspace.sync_state import base, outbox, outgoing
from . import conflicts
from .conflicts import SyncConflict
from .project_parts import name_of, show

UNSHOWN = frozenset({"listOrder", "updatedAt", "version"})
"""Fields that say nothing to a person who decides."""
BY_WIRE_NAME = {wire_name(name): name for name in CHECKS}


def list_open(connection: sqlite3.Connection, project: str | None = None) -> list[SyncConflict]:
    """Open conflicts, oldest first, of one project or of all; `theirs` is what the hub says now."""
    only = lookup.project(connection, project).id if project else None
    found = connection.execute(
        f"SELECT {conflicts.COLUMNS}, m.number, m.title FROM conflict c "
        "LEFT JOIN mission m ON m.id = c.mission_id WHERE c.state = 'open' "
        "AND (?1 IS NULL OR c.project_id = ?1) ORDER BY c.at, c.id",
        (only,),
    ).fetchall()
    return [_named(connection, _as_of_now(connection, conflicts.conflict_of(row))) for row in found]


def get(connection: sqlite3.Connection, ref: str) -> SyncConflict:
    """An open conflict by its id, or a unique beginning or end of it; NotFound."""
    return _named(connection, _as_of_now(connection, conflicts.find(connection, ref)))


def recorded(connection: sqlite3.Connection, ref: str) -> SyncConflict:
    """As `get`, with what the hub said when the conflict was noticed."""
    return _named(connection, conflicts.find(connection, ref))


def mark(conflict: SyncConflict) -> str:
    """A short name of what the hub is shown to say, by which a decision tells what it was made on."""
    theirs = conflict.theirs
    if isinstance(theirs, dict):
        theirs = {name: value for name, value in theirs.items() if value is not None and name not in UNSHOWN}
    words = strict_json.dumps(theirs, sort_keys=True).encode()
    return blake2b(words, digest_size=4).hexdigest()


def keep_mine(change: Change, ref: str, *, text: str | None = None, seen: str | None = None) -> Mission | None:
    """Settle a conflict with this side's value, or with a merged `text`, as an edit on what the hub has now.

    `seen`: the `mark` of what was looked at; Conflict when the hub says something else now. Returns the mission it
    made or changed; None when it was deleted (again).
    """
    conflict = conflicts.find(change.connection, ref)
    now = _as_of_now(change.connection, conflict)
    comparable = conflict.kind == "field" or not conflict.part
    if seen is not None and comparable and mark(now) != seen:
        raise Conflict(
            "The hub's version has changed since you saw it",
            why="keeping yours would overwrite a change that you have not seen",
            todo=f"`solo-unicorn conflicts show {conflict.id[-8:]}`, then decide",
        )
    made = None
    if conflict.part:
        _keep_part(change, conflict, text)
    else:
        made = _made_of(change, conflict, text)
    conflicts.settle(change, conflict.id, "merged" if text is not None else "kept_mine")
    about = None if conflict.part else conflict.mission_id
    change.event(conflict.project_id, "conflict_settled", mission_id=about, note="kept mine")
    return made


def keep_theirs(change: Change, ref: str) -> SyncConflict:
    """Settle a conflict with the hub's value, which is shown already; this side's stays in the history."""
    conflict = conflicts.find(change.connection, ref)
    conflicts.settle(change, conflict.id, "kept_theirs")
    about = None if conflict.part else conflict.mission_id
    change.event(conflict.project_id, "conflict_settled", mission_id=about, note="kept theirs")
    return conflict


def _as_of_now(connection: sqlite3.Connection, conflict: SyncConflict) -> SyncConflict:
    """With what the hub says now: it may have changed again since."""
    if conflict.part:
        known = base.find(connection, conflict.part, conflict.mission_id)
        if conflict.kind == "field":
            return replace(conflict, theirs=None if known is None else known[1].get(conflict.field))
        return replace(conflict, theirs=None if known is None else shared_fields(conflict.part, known[1]))
    now = base.document(connection, "mission", conflict.mission_id)
    match conflict.kind:
        case "field" if now is not None:
            return replace(conflict, theirs=now.get(conflict.field))
        case "progress" | "outcome_unknown" if now is not None and isinstance(conflict.mine, dict):
            return replace(conflict, theirs={name: now.get(name) for name in conflict.mine})
        case "deleted_locally":
            return replace(conflict, theirs=now)
    return conflict


def _named(connection: sqlite3.Connection, conflict: SyncConflict) -> SyncConflict:
    if not conflict.part:
        return conflict
    return replace(conflict, title=name_of(connection, conflict.part, conflict.mission_id) or conflict.title)


def _keep_part(change: Change, conflict: SyncConflict, text: str | None) -> None:
    """This side's value of a part as an edit on what the hub has now."""
    if text is not None and conflict.kind != "field":
        raise Conflict("There is no text to merge here", todo="keep mine or theirs")
    part_id, part = conflict.mission_id, conflict.part
    known = base.find(change.connection, part, part_id)
    if conflict.kind == "field" and known is None and part != "memory":
        raise Conflict(f"The {part} no longer exists", why="it has been deleted", todo="keep theirs")
    now: JsonObject = {} if known is None else known[1]
    if conflict.kind == "field":
        value = conflict.mine if text is None else text
        seen = {conflict.field: now.get(conflict.field)}
        outgoing.queue_fields(change, part, conflict.project_id, part_id, {conflict.field: value}, seen)
    elif (adding := outbox.adding(change, conflict.project_id, part_id)) is None:
        raise Conflict("The project is no longer connected to a hub", todo="keep theirs to close this")
    elif conflict.kind == "deleted_locally" and known is not None:
        adding.row("part_delete", {"table": part}, shared_fields(part, now))
    elif conflict.kind in ("deleted_remotely", "lost_remotely") and known is None:
        document = {**shared_fields(part, cast("JsonObject", conflict.mine)), "id": part_id}
        adding.row("part", {"table": part, "document": document}, {})
    show(change, conflict.project_id, part, part_id)


def _made_of(change: Change, conflict: SyncConflict, text: str | None) -> Mission | None:
    if text is not None and conflict.kind != "field":
        raise Conflict("There is no text to merge here", todo="keep mine or theirs")
    match conflict.kind:
        case "field":
            return _field(change, conflict, conflict.mine if text is None else text)
        case "progress" | "outcome_unknown":
            return _several(change, conflict, cast("JsonObject", conflict.mine))
        case "deleted_locally":
            mission = change.mission(conflict.mission_id)
            change.save(mission, replace(mission, deleted_at=change.now), "deleted")
            return None
        case "lost_remotely":
            mission = lookup.mission(change.connection, conflict.mission_id, deleted=True)
            return change.save(mission, replace(mission, deleted_at=None), "restored")
        case "deleted_remotely" | "id_taken":
            return _again(change, conflict)


def _field(change: Change, conflict: SyncConflict, value: Json) -> Mission:
    name = BY_WIRE_NAME.get(conflict.field)
    if name is not None and isinstance(value, str):
        value = cast("Json", checked(name, value))
    return _several(change, conflict, {conflict.field: value})


def _several(change: Change, conflict: SyncConflict, values: JsonObject) -> Mission:
    try:
        mission = change.mission(conflict.mission_id)
    except NotFound:
        raise Conflict(
            "The mission no longer exists", why="it has been deleted", todo="keep theirs to close this"
        ) from None
    if conflict.kind == "progress" and mission.agent_session_status != "INACTIVE":
        raise Conflict("An agent is working on the mission", todo="decide when it is done, or keep theirs")
    document = to_wire(mission)
    document.update({name: value for name, value in values.items() if name not in LOCAL})
    try:
        after = from_wire(Mission, {name: value for name, value in document.items() if value is not None})
    except InvalidValue as error:
        raise Conflict(
            "This value is no longer valid", why=error.what, todo="keep theirs, then edit the mission"
        ) from error
    saved = change.save(mission, after, "edited", placed="list" in values and bool(values.keys() & PROGRESS))
    now = base.document(change.connection, "mission", mission.id) or {}
    outbox.made_on(change.connection, mission.id, {name: now.get(name) for name in values})
    return saved


def _again(change: Change, conflict: SyncConflict) -> Mission:
    """A new mission with the words of the one that is gone."""
    document = {name: value for name, value in cast("JsonObject", conflict.mine).items() if value is not None}
    document |= {"projectId": conflict.project_id, "agentSessionStatus": "INACTIVE"}
    document.setdefault("updatedAt", document["createdAt"])
    mission = from_wire(Mission, document)
    fresh = replace(
        mission,
        id=change.new_id(),
        number=change.next_number(),
        version=0,
        worktree_path=None,
        session_id=None,
        deleted_at=None,
        list_order=change.order(mission.project_id, mission.list),
    )
    return change.save(None, fresh, "created", note="created again after a conflict")
