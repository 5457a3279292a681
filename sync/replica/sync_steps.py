"""The workspace's part of synchronisation: each function is at most one transaction, and none waits for a network."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Literal, cast

from ...missions.connected import Heard, TroubleKind
from ...missions.entities import SYSTEM, Json, JsonObject
from ...missions.errors import Conflict, NotFound
from ...system import strict_json
from ...workspace import lookup
from ...workspace.change import Change
from ...workspace.mission_view import MissionView
from ...workspace.rows import dump, stamp
from ...workspace.sync_state import base, last_heard, outbox
from ...workspace.sync_state.outbox import OutboxEntry
from ...workspace.workspace import Workspace
from . import restored
from .applying import MANY, ReplicaWriter, consistent
from .capabilities import Capabilities
from .kinds.table import kind_of
from .mirror_record import COLUMNS as MIRROR_COLUMNS
from .mirror_record import Mirror, mirror, mirror_of
from .sending import newest

PAGE_MOST = 500


def mirrors(connection: sqlite3.Connection, account: str | None = None) -> list[Mirror]:
    """The connected projects, of one account or of all."""
    found = connection.execute(
        f"SELECT {MIRROR_COLUMNS} FROM mirror WHERE ?1 IS NULL OR account = ?1 ORDER BY project_id", (account,)
    ).fetchall()
    return [mirror_of(row) for row in found]


def mirrored(connection: sqlite3.Connection, project: str) -> Mirror:
    """The mirror of a connected project; NotFound for a local one."""
    return mirror(connection, lookup.project(connection, project).id)


def take_changes(change: Change, project_id: str, page: Mapping[str, Json]) -> int:
    """Take in a page of the change feed: its data and its cursor in one transaction. Returns how many were news."""
    items = _items(page.get("changes"))
    taking = ReplicaWriter(change, project_id)
    news = sum(taking.take(item, quiet=len(items) > MANY) for item in items)
    if len(items) > MANY:
        taking.tell()
    _advance(taking, page, "cursor")
    return news


def begin_resync(change: Change, project_id: str, *, anew: bool = False) -> None:
    """Everything is to be read again; survives a crash. The outbox stays as it is.

    `anew`: the hub is of another history, so that what it says counts whatever its numbers are.
    """
    resync = dump({"after": "", "anew": anew})
    change.connection.execute(
        "UPDATE mirror SET resync = ?, generation = generation + 1 WHERE project_id = ?", (resync, project_id)
    )
    if anew:
        change.connection.execute(
            "UPDATE mirror SET seq = 0, parts = NULL, history = NULL WHERE project_id = ?", (project_id,)
        )
        restored.doubt(change.connection, project_id)
        change.connection.execute("DELETE FROM meta WHERE key = ?", (newest(project_id),))
        change.event(project_id, "mirrored", note="the hub was restored: everything is compared")


def known(connection: sqlite3.Connection, project_id: str) -> int | None:
    """The newest change the hub answered with that no page has told of yet; None when there is none."""
    told = lookup.meta(connection, newest(project_id))
    return None if told is None or int(told) <= mirror(connection, project_id).seq else int(told)


def take_snapshot(
    change: Change, project_id: str, page: Mapping[str, Json], taken_back: frozenset[str] = frozenset()
) -> bool:
    """Take in one page of a full resync; True when it was the last, and what is gone was swept.

    `taken_back` are missions whose known state is not in the hub's history.
    """
    items = _items(page.get("items") or page.get("missions") or page.get("data"))
    following = page.get("nextAfter") or page.get("nextCursor")
    taking = ReplicaWriter(change, project_id)
    resync = taking.mirror.resync
    if resync is None:
        return True
    for item in items:
        taking.take(item, generation=taking.mirror.generation, quiet=True, lost=item.get("id") in taken_back)
    start = resync.get("start") or {
        "cursor": page.get("snapshotCursor"),
        "epoch": page.get("epoch"),
        "seq": page.get("seq"),
    }
    if following:
        change.connection.execute(
            "UPDATE mirror SET resync = ?, skipped = skipped + ? WHERE project_id = ?",
            (dump({**resync, "after": following, "start": start}), len(taking.skipped), project_id),
        )
    else:
        taking.sweep(taking.mirror.generation)
        change.connection.execute("UPDATE mirror SET resync = NULL WHERE project_id = ?", (project_id,))
        _advance(taking, cast("JsonObject", start), "cursor")
    taking.tell()
    return not following


def _advance(taking: ReplicaWriter, told: Mapping[str, Json], name: str) -> None:
    before, seq, epoch = taking.mirror, told.get("seq"), told.get("epoch")
    fresh = isinstance(epoch, int) and epoch != before.epoch
    reached = seq if isinstance(seq, int) else 0
    cursor = told.get(name)
    taking.change.connection.execute(
        "UPDATE mirror SET cursor = ?, seq = CASE WHEN ?2 THEN ?3 ELSE max(seq, ?3) END, epoch = ?, "
        "skipped = skipped + ?, synced_at = ? WHERE project_id = ?",
        (
            cursor if isinstance(cursor, str) else before.cursor,
            fresh,
            reached,
            epoch if isinstance(epoch, int) else before.epoch,
            len(taking.skipped),
            stamp(taking.change.now),
            before.project_id,
        ),
    )


def take_mission(change: Change, project_id: str, item: JsonObject) -> bool:
    """Take in one representation that was asked for."""
    return ReplicaWriter(change, project_id).take(item)


def mark_gone(change: Change, project_id: str, mission_id: str) -> None:
    """The hub says that a mission is not there."""
    base.mark_deleted(change.connection, "mission", mission_id)
    MissionView(change, project_id).refold(mission_id)


def mark_synced(workspace: Workspace, project_ids: Sequence[str]) -> None:
    """The hub was read and took everything; nothing is written where that is known."""
    known = [one for one in workspace.read(mirrors) if one.project_id in project_ids]
    changed = [one.project_id for one in known if one.trouble is not None or one.synced_at is None]
    if changed:
        workspace.write_as(SYSTEM, _mark_synced, changed)


def _mark_synced(change: Change, project_ids: Sequence[str]) -> None:
    change.connection.executemany(
        "UPDATE mirror SET synced_at = ?, trouble = NULL, failing_since = NULL, error = NULL WHERE project_id = ?",
        [(stamp(change.now), project_id) for project_id in project_ids],
    )


def mark_failing(workspace: Workspace, project_ids: Sequence[str], kind: TroubleKind, reason: str) -> None:
    """Something stands between these projects and their hub; nothing is written where that is known."""
    known = [one for one in workspace.read(mirrors) if one.project_id in project_ids]
    changed = [one.project_id for one in known if (one.trouble, one.error) != (kind, reason)]
    if changed:
        workspace.write_as(SYSTEM, _mark_failing, changed, kind, reason)


def _mark_failing(change: Change, project_ids: Sequence[str], kind: TroubleKind, reason: str) -> None:
    change.connection.executemany(
        "UPDATE mirror SET failing_since = CASE WHEN trouble = ?1 THEN failing_since ELSE ?2 END, "
        "trouble = ?1, error = ?3 WHERE project_id = ?4",
        [(kind, stamp(change.now), reason, project_id) for project_id in project_ids],
    )


def hear(workspace: Workspace, account_id: str, *, answered: bool, due_in: float) -> None:
    """An account's hub was asked just now; it is asked again within `due_in` seconds."""
    now = workspace.now()
    before = last_heard.read(workspace.path).get(account_id, Heard())
    after = replace(before, tried_at=now, due_at=now + timedelta(seconds=due_in))
    last_heard.write(workspace.path, account_id, replace(after, answered_at=now) if answered else after)


def hear_asking(workspace: Workspace, account_id: str, due_in: float) -> None:
    """An account's hub is being asked; a later moment at which it is looked at in any case still counts."""
    now = workspace.now()
    due = now + timedelta(seconds=due_in)
    before = last_heard.read(workspace.path).get(account_id, Heard())
    last_heard.write(workspace.path, account_id, replace(before, tried_at=now, due_at=max(before.due_at or due, due)))


def hear_socket(workspace: Workspace, account_id: str, socket: Literal["", "open", "refused"], why: str) -> None:
    """What became of the socket to an account's hub."""
    before = last_heard.read(workspace.path).get(account_id, Heard())
    if (before.socket, before.socket_why) != (socket, why):
        last_heard.write(
            workspace.path, account_id, replace(before, socket=socket, socket_why=why, socket_at=workspace.now())
        )


def hear_heartbeat(workspace: Workspace, account_id: str) -> None:
    """An account's hub took a heartbeat of this workstation."""
    before = last_heard.read(workspace.path).get(account_id, Heard())
    last_heard.write(workspace.path, account_id, replace(before, heartbeat_at=workspace.now()))


def hear_files(workspace: Workspace, account_id: str, why: str) -> None:
    """Why files do not get to an account's hub; empty when they do."""
    before = last_heard.read(workspace.path).get(account_id, Heard())
    if before.files_why != why:
        last_heard.write(workspace.path, account_id, replace(before, files_why=why))


def due(
    connection: sqlite3.Connection,
    account: str,
    project_id: str | None = None,
    limit: int = 100,
    *,
    files: bool = False,
) -> list[OutboxEntry]:
    """The next row of each mission that may go out now, oldest first; or the next row of each file.

    A mission that the hub refused to make holds back what was done to it; a link waits for the mission it names.
    """
    found = connection.execute(
        f"SELECT {outbox.COLUMNS} FROM outbox o WHERE account = ?1 AND (?2 IS NULL OR project_id = ?2) "
        "AND state <> 'parked' AND (kind IN ('file', 'file_delete')) = ?4 "
        "AND seq = (SELECT min(seq) FROM outbox f WHERE f.entity_id = o.entity_id AND f.state <> 'parked') "
        "AND NOT EXISTS (SELECT 1 FROM outbox p WHERE p.entity_id = o.entity_id "
        "AND p.kind IN ('create', 'part') AND p.state = 'parked') "
        # a part goes once everything that was done before has gone: something may have stopped naming it
        "AND (o.kind <> 'part_delete' OR NOT EXISTS (SELECT 1 FROM outbox e WHERE e.project_id = o.project_id "
        "AND e.seq < o.seq AND e.state <> 'parked')) "
        "AND EXISTS (SELECT 1 FROM mirror m WHERE m.project_id = o.project_id AND m.account = o.account) "
        "ORDER BY seq LIMIT ?3",
        (account, project_id, limit, files),
    ).fetchall()
    new = connection.execute("SELECT entity_id FROM outbox WHERE kind IN ('create', 'part')").fetchall()
    making = {str(mission_id) for (mission_id,) in new}
    entries = [outbox.entry_of(row) for row in found]
    return [one for one in entries if not (_named(one) & making - {one.entity_id})]


def part_name(connection: sqlite3.Connection, part: str, part_id: str) -> str:
    """What a person calls a flow, actor, repository, memory document or the project."""
    from .project_parts import name_of

    return name_of(connection, part, part_id)


def part_unsaid(connection: sqlite3.Connection, part: str, part_id: str) -> bool:
    """Whether the hub has not said yet what it has of a part (it was published from here just now)."""
    row = connection.execute("SELECT version FROM base WHERE kind = ? AND id = ?", (part, part_id)).fetchone()
    return row is not None and row[0] <= 0


def queued(
    connection: sqlite3.Connection, project: str | None = None, *, parked: bool | None = None
) -> list[OutboxEntry]:
    """What waits to be sent, oldest first; only (or without) what was parked when asked for."""
    only = lookup.project(connection, project).id if project else None
    found = connection.execute(
        f"SELECT {outbox.COLUMNS} FROM outbox WHERE (?1 IS NULL OR project_id = ?1) "
        "AND (?2 IS NULL OR (state = 'parked') = ?2) ORDER BY seq",
        (only, parked),
    ).fetchall()
    return [outbox.entry_of(row) for row in found]


def park(change: Change, seq: int, code: str, why: str = "") -> None:
    """Set a row aside that cannot be sent, or that the server fails on while it does others, in its own words."""
    entry = outbox.entry(change.connection, seq)
    if entry is not None and entry.state != "parked":
        kind_of(change, entry).park(code, why or entry.error or "the hub fails on it")


def retry_parked(change: Change, seq: int) -> OutboxEntry:
    """Send a parked row once more; NotFound."""
    entry = _parked(outbox.entry(change.connection, seq), seq)
    suspect = entry.error_code == "suspect"  # it may have been done: the same key again
    change.connection.execute(
        "UPDATE outbox SET state = ?, failures = 0, error_code = NULL, error = NULL WHERE seq = ?",
        ("inflight" if suspect else "queued", seq),
    )
    if not suspect:
        change.connection.execute(
            "UPDATE outbox SET request = NULL, rebase = rebase + 1, attempts = 0, first_sent_at = NULL WHERE seq = ?",
            (seq,),
        )
    change.connection.execute("UPDATE mirror SET read_only = NULL WHERE project_id = ?", (entry.project_id,))
    kind_of(change, entry).show()
    change.event(entry.project_id, "unparked", mission_id=entry.mission_id)
    return entry


def discard_parked(change: Change, seq: int) -> OutboxEntry:
    """Give a refused row up; a mission that the hub would not make goes with all that was done to it."""
    entry = _parked(outbox.entry(change.connection, seq), seq)
    if entry.kind in ("create", "part"):
        change.connection.execute("DELETE FROM outbox WHERE entity_id = ?", (entry.entity_id,))
    change.connection.execute("DELETE FROM outbox WHERE seq = ?", (seq,))
    kind_of(change, entry).show()
    change.event(entry.project_id, "discarded", mission_id=entry.mission_id, note=entry.error or "")
    return entry


def recover_unsent(workspace: Workspace) -> dict[str, int]:
    """Queue again what journals hold of connected projects and this workspace does not know.

    Returns how many rows of each project (id) were queued, and under "" how many wait for their project or their
    account. A journal of which nothing is left to wait for is removed.
    """
    from ...workspace import journal

    told = {"": 0}
    for path in journal.kept(workspace.path):
        left = 0
        for project_id, queued in workspace.write_as(SYSTEM, _queue_again, journal.unsent(path)):
            if queued is None:
                left += 1
            elif queued:
                told[project_id] = told.get(project_id, 0) + 1
        told[""] += left
        if not left and path != journal.path_of(workspace.path):
            path.unlink()
    return told


def _queue_again(change: Change, unsent: Iterable[JsonObject]) -> list[tuple[str, bool | None]]:
    """(project id, whether it was queued; None: it still waits) of each row of a journal."""
    return [(str(row["project_id"]), _queued_from(change, row)) for row in unsent]


def _queued_from(change: Change, row: JsonObject) -> bool | None:
    """Queue a row of a journal that is not here; None when its project is not connected for its account."""
    connection = change.connection
    if outbox.account_of(connection, str(row["project_id"])) != row["account"]:
        return None
    if connection.execute("SELECT 1 FROM outbox WHERE mutation_id = ?", (row["mutation_id"],)).fetchone():
        return False
    names = [name for name in row if name != "rebase"]
    seq = connection.execute(
        f"INSERT INTO outbox ({', '.join(names)}, rebase, state) VALUES ({', '.join('?' * len(names))}, ?, 'queued') "
        "RETURNING seq",
        (*(row[name] for name in names), int(cast("int", row["rebase"])) + 1),  # it may have been sent: another key
    ).fetchone()[0]
    entry = cast("OutboxEntry", outbox.entry(connection, seq))
    kind_of(change, entry).show()
    change.event(entry.project_id, "recovered", mission_id=entry.mission_id)
    return True


def verify_mirror(connection: sqlite3.Connection, project_id: str) -> list[str]:
    """What is not shown as the hub said it plus what was done here (`doctor`); empty when all is well."""
    from .project_parts import inconsistent

    return [*consistent(connection, project_id), *inconsistent(connection, project_id)]


def capabilities(connection: sqlite3.Connection, hub: str) -> Capabilities | None:
    """What was found out about a hub; None before it was asked."""
    kept = lookup.meta(connection, f"hub.capabilities {hub}")
    return None if kept is None else Capabilities.of(strict_json.loads(kept))


def set_capabilities(workspace: Workspace, hub: str, body: JsonObject) -> None:
    """Keep what a hub says it can do (an empty object: the specification's endpoints only)."""
    workspace.set_meta(f"hub.capabilities {hub}", dump(body))


def _items(value: Json) -> list[JsonObject]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _named(entry: OutboxEntry) -> set[str]:
    """What a row names that has to be at the hub before it: linked missions, repository, flow, actor."""
    fields = cast("JsonObject", entry.patch.get("fields") or entry.patch)
    named = ("projectRepositoryId", "flowId", "actorId", "defaultFlowId", "defaultActorId", "missionId")
    parts = {str(fields[name]) for name in named if fields.get(name)}
    return parts | {
        str(one) for name in ("blockedBy", "relatesTo") for one in cast("list[Json]", entry.patch.get(name) or [])
    }


def _parked(entry: OutboxEntry | None, seq: int) -> OutboxEntry:
    if entry is None:
        raise NotFound(f"There is no parked edit {seq}", todo="`solo-unicorn sync --parked` lists the parked edits")
    if entry.state != "parked":
        raise Conflict(f"{seq} is not parked", todo="`solo-unicorn sync --parked` lists the parked edits")
    return entry
