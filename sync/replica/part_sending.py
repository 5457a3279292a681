"""Sending what was done to a project's settings, flows, actors, repositories and memory, and what each answer means.

The same ways as for missions (pushing.py): a row is judged field by field just before it is sent for the first time,
frozen, sent again with the same key until it is answered, and ends as done, as a conflict or parked.
"""

from __future__ import annotations

from typing import Final, cast

from ...missions.entities import Json, JsonObject
from ...missions.field_kinds import same, told
from ...workspace import base, outbox
from ...workspace.change import Change
from ...workspace.outbox import Entry
from ...workspace.rows import dump
from . import conflicts
from .capabilities import Capabilities
from .messages import API, Answer, NoAnswer, Request, Response
from .outcomes import Outcome, park, queued_again
from .part_view import forget, put_base, show, take_one
from .threeway import FieldConflict, Verdict, merged_addition, merged_text

PATHS: Final = {"repository": "repositories", "flow": "flows", "actor": "actors", "project": "projects"}
TEXTS: Final = frozenset({"text", "methodology", "focus", "description", "setupScript", "prTemplate"})


def decide(change: Change, entry: Entry, can: Capabilities) -> Request | None:
    """The request of a row, or None when there is nothing to send (any more)."""
    part = entry.about
    headers = {"idempotency-key": f"{entry.mutation_id}.{entry.rebase}"} if can.idempotency else {}
    if entry.kind == "part":
        return Request("POST", f"{API}/projects/{entry.project_id}/{PATHS[part]}", {}, headers, entry.patch["document"])
    if part == "memory" and not can.history:
        return None  # a plain server keeps no memory: it stays on this machine
    known = base.find(change.connection, entry.about, entry.entity_id)
    if known is None and part != "memory":
        if entry.kind == "part_patch":
            _deleted_there(change, entry)
        return None
    version, now = known or (0, {})
    if can.if_match:
        headers["if-match"] = f'"{version}"'
    if entry.kind == "part_delete":
        if any(not same(value, now.get(name)) for name, value in entry.seen.items() if name in now):
            _conflict(change, entry, "deleted_locally", "", entry.seen, None, told(part, now))
            return None
        return Request("DELETE", f"{API}/{PATHS[part]}/{entry.entity_id}", {}, headers)
    verdict = check(part, cast("JsonObject", entry.patch["fields"]), entry.seen, now)
    for one in verdict.conflicts:
        _conflict(change, entry, "field", one.field, one.base, one.mine, one.theirs)
    if verdict.conflicts:
        fields = cast("JsonObject", entry.patch["fields"])
        kept = {name: value for name, value in fields.items() if name in verdict.send}
        change.connection.execute(
            "UPDATE outbox SET patch = ? WHERE seq = ?", (dump({**entry.patch, "fields": kept}), entry.seq)
        )
        show(change, entry.project_id, part, entry.entity_id)
    send = {name: value for name, value in verdict.send.items() if not same(value, now.get(name))}
    if not send:
        return None
    if part == "memory":
        name = entry.entity_id.split("/", 1)[1]
        return Request("PUT", f"{API}/projects/{entry.project_id}/memory/{name}", {}, headers, send)
    return Request("PATCH", f"{API}/{PATHS[part]}/{entry.entity_id}", {}, headers, send)


def check(part: str, fields: JsonObject, seen: JsonObject, now: JsonObject) -> Verdict:
    """Judge each field: nothing of a part is a register, so only who saw the value may replace it."""
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
    return Verdict(send, tuple(found))


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


def settle(change: Change, entry: Entry, answer: Answer, can: Capabilities) -> Outcome:
    """Write down what an answer means for its row."""
    if isinstance(answer, NoAnswer):
        return _unanswered(change, entry, can)
    match answer.status:
        case status if 200 <= status < 300:
            return _effective(change, entry, answer)
        case 401:
            return "signed_out"
        case 403:
            return _parked(change, entry, "forbidden", answer.said)
        case 408 | 425 | 429:
            return "later"
        case 409 if "retry-after" in answer.headers:
            return "later"
        case 409 if entry.kind == "part" and answer.details.get("id") == entry.entity_id:
            return _there_already(change, entry)
        case 404 | 410 if entry.kind == "part_delete":
            return _effective(change, entry, answer)
        case 404 | 410 if entry.kind == "part_patch" and can.changes and entry.about not in ("project", "memory"):
            forget(change.connection, entry.about, entry.entity_id)
            _deleted_there(change, entry)
            _gone(change, entry)
            return "conflict"
        case 412 | 428:
            return _outdated(change, entry, answer)
        case status if 400 <= status < 500:
            return _parked(change, entry, str(answer.error.get("code") or "refused"), answer.said)
    change.connection.execute(
        "UPDATE outbox SET failures = failures + 1, error = ? WHERE seq = ?", (answer.said, entry.seq)
    )
    return _unanswered(change, entry, can)


def _effective(change: Change, entry: Entry, answer: Response) -> Outcome:
    part, known = entry.about, base.find(change.connection, entry.about, entry.entity_id)
    change.connection.execute("DELETE FROM outbox WHERE seq = ?", (entry.seq,))
    if entry.kind == "part_delete":
        forget(change.connection, entry.about, entry.entity_id)
        show(change, entry.project_id, part, entry.entity_id)
        return "done"
    said = answer.object
    sent = cast("JsonObject", (entry.request or {}).get("body") or {})
    document = said if "name" in said else {**(known[1] if known else {}), **sent}
    version = _version(said.get("version"), answer.headers)
    if version is None:
        put_base(change.connection, entry.project_id, part, entry.entity_id, known[0] if known else 0, document)
        show(change, entry.project_id, part, entry.entity_id)
    else:
        if known is None:
            _look_again(change, entry, version)
        take_one(change, entry.project_id, part, entry.entity_id, version, document)
    return "done"


def _there_already(change: Change, entry: Entry) -> Outcome:
    """An earlier try made it. What is known of it now may be newer than what was sent then."""
    change.connection.execute("DELETE FROM outbox WHERE seq = ?", (entry.seq,))
    if base.find(change.connection, entry.about, entry.entity_id) is None:
        document = cast("JsonObject", entry.patch["document"])
        put_base(change.connection, entry.project_id, entry.about, entry.entity_id, 0, document)
        _look_again(change, entry, 0)
    show(change, entry.project_id, entry.about, entry.entity_id)
    return "done"


def _look_again(change: Change, entry: Entry, version: int) -> None:
    """Read the parts anew if a later state of them, which was read already, does not have this one: it may be gone."""
    change.connection.execute(
        "UPDATE mirror SET parts = NULL WHERE project_id = ? AND parts >= ?", (entry.project_id, version)
    )


def _outdated(change: Change, entry: Entry, answer: Response) -> Outcome:
    """Somebody was faster: judge the row again on what the hub has now."""
    current = answer.details.get("current")
    version = _version(answer.details.get("version"), answer.headers)
    told_now = isinstance(current, dict) and version is not None
    if isinstance(current, dict) and version is not None:
        take_one(change, entry.project_id, entry.about, entry.entity_id, version, current)
    queued_again(change, entry)
    return "again" if told_now else "later"


def _unanswered(change: Change, entry: Entry, can: Capabilities) -> Outcome:
    if not can.idempotency:
        queued_again(change, entry)
    return "later"


def _parked(change: Change, entry: Entry, code: str, said: str) -> Outcome:
    later = [one for one in outbox.entries(change.connection, entry.entity_id) if one.seq > entry.seq]
    if entry.kind == "part" and later and later[-1].kind == "part_delete":  # nobody wants it any more
        change.connection.execute("DELETE FROM outbox WHERE entity_id = ?", (entry.entity_id,))
        show(change, entry.project_id, entry.about, entry.entity_id)
        return "done"
    if entry.kind == "part" and later and all(one.kind == "part_patch" and outbox.never_sent(one) for one in later):
        document = dict(cast("JsonObject", entry.patch["document"]))
        for one in later:  # it was changed meanwhile, and may be accepted as it is now
            document.update(cast("JsonObject", one.patch["fields"]))
            change.connection.execute("DELETE FROM outbox WHERE seq = ?", (one.seq,))
        change.connection.execute(
            "UPDATE outbox SET patch = ? WHERE seq = ?", (dump({**entry.patch, "document": document}), entry.seq)
        )
        queued_again(change, entry)
        return "again"
    park(change, entry, code, said)
    show(change, entry.project_id, entry.about, entry.entity_id)
    return "parked"


def _deleted_there(change: Change, entry: Entry) -> None:
    """Keep the whole part as it would have been, so that it can be made again."""
    words = base.last_words(change.connection, entry.about, entry.entity_id)
    mine: Json = {**words, **cast("JsonObject", entry.patch["fields"]), "id": entry.entity_id}
    _conflict(change, entry, "deleted_remotely", "", entry.seen, mine, None)


def _gone(change: Change, entry: Entry) -> None:
    change.connection.execute("DELETE FROM outbox WHERE seq = ?", (entry.seq,))
    show(change, entry.project_id, entry.about, entry.entity_id)


def _conflict(
    change: Change, entry: Entry, kind: conflicts.ConflictKind, field: str, base: Json, mine: Json, theirs: Json
) -> None:
    conflicts.add(
        change, entry.project_id, entry.entity_id, entry.mutation_id, kind, field, base, mine, theirs, part=entry.about
    )


def _version(said: Json, headers: dict[str, str]) -> int | None:
    if isinstance(said, int) and not isinstance(said, bool):
        return said
    tag = headers.get("etag", "").strip('"')
    return int(tag) if tag.isdecimal() else None
