"""Missions listed, paged, and fed to mirrors. Rows go out as they are stored."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping

import orjson
from sqlalchemy import BigInteger, ColumnElement, and_, bindparam, select, tuple_

from ..errors import Gone, HubError
from ..permissions import missing
from ..records import missions as documents
from ..storage.statements import Statement
from ..storage.tables import events, missions, projects
from ..unit_of_work import Shown, UnitOfWork

PAGE = 200
PAGE_MAX = 1_000
PAGE_BYTES = 1_000_000
"""A page ends before it grows larger than this; one mission always fits."""
_CURSOR = re.compile(r"(\d{1,15})\.(\d{1,19})", re.ASCII)


def get(work: UnitOfWork, mission_id: str, query: Mapping[str, str]) -> Shown:
    row = _ONE.first(work.at, wanted=mission_id)
    if row is None:
        raise missing("mission", mission_id)
    if not work.access(row.project_id).may("read missions"):
        raise missing("mission", mission_id)
    if row.deleted:
        raise Gone(mission_id)
    doc = row.doc
    if "fields" in query:
        doc = documents.chosen([doc], query["fields"])[0]
    return Shown(doc.encode(), version=row.seq)


def listed(work: UnitOfWork, project_id: str, query: Mapping[str, str]) -> Shown:
    """A page of a project's missions: by id (a snapshot for mirrors), or with `sort=board` as the board shows them."""
    work.require(project_id, "read missions")
    seq = _FEED.one(work.at, wanted=project_id).newest or 0  # before the first row is read
    limit = min(int(query.get("limit", PAGE)), PAGE_MAX)
    conditions: list[ColumnElement[bool]] = [
        missions.c.project_id == project_id,
        missions.c.deleted.is_(False),
        *_filters(query),
    ]
    board = query.get("sort") == "board"
    if "after" in query:
        conditions.append(_after_board(query["after"]) if board else missions.c.id > query["after"])
    order = (missions.c.list, missions.c.list_order, missions.c.id) if board else (missions.c.id,)
    rows = work.at.execute(
        select(missions.c.id, missions.c.list, missions.c.list_order, missions.c.doc)
        .where(and_(*conditions))
        .order_by(*order)
        .limit(limit + 1)
    ).all()
    docs, more = _cut([row.doc for row in rows], limit)
    after = None
    if more:
        last = rows[len(docs) - 1]
        after = _board_cursor(last.list, last.list_order, last.id) if board else last.id
    if "fields" in query:
        docs = documents.chosen(docs, query["fields"])
    epoch = work.hub.epoch
    tail = {"nextAfter": after, "snapshotCursor": cursor(epoch, seq), "epoch": epoch, "seq": seq}
    return Shown(b'{"items":' + documents.joined(docs) + b"," + orjson.dumps(tail)[1:])


def changes(work: UnitOfWork, project_id: str, query: Mapping[str, str]) -> Shown:
    """What changed in a project after a cursor, each mission once, in its last state."""
    work.require(project_id, "read missions")
    epoch = work.hub.epoch
    project = _FEED.one(work.at, wanted=project_id)
    text = query.get("cursor")
    since = 0 if text is None else _seq_of(text, epoch, project.newest or 0)
    for known in (since, int(query.get("known", 0))):
        if known and _STANDS.first(work.at, wanted=project_id, at=known) is None:
            raise HubError(
                "epoch_changed",
                "The hub's data has another history than the data read before",
                why=f"change {known} is not in it: the database was restored, copied or created again",
                todo="read the whole list again",
                details={"epoch": epoch},
            )
    limit = min(int(query.get("limit", 500)), PAGE_MAX)
    conditions: list[ColumnElement[bool]] = [missions.c.project_id == project_id, missions.c.seq > since]
    rows = work.at.execute(
        select(missions.c.seq, missions.c.doc).where(and_(*conditions)).order_by(missions.c.seq).limit(limit + 1)
    ).all()
    docs, more = _cut([row.doc for row in rows], limit)
    # the feed may have grown since `project` was read: never name a number behind what is sent
    reached = rows[len(docs) - 1].seq if docs else since
    seq = reached if more else max(reached, project.newest or 0)
    tail = {
        "cursor": cursor(epoch, seq),
        "hasMore": more,
        "epoch": epoch,
        "seq": seq,
        "projectVersion": project.version,
    }
    return Shown(b'{"changes":' + documents.joined(docs) + b"," + orjson.dumps(tail)[1:])


def history(work: UnitOfWork, project_id: str, mission_id: str | None, query: Mapping[str, str]) -> Shown:
    """Events of a project or a mission, oldest first, after a number."""
    limit = min(int(query.get("limit", PAGE)), PAGE_MAX)
    conditions: list[ColumnElement[bool]] = [
        events.c.project_id == project_id,
        events.c.seq > int(query.get("after", "0")),
    ]
    if mission_id is not None:
        conditions.append(events.c.mission_id == mission_id)
    if "kinds" in query:
        conditions.append(events.c.kind.in_(_lists(query["kinds"])))
    rows = work.at.execute(
        select(events.c.seq, events.c.doc).where(and_(*conditions)).order_by(events.c.seq).limit(limit + 1)
    ).all()
    docs, more = _cut([row.doc for row in rows], limit)
    after = str(rows[len(docs) - 1].seq) if more else None
    return Shown(b'{"items":' + documents.joined(docs) + b',"nextAfter":' + orjson.dumps(after) + b"}")


def cursor(epoch: int, seq: int) -> str:
    """A place in a feed, opaque to clients."""
    return base64.urlsafe_b64encode(f"{epoch}.{seq}".encode()).decode().rstrip("=")


def _seq_of(text: str, epoch: int, newest: int) -> int:
    try:
        found = _CURSOR.fullmatch(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode("ascii"))
    except ValueError:
        found = None
    if found is None:
        raise HubError("cursor_expired", "The cursor cannot be read", todo="read the whole list again")
    theirs, seq = int(found[1]), int(found[2])
    if theirs != epoch:
        raise HubError(
            "epoch_changed",
            "The hub's data has another history than the data read before",
            why=f"the cursor is of epoch {theirs}, this is {epoch}: it was restored from a backup",
            todo="read the whole list again",
            details={"epoch": epoch},
        )
    if seq > newest:
        raise HubError("cursor_from_future", "The cursor is ahead of the hub", todo="read the whole list again")
    return seq


def _filters(query: Mapping[str, str]) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if "list" in query:
        found.append(missions.c.list.in_(_lists(query["list"])))
    if "ready" in query:
        found.append(missions.c.ready.is_(query["ready"] == "true"))
    if "priority" in query:
        found.append(missions.c.priority == int(query["priority"]))
    if "stage" in query:
        found.append(missions.c.stage == query["stage"])
    if "flowId" in query:
        found.append(missions.c.flow_id == query["flowId"])
    if "repositoryId" in query:
        found.append(missions.c.repository_id == query["repositoryId"])
    if "q" in query:
        found.append(missions.c.title.icontains(query["q"], autoescape=True))
    return found


def _lists(value: str) -> list[str]:
    return [one.strip() for one in value.split(",") if one.strip()]


def _cut(docs: list[str], limit: int) -> tuple[list[str], bool]:
    """No more than `limit` texts and about PAGE_BYTES; whether more follow."""
    size = 0
    for place, doc in enumerate(docs[:limit]):
        size += len(doc)
        if size > PAGE_BYTES and place:
            return docs[:place], True
    return docs[:limit], len(docs) > limit


def _board_cursor(in_list: str, order: float, mission_id: str) -> str:
    return base64.urlsafe_b64encode(orjson.dumps([in_list, order, mission_id])).decode().rstrip("=")


def _after_board(text: str) -> ColumnElement[bool]:
    try:
        in_list, order, mission_id = orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        place = (str(in_list), float(order), str(mission_id))
    except (ValueError, TypeError) as error:
        raise HubError("invalid", "The parameter after cannot be read", details={"field": "after"}) from error
    return tuple_(missions.c.list, missions.c.list_order, missions.c.id) > tuple_(*place)


_ONE = Statement(
    select(missions.c.project_id, missions.c.seq, missions.c.deleted, missions.c.doc).where(
        missions.c.id == bindparam("wanted")
    )
)
_FEED = Statement(
    select(
        projects.c.version,
        select(events.c.seq)
        .where(events.c.project_id == projects.c.id)
        .order_by(events.c.seq.desc())
        .limit(1)
        .scalar_subquery()
        .label("newest"),
    ).where(projects.c.id == bindparam("wanted"))
)
_STANDS = Statement(
    select(events.c.seq).where(
        and_(events.c.project_id == bindparam("wanted"), events.c.seq == bindparam("at", type_=BigInteger))
    )
)
