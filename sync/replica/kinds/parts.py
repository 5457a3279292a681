"""A project's settings, flows, actors and repositories, and the documents of its memory.

Nothing of them is a register, so only who saw a value may replace it; texts are merged line by line.
"""

from __future__ import annotations

from typing import Final, cast

from ....missions.entities import Json, JsonObject
from ....missions.field_kinds import same, shared_fields
from ....workspace.sync_state import base, outbox
from ..messages import API, Request, Response
from ..project_parts import forget, put_base, show, take_one
from ..threeway import FieldConflict, MergeVerdict, merged_addition, merged_text
from .kind import Kind, Outcome

PATHS: Final = {"repository": "repositories", "flow": "flows", "actor": "actors", "project": "projects"}
TEXTS: Final = frozenset({"text", "methodology", "focus", "description", "setupScript", "prTemplate"})


def check(part: str, fields: JsonObject, seen: JsonObject, now: JsonObject) -> MergeVerdict:
    """Judge each field of a part, as `threeway.check` does for missions."""
    send: JsonObject = {}
    found: list[FieldConflict] = []
    for name, mine in fields.items():
        was, theirs = seen.get(name), now.get(name)
        if same(theirs, was) or same(theirs, mine):
            send[name] = mine
        elif name in TEXTS and (text := _merged(part, was, mine, theirs)) is not None:
            send[name] = text
        else:
            found.append(FieldConflict(name, was, mine, theirs))
    return MergeVerdict(send, tuple(found))


def _merged(part: str, was: Json, mine: Json, theirs: Json) -> str | None:
    if not isinstance(mine, str) or not isinstance(theirs, str):
        return None
    base, first, second = (
        (value if isinstance(value, str) else "").splitlines(keepends=True) for value in (was, mine, theirs)
    )
    text = merged_text(base, first, second)
    if text is None and part == "memory":  # what agents write down at the same time stands one below the other
        return merged_addition(base, first, second)
    return text


class Parts(Kind):
    def show(self) -> None:
        show(self.change, self.entry.project_id, self.entry.about, self.entry.entity_id)

    def request(self) -> Request | None:
        entry, part = self.entry, self.entry.about
        if entry.kind == "part":
            path = f"{API}/projects/{entry.project_id}/{PATHS[part]}"
            return Request("POST", path, {}, self.headers(), entry.patch["document"])
        known = self.known()
        if known is None:
            if entry.kind == "part_patch":
                self._deleted_there()
            return None
        version, now = known
        path = f"{API}/{PATHS[part]}/{entry.entity_id}"
        if entry.kind == "part_delete":
            if any(not same(value, now.get(name)) for name, value in entry.seen.items() if name in now):
                self.conflict("deleted_locally", "", entry.seen, None, shared_fields(part, now))
                return None
            return Request("DELETE", path, {}, self.headers(version))
        send = self.judged(now)
        return Request("PATCH", path, {}, self.headers(version), send) if send else None

    def judged(self, now: JsonObject) -> JsonObject:
        """The fields to send, on what the hub has `now`; what two people changed becomes a conflict."""
        fields = cast("JsonObject", self.entry.patch["fields"])
        verdict = check(self.entry.about, fields, self.entry.seen, now)
        for one in verdict.conflicts:
            self.conflict("field", one.field, one.base, one.mine, one.theirs)
        if verdict.conflicts:
            kept = {name: value for name, value in fields.items() if name in verdict.send}
            self.keep({**self.entry.patch, "fields": kept})
            self.show()
        return {name: value for name, value in verdict.send.items() if not same(value, now.get(name))}

    def done(self, answer: Response) -> Outcome:
        entry, part, connection = self.entry, self.entry.about, self.change.connection
        known = self.known()
        self.drop()
        if entry.kind == "part_delete":
            forget(connection, part, entry.entity_id)
            self.show()
            return "done"
        said = answer.object
        sent = cast("JsonObject", (entry.request or {}).get("body") or {})
        document = said if "name" in said else {**(known[1] if known else {}), **sent}
        version = _version(said.get("version"), answer)
        if version is None:
            put_base(connection, entry.project_id, part, entry.entity_id, known[0] if known else 0, document)
            self.show()
        else:
            if known is None:
                self._look_again(version)
            take_one(self.change, entry.project_id, part, entry.entity_id, version, document)
        return "done"

    def exists(self, answer: Response) -> Outcome | None:
        """An earlier try made it. What is known of it now may be newer than what was sent then."""
        entry = self.entry
        if entry.kind != "part" or answer.details.get("id") != entry.entity_id:
            return None
        self.drop()
        if self.known() is None:
            document = cast("JsonObject", entry.patch["document"])
            put_base(self.change.connection, entry.project_id, entry.about, entry.entity_id, 0, document)
            self._look_again(0)
        self.show()
        return "done"

    def gone(self, answer: Response) -> Outcome | None:
        if self.entry.kind == "part_delete":
            return self.done(answer)
        if self.entry.kind != "part_patch" or not self.can.changes or self.entry.about == "project":
            return None
        forget(self.change.connection, self.entry.about, self.entry.entity_id)
        self._deleted_there()
        self.drop()
        self.show()
        return "conflict"

    def outdated(self, answer: Response, server_now: float | None) -> Outcome:
        """Somebody was faster: judge the row again on what the hub has now."""
        entry, current = self.entry, answer.details.get("current")
        version = _version(answer.details.get("version"), answer)
        told_now = isinstance(current, dict) and version is not None
        if isinstance(current, dict) and version is not None:
            take_one(self.change, entry.project_id, entry.about, entry.entity_id, version, current)
        self.queue_again()
        return "again" if told_now else "later"

    def refused(self, code: str, said: str) -> Outcome:
        """A part that was changed here after it was made may be accepted as it is now."""
        later = self.later()
        if self.entry.kind != "part" or not later:
            return super().refused(code, said)
        if any(one.kind != "part_patch" or not outbox.never_sent(one) for one in later):
            return super().refused(code, said)
        document = dict(cast("JsonObject", self.entry.patch["document"]))
        for one in later:
            document.update(cast("JsonObject", one.patch["fields"]))
            self.change.connection.execute("DELETE FROM outbox WHERE seq = ?", (one.seq,))
        self.keep({**self.entry.patch, "document": document})
        self.queue_again()
        return "again"

    def _look_again(self, version: int) -> None:
        """Read the parts anew if a later state of them, which was read already, lacks this one: it may be gone."""
        self.change.connection.execute(
            "UPDATE mirror SET parts = NULL WHERE project_id = ? AND parts >= ?", (self.entry.project_id, version)
        )

    def _deleted_there(self) -> None:
        """Keep the whole part as it would have been, so that it can be made again."""
        words = base.last_words(self.change.connection, self.entry.about, self.entry.entity_id)
        mine: Json = {**words, **cast("JsonObject", self.entry.patch["fields"]), "id": self.entry.entity_id}
        self.conflict("deleted_remotely", "", self.entry.seen, mine, None)


class Memory(Parts):
    """A document of the memory: written as a whole, and only ever added to, so that it is never gone."""

    def request(self) -> Request | None:
        if not self.can.history:
            return None  # a plain server keeps no memory: it stays on this machine
        version, now = self.known() or (0, {})
        send = self.judged(now)
        path = f"{API}/projects/{self.entry.project_id}/memory/{self.entry.entity_id.split('/', 1)[1]}"
        return Request("PUT", path, {}, self.headers(version), send) if send else None

    def gone(self, answer: Response) -> None:
        return None


def _version(said: Json, answer: Response) -> int | None:
    return said if isinstance(said, int) and not isinstance(said, bool) else answer.version
