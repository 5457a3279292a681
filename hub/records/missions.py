"""A mission as it is stored and sent: one JSON text, made once at each write and sent as it is at each read."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import orjson
from sqlalchemy import Connection, Row, bindparam, insert, select, update

from ...missions.entities import Json, JsonObject, Mission
from ...missions.search.passages import of_mission
from ...missions.wire import from_wire, to_wire
from ..storage.statements import Statement
from ..storage.tables import missions
from . import passages

LOCAL: Final = frozenset({"worktreePath", "number", "deletedAt"})
"""Wire fields of a mission that belong to one machine, and are on no hub."""
LINKS: Final = ("blockedBy", "relatesTo")
"""The hub's own fields: ids of missions that block this one, and of those it relates to, sorted."""

# Made once: to build a statement costs more than to run it.
_ROW = Statement(select(missions).where(missions.c.id == bindparam("wanted")))
_SAVE = Statement(update(missions).where(missions.c.id == bindparam("wanted")))
_UNHELD: Final[dict[str, object]] = {"workstation_id": None, "lease_session": None, "lease_until": None}


def row(at: Connection, mission_id: str) -> Row[Any] | None:
    """The row of a mission, whoever asks and whether or not it is deleted."""
    found: Row[Any] | None = None if "\0" in mission_id else _ROW.first(at, wanted=mission_id)
    return found


def update_row(at: Connection, mission_id: str, **columns: object) -> None:
    """Write some columns of a mission's row."""
    _SAVE.run(at, wanted=mission_id, **columns)


def put(
    at: Connection,
    before: Mission | None,
    after: Mission,
    blocked_by: list[str],
    relates_to: list[str],
    *,
    created_by: str,
) -> str:
    """Write a mission (before None: a new one) with its links; its JSON.

    Of a deleted one only the id stays, for ever. Nobody holds a mission whose session ended.
    """
    found = of_mission(after)
    if before is None or of_mission(before) != found:
        passages.put(at, "mission", after.project_id, after.id, found)
    if after.deleted_at is not None:
        text = tombstone(after.id, after.version)
        update_row(at, after.id, deleted=True, seq=after.version, doc=text, title="", ready=False)
        return text
    text = orjson.dumps(mission_doc(after, blocked_by, relates_to)).decode()
    columns = _columns(after)
    if before is None:
        made = {"id": after.id, "project_id": after.project_id, "number": after.number, "deleted": False, "fence": 0}
        at.execute(
            insert(missions), {**made, "created_by": created_by or None, "seq": after.version, "doc": text, **columns}
        )
        return text
    shown = _columns(before)
    fresh = {name: value for name, value in columns.items() if shown[name] != value}
    if after.agent_session_status == "INACTIVE" != before.agent_session_status:
        fresh |= _UNHELD
    update_row(at, after.id, **fresh, seq=after.version, doc=text)
    return text


def mission_doc(mission: Mission, blocked_by: list[str], relates_to: list[str]) -> JsonObject:
    """The JSON of a mission."""
    doc = {name: value for name, value in to_wire(mission).items() if name not in LOCAL}
    doc["blockedBy"] = list[Json](blocked_by)
    doc["relatesTo"] = list[Json](relates_to)
    return doc


def mission_of(text: str, number: int) -> tuple[Mission, list[str], list[str]]:
    """The mission in a stored text, with the ids it is blocked by and relates to."""
    doc = orjson.loads(text)
    return from_wire(Mission, {**doc, "number": number}), doc["blockedBy"], doc["relatesTo"]


def joined(docs: list[str]) -> bytes:
    """Stored texts as a JSON array."""
    return ("[" + ",".join(docs) + "]").encode()


def chosen(docs: list[str], fields: str) -> list[str]:
    """Stored texts with only some of their fields; `id` and `version` always."""
    wanted = {"id", "version", *(name.strip() for name in fields.split(",") if name.strip())}
    return [
        orjson.dumps({name: value for name, value in orjson.loads(doc).items() if name in wanted}).decode()
        for doc in docs
    ]


def buried(row: Row[Any], at: datetime) -> Mission:
    """What is known of a deleted mission: its id, its number, its version; `at` stands for every time."""
    return Mission(
        id=row.id,
        project_id=row.project_id,
        number=row.number,
        title="",
        created_at=at,
        updated_at=at,
        agent_session_status_changed_at=at,
        deleted_at=at,
        version=row.seq,
    )


def tombstone(mission_id: str, version: int) -> str:
    """What stays of a deleted mission."""
    return orjson.dumps({"id": mission_id, "deleted": True, "version": version}).decode()


def _columns(mission: Mission) -> dict[str, object]:
    return {
        "list": mission.list,
        "list_order": mission.list_order,
        "priority": mission.priority,
        "ready": mission.ready,
        "session_status": mission.agent_session_status,
        "stage": mission.stage,
        "title": mission.title,
        "flow_id": mission.flow_id,
        "repository_id": mission.project_repository_id,
    }
