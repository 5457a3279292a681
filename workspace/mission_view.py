"""What missions of a connected project look like here: fold(base, outbox), the hub's words and what was done since."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import cast

from ..missions.entities import Flow, JsonObject, Mission
from ..missions.history import recorded
from ..missions.rules.flows import enabled_stages
from ..missions.wire import from_wire
from ..system import strict_json
from . import links, lookup, rows, saving
from .sync_state import base, outbox
from .transaction import Transaction


def folded_view(
    project_id: str, document: JsonObject | None, pending: Iterable[outbox.OutboxEntry]
) -> JsonObject | None:
    """What a mission looks like here: fold(base, outbox); None when it is not there."""
    folded = outbox.fold(document, (one for one in pending if one.about == "mission"))
    if folded is not None:
        folded.setdefault("projectId", project_id)
        folded.setdefault("updatedAt", folded["createdAt"])
    return folded


class MissionView:
    """Brings what is shown up to date within one transaction; flows and the selection are read once."""

    def __init__(self, transaction: Transaction, project_id: str) -> None:
        self._transaction = transaction
        self._project_id = project_id
        self.changed = 0
        """How many missions look different now."""
        self._flows: dict[str | None, Flow] = {}
        connection = transaction.connection
        self._linked = connection.execute("SELECT 1 FROM dependency LIMIT 1").fetchone() is not None
        lists, days = connection.execute(
            "SELECT lists, days FROM mirror WHERE project_id = ?", (project_id,)
        ).fetchone() or (None, None)
        self._lists: list[str] | None = None if lists is None else strict_json.loads(lists)
        self._days: int | None = days

    def refold(
        self,
        mission_id: str,
        document: JsonObject | None = None,
        mission: Mission | None = None,
        *,
        quiet: bool = False,
    ) -> None:
        """Bring one mission up to date; `document` and `mission` are its base, if the caller has it."""
        transaction, connection = self._transaction, self._transaction.connection
        if document is None:
            document = base.document(connection, "mission", mission_id)
        pending = outbox.entries(connection, mission_id)
        folded = document if not pending else folded_view(self._project_id, document, pending)
        found = connection.execute("SELECT doc FROM mission WHERE id = ?", (mission_id,)).fetchone()
        before = rows.load(Mission, found[0]) if found else None
        if folded is None or not self._wanted(folded):
            if before is not None and before.deleted_at is None and before.project_id == self._project_id:
                self._keep(before, replace(before, deleted_at=transaction.now), "removed", quiet)
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

    def _keep(self, before: Mission, after: Mission, kind: str, quiet: bool) -> None:
        if recorded(before, after):
            self.changed += 1
            saving.keep(self._transaction, before, after, kind, flow=self._flow(after), quiet=quiet)

    def _put_new(self, mission: Mission, quiet: bool) -> None:
        """A mission that was never here: as the hub has it, with the hub's short id where that is free."""
        self.changed += 1
        transaction = self._transaction
        number = transaction.number_near(mission.number)
        if number != mission.number or mission.version < 1:
            mission = replace(mission, number=number, version=max(1, mission.version))
        rows.put_mission(transaction.connection, mission, len(enabled_stages(self._flow(mission), mission.flow_config)))
        if not quiet:
            transaction.event(mission.project_id, "mirrored", mission_id=mission.id)
        if self._linked:
            saving.recount_blocked_by(transaction, mission.id)  # somebody may have waited for it already

    def _wanted(self, document: JsonObject) -> bool:
        """Whether the person wants this mission here (selective mirroring)."""
        if self._lists is not None and document.get("list") not in self._lists:
            return False
        if self._days is None or document.get("list") != "done":
            return True
        updated = rows.moment(str(document.get("updatedAt")))
        return updated is None or (self._transaction.now - updated).days <= self._days

    def _flow(self, mission: Mission) -> Flow:
        if mission.flow_id not in self._flows:
            self._flows[mission.flow_id] = lookup.flow_of(self._transaction.connection, mission)
        return self._flows[mission.flow_id]

    def _links(self, mission_id: str, document: JsonObject) -> None:
        """Dependencies, as far as the hub tells of them."""
        connection, changed = self._transaction.connection, False
        for name, relation in (("blockedBy", "blocks"), ("relatesTo", "relates_to")):
            if name not in document:
                continue
            wanted = set(cast("list[str]", document[name] or []))
            known = set(links.told_to_hub(connection, mission_id, name))
            for other in known ^ wanted:
                pair = (other, mission_id) if name == "blockedBy" else (mission_id, other)
                connection.execute(
                    "INSERT OR IGNORE INTO dependency (mission_id, other_id, relation) VALUES (?, ?, ?)"
                    if other in wanted
                    else "DELETE FROM dependency WHERE mission_id = ? AND other_id = ? AND relation = ?",
                    (*pair, relation),
                )
            changed = changed or known != wanted
            self._linked = self._linked or bool(wanted)
        if changed:
            saving.recount(self._transaction, mission_id)
