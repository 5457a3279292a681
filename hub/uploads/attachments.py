"""Attachments of missions: announced, uploaded, complete. Their endpoints are in `api/attachments.py`."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any, Final

import orjson
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Float,
    Index,
    Row,
    String,
    Table,
    Text,
    delete,
    insert,
    select,
    update,
)

from ...missions.entities import Attachment, JsonObject
from ...missions.errors import AlreadyExists, InvalidValue
from ...missions.wire import to_wire
from ..change import Change, author_of, new_id
from ..errors import HubError
from ..permissions import Right, missing
from ..services.missions import project_of
from ..storage.tables import metadata
from ..unit_of_work import Shown, UnitOfWork
from . import kinds, signing

PER_MISSION: Final = 200
ABANDONED_SECONDS: Final = 7 * 86400

attachments = Table(
    "attachments",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("project_id", String(64), nullable=False),
    Column("mission_id", String(64), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("mime", String(200), nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", Float, nullable=False),
    Column("doc", Text, nullable=False),
    Index("attachments_mission", "mission_id"),
    Index("attachments_state", "state", "at"),
)
"""`state`: waiting (for its bytes), stored (they are here and were checked), refused (they are not what was announced),
complete (it belongs to its mission)."""


def announce(work: UnitOfWork, project_id: str, body: JsonObject, base_url: str) -> tuple[Shown, bool]:
    """A file is to come: checked by its description, with the address to send it to; whether it is new."""
    work.require(project_id, "write missions")
    mission_id = body.get("missionId")
    if not isinstance(mission_id, str) or project_of(work, mission_id) != project_id:
        raise missing("mission", str(mission_id))
    largest = int(work.hub.settings.options.get("upload_bytes", kinds.SIZE_MAX))
    made = Attachment(
        id=new_id(body.get("id")),
        project_id=project_id,
        mission_id=mission_id,
        name=kinds.check_name(body.get("name")),
        mime=kinds.check_mime(body.get("mime")),
        size=kinds.check_size(body.get("size"), largest),
        sha256=_sha256(body.get("sha256")),
        added_at=datetime.fromtimestamp(work.now, UTC),
        added_by=author_of(work),
    )
    known = work.at.execute(select(attachments).where(attachments.c.id == made.id)).one_or_none()
    if known is not None:
        return _announced_again(work, known, made, base_url), False
    count = len(work.at.execute(select(attachments.c.id).where(attachments.c.mission_id == mission_id)).all())
    if count >= PER_MISSION:
        raise InvalidValue("missionId", f"A mission has at most {PER_MISSION} files")
    doc = orjson.dumps(to_wire(made)).decode()
    work.at.execute(
        insert(attachments).values(
            id=made.id,
            project_id=project_id,
            mission_id=mission_id,
            size=made.size,
            sha256=made.sha256,
            mime=made.mime,
            state="waiting",
            reason="",
            at=work.now,
            doc=doc,
        )
    )
    return _with_address(work, made.id, doc, "waiting", base_url), True


def address(work: UnitOfWork, identifier: str, base_url: str) -> Shown:
    """A fresh address for an upload that was not finished in time."""
    row = _row(work, identifier, "write missions")
    return _with_address(work, row.id, row.doc, row.state, base_url)


def complete(work: UnitOfWork, identifier: str) -> Shown:
    """The client says that all is sent: the file belongs to its mission if its bytes are here and right."""
    row = _row(work, identifier, "write missions")
    match row.state:
        case "waiting":
            raise HubError("conflict", "The file is not here yet", todo="send the rest, then complete")
        case "refused":
            raise HubError(
                "invalid", "The file is not the one that was announced", why=row.reason, details={"field": "file"}
            )
        case "stored":
            change = Change(work, row.project_id, "write missions")
            work.at.execute(update(attachments).where(attachments.c.id == row.id).values(state="complete"))
            change.event(
                change.project_id, "file_attached", mission_id=row.mission_id, note=orjson.loads(row.doc)["name"]
            )
    return Shown(_shown(row.doc, "complete"))


def listed(work: UnitOfWork, mission_id: str) -> Shown:
    """The files of a mission, oldest first."""
    project_id = project_of(work, mission_id)
    work.require(project_id, "read missions")
    rows = work.at.execute(
        select(attachments.c.doc)
        .where(attachments.c.mission_id == mission_id, attachments.c.state == "complete")
        .order_by(attachments.c.at, attachments.c.id)
    )
    return Shown(b'{"items":[' + b",".join(_shown(row.doc, "complete") for row in rows) + b'],"nextAfter":null}')


def get(work: UnitOfWork, identifier: str) -> Shown:
    """One of them, also while it is being sent."""
    row = _row(work, identifier, "read missions")
    return Shown(_shown(row.doc, row.state, row.reason))


def content(work: UnitOfWork, identifier: str, base_url: str) -> str:
    """Where its bytes are, for a few minutes."""
    row = _row(work, identifier, "read missions")
    if row.state not in ("stored", "complete"):
        raise missing("file", identifier)
    return signing.signed(base_url, work.hub.keys.secret(work.at, "uploads"), row.id, "get")


def remove(work: UnitOfWork, identifier: str) -> None:
    """Take it off its mission; its bytes go afterwards."""
    row = _row(work, identifier, "write missions")
    change = Change(work, row.project_id, "write missions")
    work.at.execute(delete(attachments).where(attachments.c.id == row.id))
    change.event(change.project_id, "file_detached", mission_id=row.mission_id, note=orjson.loads(row.doc)["name"])


def waiting(at: Connection, identifier: str) -> Row[Any] | None:
    """An announced file, for whoever holds its signed address."""
    return at.execute(select(attachments).where(attachments.c.id == identifier)).one_or_none()


def settle(at: Connection, identifier: str, state: str, reason: str = "") -> None:
    """Its bytes are here, or are not what was announced."""
    place = (attachments.c.id == identifier, attachments.c.state == "waiting")
    at.execute(update(attachments).where(*place).values(state=state, reason=reason))


def abandoned(at: Connection) -> list[str]:
    """Announced a week ago and never finished: forgotten, and named so that their bytes go too."""
    old = (attachments.c.state != "complete", attachments.c.at < time.time() - ABANDONED_SECONDS)
    found = list(at.execute(select(attachments.c.id).where(*old)).scalars())
    at.execute(delete(attachments).where(attachments.c.id.in_(found)))
    return found


def _row(work: UnitOfWork, identifier: str, right: Right) -> Row[Any]:
    row = waiting(work.at, identifier)
    if row is None or not work.access(row.project_id).may("read missions"):
        raise missing("file", identifier)
    work.require(row.project_id, right)
    return row


def _announced_again(work: UnitOfWork, known: Row[Any], made: Attachment, base_url: str) -> Shown:
    if known.project_id != made.project_id or known.sha256 != made.sha256 or known.size != made.size:
        raise AlreadyExists(f"The id {made.id} belongs to another file", id=made.id, todo="choose another id")
    return _with_address(work, known.id, known.doc, known.state, base_url)


def _with_address(work: UnitOfWork, identifier: str, doc: str, state: str, base_url: str) -> Shown:
    place = signing.signed(base_url, work.hub.keys.secret(work.at, "uploads"), identifier, "put")
    expires = datetime.fromtimestamp(int(work.now) + signing.PUT_SECONDS, UTC).isoformat().replace("+00:00", "Z")
    tail = orjson.dumps({"uploadUrl": place, "expiresAt": expires})
    return Shown(b'{"attachment":' + _shown(doc, state) + b"," + tail[1:])


def _shown(doc: str, state: str, reason: str = "") -> bytes:
    shown: JsonObject = orjson.loads(doc)
    shown["state"] = state
    if reason:
        shown["reason"] = reason
    return orjson.dumps(shown)


def _sha256(value: object) -> str:
    if not isinstance(value, str) or len(value) != 64 or not all(char in "0123456789abcdef" for char in value):
        raise InvalidValue("sha256", "sha256 must be the SHA-256 of the file in lower-case hexadecimal")
    return value
