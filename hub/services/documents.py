"""A mission as it is stored and sent: one JSON text, made once at each write and sent as it is at each read."""

from __future__ import annotations

from typing import Final

import orjson

from ...missions.entities import Json, JsonObject, Mission
from ...missions.wire import from_wire, to_wire

LOCAL: Final = frozenset({"worktreePath", "number", "deletedAt"})
"""Wire fields of a mission that belong to one machine, and are on no hub."""
LINKS: Final = ("blockedBy", "relatesTo")
"""The hub's own fields: ids of missions that block this one, and of those it relates to, sorted."""


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


def tombstone(mission_id: str, version: int) -> str:
    """What stays of a deleted mission."""
    return orjson.dumps({"id": mission_id, "deleted": True, "version": version}).decode()
