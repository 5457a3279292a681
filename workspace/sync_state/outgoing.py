"""What a change puts into the outbox for a hub; nothing where the project is connected to none."""

from __future__ import annotations

from typing import Final

from ...missions.comments import LineComment
from ...missions.entities import (
    Actor,
    Attachment,
    Flow,
    JsonObject,
    MemoryDocument,
    Mission,
    Project,
    ProjectRepository,
)
from ...missions.field_kinds import LOCAL, memory_id, shared_fields, shared_part
from ...missions.wire import changes, to_wire
from .. import rows
from ..transaction import Transaction
from . import base, outbox

Part = Flow | Actor | ProjectRepository
OF_A_FILE: Final = ("missionId", "name", "mime", "size", "sha256")
"""What a hub is told of an attached file."""


def is_connected(transaction: Transaction, project_id: str) -> bool:
    """Whether a hub hears of what is changed in the project."""
    return outbox.account_of(transaction.connection, project_id) is not None


def queue_mission(transaction: Transaction, before: Mission | None, saved: Mission) -> None:
    """What changed of a mission; before None: all of a new one."""
    adding = outbox.adding(transaction, saved.project_id, saved.id)
    if adding is None:
        return
    changed = None if before is None else changes(before, saved)
    if changed is None:
        adding.creation(to_wire(saved))
    elif "deletedAt" in changed:
        queue = adding.restoring if saved.deleted_at is None else adding.deletion
        queue(to_wire(saved))
    else:
        pairs = {name: pair for name, pair in changed.items() if name not in LOCAL}
        if pairs:
            adding.patch({k: after for k, (_, after) in pairs.items()}, {k: was for k, (was, _) in pairs.items()})


def queue_links(
    transaction: Transaction, mission_id: str, project_id: str, name: str, before: list[str], after: list[str]
) -> None:
    """Changed links of a mission (`blockedBy`, `relatesTo`)."""
    if before != after and (adding := outbox.adding(transaction, project_id, mission_id)) is not None:
        adding.patch({name: list(after)}, {name: list(before)})


def queue_note(
    transaction: Transaction,
    mission: Mission,
    kind: str,
    text: str,
    comment: LineComment | None = None,
    *,
    note_id: str | None = None,
) -> None:
    """A note or line comment of a mission."""
    patch: JsonObject = {
        "kind": kind,
        "text": text,
        "at": rows.stamp(transaction.now),
        "author": to_wire(transaction.by),
    }
    if comment is not None:
        patch["data"] = to_wire(comment)
    send_note(transaction, mission.project_id, mission.id, note_id or transaction.new_id(), patch)


def send_note(transaction: Transaction, project_id: str, mission_id: str, note_id: str, patch: JsonObject) -> None:
    """Queue a note under its id, by which it is known when the hub tells of it."""
    adding = outbox.adding(transaction, project_id, mission_id, note_id)
    if adding is not None:
        adding.row("note", patch, {})
        base.know(transaction.connection, "note", note_id, project_id)


def queue_file(transaction: Transaction, file: Attachment) -> None:
    """A file that was attached."""
    adding = outbox.adding(transaction, file.project_id, file.id)
    if adding is not None:
        document = to_wire(file)
        adding.row("file", {name: document[name] for name in OF_A_FILE}, {})


def queue_file_removal(transaction: Transaction, file: Attachment) -> None:
    """A file that was taken off; one that the hub never heard of leaves no trace."""
    connection = transaction.connection
    adding = outbox.adding(transaction, file.project_id, file.id)
    if adding is None:
        return
    pending = outbox.entries(connection, file.id)
    connection.execute("DELETE FROM outbox WHERE entity_id = ?", (file.id,))
    known = base.drop(connection, "file", file.id)
    known |= connection.execute("DELETE FROM sent WHERE id = ?", (file.id,)).rowcount > 0
    if known or any(one.attempts for one in pending):
        adding.row("file_delete", {"missionId": file.mission_id, "name": file.name}, {})


def queue_document(transaction: Transaction, made: MemoryDocument, before: MemoryDocument | None) -> None:
    """The new text of a memory document."""
    was = None if before is None else before.text
    if was != made.text:
        document = memory_id(made.project_id, made.name)
        queue_fields(transaction, "memory", made.project_id, document, {"text": made.text}, {"text": was})


def queue_part(transaction: Transaction, table: str, part: Part) -> None:
    """A new repository, flow or actor."""
    if (adding := outbox.adding(transaction, part.project_id, part.id)) is not None:
        adding.row("part", {"table": table, "document": shared_part(part)}, {})


def queue_part_change(transaction: Transaction, table: str, before: Part | Project, after: Part | Project) -> None:
    """What changed of a part, or of the project itself."""
    project_id = after.id if isinstance(after, Project) else after.project_id
    was, now = shared_fields(table, to_wire(before)), shared_fields(table, to_wire(after))
    names = [name for name in was.keys() | now.keys() if was.get(name) != now.get(name)]
    wished, seen = {name: now.get(name) for name in names}, {name: was.get(name) for name in names}
    queue_fields(transaction, table, project_id, after.id, wished, seen)


def queue_fields(
    transaction: Transaction, part: str, project_id: str, part_id: str, fields: JsonObject, seen: JsonObject
) -> None:
    """Changed fields of a part; nothing for what the hub never heard of."""
    adding = outbox.adding(transaction, project_id, part_id) if fields else None
    if adding is None:
        return
    known = base.document(transaction.connection, part, part_id)
    if known is None and part != "memory" and not outbox.entries(transaction.connection, part_id):
        return  # a server that keeps no such parts: it is this machine's own
    adding.part_patch(part, fields, seen, known or {})


def queue_part_removal(transaction: Transaction, table: str, part: Part) -> None:
    """A removed part; one that the hub never heard of leaves no trace."""
    adding = outbox.adding(transaction, part.project_id, part.id)
    if adding is None:
        return
    pending = outbox.entries(transaction.connection, part.id)
    if pending and pending[0].kind == "part" and outbox.never_sent(pending[0]):
        transaction.connection.execute("DELETE FROM outbox WHERE entity_id = ?", (part.id,))
    elif pending or base.find(transaction.connection, table, part.id) is not None:
        adding.row("part_delete", {"table": table}, shared_fields(table, to_wire(part)))
