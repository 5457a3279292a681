"""What the hub said last, and the view that follows from it.

`apply` is the one way in: for pages of the feed, for answers to what was sent, for representations inside refusals. It
takes nothing that is older than what is known, so that a late or repeated answer does no harm.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import cast

from ...missions.connected import TroubleKind
from ...missions.entities import Flow, Json, JsonObject, Mission
from ...missions.errors import InvalidValue, NotFound
from ...missions.flows import enabled_stages
from ...missions.history import recorded
from ...missions.records import record
from ...missions.wire import from_wire, to_wire
from ...system import strict_json
from ...workspace import lookup, rows
from ...workspace.change import Change
from ...workspace.links import told_to_hub
from . import conflicts, outbox, restored
from .field_kinds import LOCAL

MANY = 50
"""A page with more changes than this is told as one event, and the board reads everything anew."""


@record
class Mirror:
    """One connected project and how far it has come."""

    project_id: str
    account: str
    hub: str
    cursor: str | None
    epoch: int
    seq: int
    generation: int
    resync: JsonObject | None
    lists: tuple[str, ...] | None
    days: int | None
    parts: int | None
    read_only: str | None
    synced_at: str | None
    failing_since: str | None
    error: str | None
    skipped: int
    history: int | None
    """Up to where the notes in the hub's history were read; None before the first time."""
    trouble: TroubleKind | None
    """What stands between here and the hub; since when and why are `failing_since` and `error`."""


COLUMNS = (
    "project_id, account, hub, cursor, epoch, seq, generation, resync, lists, days, parts, read_only, synced_at, "
    "failing_since, error, skipped, history, trouble"
)


def mirror_of(row: tuple[object, ...]) -> Mirror:
    """The mirror in a row of COLUMNS."""
    values: list[object] = list(row)
    values[7] = None if values[7] is None else strict_json.loads(str(values[7]))
    values[8] = None if values[8] is None else tuple(strict_json.loads(str(values[8])))
    return Mirror(*values)  # type: ignore[arg-type]


def mirror(connection: sqlite3.Connection, project_id: str) -> Mirror:
    """The mirror of a connected project; NotFound for a local one."""
    row = connection.execute(f"SELECT {COLUMNS} FROM mirror WHERE project_id = ?", (project_id,)).fetchone()
    if row is None:
        raise NotFound("That project is not connected to a hub", todo="`solo-unicorn project connect` connects one")
    return mirror_of(row)


class Taking:
    """Takes in what a hub says within one transaction; flows and the mirror are read once."""

    def __init__(self, change: Change, project_id: str) -> None:
        self.change = change
        self.mirror = mirror(change.connection, project_id)
        self.skipped: list[str] = []
        self.changed = 0
        self._flows: dict[str | None, Flow] = {}
        connection = change.connection
        self._linked = connection.execute("SELECT 1 FROM dependency LIMIT 1").fetchone() is not None
        resync = self.mirror.resync
        self._anew = resync is not None and bool(resync.get("anew"))
        """The hub is of another history: what it had before proves nothing, and its numbers may be lower."""
        begun = resync is None or resync.get("start") is not None
        self._generation = self.mirror.generation if begun else self.mirror.generation - 1
        """What an answer outside of a resync counts as: one from before its first page proves nothing about it."""

    def take(
        self, item: Mapping[str, Json], *, generation: int | None = None, quiet: bool = False, lost: bool = False
    ) -> bool:
        """Take in one representation or tombstone; True when it was news.

        `generation` marks what a full resync has met; `lost`, that the hub has lost the state that is known here. A
        mission that cannot be understood is left out and counted, so that it never holds up the others.
        """
        mission_id, version = str(item.get("id", "")), item.get("version")
        if not mission_id:
            return False
        connection = self.change.connection
        if not isinstance(version, int) or isinstance(version, bool):  # a plain server: its last word is the newest
            version = self._tick()
        row = connection.execute(
            "SELECT version, project_id, generation FROM base WHERE id = ?", (mission_id,)
        ).fetchone()
        here = row is not None and row[1] == self.mirror.project_id
        if row is None and generation is None and version <= self.mirror.seq:
            return False  # deleted and swept before: an old answer must not bring it back
        if row is not None and not here and item.get("deleted"):
            return False  # it moved to another project, which tells of it there
        former = self._anew and here and generation is not None and row[2] != generation
        if here and version <= row[0] and not former:
            if generation is not None:
                connection.execute("UPDATE base SET generation = ? WHERE id = ?", (generation, mission_id))
            return False
        if item.get("deleted"):
            if row is None:
                return False
            connection.execute("UPDATE base SET version = ?, deleted = 1 WHERE id = ?", (version, mission_id))
            self.refold(mission_id, quiet=quiet)
            return True
        try:
            document, mission = _complete(item, self.mirror.project_id)
        except InvalidValue as error:
            self.skipped.append(f"{mission_id}: {error.what}")
            if generation is not None:  # it is there, whatever it says
                connection.execute("UPDATE base SET generation = ? WHERE id = ?", (generation, mission_id))
            return False
        if former and (lost or version < row[0]):
            known = base_document(connection, mission_id)
            restored.mission_taken_back(self.change, self.mirror.project_id, mission_id, known, document)
        connection.execute(
            "INSERT INTO base (id, project_id, version, deleted, generation, doc) VALUES (?, ?, ?, 0, ?, ?) "
            "ON CONFLICT (id) DO UPDATE SET project_id = excluded.project_id, version = excluded.version, deleted = 0, "
            "generation = excluded.generation, doc = excluded.doc",
            (
                mission_id,
                self.mirror.project_id,
                version,
                self._generation if generation is None else generation,
                rows.dump(document),
            ),
        )
        self.refold(mission_id, document, mission, quiet=quiet)
        if row is None:
            conflicts.reappeared(self.change, mission_id)
        return True

    def sweep(self, generation: int) -> None:
        """Forget what a full resync did not meet; what was done here stays in the outbox."""
        gone = self.change.connection.execute(
            "SELECT id, deleted FROM base WHERE project_id = ? AND generation <> ?",
            (self.mirror.project_id, generation),
        ).fetchall()
        for mission_id, deleted in gone:
            if self._anew and not deleted:
                restored.mission_lost(self.change, self.mirror.project_id, str(mission_id))
            self.change.connection.execute("DELETE FROM base WHERE id = ?", (mission_id,))
            self.refold(str(mission_id))

    def refold(
        self,
        mission_id: str,
        document: JsonObject | None = None,
        mission: Mission | None = None,
        *,
        quiet: bool = False,
    ) -> None:
        """Bring the view of one mission up to date; `document` and `mission` are its base, if the caller has it."""
        connection = self.change.connection
        if document is None:
            document = base_document(connection, mission_id)
        pending = outbox.entries(connection, mission_id)
        folded = document if not pending else folded_view(self.mirror.project_id, document, pending)
        found = connection.execute("SELECT doc FROM mission WHERE id = ?", (mission_id,)).fetchone()
        before = rows.load(Mission, found[0]) if found else None
        if folded is None or not self._wanted(folded):
            if before is not None and before.deleted_at is None and before.project_id == self.mirror.project_id:
                self._keep(before, replace(before, deleted_at=self.change.now), "removed", quiet)
            return
        wanted = from_wire(Mission, folded) if mission is None or pending else mission
        if before is None:
            self._put_new(wanted, quiet)
        else:
            own = replace(
                wanted,
                number=before.number,
                version=before.version,
                worktree_path=before.worktree_path,
                dependency_count=before.dependency_count,
                updated_at=before.updated_at,
                deleted_at=None,
            )
            self._keep(before, own, "synced", quiet)
        self._links(mission_id, folded)

    def tell(self) -> None:
        """One event for many changes."""
        if self.changed:
            self.change.event(self.mirror.project_id, "mirrored", note=f"{self.changed} missions")

    def _keep(self, before: Mission, after: Mission, kind: str, quiet: bool) -> None:
        if not recorded(before, after):
            return
        self.changed += 1
        stage_count = len(enabled_stages(self._flow(after), after.flow_config))
        self.change.keep(before, after, kind, stage_count=stage_count, quiet=quiet)

    def _put_new(self, mission: Mission, quiet: bool) -> None:
        """A mission that was never here: as the hub has it, with the hub's short id where that is free."""
        self.changed += 1
        number = self._number(mission.number)
        if number != mission.number or mission.version < 1:
            mission = replace(mission, number=number, version=max(1, mission.version))
        rows.put_mission(self.change.connection, mission, len(enabled_stages(self._flow(mission), mission.flow_config)))
        if not quiet:
            self.change.event(mission.project_id, "mirrored", mission_id=mission.id)
        if self._linked:
            self.change.recount_blocked_by(mission.id)  # somebody may have waited for it already

    def _wanted(self, document: JsonObject) -> bool:
        """Whether the person wants this mission here (selective mirroring)."""
        lists, days = self.mirror.lists, self.mirror.days
        if lists is not None and document.get("list") not in lists:
            return False
        if days is None or document.get("list") != "done":
            return True
        updated = rows.moment(str(document.get("updatedAt")))
        return updated is None or (self.change.now - updated).days <= days

    def _flow(self, mission: Mission) -> Flow:
        if mission.flow_id not in self._flows:
            self._flows[mission.flow_id] = lookup.flow_of(self.change.connection, mission)
        return self._flows[mission.flow_id]

    def _number(self, wished: int) -> int:
        """The hub's short id when it is free here, else the next one."""
        from ...workspace.operations.imports import reserve

        taken = (
            wished < 1 or self.change.connection.execute("SELECT 1 FROM mission WHERE number = ?", (wished,)).fetchone()
        )
        return self.change.next_number() if taken else reserve(self.change, wished)

    def _links(self, mission_id: str, document: JsonObject) -> None:
        """Dependencies, as far as the hub tells of them."""
        changed = False
        for name, relation in (("blockedBy", "blocks"), ("relatesTo", "relates_to")):
            if name not in document:
                continue
            wanted = set(cast("list[str]", document[name] or []))
            known = set(told_to_hub(self.change.connection, mission_id, name))
            for other in known ^ wanted:
                pair = (other, mission_id) if name == "blockedBy" else (mission_id, other)
                self.change.connection.execute(
                    "INSERT OR IGNORE INTO dependency (mission_id, other_id, relation) VALUES (?, ?, ?)"
                    if other in wanted
                    else "DELETE FROM dependency WHERE mission_id = ? AND other_id = ? AND relation = ?",
                    (*pair, relation),
                )
            changed = changed or known != wanted
            self._linked = self._linked or bool(wanted)
        if changed:
            self.change.recount(mission_id)

    def _tick(self) -> int:
        """The next version for a server that has none."""
        row = self.change.connection.execute(
            "UPDATE mirror SET seq = seq + 1 WHERE project_id = ? RETURNING seq", (self.mirror.project_id,)
        ).fetchone()
        return int(row[0]) + 1


def base_document(connection: sqlite3.Connection, mission_id: str) -> JsonObject | None:
    """What the hub said last of a mission; None when it is not there."""
    row = connection.execute("SELECT doc FROM base WHERE id = ? AND deleted = 0", (mission_id,)).fetchone()
    return None if row is None else cast("JsonObject", strict_json.loads(row[0]))


def folded_view(project_id: str, base: JsonObject | None, pending: Iterable[outbox.Entry]) -> JsonObject | None:
    """What a mission looks like here: fold(base, outbox); None when it is not there."""
    folded = outbox.fold(base, pending)
    if folded is not None:
        folded.setdefault("projectId", project_id)
        folded.setdefault("updatedAt", folded["createdAt"])
    return folded


def _complete(item: Mapping[str, Json], project_id: str) -> tuple[JsonObject, Mission]:
    """A representation with every field spelled as here, the hub's own fields kept; raises InvalidValue."""
    raw: JsonObject = {name: value for name, value in item.items() if value is not None}
    raw.setdefault("projectId", project_id)
    for name in ("updatedAt", "createdAt"):
        raw.setdefault(name, "1970-01-01T00:00:00Z")
    raw.setdefault("agentSessionStatusChangedAt", raw["createdAt"])
    for name in LOCAL - {"id", "projectId", "number", "version", "updatedAt"}:
        raw.pop(name, None)
    mission = from_wire(Mission, raw)
    return {**raw, **to_wire(mission)}, mission


def consistent(connection: sqlite3.Connection, project_id: str) -> list[str]:
    """Ids of missions whose view is not fold(base, outbox); empty when all is well (`doctor --verify`)."""
    ids = connection.execute(
        "SELECT id FROM base WHERE project_id = ?1 UNION SELECT entity_id FROM outbox WHERE project_id = ?1 "
        "UNION SELECT id FROM mission WHERE project_id = ?1",
        (project_id,),
    ).fetchall()
    wrong = []
    for (mission_id,) in ids:
        pending = outbox.entries(connection, mission_id)
        folded = folded_view(project_id, base_document(connection, mission_id), pending)
        row = connection.execute("SELECT doc, deleted FROM mission WHERE id = ?", (mission_id,)).fetchone()
        if folded is None:
            if row is not None and not row[1]:
                wrong.append(str(mission_id))
            continue
        shown = None if row is None or row[1] else _shown(strict_json.loads(row[0]))
        if shown != _shown(to_wire(from_wire(Mission, folded))):
            wrong.append(str(mission_id))
    return wrong


def _shown(document: JsonObject) -> JsonObject:
    return {name: value for name, value in document.items() if name not in LOCAL or name == "id"}
