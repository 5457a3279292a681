"""What becomes of a row of the outbox, a mission or a part alike."""

from __future__ import annotations

from typing import Literal

from ...workspace import outbox
from ...workspace.change import Change
from ...workspace.outbox import Entry
from ...workspace.view import View
from .part_view import show

Outcome = Literal["done", "again", "later", "signed_out", "parked", "conflict"]
"""`again`: at once, on the newer state; `later`: the same request after a pause."""


def park(change: Change, entry: Entry, code: str, said: str) -> Outcome:
    """Set a row aside with the server's words; what was done to the mission later goes on."""
    if entry.kind == "create" and outbox.entries(change.connection, entry.entity_id)[-1].kind == "delete":
        change.connection.execute("DELETE FROM outbox WHERE entity_id = ?", (entry.entity_id,))
        refold(change, entry)  # nobody wants it any more
        return "done"
    change.connection.execute(
        "UPDATE outbox SET state = 'parked', error_code = ?, error = ? WHERE seq = ?", (code, said, entry.seq)
    )
    refold(change, entry)
    change.event(entry.project_id, "parked", mission_id=entry.mission_id, note=said)
    return "parked"


def queued_again(change: Change, entry: Entry) -> None:
    """A row that certainly had no effect is judged anew, and gets another key."""
    change.connection.execute(
        "UPDATE outbox SET state = 'queued', request = NULL, rebase = rebase + 1, attempts = 0, first_sent_at = NULL "
        "WHERE seq = ?",
        (entry.seq,),
    )


def refold(change: Change, entry: Entry) -> None:
    """Bring the view of what a row is about up to date."""
    if entry.kind.startswith("part"):
        show(change, entry.project_id, str(entry.patch["table"]), entry.entity_id)
        return
    View(change, entry.project_id).refold(entry.entity_id)
