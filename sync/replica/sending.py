"""Sending one row of the outbox: the request it becomes, and what each answer means for it.

queued --freeze--> inflight --2xx--> gone from the outbox, the answer is the new base
  ^                   |
  +-------412---------+--4xx--> parked (the server's words kept) or a conflict
                      +--5xx, no answer--> stays inflight: the same request with the same key again

What is particular to missions, notes, files, parts and memory is in `kinds/`.
"""

from __future__ import annotations

from typing import cast

from ...missions.entities import Json, JsonObject
from ...workspace.change import Change
from ...workspace.rows import dump
from ...workspace.sync_state import outbox
from ...workspace.sync_state.outbox import OutboxEntry
from .capabilities import Capabilities
from .kinds.kind import Kind, Outcome
from .kinds.table import kind_of
from .messages import Answer, NoAnswer, Request, Response, mission_in


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
    kind = kind_of(change, entry, can)
    request = kind.request()
    if request is None:
        kind.drop()
        kind.show()
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
    kind = kind_of(change, entry, can)
    if isinstance(answer, NoAnswer):
        return _unanswered(kind)
    met: Outcome | None = None
    match answer.status:
        case status if 200 <= status < 300:
            _note_newest(change, entry, answer)
            return kind.done(answer)
        case 401:
            return "signed_out"
        case 408 | 425 | 429:
            return "later"
        case 409 if "retry-after" in answer.headers:
            return "later"
        case 403:
            if kind.tells_rights:
                change.connection.execute(
                    "UPDATE mirror SET read_only = ? WHERE project_id = ?", (answer.said, entry.project_id)
                )
            return kind.refused("forbidden", answer.said)
        case 404 | 410:
            met = kind.gone(answer)
        case 405:
            met = kind.unsupported()
        case 409:
            met = kind.exists(answer)
        case 412 | 428:
            met = kind.outdated(answer, server_now)
        case status if not 400 <= status < 500:
            change.connection.execute(
                "UPDATE outbox SET failures = failures + 1, error = ? WHERE seq = ?", (answer.said, seq)
            )
            return _unanswered(kind)
    return met or kind.refused(str(answer.error.get("code") or "refused"), answer.said)


def newest(project_id: str) -> str:
    """The name under which the newest change is kept that a project's hub answered with."""
    return f"hub.known {project_id}"


def _note_newest(change: Change, entry: OutboxEntry, answer: Response) -> None:
    version = (mission_in(answer.body) or answer.object).get("version", answer.version)
    if isinstance(version, int) and entry.about != "file":
        change.connection.execute(
            "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE "
            "SET value = max(CAST(value AS INTEGER), CAST(excluded.value AS INTEGER))",
            (newest(entry.project_id), str(version)),
        )


def _unanswered(kind: Kind) -> Outcome:
    """The same request goes out again: with its key, or as one that names what it makes, as files do.

    Without a key the row is judged anew on what the server has then.
    """
    if not kind.can.idempotency and kind.entry.about != "file":
        kind.queue_again()
    return "later"


def _document(request: Request) -> JsonObject:
    headers: dict[str, Json] = dict(request.headers)
    return {"method": request.method, "path": request.path, "headers": headers, "body": request.body}


def _request(document: JsonObject) -> Request:
    headers = cast("dict[str, str]", document["headers"])
    return Request(str(document["method"]), str(document["path"]), {}, headers, document.get("body"))
