"""What the kinds of things that go to a hub have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Final, Literal

from ....missions.entities import Json, JsonObject
from ....workspace.change import Change
from ....workspace.rows import dump
from ....workspace.sync_state import base, outbox
from ....workspace.sync_state.outbox import OutboxEntry
from .. import conflicts
from ..capabilities import Capabilities
from ..messages import Request, Response

Outcome = Literal["done", "again", "later", "signed_out", "parked", "conflict"]
"""`again`: at once, on the newer state; `later`: the same request after a pause."""
MAKING: Final = frozenset({"create", "part"})
REMOVING: Final = frozenset({"delete", "part_delete"})


class Kind(ABC):
    """One row of the outbox in an open change: the request it becomes, and what answers mean for it.

    A kind says only what is its own; `sending.settle` reads the status codes.
    """

    tells_rights: ClassVar[bool] = False
    """Whether a 403 says that the project may only be read."""

    def __init__(self, change: Change, entry: OutboxEntry, can: Capabilities) -> None:
        self.change = change
        self.entry = entry
        self.can = can

    @abstractmethod
    def request(self) -> Request | None:
        """What to send; None when there is nothing to send (any more), or when it became a conflict."""

    @abstractmethod
    def done(self, answer: Response) -> Outcome:
        """The hub has it."""

    def gone(self, answer: Response) -> Outcome | None:
        """The hub does not know what it is about. None: refused, as by any other answer of 400 to 499."""
        return None

    def unsupported(self) -> Outcome | None:
        """The server has nothing like it. None: refused."""
        return None

    def exists(self, answer: Response) -> Outcome | None:
        """It contradicts what the hub has. None: refused."""
        return None

    def outdated(self, answer: Response, server_now: float | None) -> Outcome | None:
        """Somebody was faster. None: refused."""
        return None

    def show(self) -> None:  # noqa: B027 (some kinds have no view)
        """Bring the view of what it is about up to date."""

    def refused(self, code: str, said: str) -> Outcome:
        """The hub will not have it: set aside, unless it was removed here meanwhile and nobody wants it any more."""
        later = self.later()
        if self.entry.kind in MAKING and later and later[-1].kind in REMOVING:
            self.change.connection.execute("DELETE FROM outbox WHERE entity_id = ?", (self.entry.entity_id,))
            self.show()
            return "done"
        return self.park(code, said)

    # -- what becomes of the row

    def park(self, code: str, said: str) -> Outcome:
        """Set it aside with the server's words; what was done to the same thing later goes on."""
        self.change.connection.execute(
            "UPDATE outbox SET state = 'parked', error_code = ?, error = ? WHERE seq = ?", (code, said, self.entry.seq)
        )
        self.show()
        self.change.event(self.entry.project_id, "parked", mission_id=self.entry.mission_id, note=said)
        return "parked"

    def queue_again(self) -> None:
        """It certainly had no effect: it is judged anew, and gets another key."""
        self.change.connection.execute(
            "UPDATE outbox SET state = 'queued', request = NULL, rebase = rebase + 1, attempts = 0, "
            "first_sent_at = NULL WHERE seq = ?",
            (self.entry.seq,),
        )

    def drop(self) -> None:
        self.change.connection.execute("DELETE FROM outbox WHERE seq = ?", (self.entry.seq,))

    def keep(self, patch: JsonObject) -> None:
        """What is left of it to be sent."""
        self.change.connection.execute("UPDATE outbox SET patch = ? WHERE seq = ?", (dump(patch), self.entry.seq))

    # -- what the kinds look at

    def known(self) -> tuple[int, JsonObject] | None:
        """(version, document) of what the hub has of it."""
        return base.find(self.change.connection, self.entry.about, self.entry.entity_id)

    def later(self) -> list[OutboxEntry]:
        """What was done to the same thing afterwards."""
        return [one for one in outbox.entries(self.change.connection, self.entry.entity_id) if one.seq > self.entry.seq]

    def headers(self, version: int | None = None) -> dict[str, str]:
        """The key of the request, and the version that it was made on, as far as the server knows them."""
        key = {"idempotency-key": f"{self.entry.mutation_id}.{self.entry.rebase}"} if self.can.idempotency else {}
        return {**key, "if-match": f'"{version}"'} if self.can.if_match and version is not None else key

    def conflict(self, kind: conflicts.ConflictKind, field: str, base: Json, mine: Json, theirs: Json) -> None:
        """Keep both values for a person."""
        one = self.entry
        part = "" if one.about == "mission" else one.about
        about = (one.project_id, one.entity_id, one.mutation_id)
        conflicts.add(self.change, *about, kind, field, base, mine, theirs, part=part)

    def mission_deleted_here(self) -> bool:
        """Whether somebody on this machine deleted the mission that it belongs to."""
        found = self.change.connection.execute(
            "SELECT 1 FROM event WHERE mission_id = ? AND kind = 'deleted'", (self.entry.mission_id,)
        ).fetchone()
        return found is not None
