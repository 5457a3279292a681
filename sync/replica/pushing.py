"""Sending one row of the outbox: the request it becomes, and what each answer means for it.

queued --freeze--> inflight --2xx--> gone from the outbox, the answer is the new base
  ^                   |
  +-------412---------+--4xx--> parked (the server's words kept) or a conflict
                      +--5xx, no answer--> stays inflight: the same request with the same key again
"""

from __future__ import annotations

from typing import cast

from ...missions.entities import Json, JsonObject
from ...missions.field_kinds import PROGRESS, WATCHED, same
from ...system import strict_json
from ...workspace import base, outbox
from ...workspace.change import Change
from ...workspace.outbox import Entry
from ...workspace.rows import dump
from . import conflicts, restored
from .capabilities import Capabilities
from .messages import API, Answer, NoAnswer, Request, Response, mission_in, server_time
from .outcomes import Outcome, park, queued_again, refold
from .part_sending import decide as decide_part
from .part_sending import settle as settle_part
from .taking import Taking
from .threeway import check, differs

STEPS = ("list", "ready", "reviewStatus", "stage")
"""Fields by which two places of a mission in its flow differ."""


def freeze(change: Change, seq: int, can: Capabilities, server_now: float | None) -> Request | None:
    """The request of a row, decided upon once and written down before its first byte is sent.

    None when there is nothing to send (any more): the hub has it already, or it became a conflict.
    """
    entry = outbox.entry(change.connection, seq)
    if entry is None or entry.state == "parked":
        return None
    if entry.state == "inflight" and entry.request is not None:
        change.connection.execute("UPDATE outbox SET attempts = attempts + 1 WHERE seq = ?", (seq,))
        return _request(entry.request)
    request = _decide(change, entry, can)
    if request is None:
        change.connection.execute("DELETE FROM outbox WHERE seq = ?", (seq,))
        refold(change, entry)
        return None
    change.connection.execute(
        "UPDATE outbox SET state = 'inflight', request = ?, attempts = attempts + 1, "
        "first_sent_at = coalesce(first_sent_at, ?) WHERE seq = ?",
        (dump(_document(request)), server_now, seq),
    )
    return request


def settle(change: Change, seq: int, answer: Answer, can: Capabilities, server_now: float | None) -> Outcome:
    """Write down what an answer means for its row."""
    entry = outbox.entry(change.connection, seq)
    if entry is None:
        return "done"
    if entry.kind.startswith("part"):
        return settle_part(change, entry, answer, can)
    if isinstance(answer, NoAnswer):
        return _unanswered(change, entry, can)
    if entry.kind == "note" and (answer.ok or answer.status in (404, 410)):
        return _noted(change, entry, answer)
    match answer.status:
        case status if 200 <= status < 300:
            return _effective(change, entry, answer)
        case 401:
            return "signed_out"
        case 403:
            change.connection.execute(
                "UPDATE mirror SET read_only = ? WHERE project_id = ?", (answer.said, entry.project_id)
            )
            return park(change, entry, "forbidden", answer.said)
        case 404 | 410:
            return _gone(change, entry)
        case 412 | 428:
            return _outdated(change, entry, answer, can, server_now)
        case 409 if "retry-after" in answer.headers:
            return "later"
        case 409 if entry.kind == "create":
            return _exists(change, entry, answer)
        case 408 | 425 | 429:
            return "later"
        case status if 400 <= status < 500:
            return park(change, entry, str(answer.error.get("code") or "refused"), answer.said)
    change.connection.execute("UPDATE outbox SET failures = failures + 1, error = ? WHERE seq = ?", (answer.said, seq))
    return "later" if can.idempotency else _unanswered(change, entry, can)


def _noted(change: Change, entry: Entry, answer: Response) -> Outcome:
    """The hub has a note; or its mission is gone: set aside, unless it was deleted here, or a restored hub lost it."""
    restored_without = change.connection.execute(
        "SELECT 1 FROM conflict WHERE mission_id = ? AND kind = 'lost_remotely' AND state = 'open'", (entry.entity_id,)
    ).fetchone()
    if not answer.ok and restored_without is None and not deleted_here(change, entry.entity_id):
        return park(change, entry, "gone", f"its mission was deleted meanwhile: {answer.said}")
    change.connection.execute("DELETE FROM outbox WHERE seq = ?", (entry.seq,))
    if answer.ok or restored_without is not None:
        restored.remember(change.connection, entry, is_there=answer.ok)
    return "done"


def deleted_here(change: Change, mission_id: str) -> bool:
    """Whether somebody on this machine deleted a mission."""
    found = change.connection.execute(
        "SELECT 1 FROM event WHERE mission_id = ? AND kind = 'deleted'", (mission_id,)
    ).fetchone()
    return found is not None


def queued_from(change: Change, row: JsonObject) -> bool | None:
    """Queue a row of a journal that is not here; None when its project is not connected for its account."""
    connection = change.connection
    if outbox.account_of(connection, str(row["project_id"])) != row["account"]:
        return None
    if connection.execute("SELECT 1 FROM outbox WHERE mutation_id = ?", (row["mutation_id"],)).fetchone():
        return False
    names = [name for name in row if name != "rebase"]
    connection.execute(
        f"INSERT INTO outbox ({', '.join(names)}, rebase, state) VALUES ({', '.join('?' * len(names))}, ?, 'queued')",
        (*(row[name] for name in names), int(cast("int", row["rebase"])) + 1),  # it may have been sent: another key
    )
    found = connection.execute(
        f"SELECT {outbox.COLUMNS} FROM outbox WHERE mutation_id = ?", (row["mutation_id"],)
    ).fetchone()
    entry = outbox.entry_of(found)
    refold(change, entry)
    change.event(entry.project_id, "recovered", mission_id=entry.mission_id)
    return True


def _decide(change: Change, entry: Entry, can: Capabilities) -> Request | None:
    if entry.kind.startswith("part"):
        return decide_part(change, entry, can)
    headers = {"idempotency-key": f"{entry.mutation_id}.{entry.rebase}"} if can.idempotency else {}
    if entry.kind == "note":  # a server without them: it stays on this machine
        path = f"{API}/missions/{entry.entity_id}/notes"
        return Request("POST", path, {}, headers, {**entry.patch, "id": entry.mutation_id}) if can.history else None
    if entry.kind == "create":
        body = {name: value for name, value in entry.patch.items() if value is not None}
        return Request(
            "POST", f"{API}/projects/{entry.project_id}/missions", {}, headers, {**body, "id": entry.entity_id}
        )
    known = base.find(change.connection, "mission", entry.entity_id)
    if known is None:
        if entry.kind == "patch":
            _deleted_remotely(change, entry)
        return None
    version, now = known
    if can.if_match:
        headers["if-match"] = f'"{version}"'
    path = f"{API}/missions/{entry.entity_id}"
    if entry.kind == "delete":
        if differs(entry.seen, now):
            _conflict(change, entry, "deleted_locally", "", entry.seen, None, now)
            return None
        return Request("DELETE", path, {}, headers)
    verdict = check(entry.patch, entry.seen, now)
    for one in verdict.conflicts:
        kind: conflicts.ConflictKind = "progress" if one.field == "progress" else "field"
        _conflict(change, entry, kind, one.field, one.base, one.mine, one.theirs)
    if verdict.conflicts:  # what became a conflict is no longer wished: the view shows the hub's value
        kept = {name: value for name, value in entry.patch.items() if name in verdict.send}
        change.connection.execute("UPDATE outbox SET patch = ? WHERE seq = ?", (dump(kept), entry.seq))
        refold(change, entry)
    if can.changes:  # the fields as they are: the rules were applied here, when the edit was made
        headers["content-type"] = "application/merge-patch+json"
    send = {name: value for name, value in verdict.send.items() if value != now.get(name)}
    return Request("PATCH", path, {}, headers, send) if send else None


def _effective(change: Change, entry: Entry, answer: Response) -> Outcome:
    change.connection.execute("DELETE FROM outbox WHERE seq = ?", (entry.seq,))
    change.connection.execute("UPDATE mirror SET read_only = NULL WHERE project_id = ?", (entry.project_id,))
    taking = Taking(change, entry.project_id)
    if entry.kind == "delete":
        base.mark_deleted(change.connection, "mission", entry.entity_id)
    elif (item := mission_in(answer.body)) is not None:
        taking.take(item)
    taking.view.refold(entry.entity_id)
    return "done"


def _outdated(change: Change, entry: Entry, answer: Response, can: Capabilities, server_now: float | None) -> Outcome:
    """Somebody was faster: judge the row again on what the hub has now."""
    server_now = server_time(answer.headers) or server_now  # what was known before may be of long ago
    current = answer.details.get("current")
    item = mission_in(current) or mission_in(answer.body)
    if item is not None:
        Taking(change, entry.project_id).take(item)
    unsure = entry.attempts > 1 and (
        entry.first_sent_at is None or server_now is None or server_now - entry.first_sent_at > can.retention
    )
    if unsure and entry.kind == "patch":  # an earlier try may have been done and been forgotten by the key store
        now = base.document(change.connection, "mission", entry.entity_id) or {}
        sent = cast("JsonObject", (entry.request or {}).get("body") or {})
        change.connection.execute("DELETE FROM outbox WHERE seq = ?", (entry.seq,))
        if any(now.get(name) != value for name, value in sent.items()):
            theirs = {name: now.get(name) for name in sent}
            _conflict(change, entry, "outcome_unknown", "", {n: entry.seen.get(n) for n in sent}, sent, theirs)
        refold(change, entry)
        return "done"
    queued_again(change, entry)
    refold(change, entry)
    return "again" if item is not None else "later"


def _exists(change: Change, entry: Entry, answer: Response) -> Outcome:
    """The hub knows this id: our own earlier try, or somebody else's mission."""
    details = answer.details
    item = mission_in(details.get("current")) or mission_in(details)
    creator = details.get("creatorMutationId") or answer.object.get("creatorMutationId")
    mine = creator == entry.mutation_id if creator is not None else item is not None and _says(item, entry.patch)
    change.connection.execute("DELETE FROM outbox WHERE seq = ?", (entry.seq,))
    if not mine and item is not None and item.get("projectId") == entry.project_id:
        return _met_again(change, entry, item)
    if not mine:
        _conflict(change, entry, "id_taken", "", None, {**entry.patch, "id": entry.entity_id}, item)
    elif item is not None:
        Taking(change, entry.project_id).take(item)
    refold(change, entry)
    return "done" if mine else "conflict"


def _met_again(change: Change, entry: Entry, item: JsonObject) -> Outcome:
    """The hub has this mission from before its project was disconnected here: what differs is for a person to decide.

    Nobody knows what it said when both were one, so a value of either side is never overwritten; where there is none
    here, the hub's is taken.
    """
    Taking(change, entry.project_id).take(item)
    mine = entry.patch
    differing = {name for name in mine if mine[name] and not same(mine[name], item.get(name))}
    steps = {name for name in STEPS if (mine.get(name) or None) != (item.get(name) or None)}
    if steps:
        names = sorted(mine.keys() & PROGRESS)
        theirs: JsonObject = {name: item.get(name) for name in names}
        _conflict(change, entry, "progress", "progress", None, {name: mine[name] for name in names}, theirs)
    fields = sorted(differing & WATCHED - PROGRESS)
    for name in fields:
        _conflict(change, entry, "field", name, None, mine[name], item.get(name))
    refold(change, entry)
    return "conflict" if steps or fields else "done"


def _gone(change: Change, entry: Entry) -> Outcome:
    base.mark_deleted(change.connection, "mission", entry.entity_id)
    change.connection.execute("DELETE FROM outbox WHERE seq = ?", (entry.seq,))
    if entry.kind == "delete":
        refold(change, entry)
        return "done"
    _deleted_remotely(change, entry)
    refold(change, entry)
    return "conflict"


def _unanswered(change: Change, entry: Entry, can: Capabilities) -> Outcome:
    """With a key the same request goes out again; without one the row is judged anew on what the server has then."""
    if not can.idempotency:
        queued_again(change, entry)
    return "later"


def _deleted_remotely(change: Change, entry: Entry) -> None:
    """Keep the whole mission as it would have been, so that it can be made again with these words."""
    row = change.connection.execute("SELECT doc FROM mission WHERE id = ?", (entry.entity_id,)).fetchone()
    shown: JsonObject = strict_json.loads(row[0]) if row else {}
    mine: Json = {**shown, **entry.patch, "id": entry.entity_id}
    _conflict(
        change, entry, "deleted_remotely", "", base.document(change.connection, "mission", entry.entity_id), mine, None
    )


def _conflict(
    change: Change, entry: Entry, kind: conflicts.ConflictKind, field: str, base: Json, mine: Json, theirs: Json
) -> None:
    conflicts.add(change, entry.project_id, entry.entity_id, entry.mutation_id, kind, field, base, mine, theirs)


def _says(item: JsonObject, patch: JsonObject) -> bool:
    return all(
        item.get(name) == value for name, value in patch.items() if name in ("title", "description", "createdAt")
    )


def _document(request: Request) -> JsonObject:
    headers: dict[str, Json] = dict(request.headers)
    return {"method": request.method, "path": request.path, "headers": headers, "body": request.body}


def _request(document: JsonObject) -> Request:
    headers = cast("dict[str, str]", document["headers"])
    return Request(str(document["method"]), str(document["path"]), {}, headers, document.get("body"))
