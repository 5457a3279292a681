"""Takes in what a hub says of missions.

`ReplicaWriter.take` is the one way in: for pages of the feed, for answers to what was sent, for representations inside
refusals. It takes nothing that is older than what is known, so that a late or repeated answer does no harm.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

from ...missions.entities import Json, JsonObject, Mission
from ...missions.errors import InvalidValue
from ...missions.field_kinds import LOCAL
from ...missions.wire import from_wire, to_wire
from ...system import strict_json
from ...workspace.change import Change
from ...workspace.mission_view import MissionView, folded_view
from ...workspace.sync_state import base, outbox
from . import conflicts, restored
from .mirror_record import mirror

MANY = 50
"""A page with more changes than this is told as one event, and the board reads everything anew."""


class ReplicaWriter:
    """Takes in what a hub says within one transaction; the mirror is read once."""

    def __init__(self, change: Change, project_id: str) -> None:
        self.change = change
        self.mirror = mirror(change.connection, project_id)
        self.skipped: list[str] = []
        self.view = MissionView(change, project_id)
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
            "SELECT version, project_id, generation FROM base WHERE kind = 'mission' AND id = ?", (mission_id,)
        ).fetchone()
        here = row is not None and row[1] == self.mirror.project_id
        if row is None and generation is None and version <= self.mirror.seq:
            return False  # deleted and swept before: an old answer must not bring it back
        if row is not None and not here and item.get("deleted"):
            return False  # it moved to another project, which tells of it there
        former = self._anew and here and generation is not None and row[2] != generation  # pyright: ignore[reportOptionalSubscript]  # here
        if here and version <= row[0] and not former:  # pyright: ignore[reportOptionalSubscript]
            if generation is not None:
                self._met(mission_id, generation)
            return False
        if item.get("deleted"):
            if row is None:
                return False
            connection.execute(
                "UPDATE base SET version = ?, deleted = 1 WHERE kind = 'mission' AND id = ?", (version, mission_id)
            )
            self.view.refold(mission_id, quiet=quiet)
            return True
        try:
            document, mission = _complete(item, self.mirror.project_id)
        except InvalidValue as error:
            self.skipped.append(f"{mission_id}: {error.what}")
            if generation is not None:  # it is there, whatever it says
                self._met(mission_id, generation)
            return False
        if former and (lost or version < row[0]):  # pyright: ignore[reportOptionalSubscript]
            known = base.document(connection, "mission", mission_id)
            restored.mission_taken_back(self.change, self.mirror.project_id, mission_id, known, document)
        generation = self._generation if generation is None else generation
        base.put(connection, "mission", mission_id, self.mirror.project_id, version, document, generation=generation)
        self.view.refold(mission_id, document, mission, quiet=quiet)
        if row is None:
            conflicts.reappeared(self.change, mission_id)
        return True

    def sweep(self, generation: int) -> None:
        """Forget what a full resync did not meet; what was done here stays in the outbox."""
        gone = self.change.connection.execute(
            "SELECT id, deleted FROM base WHERE project_id = ? AND kind = 'mission' AND generation <> ?",
            (self.mirror.project_id, generation),
        ).fetchall()
        for mission_id, deleted in gone:
            if self._anew and not deleted:
                restored.mission_lost(self.change, self.mirror.project_id, str(mission_id))
            base.drop(self.change.connection, "mission", mission_id)
            self.view.refold(str(mission_id))

    def tell(self) -> None:
        """One event for many changes."""
        if self.view.changed:
            self.change.event(self.mirror.project_id, "mirrored", note=f"{self.view.changed} missions")

    def _met(self, mission_id: str, generation: int) -> None:
        """A full resync met it."""
        self.change.connection.execute(
            "UPDATE base SET generation = ? WHERE kind = 'mission' AND id = ?", (generation, mission_id)
        )

    def _tick(self) -> int:
        """The next version for a server that has none."""
        row = self.change.connection.execute(
            "UPDATE mirror SET seq = seq + 1 WHERE project_id = ? RETURNING seq", (self.mirror.project_id,)
        ).fetchone()
        return int(row[0]) + 1


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
        "SELECT id FROM base WHERE project_id = ?1 AND kind = 'mission' "
        "UNION SELECT entity_id FROM outbox WHERE project_id = ?1 "
        "UNION SELECT id FROM mission WHERE project_id = ?1",
        (project_id,),
    ).fetchall()
    wrong = []
    for (mission_id,) in ids:
        pending = outbox.entries(connection, mission_id)
        folded = folded_view(project_id, base.document(connection, "mission", mission_id), pending)
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
