"""What a change puts into the outbox for a hub; nothing where the project is connected to none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..missions.comments import LineComment
from ..missions.entities import Actor, Flow, Json, JsonObject, MemoryDocument, Mission, Project, ProjectRepository
from ..missions.wire import to_wire
from ..sync.replica.outbox import account_of, adding, record_change, record_part
from . import rows

if TYPE_CHECKING:
    from .change import Change

Part = Flow | Actor | ProjectRepository
Changed = Mapping[str, tuple[Json, Json]]
"""Wire field -> (before, after)."""


def is_connected(change: Change, project_id: str) -> bool:
    """Whether a hub hears of what is changed in the project."""
    return account_of(change.connection, project_id) is not None


def queue_mission(change: Change, saved: Mission, changed: Changed | None) -> None:
    """What changed of a mission; None: all of a new one."""
    if is_connected(change, saved.project_id):
        _record(change, saved.project_id, saved.id, changed, to_wire(saved))


def queue_links(
    change: Change, mission_id: str, project_id: str, name: str, before: list[str], after: list[str]
) -> None:
    """Changed links of a mission (`blockedBy`, `relatesTo`)."""
    if before != after:
        _record(change, project_id, mission_id, {name: (list(before), list(after))}, {})


def queue_note(
    change: Change,
    mission: Mission,
    kind: str,
    text: str,
    comment: LineComment | None = None,
    *,
    note_id: str | None = None,
) -> None:
    """A note or line comment of a mission."""
    account = account_of(change.connection, mission.project_id)
    if account is None:
        return
    note_id = note_id or change.new_id()
    patch: JsonObject = {"kind": kind, "text": text, "at": rows.stamp(change.now), "author": to_wire(change.by)}
    if comment is not None:
        patch["data"] = to_wire(comment)
    adding(change.connection, note_id, mission.project_id, mission.id, account, change).row("note", patch, {})
    change.connection.execute(
        "INSERT OR IGNORE INTO shared_note (id, project_id) VALUES (?, ?)", (note_id, mission.project_id)
    )


def queue_document(change: Change, made: MemoryDocument, before: MemoryDocument | None) -> None:
    """The new text of a memory document."""
    was = None if before is None else before.text
    if was != made.text and is_connected(change, made.project_id):
        from ..sync.replica.part_view import memory_id, record_fields

        document = memory_id(made.project_id, made.name)
        record_fields(change, "memory", made.project_id, document, {"text": made.text}, {"text": was})


def queue_part(change: Change, table: str, part: Part) -> None:
    """A new repository, flow or actor."""
    if is_connected(change, part.project_id):
        from ..sync.replica.connecting import told_of

        at = rows.stamp(change.now) or ""
        record_part(change.connection, change.new_id(), part.project_id, table, told_of(part), at)


def queue_part_change(change: Change, table: str, before: Part | Project, after: Part | Project) -> None:
    """What changed of a part, or of the project itself."""
    project_id = after.id if isinstance(after, Project) else after.project_id
    if is_connected(change, project_id):
        from ..sync.replica.part_view import record_fields, told

        was, now = told(table, to_wire(before)), told(table, to_wire(after))
        names = [name for name in was.keys() | now.keys() if was.get(name) != now.get(name)]
        wished, seen = {name: now.get(name) for name in names}, {name: was.get(name) for name in names}
        record_fields(change, table, project_id, after.id, wished, seen)


def queue_part_removal(change: Change, table: str, part: Part) -> None:
    """A removed part."""
    if is_connected(change, part.project_id):
        from ..sync.replica.part_view import record_removal

        record_removal(change, table, part)


def _record(change: Change, project_id: str, mission_id: str, changed: Changed | None, document: JsonObject) -> None:
    record_change(
        change.connection,
        mutation_id=change.new_id(),
        project_id=project_id,
        mission_id=mission_id,
        changed=changed,
        document=document,
        at=rows.stamp(change.now) or "",
        by=change.by,
    )
