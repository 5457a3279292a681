"""Missions: made, changed and deleted."""

from __future__ import annotations

from typing import Final, cast

from ....missions.entities import Json, JsonObject
from ....missions.field_kinds import PROGRESS, WATCHED, same
from ....system import strict_json
from ....workspace.mission_view import MissionView
from ....workspace.sync_state import base
from .. import conflicts
from ..applying import ReplicaWriter
from ..messages import API, Request, Response, mission_in, server_time
from ..threeway import check, differs
from .kind import Kind, Outcome

STEPS: Final = ("list", "ready", "reviewStatus", "stage")
"""Fields by which two places of a mission in its flow differ."""


class Missions(Kind):
    tells_rights = True

    def show(self) -> None:
        MissionView(self.change, self.entry.project_id).refold(self.entry.entity_id)

    def request(self) -> Request | None:
        entry = self.entry
        if entry.kind == "create":
            body = {name: value for name, value in entry.patch.items() if value is not None}
            path = f"{API}/projects/{entry.project_id}/missions"
            return Request("POST", path, {}, self.headers(), {**body, "id": entry.entity_id})
        known = self.known()
        if known is None:
            if entry.kind == "patch":
                self._deleted_remotely()
            return None
        version, now = known
        path, headers = f"{API}/missions/{entry.entity_id}", self.headers(version)
        if entry.kind == "delete":
            if differs(entry.seen, now):
                self.conflict("deleted_locally", "", entry.seen, None, now)
                return None
            return Request("DELETE", path, {}, headers)
        verdict = check(entry.patch, entry.seen, now)
        for one in verdict.conflicts:
            kind: conflicts.ConflictKind = "progress" if one.field == "progress" else "field"
            self.conflict(kind, one.field, one.base, one.mine, one.theirs)
        if verdict.conflicts:  # what became a conflict is no longer wished: the view shows the hub's value
            self.keep({name: value for name, value in entry.patch.items() if name in verdict.send})
            self.show()
        if self.can.changes:  # the fields as they are: the rules were applied here, when the edit was made
            headers["content-type"] = "application/merge-patch+json"
        send = {name: value for name, value in verdict.send.items() if value != now.get(name)}
        return Request("PATCH", path, {}, headers, send) if send else None

    def done(self, answer: Response) -> Outcome:
        self.drop()
        self.change.connection.execute(
            "UPDATE mirror SET read_only = NULL WHERE project_id = ?", (self.entry.project_id,)
        )
        taking = ReplicaWriter(self.change, self.entry.project_id)
        if self.entry.kind == "delete":
            base.mark_deleted(self.change.connection, "mission", self.entry.entity_id)
        elif (item := mission_in(answer.body)) is not None:
            taking.take(item)
        taking.view.refold(self.entry.entity_id)
        return "done"

    def gone(self, answer: Response) -> Outcome:
        base.mark_deleted(self.change.connection, "mission", self.entry.entity_id)
        self.drop()
        if self.entry.kind != "delete":
            self._deleted_remotely()
        self.show()
        return "done" if self.entry.kind == "delete" else "conflict"

    def outdated(self, answer: Response, server_now: float | None) -> Outcome:
        """Somebody was faster: judge the row again on what the hub has now."""
        entry = self.entry
        server_now = server_time(answer.headers) or server_now  # what was known before may be of long ago
        item = mission_in(answer.details.get("current")) or mission_in(answer.body)
        if item is not None:
            ReplicaWriter(self.change, entry.project_id).take(item)
        unsure = entry.attempts > 1 and (
            entry.first_sent_at is None or server_now is None or server_now - entry.first_sent_at > self.can.retention
        )
        if unsure and entry.kind == "patch":  # an earlier try may have been done and been forgotten by the key store
            now = base.document(self.change.connection, "mission", entry.entity_id) or {}
            sent = cast("JsonObject", (entry.request or {}).get("body") or {})
            self.drop()
            if any(now.get(name) != value for name, value in sent.items()):
                theirs = {name: now.get(name) for name in sent}
                self.conflict("outcome_unknown", "", {n: entry.seen.get(n) for n in sent}, sent, theirs)
            self.show()
            return "done"
        self.queue_again()
        self.show()
        return "again" if item is not None else "later"

    def exists(self, answer: Response) -> Outcome | None:
        """The hub knows the id of a new mission: our own earlier try, or somebody else's mission."""
        entry, details = self.entry, answer.details
        if entry.kind != "create":
            return None
        item = mission_in(details.get("current")) or mission_in(details)
        creator = details.get("creatorMutationId") or answer.object.get("creatorMutationId")
        mine = creator == entry.mutation_id if creator is not None else item is not None and _says(item, entry.patch)
        self.drop()
        if not mine and item is not None and item.get("projectId") == entry.project_id:
            return self._met_again(item)
        if not mine:
            self.conflict("id_taken", "", None, {**entry.patch, "id": entry.entity_id}, item)
        elif item is not None:
            ReplicaWriter(self.change, entry.project_id).take(item)
        self.show()
        return "done" if mine else "conflict"

    def _met_again(self, item: JsonObject) -> Outcome:
        """The hub has this mission from before its project was disconnected here: a person decides what differs.

        Nobody knows what it said when both were one, so a value of either side is never overwritten; where there is
        none here, the hub's is taken.
        """
        ReplicaWriter(self.change, self.entry.project_id).take(item)
        mine = self.entry.patch
        differing = {name for name in mine if mine[name] and not same(mine[name], item.get(name))}
        steps = {name for name in STEPS if (mine.get(name) or None) != (item.get(name) or None)}
        if steps:
            names = sorted(mine.keys() & PROGRESS)
            theirs: JsonObject = {name: item.get(name) for name in names}
            self.conflict("progress", "progress", None, {name: mine[name] for name in names}, theirs)
        fields = sorted(differing & WATCHED - PROGRESS)
        for name in fields:
            self.conflict("field", name, None, mine[name], item.get(name))
        self.show()
        return "conflict" if steps or fields else "done"

    def _deleted_remotely(self) -> None:
        """Keep the whole mission as it would have been, so that it can be made again with these words."""
        connection, mission_id = self.change.connection, self.entry.entity_id
        row = connection.execute("SELECT doc FROM mission WHERE id = ?", (mission_id,)).fetchone()
        shown: JsonObject = strict_json.loads(row[0]) if row else {}
        mine: Json = {**shown, **self.entry.patch, "id": mission_id}
        self.conflict("deleted_remotely", "", base.document(connection, "mission", mission_id), mine, None)


def _says(item: JsonObject, patch: JsonObject) -> bool:
    return all(
        item.get(name) == value for name, value in patch.items() if name in ("title", "description", "createdAt")
    )
