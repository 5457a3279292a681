"""Files of missions between this machine and a hub.

What is attached here is queued and sent in pieces, beside everything else: a mission never waits for its files. Each
try asks how far the upload stands and goes on from there, so a cut or a kill costs one piece. What somebody else
attached is known at once and fetched when it is wanted (`sync.client.downloads`).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Final, cast

from ...missions.entities import Attachment, Json, JsonObject
from ...missions.errors import InvalidValue
from ...missions.wire import from_wire, to_wire
from ...system import strict_json
from ...workspace import rows
from ...workspace.change import Change
from ...workspace.sync_state import base, outgoing
from ...workspace.sync_state.outbox import OutboxEntry
from . import restored
from .messages import API, Answer, Exchange, FilePiece, NoAnswer, Request, Response
from .trouble import Trouble, trouble

PIECE: Final = 2 << 20
"""Bytes sent at once; a slow line has a minute for them."""


def take_files(change: Change, project_id: str, mission_id: str, items: Sequence[JsonObject]) -> None:
    """Take in the files that the hub has of a mission; one that it had and has no more goes here too."""
    if change.connection.execute("SELECT 1 FROM mission WHERE id = ?", (mission_id,)).fetchone() is None:
        return
    met = set()
    for item in items:
        met.add(str(item.get("id")))
        _take(change, project_id, mission_id, item)
    restored.met(change.connection, met)
    for file_id, name in change.connection.execute(
        "SELECT a.id, a.name FROM attachment a JOIN base b ON b.kind = 'file' AND b.id = a.id WHERE a.mission_id = ?",
        (mission_id,),
    ).fetchall():
        if file_id not in met:
            change.connection.execute("DELETE FROM attachment WHERE id = ?", (file_id,))
            base.drop(change.connection, "file", file_id)
            change.event(project_id, "file_detached", mission_id=mission_id, note=name)


def file_states(connection: sqlite3.Connection, ref: str) -> dict[str, str]:
    """Files of a mission that are not simply here and at the hub: id -> `waiting` to be sent, or `parked`."""
    found = connection.execute(
        "SELECT o.entity_id, o.state FROM outbox o JOIN attachment a ON a.id = o.entity_id "
        "WHERE o.kind = 'file' AND a.mission_id = ?",
        (ref,),
    ).fetchall()
    return {str(file_id): "parked" if state == "parked" else "waiting" for file_id, state in found}


def talk(request: Request, entry: OutboxEntry, content: str) -> Exchange[Answer | Trouble]:
    """Send one file, whose bytes are at the path `content`, or its removal; returns the last answer.

    Trouble where a piece did not arrive, and for a success that is not the hub's own, which proves nothing.
    """
    answer = yield request
    if isinstance(answer, NoAnswer) or not answer.ok:
        return answer
    if request.method == "DELETE":
        return answer if answer.status == 204 else trouble(answer)
    told = cast("JsonObject", answer.object.get("attachment") or {})
    if told.get("state") == "refused":
        return answer
    if told.get("state") == "waiting":
        stopped = yield from _pieces(str(answer.object.get("uploadUrl")), cast("int", entry.patch["size"]), content)
        if stopped is not None:
            return stopped
    answer = yield Request("POST", f"{API}/attachments/{entry.entity_id}/complete", {}, {})
    if isinstance(answer, Response) and answer.ok and answer.object.get("state") != "complete":
        return trouble(answer)
    return answer


def _pieces(address: str, size: int, content: str) -> Exchange[Trouble | None]:
    """All bytes that the hub does not have yet."""
    answer = yield Request("HEAD", address, {}, {})
    before = -1
    while True:
        reached = None if isinstance(answer, NoAnswer) else answer.headers.get("upload-offset")
        if reached is None or not reached.isdecimal() or not (answer.status == 409 or 200 <= answer.status < 300):
            return trouble(answer)
        offset = int(reached)
        if offset >= size:
            return None
        if offset <= before:
            return Trouble("failing", f"the upload does not get beyond byte {before}", cast("Response", answer))
        before = offset
        piece = FilePiece(content, offset, min(PIECE, size - offset))
        answer = yield Request("PUT", address, {}, {"upload-offset": str(offset)}, piece=piece)


def _take(change: Change, project_id: str, mission_id: str, item: Mapping[str, Json]) -> None:
    connection = change.connection
    if connection.execute(
        "SELECT 1 FROM outbox WHERE entity_id = ? AND kind = 'file_delete'", (item.get("id"),)
    ).fetchone():
        return  # taken off here, and on its way
    if restored.removed_before(connection, str(item.get("id"))):
        return
    document: JsonObject = {name: value for name, value in item.items() if value is not None}
    try:
        file = from_wire(Attachment, {**document, "projectId": project_id, "missionId": mission_id})
    except InvalidValue:
        return  # of a newer hub
    if len(file.sha256) != 64 or not set(file.sha256) <= set("0123456789abcdef"):
        return  # it names a path here
    new = connection.execute("SELECT 1 FROM attachment WHERE id = ?", (file.id,)).fetchone() is None
    base.know(connection, "file", file.id, project_id)
    if new:
        name = _free_name(connection, mission_id, file.name)
        document = {**to_wire(file), "name": name}
        connection.execute(
            "INSERT INTO attachment (id, project_id, mission_id, name, sha256, doc) VALUES (?, ?, ?, ?, ?, ?)",
            (file.id, project_id, mission_id, name, file.sha256, rows.dump(document)),
        )
        change.event(project_id, "file_attached", mission_id=mission_id, note=name, by=file.added_by)


def _free_name(connection: sqlite3.Connection, mission_id: str, name: str) -> str:
    """The name of a file as it can stand here: in one mission each name is one file's."""
    name = "".join(one if one.isprintable() and one != "/" else "_" for one in name)[:255] or "file"
    if name in (".", ".."):
        name = "file"
    taken = {
        str(one) for (one,) in connection.execute("SELECT name FROM attachment WHERE mission_id = ?", (mission_id,))
    }
    stem, dot, ending = name.rpartition(".")
    stem, ending = (stem, dot + ending) if stem else (name, "")
    return next(
        wished for n in range(1, len(taken) + 2) if (wished := name if n == 1 else f"{stem} ({n}){ending}") not in taken
    )


def queue_all(change: Change, project_id: str) -> None:
    """Queue every file of a project that is published."""
    docs = change.connection.execute("SELECT doc FROM attachment WHERE project_id = ?", (project_id,)).fetchall()
    for (doc,) in docs:
        outgoing.queue_file(change, from_wire(Attachment, strict_json.loads(doc)))
