"""The outbox: every change of a connected project, written in the transaction of the change itself.

A row holds the fields that changed (`patch`) and the values they had in the view at that moment (`seen`). Rows of one
mission go to the hub one after the other, in the order in which they were made. A row leaves the outbox when the hub
has it, when it became a conflict for a person, or when the person discards it while it is parked.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from typing import Literal, cast

from ...missions.entities import Json, JsonObject
from ...missions.field_kinds import AT_CREATION, DECIDING, ENDS, LOCAL, SETS, WATCHED, same
from ...missions.records import record
from ...system import strict_json
from ..rows import dump, stamp
from ..transaction import Transaction
from . import base

Kind = Literal["create", "patch", "delete", "note", "file", "file_delete", "part", "part_patch", "part_delete"]
"""`note`: a note or line comment of the mission, {kind, text, at, author, data}. `file`: an attached file,
{missionId, name, mime, size, sha256}; `file_delete`: one taken off.

`part`: a repository, flow or actor made here, {table, document}. `part_patch`: changed fields of one, of the project
itself or of its memory, {table, fields}. `part_delete`: {table}.
"""
State = Literal["queued", "inflight", "parked"]
PAYLOAD_VERSION = 1


@record
class OutboxEntry:
    """One row of the outbox."""

    seq: int
    mutation_id: str
    project_id: str
    entity_id: str
    account: str
    kind: Kind
    patch: JsonObject
    seen: JsonObject
    origin: str
    at: str
    state: State
    request: JsonObject | None
    rebase: int
    attempts: int
    failures: int
    first_sent_at: float | None
    error_code: str | None
    error: str | None

    @property
    def about(self) -> base.Kind:
        """What it is about, as the base names it."""
        match self.kind:
            case "note":
                return "note"
            case "file" | "file_delete":
                return "file"
            case "part" | "part_patch" | "part_delete":
                return cast("base.Kind", self.patch["table"])
        return "mission"

    @property
    def mission_id(self) -> str | None:
        """The mission that it is about; None for a part of the project."""
        match self.about:
            case "file":
                return str(self.patch["missionId"])
            case "mission" | "note":
                return self.entity_id
        return None


COLUMNS = (
    "seq, mutation_id, project_id, entity_id, account, kind, patch, seen, origin, at, state, request, rebase, "
    "attempts, failures, first_sent_at, error_code, error"
)


def entry_of(row: tuple[object, ...]) -> OutboxEntry:
    """The entry in a row of COLUMNS."""
    values: list[object] = list(row)
    for place in (6, 7, 11):
        values[place] = None if values[place] is None else strict_json.loads(str(values[place]))
    return OutboxEntry(*values)  # type: ignore[arg-type]


def account_of(connection: sqlite3.Connection, project_id: str) -> str | None:
    """Whose edits a project's are; None for a local project, which queues nothing."""
    row = connection.execute("SELECT account FROM mirror WHERE project_id = ?", (project_id,)).fetchone()
    return None if row is None else str(row[0])


def entries(connection: sqlite3.Connection, entity_id: str) -> list[OutboxEntry]:
    """The rows of one mission, oldest first."""
    found = connection.execute(f"SELECT {COLUMNS} FROM outbox WHERE entity_id = ? ORDER BY seq", (entity_id,))
    return [entry_of(row) for row in found.fetchall()]


def entry(connection: sqlite3.Connection, seq: int) -> OutboxEntry | None:
    """One row, or None when it is gone."""
    row = connection.execute(f"SELECT {COLUMNS} FROM outbox WHERE seq = ?", (seq,)).fetchone()
    return None if row is None else entry_of(row)


def adding(transaction: Transaction, project_id: str, entity_id: str, mutation_id: str | None = None) -> Adding | None:
    """A way to queue what an open transaction does to one entity; None in a local project, which queues nothing."""
    account = account_of(transaction.connection, project_id)
    return None if account is None else Adding(transaction, project_id, entity_id, account, mutation_id)


class Adding:
    """Queues what is done to one entity, under a new mutation id unless one is given."""

    def __init__(
        self, transaction: Transaction, project_id: str, entity_id: str, account: str, mutation_id: str | None
    ) -> None:
        self._transaction = transaction
        self._connection = transaction.connection
        self._project_id = project_id
        self._entity_id = entity_id
        self._account = account
        self._mutation_id = mutation_id
        self._origin = transaction.by.session_id or transaction.by.kind

    def row(self, kind: Kind, patch: Mapping[str, Json], seen: Mapping[str, Json]) -> None:
        self._connection.execute(
            "INSERT INTO outbox (mutation_id, project_id, entity_id, account, kind, patch, seen, payload_version, "
            "origin, at, state) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'queued')",
            (
                self._mutation_id or self._transaction.new_id(),
                self._project_id,
                self._entity_id,
                self._account,
                kind,
                dump(patch),
                dump(seen),
                PAYLOAD_VERSION,
                self._origin,
                stamp(self._transaction.now),
            ),
        )

    def creation(self, document: JsonObject) -> None:
        """A new mission, whole."""
        self.row("create", {k: v for k, v in document.items() if k not in LOCAL or k in AT_CREATION}, {})

    def patch(self, patch: JsonObject, seen: JsonObject) -> None:
        """A new row, or part of the last one when that was never sent and is of the same kind and origin."""
        last = self._last()
        if last is None or not _joins(last, patch, self._origin):
            self.row("patch", patch, seen)
            return
        joined = {**last.patch, **patch}
        first_seen = {**seen, **last.seen}
        if last.kind == "patch":
            now = base.last_words(self._connection, "mission", self._entity_id)
            _leave_out_unchanged(patch, joined, first_seen, now)
            if not joined:
                self._connection.execute("DELETE FROM outbox WHERE seq = ?", (last.seq,))
                return
        self._connection.execute(
            "UPDATE outbox SET patch = ?, seen = ? WHERE seq = ?",
            (dump(joined), dump(first_seen if last.kind == "patch" else {}), last.seq),
        )

    def part_patch(self, table: str, fields: JsonObject, seen: JsonObject, now: JsonObject) -> None:
        """Changed fields of a part, `now` as the hub has it; joined with what was not sent yet."""
        last = self._last()
        if last is not None and last.kind == "part" and never_sent(last):
            document = {**cast("JsonObject", last.patch["document"]), **fields}
            self._connection.execute(  # a part that was refused under its old name is worth another try
                "UPDATE outbox SET patch = ?, rebase = rebase + (state = 'parked'), state = 'queued', request = NULL, "
                "attempts = 0, error_code = NULL, error = NULL WHERE seq = ?",
                (dump({"table": table, "document": document}), last.seq),
            )
            return
        if last is None or last.kind != "part_patch" or not never_sent(last) or last.state == "parked":
            self.row("part_patch", {"table": table, "fields": fields}, seen)
            return
        joined = {**cast("JsonObject", last.patch["fields"]), **fields}
        first_seen = {**seen, **last.seen}
        _leave_out_unchanged(fields, joined, first_seen, now)
        if not joined:
            self._connection.execute("DELETE FROM outbox WHERE seq = ?", (last.seq,))
            return
        self._connection.execute(
            "UPDATE outbox SET patch = ?, seen = ? WHERE seq = ?",
            (dump({"table": table, "fields": joined}), dump(first_seen), last.seq),
        )

    def deletion(self, document: JsonObject) -> None:
        """What the hub never heard of leaves no trace; anything else is deleted there by one who saw what it said."""
        first = self._connection.execute(
            "SELECT kind, state = 'queued' AND attempts = 0 AND rebase = 0 "
            "OR state = 'parked' AND error_code <> 'suspect' FROM outbox WHERE entity_id = ? ORDER BY seq LIMIT 1",
            (self._entity_id,),
        ).fetchone()
        if first is not None and first[0] == "create" and first[1]:
            self._connection.execute("DELETE FROM outbox WHERE entity_id = ?", (self._entity_id,))
            return
        self.row("delete", {}, {name: document.get(name) for name in sorted(WATCHED | ENDS)})

    def restoring(self, document: JsonObject) -> None:
        """Take a deletion back that was not sent; a mission that the hub never heard of is made there again."""
        last = self._last()
        if last is not None and last.kind == "delete" and last.state == "queued" and last.attempts == 0:
            self._connection.execute("DELETE FROM outbox WHERE seq = ?", (last.seq,))
        else:
            self.creation(document)

    def _last(self) -> OutboxEntry | None:
        row = self._connection.execute(
            f"SELECT {COLUMNS} FROM outbox WHERE entity_id = ? ORDER BY seq DESC LIMIT 1", (self._entity_id,)
        ).fetchone()
        return None if row is None else entry_of(row)


def made_on(connection: sqlite3.Connection, mission_id: str, values: Mapping[str, Json]) -> None:
    """A person decided on these values of the hub: the edit that was queued last was made on them."""
    rows = entries(connection, mission_id)
    if not rows or rows[-1].kind != "patch" or rows[-1].state != "queued":
        return
    earlier = {name for one in rows[:-1] if one.state != "parked" for name in one.patch}
    last = rows[-1]
    seen = {
        name: values.get(name) if name in values and name not in earlier else was for name, was in last.seen.items()
    }
    connection.execute("UPDATE outbox SET seen = ? WHERE seq = ?", (dump(seen), last.seq))


def _leave_out_unchanged(names: Iterable[str], joined: JsonObject, first_seen: JsonObject, now: JsonObject) -> None:
    """Take out the fields that are back to what they were, and that the hub still has so: it need not hear of them."""
    for name in names:
        if same(joined[name], first_seen.get(name)) and same(joined[name], now.get(name)):
            del joined[name], first_seen[name]


def _joins(last: OutboxEntry, patch: Mapping[str, Json], origin: str) -> bool:
    fresh = last.state == "queued" and last.attempts == 0 and last.rebase == 0 and last.origin == origin
    steps = bool(patch.keys() & DECIDING) or (last.kind == "patch" and bool(last.patch.keys() & DECIDING))
    links = last.kind == "create" and bool(patch.keys() & SETS)  # a new mission waits for no other one
    return fresh and last.kind in ("create", "patch") and not steps and not links


def never_sent(row: OutboxEntry) -> bool:
    """Whether the hub cannot have heard of a row."""
    if row.state == "parked":
        return row.error_code != "suspect"
    return row.state == "queued" and row.attempts == 0 and row.rebase == 0


def hub_forgot(connection: sqlite3.Connection, project_id: str, mission_id: str) -> bool:
    """Whether a deleted mission of a connected project can only come back under a new id: the hub was told already."""
    if account_of(connection, project_id) is None:
        return False
    rows = entries(connection, mission_id)
    if rows and rows[-1].kind == "delete":
        return not (rows[-1].state == "queued" and rows[-1].attempts == 0)
    known = connection.execute("SELECT 1 FROM base WHERE kind = 'mission' AND id = ?", (mission_id,)).fetchone()
    return known is not None or bool(rows)


def fold(said: JsonObject | None, pending: Iterable[OutboxEntry]) -> JsonObject | None:
    """The view of one mission or part: what the hub said (None: it is not there) with what was done here since.

    What is parked is not shown, except what the hub refused to make: it is nowhere else.
    """
    document = None if said is None else dict(said)
    for one in pending:
        if one.state == "parked" and one.kind not in ("create", "part"):
            continue
        match one.kind:
            case "delete" | "part_delete":
                document = None
            case "create":
                document = {**(document or {}), **one.patch}
            case "part":
                document = {**(document or {}), **cast("JsonObject", one.patch["document"])}
            case "part_patch":
                if document is not None or one.patch["table"] == "memory":
                    document = {**(document or {}), **cast("JsonObject", one.patch["fields"])}
            case _ if document is not None:
                document.update(one.patch)
    return document
